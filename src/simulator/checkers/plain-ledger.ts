import { hash as digest } from 'node:crypto';
import type { Hash } from '../../crypto/hash.ts';
import type { BlockHeader, Proposal } from '../../ledger/block.ts';
import type { Condition } from '../../ledger/condition.ts';
import type { Operation } from '../../ledger/operation.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { accountIn, type Books, copyOf, fails, pay } from './plain-books.ts';
import { plainValidatorsHash } from './plain-chain.ts';
import { changePlainly, plainChainAt } from './plain-changes.ts';
import { release, reserve, settle } from './plain-reservations.ts';
import type { PlainCode } from './plain-codes.ts';
import { forbids, ruleNamespace } from './plain-namespaces.ts';
import {
  type PlainChangeEffect,
  type PlainFound,
  type PlainOutcome,
  type PlainPlace,
  type PlainReceipt,
  type PlainRecord,
  type PlainState,
  plainHashesRoot,
  plainHeaderHash,
  plainReceiptsRoot,
  plainStateRoot,
} from './plain-roots.ts';

/** A consensus limit, said here once more so that a changed one shows. */
const maxExpiryAhead = 100_000;

/** What the genesis says of every block. */
export interface PlainRules {
  readonly chainId: Hash;
}

/** A block that was judged. */
export type Judged =
  | { readonly verdict: 'valid'; readonly header: BlockHeader; readonly state: PlainState }
  | { readonly verdict: 'invalid'; readonly why: string };

/**
 * What makes a block valid on its parent, in a second implementation that shares nothing with the
 * ledger but the form of its values: maps instead of trees, a copy of everything for each block. Null
 * when the block keeps all rules.
 */
export function judgePlainly(block: {
  readonly blockHash: Hash;
  readonly proposal: Proposal;
  readonly parent: { readonly header: BlockHeader; readonly state: PlainState };
  readonly rules: PlainRules;
  /** By hash; undefined for one that nobody made. */
  readonly transaction: (hash: Hash) => Transaction | undefined;
}): Judged {
  const { proposal, parent, rules } = block;
  const { header, transactionHashes } = proposal;
  const invalid = (why: string): Judged => ({ verdict: 'invalid', why });
  if (plainHeaderHash(header) !== block.blockHash) return invalid('its header has another hash');
  if (header.height !== parent.header.height + 1) return invalid('it is not one above its parent');
  if (header.parentHash !== plainHeaderHash(parent.header)) return invalid('it names another parent');
  if (header.timestamp <= parent.header.timestamp) return invalid('it is not later than its parent');
  if (header.validatorsHash !== parent.header.nextValidatorsHash) return invalid('it names other validators');
  if (plainHashesRoot(transactionHashes) !== header.transactionRoot)
    return invalid('it lists other transactions');
  if (new Set(transactionHashes).size !== transactionHashes.length) return invalid('it lists one twice');
  const transactions: Transaction[] = [];
  for (const hash of transactionHashes) {
    const transaction = block.transaction(hash);
    if (transaction === undefined) return invalid(`nobody made its transaction ${hash}`);
    transactions.push(transaction);
  }
  const done = executePlainly(parent.state, header, rules, transactions);
  if (typeof done === 'string') return invalid(done);
  if (plainReceiptsRoot(done.receipts) !== header.receiptsRoot)
    return invalid('it claims another receipts root');
  if (plainStateRoot(done.state) !== header.stateRoot) return invalid('it claims another state root');
  if (header.protocolVersion !== done.state.chain.version) return invalid('it names another version');
  const { validators } = plainChainAt(done.state.chain, header.height + 1);
  if (validators.length > 0 && header.nextValidatorsHash !== plainValidatorsHash(validators)) {
    return invalid('it names other next validators');
  }
  return { verdict: 'valid', header, state: done.state };
}

/** All coins of a state. */
export function coinsOf({ accounts }: PlainState): bigint {
  let sum = 0n;
  for (const { balance, held } of accounts.values()) sum += balance + held;
  return sum;
}

/** What a condition found that does not fit; null when it holds. */
function brokenBy(
  books: Books,
  condition: Condition,
  { height, timestamp }: { readonly height: number; readonly timestamp: number },
): PlainFound | null {
  if (condition.type === 'time-at-most')
    return timestamp > condition.time ? (['time', timestamp] as const) : null;
  if (condition.type === 'height-at-most')
    return height > condition.height ? (['height', height] as const) : null;
  if (condition.type === 'balance-at-least') {
    const { balance } = accountIn(books, condition.account);
    return balance < condition.amount ? (['balance', balance] as const) : null;
  }
  const record = books.records.get(condition.key);
  const there = record !== undefined && record.content !== null;
  const version = ['version', there ? record.version : 0] as const;
  switch (condition.type) {
    case 'record-absent':
      return there ? version : null;
    case 'record-exists':
      return there ? null : version;
    case 'record-version':
      return there && record.version === condition.version ? null : version;
    case 'record-hash': {
      if (!there) return version;
      const found = digest('sha256', record.content?.value ?? new Uint8Array());
      return found === condition.hash ? null : (['hash', found] as const);
    }
  }
}

type PlainFailure = { readonly code: PlainCode; readonly found: PlainFound | null };

/**
 * Does it in these books, or says why not. Gives the record's new version when it changed one, and what it
 * did to a proposal.
 */
function perform(
  books: Books,
  transaction: Transaction,
  operation: Operation,
  place: PlainPlace,
  validatorsHash: string,
): PlainFailure | PlainRecord | PlainChangeEffect | null {
  const { sender, signers, hash: transactionHash } = transaction;
  if (operation.type === 'transfer') {
    const { balance } = accountIn(books, sender);
    if (balance < operation.amount) return fails('transaction/insufficient-balance', ['balance', balance]);
    pay(books, sender, -operation.amount);
    pay(books, operation.to, operation.amount);
    return null;
  }
  if (operation.type === 'set-keys') {
    const { keys, threshold, force } = operation;
    let signed = 0;
    for (const key of keys) if (signers.includes(key)) signed += 1;
    if (!force && signed < threshold) return fails('transaction/unproven-keys');
    const asBefore = keys.join() === sender;
    books.accounts.set(sender, {
      ...accountIn(books, sender),
      keys: asBefore ? null : { keys, threshold },
    });
    return null;
  }
  if (operation.type === 'reserve') return reserve(books, transaction, operation, place);
  if (operation.type === 'post' || operation.type === 'void') return settle(books, sender, operation, place);
  if (operation.type === 'open-namespace' || operation.type === 'set-namespace') {
    return ruleNamespace(books, sender, operation);
  }
  if (operation.type === 'propose-change' || operation.type === 'approve-change') {
    const [height, , index] = place;
    const { balance } = accountIn(books, sender);
    const terms = { sender, balance, height, validatorsHash, transactionHash, operation: index };
    const done = changePlainly(books.chain, operation, terms);
    if (typeof done === 'string') return fails(done);
    books.chain = done.chain;
    return done.effect;
  }
  const old = books.records.get(operation.key);
  const code = forbids(books, sender, operation, old);
  if (code !== null) return fails(code);
  const next: PlainRecord = {
    version: (old?.version ?? 0) + 1,
    changed: place,
    previous: old?.changed ?? null,
    content: contentAfter(operation, sender, old),
  };
  books.records.set(operation.key, next);
  return next;
}

/** What a record holds when this was done to it; null when it is gone. */
function contentAfter(
  operation: Extract<Operation, { readonly key: string }>,
  sender: string,
  old: PlainRecord | undefined,
): PlainRecord['content'] {
  if (operation.type === 'delete') return null;
  if (operation.type === 'put') return { owner: old?.content?.owner ?? sender, value: operation.value };
  return { owner: operation.to, value: old?.content?.value ?? new Uint8Array() };
}

function effectOn(books: Books, key: string): PlainReceipt['accounts'][number] {
  const { balance, held } = accountIn(books, key);
  return [key, balance, held];
}

/** What a transaction comes to after its fee; of what fails the books keep nothing. */
function carryOut(
  before: Books,
  transaction: Transaction,
  at: {
    readonly height: number;
    readonly timestamp: number;
    readonly index: number;
    readonly validatorsHash: string;
  },
): { readonly books: Books; readonly receipt: PlainReceipt } {
  const { sender, hash: transactionHash, fee } = transaction;
  const failed = (outcome: PlainOutcome) => ({
    books: before,
    receipt: {
      transactionHash,
      failed: outcome,
      fee,
      accounts: [effectOn(before, sender)],
      records: [],
      changes: [],
    },
  });
  for (const [index, condition] of transaction.conditions.entries()) {
    const found = brokenBy(before, condition, at);
    if (found !== null) {
      return failed({ code: `condition/${condition.type}`, at: ['condition', index], found });
    }
  }
  const books = copyOf(before);
  const touched = new Set<string>([sender]);
  const records: PlainReceipt['records'][number][] = [];
  const changes: PlainChangeEffect[] = [];
  for (const [index, operation] of transaction.operations.entries()) {
    const place = [at.height, at.index, index] as const;
    const done = perform(books, transaction, operation, place, at.validatorsHash);
    if (done !== null && 'code' in done) return failed({ ...done, at: ['operation', index] });
    if (operation.type === 'transfer') touched.add(operation.to);
    if (operation.type === 'post' || operation.type === 'void') touched.add(operation.reservation.sender);
    if (done !== null && 'proposal' in done) changes.push(done);
    else if (done !== null) {
      records.push({ operation: index, version: done.version, previous: done.previous });
    }
  }
  const accounts = [...touched].map((key) => effectOn(books, key));
  return { books, receipt: { transactionHash, failed: null, fee, accounts, records, changes } };
}

/** What a block's transactions come to on a state; or, in a sentence, why no valid block holds them. */
export function executePlainly(
  before: PlainState,
  header: Pick<BlockHeader, 'height' | 'timestamp' | 'proposer' | 'validatorsHash'>,
  { chainId }: PlainRules,
  transactions: readonly Transaction[],
): { readonly state: PlainState; readonly receipts: readonly PlainReceipt[] } | string {
  const { height, timestamp, proposer, validatorsHash } = header;
  let books = copyOf(before);
  const chain = plainChainAt(before.chain, height);
  books.chain = chain;
  release(books, height);
  const receipts: PlainReceipt[] = [];
  let fees = 0n;
  let operations = 0;
  for (const [index, transaction] of transactions.entries()) {
    const { sender, nonce, fee, expiryHeight, signers } = transaction;
    const account = accountIn(books, sender);
    if (transaction.chainId !== chainId) return 'it holds a transaction of another chain';
    if (chain.version < 2 && transaction.conditions.some(({ type }) => type === 'time-at-most'))
      return 'it holds one of a later version';
    if (expiryHeight < height || expiryHeight > height + maxExpiryAhead)
      return 'it holds one out of its time';
    if (nonce !== account.nonce)
      return `it holds nonce ${nonce} of an account whose next one is ${account.nonce}`;
    const units = BigInt(transaction.operations.length + signers.length - 1);
    if (fee < units * chain.fee) return 'it holds one that pays too little';
    const { keys, threshold } = before.accounts.get(sender)?.keys ?? { keys: [sender], threshold: 1 };
    const known = signers.filter((key) => keys.includes(key)).length;
    const coming = transaction.operations.flatMap((one) => (one.type === 'set-keys' ? one.keys : []));
    const strange = signers.filter((key) => !keys.includes(key) && !coming.includes(key));
    if (known < threshold || strange.length > 0) return 'it holds one that others signed';
    if (account.balance < fee) return 'it holds one that cannot pay its fee';
    books.accounts.set(sender, { ...account, balance: account.balance - fee, nonce: nonce + 1 });
    fees += fee;
    operations += transaction.operations.length;
    const done = carryOut(books, transaction, { height, timestamp, index, validatorsHash });
    books = done.books;
    receipts.push(done.receipt);
  }
  const size = transactions.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const { maxTransactions, maxOperations, maxBytes } = chain.limits;
  if (transactions.length > maxTransactions || size > maxBytes || operations > maxOperations)
    return 'it is too large';
  pay(books, proposer, fees);
  return { state: books, receipts };
}
