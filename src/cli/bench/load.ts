import type { Problem } from '../../base/problem.ts';
import { problemOf } from '../../client/outcomes.ts';
import { isRetryable } from '../../client/transport.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { pause } from './clock.ts';
import type { BenchNode } from './testbed.ts';

/** How the load comes: this many under way at any time, or this many a second whatever becomes of them. */
export type LoadPace =
  | { readonly kind: 'closed'; readonly inFlight: number }
  | { readonly kind: 'open'; readonly perSecond: number };

/** Transactions in one request: large enough to share its cost, small enough that a node answers at once. */
const batchSize = 250;
/** A closed loop waits for this many free places, so that requests do not become tiny. */
const smallestBatch = 32;
const shortPauseMs = 2;
const refusedPauseMs = 20;
/**
 * When nothing of a lane becomes final for this long, while others go on, it brings them to the next node.
 */
const silentMs = 4_000;

interface Lane {
  readonly index: number;
  /** Place in the list of nodes that it brings to; moves on when that one cannot be reached. */
  place: number;
  /** Place in the lane of the next to bring, and of the first that is not final. */
  next: number;
  firstOpen: number;
  open: number;
  movedAt: number;
}

/**
 * Brings signed transactions to nodes, in order of each sender, and keeps when each was due, when it was
 * sent, to whom, and in which block it is final.
 *
 * In an open loop a transaction is due at its place in a fixed schedule, whatever became of those before it.
 * One that cannot be sent yet, because a node is slow or refuses, waits here, and its time runs: so a stall
 * counts for each that should have been sent in it, and not only for those that were (coordinated omission).
 */
export class Load {
  readonly transactions: readonly Transaction[];
  /** By transaction, in ms of `performance.now`; 0 before. */
  readonly dueAt: Float64Array;
  readonly sentAt: Float64Array;
  /** By transaction: the height of its block, 0 before; and the index of the node that took it last. */
  readonly height: Uint32Array;
  readonly node: Uint16Array;
  /** Final so far, refused so far, and seen in a second block. */
  final = 0;
  refusals = 0;
  readonly twice: Hash[] = [];
  /** Transactions in final blocks that are not of this load. */
  foreign = 0;
  sent = 0;
  lastSentAt = 0;
  readonly #nodes: readonly BenchNode[];
  readonly #indexOf = new Map<Hash, number>();
  readonly #lanes: readonly Lane[];
  readonly #pace: LoadPace;
  readonly #stop: AbortSignal;
  readonly #isUp: (node: BenchNode) => boolean;
  #begin = 0;
  #state: 'open' | 'closing' | 'ended' = 'open';
  #lastFinalAt = 0;

  constructor(options: {
    readonly transactions: readonly Transaction[];
    readonly nodes: readonly BenchNode[];
    /** Number i of the transactions is for lane i modulo their count. */
    readonly lanes: number;
    readonly pace: LoadPace;
    readonly stop: AbortSignal;
    /** False for a node that is known to have ended. */
    readonly isUp: (node: BenchNode) => boolean;
  }) {
    const { transactions, nodes, pace, stop, isUp } = options;
    this.transactions = transactions;
    this.#nodes = nodes;
    this.#pace = pace;
    this.#stop = stop;
    this.#isUp = isUp;
    this.dueAt = new Float64Array(transactions.length);
    this.sentAt = new Float64Array(transactions.length);
    this.height = new Uint32Array(transactions.length);
    this.node = new Uint16Array(transactions.length);
    for (const [index, { hash }] of transactions.entries()) this.#indexOf.set(hash, index);
    this.#lanes = Array.from({ length: options.lanes }, (_, index) => ({
      index,
      place: index % nodes.length,
      next: 0,
      firstOpen: 0,
      open: 0,
      movedAt: 0,
    }));
  }

  /** Sent or due, and not final. */
  get open(): number {
    const due = this.#pace.kind === 'open' && this.#state === 'open' ? this.#dueNow() : this.sent;
    return due - this.final;
  }

  /** When it began, in ms of `performance.now`. */
  get beganAt(): number {
    return this.#begin;
  }

  get isUsedUp(): boolean {
    return this.sent >= this.transactions.length;
  }

  /** What was sent to nobody, with its number. */
  unsent(): [index: number, transaction: Transaction][] {
    return [...this.transactions.entries()].filter(([index]) => this.sentAt[index] === 0);
  }

  /** Begins; the promise is rejected with the problem of a refusal that will not go away. */
  async run(): Promise<void> {
    this.#begin = performance.now();
    this.#lastFinalAt = this.#begin;
    if (this.#pace.kind === 'open') {
      const { perSecond } = this.#pace;
      for (let index = 0; index < this.dueAt.length; index++) {
        this.dueAt[index] = this.#begin + (index * 1_000) / perSecond;
      }
    }
    try {
      await Promise.all(this.#lanes.map((lane) => this.#bring(lane)));
    } finally {
      this.#state = 'ended';
    }
  }

  /** Nothing new is sent; what was sent is brought again where a node lost it, until it is final. */
  close(): void {
    if (this.#state === 'open') this.#state = 'closing';
  }

  /** Nothing is sent any more. */
  end(): void {
    this.#state = 'ended';
  }

  /** Nothing became final for this long, while something waited. */
  idleMs(): number {
    return this.open === 0 ? 0 : performance.now() - this.#lastFinalAt;
  }

  onBlock(height: number, hashes: readonly Hash[]): void {
    const now = performance.now();
    for (const hash of hashes) {
      const index = this.#indexOf.get(hash);
      if (index === undefined) {
        this.foreign += 1;
        continue;
      }
      if ((this.height[index] ?? 0) !== 0) {
        this.twice.push(hash);
        continue;
      }
      this.height[index] = height;
      this.final += 1;
      this.#lastFinalAt = now;
      const lane = this.#lanes[index % this.#lanes.length] as Lane;
      lane.open -= 1;
      lane.movedAt = now;
    }
  }

  async #bring(lane: Lane): Promise<void> {
    lane.movedAt = performance.now();
    while (this.#state !== 'ended') {
      this.#repeatWhatIsSilent(lane);
      const batch = this.#batchOf(lane);
      if (batch.length === 0) {
        const isLast =
          this.#state === 'closing' || this.#indexAt(lane, lane.next) >= this.transactions.length;
        if (isLast && lane.open === 0) return;
        await pause(shortPauseMs, this.#stop);
        continue;
      }
      const refused = await this.#send(lane, batch);
      if (refused === undefined) continue;
      this.refusals += 1;
      // A full pool has room again when blocks are final; a gap closes when what is missing is sent again.
      if (refused.code.endsWith('/nonce-gap') || refused.code.startsWith('api/')) this.#goOnElsewhere(lane);
      else if (!isRetryable(refused) && !/^mempool\/(?:full|sender-full|busy)$/.test(refused.code))
        throw refused;
      await pause(refusedPauseMs, this.#stop);
    }
  }

  /** Which numbers of the load are to be sent now, in order. */
  #batchOf(lane: Lane): number[] {
    const numbers: number[] = [];
    const until = this.#pace.kind === 'open' ? this.#dueNow() : this.transactions.length;
    let free =
      this.#state === 'closing'
        ? 0
        : this.#pace.kind === 'open'
          ? batchSize
          : this.#freeOf(lane, this.#pace.inFlight);
    for (let place = lane.next; numbers.length < batchSize; place++) {
      const index = this.#indexAt(lane, place);
      if (index >= until) break;
      if (this.height[index] !== 0) continue;
      // A transaction that is sent again has its place already.
      if (this.sentAt[index] === 0 && free-- <= 0) break;
      numbers.push(index);
    }
    return numbers;
  }

  /** Places of a closed loop that this lane may fill now: its share, unless the others have taken of that. */
  #freeOf(lane: Lane, inFlight: number): number {
    const places = Math.ceil(inFlight / this.#lanes.length);
    const free = Math.min(places - lane.open, inFlight - (this.sent - this.final));
    return free < Math.min(smallestBatch, places) ? 0 : free;
  }

  /** Undefined when all were taken. */
  async #send(lane: Lane, numbers: readonly number[]): Promise<Problem | undefined> {
    const node = this.#nodes[lane.place] as BenchNode;
    const now = performance.now();
    for (const index of numbers) {
      this.node[index] = node.index;
      if (this.sentAt[index] !== 0) continue;
      this.sentAt[index] = now;
      if (this.#pace.kind === 'closed') this.dueAt[index] = now;
      this.sent += 1;
      this.lastSentAt = now;
      lane.open += 1;
    }
    const last = numbers.at(-1) ?? 0;
    lane.next = (last - lane.index) / this.#lanes.length + 1;
    const batch = numbers.map((index) => this.transactions[index] as Transaction);
    const answers = await node.client.submitBatch(batch, { deadlineMs: 0 });
    const first = answers.findIndex(({ status }) => status === 'refused');
    const answer = answers[first];
    if (answer?.status !== 'refused') return undefined;
    lane.next = ((numbers[first] ?? 0) - lane.index) / this.#lanes.length;
    return problemOf(answer.problem);
  }

  /** All that is not final, at the next node that runs: what is known there counts only once. */
  #goOnElsewhere(lane: Lane): void {
    for (let step = 1; step <= this.#nodes.length; step++) {
      const place = (lane.place + step) % this.#nodes.length;
      const node = this.#nodes[place];
      if (node === undefined || !this.#isUp(node)) continue;
      lane.place = place;
      break;
    }
    let place = lane.firstOpen;
    while (place < lane.next && this.height[this.#indexAt(lane, place)] !== 0) place += 1;
    lane.firstOpen = place;
    lane.next = place;
    lane.movedAt = performance.now();
  }

  #repeatWhatIsSilent(lane: Lane): void {
    const now = performance.now();
    const othersMove = now - this.#lastFinalAt < silentMs / 2;
    if (lane.open > 0 && othersMove && now - lane.movedAt > silentMs) this.#goOnElsewhere(lane);
  }

  #indexAt(lane: Lane, place: number): number {
    return lane.index + place * this.#lanes.length;
  }

  #dueNow(): number {
    if (this.#pace.kind !== 'open' || this.#begin === 0) return 0;
    const due = Math.floor(((performance.now() - this.#begin) * this.#pace.perSecond) / 1_000) + 1;
    return Math.min(due, this.transactions.length);
  }
}
