import { equalBytes } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { BlockHeader, Height } from './block.ts';
import { type FailureCode, type Receipt, receiptsRootOf } from './receipt.ts';
import type { State } from './state.ts';
import {
  type Account,
  accountStateKey,
  encodeAccount,
  encodeRecord,
  type RecordEntry,
  recordStateKey,
  type StateChange,
} from './state-entry.ts';
import { namesForgeableKey, type Payload, type Transaction } from './transaction.ts';

/**
 * What transactions do to a state. Deterministic: parent state, context and transactions in their order decide everything.
 *
 * A transaction that may not stand in a block (see `StandingCode`) makes the block invalid: a correct proposer
 * never includes one. One whose payload cannot be done (see `FailureCode`) stands, pays its fee and
 * does nothing else. A sender pays from what it has before its own transaction; the proposer gets all
 * fees of the block after the last transaction, so what one transaction does never depends on another's fee.
 */
export interface ExecutionContext {
  readonly height: Height;
  /** Of the block, in ms since 1970. No transaction depends on it yet. */
  readonly timestamp: number;
  /** Who gets the fees: the proposer that the header names. */
  readonly proposer: PublicKey;
  readonly chainId: Hash;
}

export interface Execution {
  /** The state after the block. */
  readonly state: State;
  /** One for each transaction, in order. */
  readonly receipts: readonly Receipt[];
  readonly receiptsRoot: Hash;
  /** What differs from the parent's state, for storage: each key once, and nothing that stayed as it was. */
  readonly changes: readonly StateChange[];
}

/** Why a transaction may not stand in a block at some place. */
export type StandingCode =
  /** It is for another chain. */
  | 'transaction/wrong-chain'
  /** It is from or to a key for which anybody can sign (`isForgeableKey`). */
  | 'transaction/forgeable-key'
  /** It stands in the same block already. */
  | 'transaction/duplicate'
  /** Its nonce is below the sender's next one: it, or another with its nonce, was executed. */
  | 'transaction/nonce-used'
  /** Its nonce is above the sender's next one: others must come first. */
  | 'transaction/nonce-gap'
  /** The block's height is above its expiry height. */
  | 'transaction/expired'
  /** Its expiry height is further ahead of the block than `limits.maxExpiryAhead`. */
  | 'transaction/expiry-too-far'
  /** The sender has less than the fee. */
  | 'transaction/fee-not-payable';

/** Executes a block's transactions on its parent's state, or says why no valid block holds them. Checks no signature. */
export function executeBlock(
  parent: State,
  context: ExecutionContext,
  transactions: readonly Transaction[],
): Execution | Problem {
  const block = new BlockExecution(parent, context);
  for (const [index, transaction] of transactions.entries()) {
    if (!block.fits(transaction, limits.maxBlockTransactions, limits.maxBlockBytes)) {
      return oversize(context.height, transactions.length);
    }
    const refusal = block.add(transaction);
    if (refusal !== undefined) return mayNotStand(refusal, transaction, index, context.height);
  }
  return block.finish();
}

/** What `buildBlock` passed over, and why. Only a transaction with a nonce gap may still have its time. */
export interface Skipped {
  readonly transaction: Transaction;
  readonly code: StandingCode;
}

/**
 * Takes candidates in their order into a block until the next one does not fit, passes over those that may not
 * stand in it, and gives the same execution as `executeBlock` on the result. Asks for no candidate beyond those.
 */
export function buildBlock(
  parent: State,
  context: ExecutionContext,
  candidates: Iterable<Transaction>,
  room: { readonly maxCount: number; readonly maxBytes: number },
): { transactions: readonly Transaction[]; execution: Execution; skipped: readonly Skipped[] } {
  const maxCount = Math.min(room.maxCount, limits.maxBlockTransactions);
  const maxBytes = Math.min(room.maxBytes, limits.maxBlockBytes);
  const block = new BlockExecution(parent, context);
  const transactions: Transaction[] = [];
  const skipped: Skipped[] = [];
  if (maxCount > 0) {
    for (const transaction of candidates) {
      if (!block.fits(transaction, maxCount, maxBytes)) break;
      const code = block.add(transaction);
      if (code !== undefined) skipped.push({ transaction, code });
      else if (transactions.push(transaction) === maxCount) break;
    }
  }
  return { transactions, execution: block.finish(), skipped };
}

/** Checks that a header commits to what its transactions did. */
export function checkRoots(header: BlockHeader, execution: Execution): Problem | undefined {
  const wrong = (what: string, claimed: Hash, computed: Hash): Problem =>
    new Problem('block/execution', `the block at height ${header.height} claims another ${what}`, {
      remedy:
        'The block is invalid. If several nodes disagree here, compare their versions: execution must be the same on all.',
      details: { height: header.height, what, claimed, computed },
    });
  if (header.stateRoot !== execution.state.root) {
    return wrong('state root', header.stateRoot, execution.state.root);
  }
  if (header.receiptsRoot !== execution.receiptsRoot) {
    return wrong('receipts root', header.receiptsRoot, execution.receiptsRoot);
  }
  return undefined;
}

/** One block under execution: the parent's state, and over it what the block's transactions changed so far. */
class BlockExecution {
  readonly #parent: State;
  readonly #context: ExecutionContext;
  readonly #accounts = new Map<PublicKey, Account>();
  /** Null is a record that a transaction deleted. */
  readonly #records = new Map<string, RecordEntry | null>();
  readonly #hashes = new Set<Hash>();
  readonly #receipts: Receipt[] = [];
  #bytes = 0;
  #fees = 0n;

  constructor(parent: State, context: ExecutionContext) {
    this.#parent = parent;
    this.#context = context;
  }

  fits(transaction: Transaction, maxCount: number, maxBytes: number): boolean {
    return this.#receipts.length < maxCount && this.#bytes + transaction.bytes.length <= maxBytes;
  }

  /** Executes one more transaction, or changes nothing and says why it may not stand here. */
  add(transaction: Transaction): StandingCode | undefined {
    const sender = this.#account(transaction.sender);
    const refusal = this.#refusal(transaction, sender);
    if (refusal !== undefined) return refusal;
    const { hash, fee } = transaction;
    this.#accounts.set(transaction.sender, { balance: sender.balance - fee, nonce: sender.nonce + 1 });
    this.#fees += fee;
    const code = this.#perform(transaction.sender, transaction.payload);
    this.#hashes.add(hash);
    this.#bytes += transaction.bytes.length;
    this.#receipts.push({ transactionHash: hash, status: code === '' ? 'applied' : 'failed', code, fee });
    return undefined;
  }

  /** Pays the fees out and closes the block. */
  finish(): Execution {
    if (this.#fees > 0n) this.#credit(this.#context.proposer, this.#fees);
    const changes = this.#changes();
    return {
      state: this.#parent.with(changes),
      receipts: this.#receipts,
      receiptsRoot: receiptsRootOf(this.#receipts),
      changes,
    };
  }

  #refusal(transaction: Transaction, sender: Account): StandingCode | undefined {
    const { height, chainId } = this.#context;
    if (transaction.chainId !== chainId) return 'transaction/wrong-chain';
    if (namesForgeableKey(transaction)) return 'transaction/forgeable-key';
    if (transaction.expiryHeight < height) return 'transaction/expired';
    if (transaction.expiryHeight > height + limits.maxExpiryAhead) return 'transaction/expiry-too-far';
    if (transaction.nonce < sender.nonce) {
      return this.#hashes.has(transaction.hash) ? 'transaction/duplicate' : 'transaction/nonce-used';
    }
    if (transaction.nonce > sender.nonce) return 'transaction/nonce-gap';
    if (sender.balance < transaction.fee) return 'transaction/fee-not-payable';
    return undefined;
  }

  /** Does what a payload asks, or nothing. */
  #perform(sender: PublicKey, payload: Payload): FailureCode | '' {
    switch (payload.type) {
      case 'transfer': {
        const { balance, nonce } = this.#account(sender);
        if (balance < payload.amount) return 'transaction/insufficient-balance';
        this.#accounts.set(sender, { balance: balance - payload.amount, nonce });
        // Read again after the debit: the receiver may be the sender.
        this.#credit(payload.to, payload.amount);
        return '';
      }
      case 'put': {
        const old = this.#record(payload.key);
        if (old !== null && old.owner !== sender) return 'transaction/not-owner';
        this.#records.set(payload.key, { owner: sender, value: payload.value });
        return '';
      }
      case 'delete': {
        const old = this.#record(payload.key);
        if (old === null) return 'transaction/no-such-record';
        if (old.owner !== sender) return 'transaction/not-owner';
        this.#records.set(payload.key, null);
        return '';
      }
    }
  }

  #credit(publicKey: PublicKey, amount: bigint): void {
    const { balance, nonce } = this.#account(publicKey);
    invariant(balance + amount < 2n ** 64n, 'all coins together fit into 64 bits');
    this.#accounts.set(publicKey, { balance: balance + amount, nonce });
  }

  #account(publicKey: PublicKey): Account {
    return this.#accounts.get(publicKey) ?? this.#parent.account(publicKey);
  }

  #record(key: string): RecordEntry | null {
    const changed = this.#records.get(key);
    return changed === undefined ? (this.#parent.record(key) ?? null) : changed;
  }

  #changes(): StateChange[] {
    const changes: StateChange[] = [];
    const consider = (key: Uint8Array, value: Uint8Array | null): void => {
      const old = this.#parent.get(key);
      const same = value === null || old === undefined ? value === (old ?? null) : equalBytes(value, old);
      if (!same) changes.push({ key, value });
    };
    for (const [publicKey, account] of this.#accounts) {
      const old = this.#parent.account(publicKey);
      if (account.balance === old.balance && account.nonce === old.nonce) continue;
      changes.push({ key: accountStateKey(publicKey), value: encodeAccount(account) });
    }
    for (const [key, record] of this.#records) {
      consider(recordStateKey(key), record === null ? null : encodeRecord(record));
    }
    return changes;
  }
}

function oversize(height: Height, count: number): Problem {
  return new Problem('block/oversize', `the block at height ${height} holds more than a block may hold`, {
    remedy: `It may have ${limits.maxBlockTransactions} transactions and ${limits.maxBlockBytes} bytes of them.`,
    details: { height, transactions: count },
  });
}

function mayNotStand(code: StandingCode, transaction: Transaction, index: number, height: Height): Problem {
  return new Problem(code, `transaction ${index} may not stand in the block at height ${height}`, {
    remedy: 'The block is invalid: refuse it. A correct proposer leaves such a transaction out.',
    details: { height, index, transactionHash: transaction.hash, sender: transaction.sender },
  });
}
