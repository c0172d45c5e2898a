import { invariant } from '../base/invariant.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { KeySet } from '../ledger/operation.ts';
import type { Account } from '../ledger/state-entry.ts';
import type { Transaction } from '../ledger/transaction.ts';

/** A transaction in the pool, for who comes back to it: it is looked for once. */
export interface Pooled {
  readonly transaction: Transaction;
  /** False once it has left. */
  readonly isHere: boolean;
  /** It stands in a block that is final. */
  readonly final: boolean;
  /** When its node gossiped it last (`Mempool.gossiped`); null when it never did. */
  readonly gossipedAt: number | null;
}

/** The same for the pool itself. */
export interface Entry extends Pooled {
  isHere: boolean;
  gossipedAt: number | null;
  /** `feeRate` of the transaction. */
  readonly rate: bigint;
  /** `mayTake` of the transaction. */
  readonly takes: bigint;
  /** `weightOf` the transaction. */
  readonly weight: number;
  readonly lane: Lane;
  /** Since when it is executable, in the caller's milliseconds; null while a gap keeps it waiting. */
  since: number | null;
  /** Its place among equals: a counter's value when it arrived, and again when it became executable. */
  stamp: number;
  /**
   * The smallest fee rate of the sender's transactions up to it, because all of them come first; -1
   * while a gap keeps it waiting.
   */
  worth: bigint;
  /** The height of the block in flight that holds it; 0 when none does. */
  proposedAt: number;
  final: boolean;
  /** Beside it in `ExecutableQueue`. */
  older: Entry | undefined;
  newer: Entry | undefined;
  /** Beside it in `ExpiryIndex`. */
  expiresBefore: Entry | undefined;
  expiresNext: Entry | undefined;
}

/** Told when an entry becomes executable, or must wait again. */
export interface Transitions {
  executable(entry: Entry): void;
  waiting(entry: Entry): void;
}

const waitingWorth = -1n;

/**
 * The pending transactions of one sender, sorted by nonce. The first `ready` of them have no gap before them
 * and are executable, one after the other. Along the lane `worth` never rises and the stamps of the
 * executable ones always rise, and what those before an entry may take never falls: so the last is the first
 * to go when room is needed, and the order of the pool can be found by looking at the lanes' ends only.
 */
export class Lane {
  readonly sender: PublicKey;
  /** The sender's next nonce by the final state. No entry has a lower one. */
  nonce: number;
  entries: Entry[] = [];
  ready = 0;
  /** How many entries at the start stand in blocks in flight. */
  proposed = 0;
  /** Sum of all fees. */
  fees = 0n;
  /** Sum of what each may take. */
  takes = 0n;
  /**
   * The sender's by the final state when it was looked up last. Only the sender's own transactions lower it,
   * and the lane follows them.
   */
  balance: bigint;
  /** Sum of all weights. */
  bytes = 0;
  /** Among the pool's lanes. */
  listed = false;
  /** The last block after which it was brought to its account. */
  followed = -1;
  /** Positions in the pool's heaps; -1 when not in it. */
  readyPosition = -1;
  cheapPosition = -1;
  /** What `next` had, and what `last` was kept for, when these were found. */
  nextWorth = waitingWorth;
  nextStamp = 0;
  lastWorth = waitingWorth;
  lastStamp = 0;

  /** The keys of the sender by the final state: all entries are signed by enough of them. */
  keys: KeySet | undefined;

  constructor(sender: PublicKey, { nonce, balance, keys }: Pick<Account, 'nonce' | 'balance' | 'keys'>) {
    this.sender = sender;
    this.nonce = nonce;
    this.balance = balance;
    this.keys = keys;
  }

  get last(): Entry | undefined {
    return this.entries[this.entries.length - 1];
  }

  /** The first executable entry that stands in no block in flight. */
  get next(): Entry | undefined {
    return this.proposed < this.ready ? this.entries[this.proposed] : undefined;
  }

  /** The position of the first entry whose nonce is not below this one. */
  position(nonce: number): number {
    const direct = nonce - this.nonce;
    if (direct <= this.ready) return Math.max(direct, 0);
    let low = this.ready;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#nonceAt(middle) < nonce) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(nonce: number): Entry | undefined {
    const entry = this.entries[this.position(nonce)];
    return entry?.transaction.nonce === nonce ? entry : undefined;
  }

  /**
   * What the last entry is kept for when room is short: its worth, but nothing where those before it may take
   * what should pay its fee.
   */
  get lastKeptFor(): bigint {
    const { last } = this;
    if (last === undefined || this.takes - last.takes + last.transaction.fee > this.balance)
      return waitingWorth;
    return last.worth;
  }

  /** What a transaction with this free nonce and fee rate would be kept for here, likewise. */
  keptFor({ nonce, fee }: Transaction, rate: bigint): bigint {
    const position = nonce - this.nonce;
    if (position > this.ready) return waitingWorth;
    let taken = this.takes;
    for (let at = position; at < this.entries.length; at++) taken -= (this.entries[at] as Entry).takes;
    if (taken + fee > this.balance) return waitingWorth;
    const before = this.entries[position - 1];
    return before !== undefined && before.worth < rate ? before.worth : rate;
  }

  /** Adds an entry whose nonce is free. */
  insert(entry: Entry, transitions: Transitions): void {
    const position = this.position(entry.transaction.nonce);
    invariant(this.entries[position]?.transaction.nonce !== entry.transaction.nonce, 'a nonce is used once');
    // Many lanes hold one: pushed to an empty list it would take seventeen places.
    if (this.entries.length === 0) this.entries = [entry];
    else if (position === this.entries.length) this.entries.push(entry);
    else this.entries.splice(position, 0, entry);
    this.fees += entry.transaction.fee;
    this.takes += entry.takes;
    this.bytes += entry.weight;
    this.proposed = Math.min(this.proposed, position);
    this.#settle(position, transitions);
  }

  /** Puts an entry into the place of another with its nonce; it keeps the other's place among equals. */
  replace(old: Entry, entry: Entry, transitions: Transitions): void {
    const position = this.position(old.transaction.nonce);
    invariant(this.entries[position] === old, 'the replaced entry is in its lane');
    this.fees += entry.transaction.fee - old.transaction.fee;
    this.takes += entry.takes - old.takes;
    this.bytes += entry.weight - old.weight;
    this.entries[position] = entry;
    if (old.since !== null) {
      transitions.waiting(old);
      transitions.executable(entry);
    }
    entry.stamp = old.stamp;
    entry.worth = old.worth;
    this.proposed = Math.min(this.proposed, position);
    this.#settle(position, transitions);
  }

  /** Removes one entry; those behind it wait when it leaves a gap. */
  remove(entry: Entry, transitions: Transitions): void {
    const position = this.position(entry.transaction.nonce);
    invariant(this.entries[position] === entry, 'the removed entry is in its lane');
    this.#leave(entry, transitions);
    this.entries.splice(position, 1);
    if (position < this.proposed) this.proposed -= 1;
    this.#settle(position, transitions);
  }

  /** The sender's nonce is now `nonce` by the final state: removes and returns the entries below it. */
  advance(nonce: number, transitions: Transitions): readonly Entry[] {
    invariant(nonce >= this.nonce, 'an account nonce never falls');
    let count = 0;
    while (count < this.entries.length && this.#nonceAt(count) < nonce) count += 1;
    const removed = this.entries.splice(0, count);
    for (let index = 0; index < count; index++) this.#leave(removed[index] as Entry, transitions);
    this.nonce = nonce;
    this.proposed = Math.max(this.proposed - count, 0);
    this.#settle(0, transitions);
    return removed;
  }

  /** Takes the last entry off; `putBack` undoes it. Neither tells of a transition. */
  takeLast(): Entry {
    const entry = this.entries.pop();
    invariant(entry !== undefined, 'a lane in the pool is not empty');
    this.fees -= entry.transaction.fee;
    this.takes -= entry.takes;
    this.bytes -= entry.weight;
    this.ready = Math.min(this.ready, this.entries.length);
    this.proposed = Math.min(this.proposed, this.entries.length);
    return entry;
  }

  putBack(entry: Entry): void {
    this.entries.push(entry);
    this.fees += entry.transaction.fee;
    this.takes += entry.takes;
    this.bytes += entry.weight;
    if (entry.since !== null) this.ready += 1;
    this.countProposed();
  }

  /** To be called when an entry's `proposedAt` changed. */
  countProposed(from = this.proposed): void {
    this.proposed = Math.min(from, this.proposed);
    while ((this.entries[this.proposed]?.proposedAt ?? 0) > 0) this.proposed += 1;
  }

  #nonceAt(position: number): number {
    return (this.entries[position] as Entry).transaction.nonce;
  }

  #leave(entry: Entry, transitions: Transitions): void {
    this.fees -= entry.transaction.fee;
    this.takes -= entry.takes;
    this.bytes -= entry.weight;
    if (entry.since === null) return;
    this.ready -= 1;
    transitions.waiting(entry);
  }

  /**
   * Makes `ready` and each entry's `worth` right again from a position on. It stops at the first entry that
   * nothing changed for, because what follows depends on it alone.
   */
  #settle(from: number, transitions: Transitions): void {
    let before: bigint | undefined = this.entries[from - 1]?.worth;
    for (let position = from; position < this.entries.length; position++) {
      const entry = this.entries[position] as Entry;
      const executable = entry.transaction.nonce === this.nonce + position;
      const wasExecutable = entry.since !== null;
      const { rate } = entry;
      const least: bigint = before !== undefined && before < rate ? before : rate;
      const worth = executable ? least : waitingWorth;
      if (executable === wasExecutable && worth === entry.worth) break;
      entry.worth = worth;
      before = worth;
      if (executable === wasExecutable) continue;
      if (executable) {
        this.ready += 1;
        transitions.executable(entry);
      } else {
        this.ready -= 1;
        transitions.waiting(entry);
      }
    }
    this.countProposed();
  }
}
