import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';
import type { ChainParameters } from '../ledger/chain-parameters.ts';
import { hasItsSigners, leastFee } from '../ledger/execution.ts';
import type { Account } from '../ledger/state-entry.ts';
import type { KeySet } from '../ledger/operation.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { judgeAdmission, judgeReplacement, problems } from './admission.ts';
import { ExecutableQueue } from './executable-queue.ts';
import { ExpiryIndex } from './expiry-index.ts';
import { entryBefore, fairOrder } from './fair-order.ts';
import { feeRate } from './fee-rate.ts';
import { Heap } from './heap.ts';
import { type Entry, Lane, type Transitions } from './lane.ts';
import { type FullBlock, PassedOver } from './passed-over.ts';

/** Looks an account up in some state. */
type AccountOf = (key: PublicKey) => Account;

/** Why a transaction left the pool without being final. */
export type DropReason =
  | 'replaced'
  | 'evicted'
  | 'expired'
  | 'superseded'
  | 'fee-not-payable'
  | 'fee-too-low'
  | 'wrong-signers';

/** A nonce that no transaction in the pool has, and whose sender has transactions here with later ones. */
interface MissingNonce {
  readonly sender: PublicKey;
  readonly nonce: number;
  /** How many of the sender's transactions wait behind it. */
  readonly waiting: number;
}

interface Gap extends MissingNonce {
  /** The lowest expiry height of those that wait. */
  readonly firstExpiry: number;
}

interface MempoolBounds {
  readonly transactions: number;
  readonly bytes: number;
  readonly perSender: number;
  readonly bytesPerSender: number;
  readonly nonceGap: number;
  readonly replacementPercent: number;
  readonly senderShare: number;
  /**
   * How long an executable transaction may wait before whoever leaves it out of a full block passes it over,
   * in milliseconds. What waited a quarter of it comes first in the blocks that are built here, so that an
   * honest proposer is never near it.
   */
  readonly patienceMs: number;
}

export interface MempoolOptions {
  readonly chainId: Hash;
  /** The final height, and the lookup in the state there. */
  readonly height: Height;
  readonly accountOf: AccountOf;
  /** What counts for the next block; no least fee, and protocol version 1, unless given. */
  readonly next?: NextRules;
  readonly bounds?: Partial<MempoolBounds>;
  /**
   * Told of each transaction that leaves the pool for another reason than being
   * final. Must not call the pool.
   */
  readonly dropped?: (transaction: Transaction, reason: DropReason) => void;
}

/** The chain's parameters by which transactions are judged. */
type NextRules = Pick<ChainParameters, 'feePerOperation' | 'protocolVersion'>;

interface CommittedBlock {
  readonly height: Height;
  readonly transactions: readonly Pick<Transaction, 'hash' | 'sender' | 'fee' | 'bytes' | 'operations'>[];
  /** Looks up in the state after the block. */
  readonly accountOf: AccountOf;
  /** What counts for the next block. */
  readonly next: NextRules;
  /** Whether another transaction of any size would have fitted into the block. */
  readonly hadRoom: boolean;
  readonly now: number;
}

/** The same shape as `PendingWork` of the engine contract. Times are the caller's, in milliseconds. */
interface MempoolWork {
  readonly executable: number;
  readonly oldestSince: number | null;
  readonly passedOverSince: number | null;
  readonly waiting: number;
}

const defaultBounds: MempoolBounds = {
  transactions: limits.mempoolTransactions,
  bytes: limits.mempoolBytes,
  perSender: limits.mempoolPerSender,
  bytesPerSender: limits.mempoolBytesPerSender,
  nonceGap: limits.mempoolNonceGap,
  replacementPercent: limits.mempoolReplacementPercent,
  senderShare: limits.mempoolSenderShare,
  patienceMs: limits.mempoolPatienceMs,
};

/**
 * The transactions that wait to stand in a block. Pure: time comes in as `now`, and never goes back.
 *
 * Each sender has a lane, sorted by nonce. Transactions without a gap before them are executable; the others
 * wait, and are the first to go. What a transaction is worth to the pool is the smallest fee among those of
 * its sender that come up to it, each by what it takes of a block: a dear one cannot protect the cheap ones
 * before it. Blocks are filled in the order of `fairOrder`; when the pool is full the least worth goes first,
 * always from the end of a lane, and a newcomer that is not worth more than that is refused.
 *
 * No operation looks at all transactions or all lanes. Adding costs the logarithm of the number of lanes, and
 * of a lane what the change touches.
 */
export class Mempool {
  readonly #chainId: Hash;
  readonly #bounds: MempoolBounds;
  readonly #dropped: (transaction: Transaction, reason: DropReason) => void;
  readonly #byHash = new Map<Hash, Entry>();
  readonly #lanes = new Map<PublicKey, Lane>();
  readonly #executable = new ExecutableQueue();
  readonly #expiry: ExpiryIndex;
  /** Entries in blocks in flight, by the block's height. */
  readonly #inFlight = new Map<number, Entry[]>();
  /** Lanes that have something for the next block, the best first. */
  readonly #ready = new Heap<Lane>(
    (a, b) => entryBefore(a.next as Entry, b.next as Entry),
    (lane, position) => {
      lane.readyPosition = position;
    },
  );
  /** All lanes, the one whose last entry goes first when room is needed first. */
  readonly #cheapest = new Heap<Lane>(
    (a, b) => entryBefore(b.last as Entry, a.last as Entry),
    (lane, position) => {
      lane.cheapPosition = position;
    },
  );
  readonly #transitions: Transitions = {
    executable: (entry) => {
      entry.since = this.#now;
      entry.stamp = ++this.#stamp;
      this.#executable.join(entry);
    },
    waiting: (entry) => {
      entry.since = null;
      this.#executable.leave();
    },
  };
  #height: Height;
  #next: NextRules;
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
  /** Changes with every change, so that an order under way notices. */
  #version = 0;

  constructor(options: MempoolOptions) {
    this.#chainId = options.chainId;
    this.#next = options.next ?? { feePerOperation: 0n, protocolVersion: 1 };
    this.#height = options.height;
    this.#accountOf = options.accountOf;
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#dropped = options.dropped ?? (() => undefined);
    this.#expiry = new ExpiryIndex(options.height);
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
    const behind = [...this.#lanes.values()].filter((lane) => lane.ready < lane.entries.length);
    return behind.map(gapIn).toSorted((a, b) => b.waiting - a.waiting);
  }

  /**
   * Takes a transaction whose signature was checked, or says why not. `known` when it is here already.
   * Problems whose details say `retryable: true` may pass by themselves.
   */
  add(transaction: Transaction, now: number): 'added' | 'known' | Problem {
    if (this.#byHash.has(transaction.hash)) return 'known';
    this.#advanceTo(now);
    const { sender, nonce } = transaction;
    const account = this.#accountOf(sender);
    const height = this.#height;
    const refusal = judgeAdmission(transaction, {
      chainId: this.#chainId,
      height,
      account,
      ...this.#next,
      nonceGap: this.#bounds.nonceGap,
    });
    if (refusal !== undefined) return refusal;
    const lane = this.#lanes.get(sender) ?? new Lane(sender, account);
    invariant(lane.nonce === account.nonce, 'a lane starts at its account’s final nonce');
    const rival = lane.find(nonce);
    const pushed = this.#pushOut(lane, transaction, { balance: account.balance, rival });
    if (pushed instanceof Problem) return pushed;
    const refused =
      rival === undefined ? this.#insert(lane, transaction, pushed) : this.#replace(rival, transaction);
    if (refused !== undefined) {
      this.#putBack(pushed);
      return refused;
    }
    for (const entry of pushed) this.#forget(entry, 'fee-not-payable');
    return 'added';
  }

  #insert(lane: Lane, transaction: Transaction, pushed: readonly Entry[]): Problem | undefined {
    const cheapest = this.#makeRoom(
      transaction,
      lane.worthOf(transaction.nonce, feeRate(transaction)),
      pushed,
    );
    if (cheapest !== undefined) return problems.full(transaction, this.size, this.#bytes, cheapest);
    const entry = this.#enter(transaction, lane);
    lane.insert(entry, this.#transitions);
    this.#place(lane);
    return undefined;
  }

  /**
   * Of one sender the lower nonces come first: where its balance or its share of the pool is not enough,
   * those behind a gap give way to a lower nonce, the highest first. So what is executable does not depend
   * on the order of arrival, which differs from node to node. Takes them off their lane; or says why that
   * does not help, and all stay.
   */
  #pushOut(
    lane: Lane,
    transaction: Transaction,
    { balance, rival }: { readonly balance: bigint; readonly rival: Entry | undefined },
  ): Entry[] | Problem {
    const { fee, nonce } = transaction;
    const replaced = rival?.transaction.fee ?? 0n;
    const pushed: Entry[] = [];
    for (;;) {
      const payable = lane.fees + fee - replaced <= balance;
      const fits =
        lane.entries.length + (rival === undefined ? 1 : 0) <= this.#bounds.perSender &&
        lane.bytes + transaction.bytes.length - (rival?.transaction.bytes.length ?? 0) <=
          this.#bounds.bytesPerSender;
      if (payable && fits) break;
      const { last } = lane;
      if (last === undefined || last.since !== null || last.transaction.nonce <= nonce) {
        this.#putBack(pushed);
        return payable
          ? problems.senderFull(transaction, lane.entries.length, lane.bytes)
          : problems.feesNotPayable(transaction, lane.fees, balance);
      }
      pushed.push(lane.takeLast());
    }
    if (pushed.length > 0) this.#place(lane);
    return pushed;
  }

  /** Undoes `takeLast`. */
  #putBack(taken: readonly Entry[]): void {
    for (const entry of taken.toReversed()) {
      entry.lane.putBack(entry);
      this.#place(entry.lane);
    }
  }

  /**
   * A block at this height is in flight (built or validated here) on top of those told before for lower
   * heights; whatever was told for this height and above is forgotten. Only a hint: it lets `candidates`
   * start behind what is used, instead of asking the state about every sender in flight.
   */
  proposed(block: { readonly height: Height; readonly transactionHashes: readonly Hash[] }): void {
    this.withdrawn(block.height);
    const marked: Entry[] = [];
    const lanes = new Set<Lane>();
    for (const hash of block.transactionHashes) {
      const entry = this.#byHash.get(hash);
      if (entry === undefined || entry.proposedAt > 0) continue;
      entry.proposedAt = block.height;
      marked.push(entry);
      lanes.add(entry.lane);
    }
    if (marked.length > 0) this.#inFlight.set(block.height, marked);
    for (const lane of lanes) {
      lane.countProposed();
      this.#place(lane);
    }
  }

  /** The blocks in flight at this height and above are no longer so. */
  withdrawn(from: Height): void {
    this.#unmark((height) => height >= from);
  }

  /**
   * Transactions for a block at `height` on the state that `accountOf` looks into, best first (see
   * `fairOrder`), each sender's with contiguous nonces from that state's. Lazy: stop when the block is full.
   * The pool must not change meanwhile.
   */
  *candidates(accountOf: AccountOf, height?: Height): Generator<Transaction, void, undefined> {
    if (height !== undefined) this.withdrawn(height);
    const version = this.#version;
    const used = new Map<Lane, number>();
    const nonceOf = (lane: Lane): number => used.get(lane) ?? accountOf(lane.sender).nonce;
    const order = fairOrder(this.#ready, this.#bounds.senderShare, nonceOf);
    for (const entry of this.#aged(nonceOf)) {
      used.set(entry.lane, entry.transaction.nonce + 1);
      yield entry.transaction;
    }
    for (const transaction of order) {
      yield transaction;
      invariant(version === this.#version, 'the mempool does not change while its order is walked');
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
    invariant(block.height > this.#height, 'final heights rise');
    this.#advanceTo(block.now);
    this.#height = block.height;
    this.#accountOf = block.accountOf;
    this.#unmark((height) => height <= block.height);
    const full = block.hadRoom ? undefined : this.#worthOf(block.transactions);
    const hashes = new Set<Hash>();
    const lanes = new Set<Lane>();
    for (const { hash, sender } of block.transactions) {
      hashes.add(hash);
      const lane = this.#lanes.get(sender);
      if (lane !== undefined) lanes.add(lane);
    }
    for (const lane of lanes) this.#follow(lane, hashes);
    this.#expire(block.height, 'expired');
    this.#goBy(block.next);
    if (full === undefined) this.#passedOverAt = block.now;
    else this.#passedOver.full(full, this.#left(), block.now);
  }

  /** Before they leave: what the cheapest of these was worth that was not taken for its age. */
  #worthOf(transactions: CommittedBlock['transactions']): FullBlock {
    const bySender = new Map<PublicKey, number>();
    const worths = new Map<PublicKey, bigint>();
    let least: bigint | undefined;
    for (const transaction of transactions) {
      const { hash, sender } = transaction;
      const rate = feeRate(transaction);
      bySender.set(sender, (bySender.get(sender) ?? 0) + 1);
      const before = worths.get(sender);
      const worth = before !== undefined && before < rate ? before : rate;
      worths.set(sender, worth);
      const since = this.#byHash.get(hash)?.since ?? null;
      // Its proposer may have known it for a little longer than this pool.
      if (since !== null && since <= this.#now - this.#bounds.patienceMs / 8) continue;
      if (least === undefined || worth < least) least = worth;
    }
    return { least, bySender };
  }

  #left(): { best: Entry | undefined; oldest: Entry | undefined } {
    const old = this.#executable.upTo(this.#now - 2 * this.#bounds.patienceMs);
    let oldest: Entry | undefined;
    for (const entry of old) {
      if (entry.proposedAt > 0) continue;
      oldest = entry;
      break;
    }
    return { best: this.#ready.peek()?.next, oldest };
  }

  /**
   * The state became a later one without the blocks between: what is used by now leaves, and nobody is told
   * why, because it may well be what is final.
   */
  installed(state: Pick<CommittedBlock, 'height' | 'accountOf' | 'next' | 'now'>): void {
    invariant(state.height > this.#height, 'final heights rise');
    this.#advanceTo(state.now);
    this.#height = state.height;
    this.#accountOf = state.accountOf;
    this.#unmark((height) => height <= state.height);
    for (const lane of this.#lanes.values()) this.#follow(lane, 'unknown');
    this.#expire(state.height, null);
    this.#goBy(state.next);
  }

  /**
   * What pays less than the chain asks from now on can stand in no block. It goes at once: who leaves it out
   * must not look like a censor. A floor rises by a decision of the validators only, and then all are looked
   * at.
   */
  #goBy({ feePerOperation, protocolVersion }: NextRules): void {
    const rises = feePerOperation > this.#next.feePerOperation;
    this.#next = { feePerOperation, protocolVersion };
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
    this.#place(entry.lane);
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

  /** Brings a lane to its account's new nonce, keys and balance. */
  #follow(lane: Lane, final: ReadonlySet<Hash> | 'unknown'): void {
    const account = this.#accountOf(lane.sender);
    const { nonce, balance } = account;
    for (const entry of lane.advance(nonce, this.#transitions)) {
      this.#forget(entry, final === 'unknown' || final.has(entry.transaction.hash) ? null : 'superseded');
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
    this.#place(lane);
  }

  #replace(rival: Entry, transaction: Transaction): Problem | undefined {
    const refusal = judgeReplacement(transaction, rival.transaction, this.#bounds.replacementPercent);
    if (refusal !== undefined) return refusal;
    const growth = transaction.bytes.length - rival.transaction.bytes.length;
    // It could only push out others that are worth more than nothing; so it may grow into free room only.
    if (growth > 0 && this.#bytes + growth > this.#bounds.bytes) {
      return problems.full(transaction, this.size, this.#bytes, rival.worth);
    }
    const entry = this.#enter(transaction, rival.lane);
    rival.lane.replace(rival, entry, this.#transitions);
    this.#forget(rival, 'replaced');
    this.#place(rival.lane);
    return undefined;
  }

  /**
   * Evicts what is worth less until a newcomer fits, beside what it `pushed` out. When that is not enough,
   * all stay and it returns what the cheapest left is worth.
   */
  #makeRoom(newcomer: Transaction, worth: bigint, pushed: readonly Entry[]): bigint | undefined {
    const maxBytes = this.#bounds.bytes - newcomer.bytes.length;
    const maxSize = this.#bounds.transactions - 1 + pushed.length;
    const taken: Entry[] = [];
    let bytes = this.#bytes;
    for (const { transaction } of pushed) bytes -= transaction.bytes.length;
    while (this.#byHash.size - taken.length > maxSize || bytes > maxBytes) {
      const lane = this.#cheapest.peek();
      const lowest = lane?.last?.worth ?? worth;
      if (lane === undefined || lowest >= worth) {
        this.#putBack(taken);
        return lowest;
      }
      const entry = lane.takeLast();
      taken.push(entry);
      bytes -= entry.transaction.bytes.length;
      this.#place(lane);
    }
    for (const entry of taken) {
      if (entry.since !== null) this.#transitions.waiting(entry);
      this.#forget(entry, 'evicted');
    }
    return undefined;
  }

  #enter(transaction: Transaction, lane: Lane): Entry {
    const stamp = ++this.#stamp;
    const entry: Entry = {
      transaction,
      rate: feeRate(transaction),
      lane,
      since: null,
      stamp,
      worth: -1n,
      proposedAt: 0,
    };
    this.#byHash.set(transaction.hash, entry);
    this.#bytes += transaction.bytes.length;
    this.#expiry.add(entry);
    return entry;
  }

  /** Takes an entry that is in no lane any more out of the indexes. */
  #forget(entry: Entry, reason: DropReason | null): void {
    this.#byHash.delete(entry.transaction.hash);
    this.#bytes -= entry.transaction.bytes.length;
    this.#expiry.remove(entry);
    if (reason !== null) this.#dropped(entry.transaction, reason);
  }

  #unmark(applies: (height: number) => boolean): void {
    const lanes = new Set<Lane>();
    for (const [height, entries] of this.#inFlight) {
      if (!applies(height)) continue;
      this.#inFlight.delete(height);
      for (const entry of entries) {
        entry.proposedAt = 0;
        lanes.add(entry.lane);
      }
    }
    for (const lane of lanes) {
      lane.countProposed(0);
      this.#place(lane);
    }
  }

  /**
   * To be called after every change of a lane: gives it its place in the heaps, or takes it from the pool.
   */
  #place(lane: Lane): void {
    this.#version += 1;
    if (lane.entries.length === 0) {
      if (lane.cheapPosition >= 0) this.#cheapest.removeAt(lane.cheapPosition);
      // A lane that was emptied long ago may still have marks; the sender may have a new one by now.
      if (this.#lanes.get(lane.sender) === lane) this.#lanes.delete(lane.sender);
    } else {
      if (lane.cheapPosition >= 0) this.#cheapest.reorder(lane.cheapPosition);
      else this.#cheapest.push(lane);
      this.#lanes.set(lane.sender, lane);
    }
    if (lane.next === undefined) {
      if (lane.readyPosition >= 0) this.#ready.removeAt(lane.readyPosition);
    } else if (lane.readyPosition >= 0) this.#ready.reorder(lane.readyPosition);
    else this.#ready.push(lane);
  }
}

function sameKeys(a: KeySet | undefined, b: KeySet | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.threshold === b.threshold && a.keys.join() === b.keys.join();
}

function missingIn(lane: Lane): MissingNonce {
  const { sender, nonce, ready, entries } = lane;
  return { sender, nonce: nonce + ready, waiting: entries.length - ready };
}

function gapIn(lane: Lane): Gap {
  let firstExpiry = Infinity;
  for (let at = lane.ready; at < lane.entries.length; at++) {
    firstExpiry = Math.min(firstExpiry, lane.entries[at]?.transaction.expiryHeight ?? Infinity);
  }
  return { ...missingIn(lane), firstExpiry };
}
