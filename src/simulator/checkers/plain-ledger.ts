import type { Hash } from '../../crypto/hash.ts';
import type { BlockHeader, Proposal } from '../../ledger/block.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import {
  type PlainAccount,
  plainHashesRoot,
  plainHeaderHash,
  type PlainOutcome,
  type PlainReceipt,
  plainReceiptsRoot,
  type PlainRecord,
  plainStateRoot,
} from './plain-roots.ts';

/** Consensus limits, said here once more so that a changed one shows. */
const maxTransactions = 4_096;
const maxBytes = 2 * 1024 * 1024;
const maxExpiryAhead = 100_000;

/** Accounts and records after some block. */
export interface PlainState {
  readonly accounts: ReadonlyMap<string, PlainAccount>;
  readonly records: ReadonlyMap<string, PlainRecord>;
}

/** A block that was judged. */
export type Judged =
  | { readonly verdict: 'valid'; readonly header: BlockHeader; readonly state: PlainState }
  | { readonly verdict: 'invalid'; readonly why: string };

/**
 * What makes a block valid on its parent, in a second implementation that shares nothing with the ledger but the form of its
 * values: maps instead of trees, a copy of everything for each block. Null when the block keeps all rules.
 */
export function judgePlainly(block: {
  readonly blockHash: Hash;
  readonly proposal: Proposal;
  readonly parent: { readonly header: BlockHeader; readonly state: PlainState };
  readonly chainId: Hash;
  /** By hash; undefined for one that nobody made. */
  readonly transaction: (hash: Hash) => Transaction | undefined;
}): Judged {
  const { proposal, parent, chainId } = block;
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
  const size = transactions.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (transactions.length > maxTransactions || size > maxBytes) return invalid('it is too large');
  const done = executePlainly(parent.state, header, chainId, transactions);
  if (typeof done === 'string') return invalid(done);
  if (plainReceiptsRoot(done.receipts) !== header.receiptsRoot)
    return invalid('it claims another receipts root');
  if (plainStateRoot(done.state.accounts, done.state.records) !== header.stateRoot) {
    return invalid('it claims another state root');
  }
  return { verdict: 'valid', header, state: done.state };
}

/** All coins of a state. */
export function coinsOf({ accounts }: PlainState): bigint {
  let sum = 0n;
  for (const { balance } of accounts.values()) sum += balance;
  return sum;
}

function executePlainly(
  before: PlainState,
  { height, proposer }: BlockHeader,
  chainId: Hash,
  transactions: readonly Transaction[],
): { readonly state: PlainState; readonly receipts: readonly PlainReceipt[] } | string {
  const accounts = new Map(before.accounts);
  const records = new Map(before.records);
  const receipts: PlainReceipt[] = [];
  let fees = 0n;
  const accountOf = (key: string): PlainAccount => accounts.get(key) ?? { balance: 0n, nonce: 0 };
  const pay = (key: string, amount: bigint): void => {
    const { balance, nonce } = accountOf(key);
    accounts.set(key, { balance: balance + amount, nonce });
  };
  const perform = ({ sender, payload }: Transaction): PlainOutcome => {
    if (payload.type === 'transfer') {
      if (accountOf(sender).balance < payload.amount) return 'transaction/insufficient-balance';
      pay(sender, -payload.amount);
      pay(payload.to, payload.amount);
      return '';
    }
    const owner = records.get(payload.key)?.owner;
    if (owner === undefined && payload.type === 'delete') return 'transaction/no-such-record';
    if (owner !== undefined && owner !== sender) return 'transaction/not-owner';
    if (payload.type === 'put') records.set(payload.key, { owner: sender, value: payload.value });
    else records.delete(payload.key);
    return '';
  };
  for (const transaction of transactions) {
    const { sender, nonce, fee, expiryHeight, hash } = transaction;
    const account = accountOf(sender);
    if (transaction.chainId !== chainId) return 'it holds a transaction of another chain';
    if (expiryHeight < height || expiryHeight > height + maxExpiryAhead)
      return 'it holds one out of its time';
    if (nonce !== account.nonce)
      return `it holds nonce ${nonce} of an account whose next one is ${account.nonce}`;
    if (account.balance < fee) return 'it holds one that cannot pay its fee';
    accounts.set(sender, { balance: account.balance - fee, nonce: nonce + 1 });
    fees += fee;
    receipts.push({ transactionHash: hash, outcome: perform(transaction), fee });
  }
  pay(proposer, fees);
  return { state: { accounts, records }, receipts };
}
