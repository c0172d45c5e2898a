import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import { hasItsSigners, type IneligibleCode, leastFee } from '../ledger/eligibility.ts';
import type { KeySet } from '../ledger/operation.ts';
import type { Account } from '../ledger/state-entry.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { type AdmissionTerms, judgeAdmission, judgeReplacement, problems } from './admission.ts';
import { Departed } from './departed.ts';
import { ExecutableQueue } from './executable-queue.ts';
import { ExpiryIndex } from './expiry-index.ts';
import { fairOrder } from './fair-order.ts';
import { feeRate } from './fee-rate.ts';
import { InFlight } from './in-flight.ts';
import { type Entry, Lane, type Pooled, type Transitions } from './lane.ts';
import { Lanes } from './lanes.ts';
import { makeRoom, pushOut, putBack } from './making-room.ts';
import { mayTake } from './may-take.ts';
import { type Gap, gapIn, missingIn, type MissingNonce } from './missing-nonces.ts';
import {
  type AccountOf,
  type CommittedBlock,
  defaultBounds,
  type DropReason,
  type MempoolBounds,
  type MempoolOptions,
  type MempoolWork,
  type NextRules,
} from './options.ts';
import { fullBlock, PassedOver } from './passed-over.ts';
import { weightOf } from './weight.ts';

/**
 * The transactions that wait to stand in a block. Pure: time comes in as `now`, and never goes back.
 *
 * Each sender has a lane, sorted by nonce. Transactions without a gap before them are executable; the others
 * wait, and are the first to go. What a transaction is worth to the pool is the smallest fee among those of
 * its sender that come up to it, each by what it takes of a block: a dear one cannot protect the cheap ones
 * before it. Blocks are filled in the order of `fairOrder`; when the pool is full the least worth goes first,
 * always from the end of a lane, and a newcomer that is not worth more than that is refused. There a fee
 * counts for nothing where others of its sender may take what should pay it.
 *
 * No operation looks at all transactions or all lanes. Adding costs the logarithm of the number of lanes, and
 * of a lane what the change touches.
 */
export class Mempool {
  readonly #bounds: MempoolBounds;
  readonly #dropped: (transaction: Transaction, reason: DropReason) => void;
  readonly #byHash = new Map<Hash, Entry>();
  readonly #lanes = new Lanes();
  readonly #inFlight = new InFlight(this.#lanes);
  readonly #executable = new ExecutableQueue();
  readonly #expiry: ExpiryIndex;
  readonly #departed = new Departed();
  readonly #transitions: Transitions = {
    executable: (entry) => {
      entry.since = this.#now;
      entry.stamp = ++this.#stamp;
      this.#executable.join(entry);
    },
    waiting: (entry) => {
      entry.since = null;
      this.#executable.leave(entry);
    },
  };
  #terms: AdmissionTerms;
  #accountOf: AccountOf;
  #now = -Infinity;
  #stamp = 0;
  #bytes = 0;
  /**
   * When the last block with room went final: what was executable then, and is still here, was passed over.
   */
  #passedOverAt = -Infinity;
  /** And those that full blocks passed over. */
  readonly #passedOver: PassedOver;
  constructor(options: MempoolOptions) {
    const { chainId, height, next = { feePerOperation: 0n, protocolVersion: 1 } } = options;
    this.#accountOf = options.accountOf;
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#terms = { chainId, height, ...next, nonceGap: this.#bounds.nonceGap };
    this.#dropped = options.dropped ?? (() => undefined);
    this.#expiry = new ExpiryIndex(height);
    this.#passedOver = new PassedOver(this.#bounds.senderShare);
  }

  get size(): number {
    return this.#byHash.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(hash: Hash): Transaction | undefined {
    return this.#byHash.get(hash)?.transaction;
  }

  has(hash: Hash): boolean {
    return this.#byHash.has(hash);
  }

  find(hash: Hash): Pooled | undefined {
    return this.#byHash.get(hash);
  }

  /** Its signatures were checked before it came here, and it is here, or left and may come back. */
  knows(hash: Hash): boolean {
    return this.#byHash.has(hash) || this.#departed.mayReturn(hash);
  }

  /** It was here, not long ago, and is final. */
  sawFinal(hash: Hash): boolean {
    return this.#departed.isFinal(hash);
  }

  /** This node gossips it now, or passes it on. */
  gossiped(pooled: Pooled, now: number): void {
    const entry = pooled as Entry;
    entry.gossipedAt = now;
    if (!entry.isHere && !entry.final) this.#departed.dropped(entry);
  }

  /** The nonce that a wallet should use next: the first that is neither final nor waiting here. */
  pendingNonce(sender: PublicKey): number {
    const lane = this.#lanes.get(sender);
    return lane === undefined ? this.#accountOf(sender).nonce : lane.nonce + lane.ready;
  }

  /** How many wait behind a nonce that is missing here: they can stand in no block until it comes. */
  get waiting(): number {
    return this.#byHash.size - this.#executable.size;
  }

  /**
   * The first nonce that is missing before a transaction that waits here; undefined when none
   * is, or when it is not here.
   */
  missingBefore(hash: Hash): MissingNonce | undefined {
    const entry = this.#byHash.get(hash);
    return entry === undefined || entry.since !== null ? undefined : missingIn(entry.lane);
  }

  /**
   * The missing nonces that keep others waiting, one of each sender, the one with the most behind it first.
   * Looks at all that waits.
   */
  missing(): readonly Gap[] {
    if (this.waiting === 0) return [];
    const behind = [...this.#lanes.all()].filter((lane) => lane.ready < lane.entries.length);
    return behind.map(gapIn).toSorted((a, b) => b.waiting - a.waiting);
  }

  /**
   * Takes a transaction whose signature was checked, or says why not. `known` when it is here already.
   * Problems whose details say `retryable: true` may pass by themselves.
   */
  add(transaction: Transaction, now: number): Pooled | 'known' | Problem {
    if (this.#byHash.has(transaction.hash)) return 'known';
    return this.#add(transaction, this.#accountOf(transaction.sender), now);
  }

  /** The same where nobody asks why not: `used` when its nonce is, and that costs little. */
  offer(transaction: Transaction, now: number): Pooled | 'known' | 'used' | Problem {
    if (this.#byHash.has(transaction.hash)) return 'known';
    const account = this.#accountOf(transaction.sender);
    return transaction.nonce < account.nonce ? 'used' : this.#add(transaction, account, now);
  }

  #add(transaction: Transaction, account: Account, now: number): Entry | Problem {
    this.#advanceTo(now);
    const { sender, nonce } = transaction;
    const refusal = judgeAdmission(transaction, account, this.#terms);
    if (refusal !== undefined) return refusal;
    const lane = this.#lanes.get(sender) ?? new Lane(sender, account);
    invariant(lane.nonce === account.nonce, 'a lane starts at its account’s final nonce');
    lane.balance = account.balance;
    const rival = lane.find(nonce);
    const unfit = rival === undefined ? undefined : this.#whyNotFor(rival, transaction);
    if (unfit !== undefined) return unfit;
    const own = { balance: account.balance, rival, bounds: this.#bounds };
    const pushed = pushOut(this.#lanes, lane, transaction, own);
    if (pushed instanceof Problem) return pushed;
    const added =
      rival === undefined ? this.#insert(lane, transaction, pushed) : this.#replace(rival, transaction);
    if (added instanceof Problem) putBack(this.#lanes, pushed);
    else for (const entry of pushed) this.#forget(entry, 'fee-not-payable');
    return added;
  }

  #insert(lane: Lane, transaction: Transaction, pushed: readonly Entry[]): Entry | Problem {
    const rate = feeRate(transaction);
    const refusal = this.#makeRoom(transaction, lane.keptFor(transaction, rate), pushed);
    if (refusal !== undefined) return refusal;
    const entry = this.#enter(transaction, rate, lane);
    lane.insert(entry, this.#transitions);
    this.#lanes.place(lane);
    return entry;
  }

  #makeRoom(transaction: Transaction, worth: bigint, pushed: readonly Entry[]): Problem | undefined {
    const { size, bytes } = this;
    // What was pushed out is not here any more, and not forgotten yet.
    const leftSize = size - pushed.length;
    const leftBytes = bytes - bytesOf(pushed);
    const mostSize = this.#bounds.transactions - 1;
    const mostBytes = this.#bounds.bytes - weightOf(transaction);
    if (leftSize <= mostSize && leftBytes <= mostBytes) {
      if (2 * size < this.#bounds.transactions && 2 * bytes < this.#bounds.bytes) this.#lanes.isRoom();
      return undefined;
    }
    const left = { size: leftSize, bytes: leftBytes };
    const evicted = makeRoom(this.#lanes, left, { size: mostSize, bytes: mostBytes }, worth);
    if (typeof evicted === 'bigint') return problems.full(transaction, size, bytes, evicted);
    for (const entry of evicted) {
      if (entry.since !== null) this.#transitions.waiting(entry);
      this.#forget(entry, 'evicted');
    }
    return undefined;
  }

  /**
   * A block at this height is in flight (built or validated here) on top of those told before for lower
   * heights; whatever was told for this height and above is forgotten. Only a hint: it lets `candidates`
   * start behind what is used, instead of asking the state about every sender in flight.
   */
  proposed(block: { readonly height: Height; readonly transactionHashes: readonly Hash[] }): void {
    this.withdrawn(block.height);
    const fresh: Entry[] = [];
    for (const hash of block.transactionHashes) {
      const entry = this.#byHash.get(hash);
      if (entry !== undefined && entry.proposedAt === 0) fresh.push(entry);
    }
    this.#inFlight.mark(block.height, fresh);
  }

  /** The blocks in flight at this height and above are no longer so. */
  withdrawn(from: Height): void {
    this.#inFlight.unmark((height) => height >= from);
  }

  /**
   * Transactions for a block at `height` on the state that `accountOf` looks into, best first (see
   * `fairOrder`), each sender's with contiguous nonces from that state's. Lazy: stop when the block is full,
   * and say of one that was passed over why. The pool must not change meanwhile.
   */
  *candidates(
    accountOf: AccountOf,
    height?: Height,
  ): Generator<Transaction, void, IneligibleCode | undefined> {
    if (height !== undefined) this.withdrawn(height);
    const { version } = this.#lanes;
    const used = new Map<Lane, number>();
    const nonceOf = (lane: Lane): number => used.get(lane) ?? accountOf(lane.sender).nonce;
    const order = fairOrder(this.#lanes.ready, this.#bounds.senderShare, nonceOf);
    for (const entry of this.#aged(nonceOf)) {
      used.set(entry.lane, entry.transaction.nonce + 1);
      yield entry.transaction;
    }
    for (let step = order.next(); step.done !== true;) {
      const passedOver = yield step.value;
      invariant(version === this.#lanes.version, 'the mempool does not change while its order is walked');
      step = order.next(passedOver);
    }
  }

  /**
   * Those that waited long, the longest first, so that no flood of dearer ones holds them up for ever:
   * a small part of a block.
   */
  *#aged(nonceOf: (lane: Lane) => number): Generator<Entry, void, undefined> {
    const before = this.#now - this.#bounds.patienceMs / 4;
    let left: number = limits.mempoolAgedShare;
    for (const entry of this.#executable.upTo(before)) {
      if (left === 0) return;
      if (entry.proposedAt > 0 || entry.transaction.nonce !== nonceOf(entry.lane)) continue;
      left -= 1;
      yield entry;
    }
  }

  /** For how long one could be executed; undefined where it is not here, or could not. */
  waitOf(hash: Hash, now: number): number | undefined {
    const since = this.#byHash.get(hash)?.since ?? null;
    return since === null ? undefined : now - since;
  }

  /**
   * A block is final: its transactions leave, and so does what can no longer stand in any block. Heights come
   * in order, and every block comes, because only the lanes of its senders are looked at.
   */
  committed(block: CommittedBlock): void {
    this.#advanceTo(block.now);
    this.#riseTo(block);
    this.#inFlight.unmark((height) => height <= block.height);
    // Its proposer may have known what waited long for a little longer than this pool.
    const old = this.#now - this.#bounds.patienceMs / 8;
    const entries = block.transactions.map(({ hash }) => this.#byHash.get(hash));
    const isOld = (place: number): boolean => (entries[place]?.since ?? Infinity) <= old;
    const full = block.hadRoom ? undefined : fullBlock(block.transactions, isOld, this.#tooOld());
    const lanes: Lane[] = [];
    for (let place = 0; place < entries.length; place++) {
      const entry = entries[place];
      if (entry !== undefined) entry.final = true;
      const lane = entry?.lane ?? this.#lanes.get((block.transactions[place] as Transaction).sender);
      if (lane === undefined || lane.followed === block.height) continue;
      lane.followed = block.height;
      lanes.push(lane);
    }
    for (const lane of lanes) this.#follow(lane, 'superseded');
    this.#expire(block.height, 'expired');
    this.#goBy(block.next);
    if (full === undefined) {
      this.#passedOverAt = block.now;
      this.#passedOver.roomy();
    } else this.#passedOver.full(full, this.#left(), block.now);
  }

  /** The oldest of those that waited too long: as many as a correct proposer takes for their age. */
  #tooOld(): ReadonlySet<Hash> {
    const hashes = new Set<Hash>();
    for (const { transaction } of this.#executable.upTo(this.#now - 2 * this.#bounds.patienceMs)) {
      if (hashes.add(transaction.hash).size === limits.mempoolAgedShare) break;
    }
    return hashes;
  }

  #left(): { best: Entry | undefined; oldest: Entry | undefined } {
    const old = this.#executable.upTo(this.#now - 2 * this.#bounds.patienceMs);
    let oldest: Entry | undefined;
    for (const entry of old) {
      if (entry.proposedAt > 0) continue;
      oldest = entry;
      break;
    }
    return { best: this.#lanes.ready.peek()?.next, oldest };
  }

  /**
   * The state became a later one without the blocks between: what is used by now leaves, and nobody is told
   * why, because it may well be what is final.
   */
  installed(state: Pick<CommittedBlock, 'height' | 'accountOf' | 'next' | 'now'>): void {
    this.#advanceTo(state.now);
    this.#riseTo(state);
    this.#inFlight.unmark((height) => height <= state.height);
    for (const lane of this.#lanes.all()) this.#follow(lane, null);
    this.#expire(state.height, null);
    this.#goBy(state.next);
  }

  /**
   * What pays less than the chain asks from now on can stand in no block. It goes at once: who leaves it out
   * must not look like a censor. A floor rises by a decision of the validators only, and then all are looked
   * at.
   */
  #goBy({ feePerOperation, protocolVersion }: NextRules): void {
    const rises = feePerOperation > this.#terms.feePerOperation;
    this.#terms = { ...this.#terms, feePerOperation, protocolVersion };
    if (!rises) return;
    for (const entry of this.#byHash.values()) {
      if (entry.transaction.fee < leastFee(entry.transaction, feePerOperation)) {
        this.#remove(entry, 'fee-too-low');
      }
    }
  }

  #expire(height: Height, reason: 'expired' | null): void {
    for (const entry of this.#expiry.upTo(height)) this.#remove(entry, reason);
  }

  /** Takes one entry out of its lane and the pool. */
  #remove(entry: Entry, reason: DropReason | null): void {
    entry.lane.remove(entry, this.#transitions);
    this.#forget(entry, reason);
    this.#lanes.place(entry.lane);
  }

  work(): MempoolWork {
    const oldestSince = this.#executable.oldestSince();
    // Whatever was passed over, the oldest of all was there too and was passed over with it.
    const passedOver = oldestSince !== null && oldestSince <= this.#passedOverAt;
    return {
      executable: this.#executable.size,
      oldestSince,
      passedOverSince: passedOver ? oldestSince : this.#passedOver.since(),
      waiting: this.waiting,
    };
  }

  #advanceTo(now: number): void {
    invariant(now >= this.#now, 'the mempool’s time does not go back');
    this.#now = now;
  }

  #riseTo({ height, accountOf }: Pick<CommittedBlock, 'height' | 'accountOf'>): void {
    invariant(height > this.#terms.height, 'final heights rise');
    this.#terms = { ...this.#terms, height };
    this.#accountOf = accountOf;
  }

  /**
   * Brings a lane to its account's new nonce, keys and balance; `reason` is why what has a used nonce leaves
   * without being final.
   */
  #follow(lane: Lane, reason: 'superseded' | null): void {
    const account = this.#accountOf(lane.sender);
    const { nonce, balance } = account;
    lane.balance = balance;
    const passed = lane.advance(nonce, this.#transitions);
    for (let index = 0; index < passed.length; index++) {
      const entry = passed[index] as Entry;
      this.#forget(entry, entry.final ? null : reason);
    }
    if (!sameKeys(lane.keys, account.keys)) {
      lane.keys = account.keys;
      const unsigned = lane.entries.filter(({ transaction }) => !hasItsSigners(transaction, account));
      for (const entry of unsigned) {
        lane.remove(entry, this.#transitions);
        this.#forget(entry, 'wrong-signers');
      }
    }
    while (lane.fees > balance) {
      const last = lane.last as Entry;
      lane.remove(last, this.#transitions);
      this.#forget(last, 'fee-not-payable');
    }
    this.#lanes.place(lane);
  }

  /** Why a transaction may not take the place of another, whatever its sender has. */
  #whyNotFor(rival: Entry, transaction: Transaction): Problem | undefined {
    const refusal = judgeReplacement(transaction, rival.transaction, this.#bounds.replacementPercent);
    if (refusal !== undefined) return refusal;
    const growth = weightOf(transaction) - rival.weight;
    // It could only push out others that are worth more than nothing; so it may grow into free room only.
    return growth > 0 && this.#bytes + growth > this.#bounds.bytes
      ? problems.full(transaction, this.size, this.#bytes, rival.worth)
      : undefined;
  }

  #replace(rival: Entry, transaction: Transaction): Entry {
    const entry = this.#enter(transaction, feeRate(transaction), rival.lane);
    rival.lane.replace(rival, entry, this.#transitions);
    this.#forget(rival, 'replaced');
    this.#lanes.place(rival.lane);
    return entry;
  }

  #enter(transaction: Transaction, rate: bigint, lane: Lane): Entry {
    const stamp = ++this.#stamp;
    const entry: Entry = {
      transaction,
      isHere: true,
      gossipedAt: this.#departed.gossipedAt(transaction.hash),
      rate,
      takes: mayTake(transaction),
      weight: weightOf(transaction),
      lane,
      since: null,
      stamp,
      worth: -1n,
      proposedAt: 0,
      final: false,
      older: undefined,
      newer: undefined,
      expiresBefore: undefined,
      expiresNext: undefined,
    };
    this.#byHash.set(transaction.hash, entry);
    this.#bytes += entry.weight;
    this.#expiry.add(entry);
    return entry;
  }

  /** Takes an entry that is in no lane any more out of the indexes. */
  #forget(entry: Entry, reason: DropReason | null): void {
    this.#byHash.delete(entry.transaction.hash);
    this.#bytes -= entry.weight;
    this.#expiry.remove(entry);
    entry.isHere = false;
    if (entry.final) this.#departed.final(entry);
    else this.#departed.dropped(entry);
    if (reason !== null) this.#dropped(entry.transaction, reason);
  }
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { weight }) => sum + weight, 0);
}

function sameKeys(a: KeySet | undefined, b: KeySet | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.threshold === b.threshold && a.keys.join() === b.keys.join();
}
