import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { toHeight } from '../ledger/block.ts';
import type { Operation } from '../ledger/operation.ts';
import type { FinalOutcome, FinalWatch } from './final-watch.ts';
import { problemOf } from './outcomes.ts';
import {
  defaultDeadlineMs,
  defaultExpiryAhead,
  type Flight,
  flightOf,
  isStale,
  type Job,
  nonceIsUsed,
  neverSigned,
  notFinal,
  notSent,
  openingMs,
  outcomeOf,
  pendingNonce,
  type SendOptions,
  signed,
  submitTo,
  waitingStill,
} from './ledger-sending.ts';
import type { Nodes } from './nodes.ts';
import { isRetryable } from './transport.ts';
import type { Content, Wallet } from './wallet.ts';

interface LedgerAccountOptions {
  readonly nodes: Nodes;
  readonly watch: FinalWatch;
  readonly wallet: Wallet;
  /** Transactions under way at once; the others wait here. */
  readonly window?: number;
}

/** Half of what a node takes of one sender: another program with the same key still finds room. */
const defaultWindow = limits.mempoolPerSender / 2;
const tickMs = 1_000;

/**
 * Sends transactions of one key: it keeps the nonces, signs in the order in which it was asked, sends
 * many in one request, and sends the same bytes again, to another node when one does not answer, until
 * they are final. It never signs a second time for the same purpose: that would pay twice. The key must
 * be used by nobody else meanwhile.
 */
export class LedgerAccount {
  readonly #nodes: Nodes;
  readonly #watch: FinalWatch;
  readonly #wallet: Wallet;
  readonly #window: number;
  #queue: Job[] = [];
  /** Those that are about to be signed. */
  #launching: readonly Job[] = [];
  readonly #flights = new Map<Hash, Flight>();
  /** Nonces of transactions that no block can hold: the next ones use them, so that no gap is left. */
  readonly #free: number[] = [];
  /**
   * Those whose time was up before it was known what became of them: sent again with the others, which may
   * stand behind their nonces.
   */
  readonly #open = new Map<Hash, Flight>();
  #next: number | undefined;
  #isPumping = false;
  #cancelTick: (() => void) | undefined;

  constructor(options: LedgerAccountOptions) {
    this.#nodes = options.nodes;
    this.#watch = options.watch;
    this.#wallet = options.wallet;
    this.#window = options.window ?? defaultWindow;
  }

  get publicKey(): PublicKey {
    return this.#wallet.publicKey;
  }

  /** How many are under way or wait here. */
  get waiting(): number {
    return this.#queue.length + this.#launching.length + this.#flights.size;
  }

  /** Moves `amount` (smallest unit, at least 1) to another account. */
  transfer(
    to: PublicKey,
    amount: bigint,
    options: SendOptions & { readonly memo?: string } = {},
  ): Promise<FinalOutcome | Problem> {
    return this.send({ type: 'transfer', to, amount, memo: options.memo ?? '' }, options);
  }

  /** Writes a record; the first writer of a key owns it. */
  put(key: string, value: Uint8Array, options: SendOptions = {}): Promise<FinalOutcome | Problem> {
    return this.send({ type: 'put', key, value }, options);
  }

  /** Removes a record that this key owns. */
  delete(key: string, options: SendOptions = {}): Promise<FinalOutcome | Problem> {
    return this.send({ type: 'delete', key }, options);
  }

  /**
   * Signs and sends, and resolves when it is final, with its receipt (which may say that it failed). A
   * problem when it was refused and nothing was taken; when no block can hold it any more; or `api/not-final`
   * when the deadline passed, which leaves the outcome open unless details say `sent: false`.
   */
  send(what: Operation | Content, options: SendOptions = {}): Promise<FinalOutcome | Problem> {
    const until = this.#nodes.surroundings.now() + (options.deadlineMs ?? defaultDeadlineMs);
    return new Promise((settle) => {
      this.#queue.push({ what, options, until, settle });
      this.#tickSoon(tickMs);
      void this.#pump();
    });
  }

  /** The node that had them may be gone: all that are under way are sent again at once. */
  moved(): void {
    for (const flight of this.#flights.values()) flight.sentAt = -Infinity;
    this.#tickSoon(0);
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    // What is asked for in the same turn travels together.
    await Promise.resolve();
    while (this.#queue.length > 0 && this.#room > 0) {
      const jobs = this.#queue.splice(0, Math.min(this.#room, limits.httpBatch));
      this.#launching = jobs;
      const problem = await this.#launch(jobs);
      this.#launching = [];
      if (problem) this.#queue.unshift(...waitingStill(jobs, problem, this.#nodes.surroundings.now()));
    }
    this.#isPumping = false;
    this.#restWhenIdle();
    this.#tickSoon(tickMs);
  }

  get #room(): number {
    return this.#window - this.#flights.size - this.#open.size;
  }

  /** One whose time was up while it waited here is neither signed nor sent. */
  #isInTime({ until, settle }: Job): boolean {
    if (this.#nodes.surroundings.now() < until) return true;
    settle(neverSigned());
    return false;
  }

  /** Signs and sends. A problem when nothing was signed. */
  async #launch(jobs: readonly Job[]): Promise<Problem | undefined> {
    const deadlineMs = openingMs(jobs, this.#nodes.surroundings.now());
    const opened = (await this.#watch.open(deadlineMs)) ?? (await this.#findNonce(deadlineMs));
    if (opened !== undefined) return opened;
    const launched = jobs.filter((job) => this.#isInTime(job)).flatMap((job) => this.#sign(job) ?? []);
    this.#launching = [];
    if (launched.length === 0) return undefined;
    for (const flight of this.#open.values()) this.#expect(flight);
    await this.#submit(launched);
    return undefined;
  }

  async #findNonce(deadlineMs: number): Promise<Problem | undefined> {
    if (this.#next !== undefined) return undefined;
    const nonce = await pendingNonce(this.#nodes, this.publicKey, deadlineMs);
    if (nonce instanceof Problem) return nonce;
    this.#next = nonce;
    return undefined;
  }

  #sign(job: Job): Flight | undefined {
    const { fee = 1n, expiryAhead = defaultExpiryAhead } = job.options;
    const nonce = this.#free[0] ?? defined(this.#next, 'a nonce before anything is signed');
    const expiryHeight = toHeight(this.#watch.height + expiryAhead);
    const transaction = signed(this.#wallet, job.what, { nonce, fee, expiryHeight });
    if (transaction instanceof Problem) {
      job.settle(transaction);
      return undefined;
    }
    if (this.#free.shift() === undefined) this.#next = nonce + 1;
    const flight = flightOf(transaction, job, this.#nodes.surroundings.now());
    this.#flights.set(transaction.hash, flight);
    this.#expect(flight);
    return flight;
  }

  #expect(flight: Flight): void {
    this.#watch.expect(flight.transaction.hash, (outcome) => this.#land(flight, outcome));
  }

  async #submit(flights: readonly Flight[]): Promise<void> {
    for (const flight of flights) flight.isBeingSent = true;
    // They are being watched from here on. A watch with nothing to watch would close.
    const problem = await this.#watch.open();
    if (problem === undefined) await this.#submitAll(flights);
    for (const flight of flights) {
      flight.isBeingSent = false;
      if (problem && !isRetryable(problem) && !flight.mayBeTaken) this.#refuse(flight, notSent(problem));
    }
  }

  async #submitAll(flights: readonly Flight[]): Promise<void> {
    const { now } = this.#nodes.surroundings;
    for (let at = 0; at < flights.length; at += limits.httpBatch) {
      const batch = flights.slice(at, at + limits.httpBatch);
      for (const flight of batch) flight.sentAt = now();
      const answers = await this.#nodes.ask((client) => submitTo(client, batch));
      // Nobody answered: they are sent again.
      if (answers instanceof Problem) return;
      for (const [index, flight] of batch.entries()) {
        const answer = answers[index];
        if (answer?.status === 'refused') await this.#onRefused(flight, problemOf(answer.problem));
        else if (this.#open.has(flight.transaction.hash)) await this.#lookUp(flight);
      }
    }
  }

  /** What may pass is tried again; what no node can have is over; the chain decides about the rest. */
  async #onRefused(flight: Flight, problem: Problem): Promise<void> {
    // What no node said is no refusal.
    if (isRetryable(problem) || problem.details['sent'] === true) return;
    if (problem.code === 'transaction/nonce-used') {
      const used = problem.details['next'];
      if (typeof used === 'number') this.#next = Math.max(this.#next ?? 0, used);
    }
    if (flight.mayBeTaken) await this.#lookUp(flight);
    else this.#refuse(flight, problem);
  }

  /** What the chain says came of it, if it says something. */
  async #lookUp(flight: Flight): Promise<void> {
    const outcome = await outcomeOf(this.#nodes, flight.transaction.hash);
    if (outcome instanceof Problem) this.#refuse(flight, outcome);
    else if (outcome !== undefined) this.#land(flight, outcome);
  }

  /** No block can hold it: its nonce is free again, unless another transaction used it. */
  #refuse(flight: Flight, problem: Problem): void {
    const { nonce, hash } = flight.transaction;
    if (!nonceIsUsed(problem) && (this.#flights.has(hash) || this.#open.has(hash))) {
      this.#free.push(nonce);
      this.#free.sort((a, b) => a - b);
    }
    this.#land(flight, problem);
  }

  #land({ transaction: { hash }, job }: Flight, outcome: FinalOutcome | Problem): void {
    const wasOpen = this.#open.delete(hash);
    if (!this.#flights.delete(hash) && !wasOpen) return;
    this.#watch.forget(hash);
    job.settle(outcome);
    this.#restWhenIdle();
    void this.#pump();
  }

  /** While nobody waits, nothing here keeps the program from ending. */
  #restWhenIdle(): void {
    if (this.waiting > 0) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    for (const hash of this.#open.keys()) this.#watch.forget(hash);
    this.#watch.rest();
  }

  #tickSoon(ms: number): void {
    if (this.waiting === 0 || (this.#cancelTick !== undefined && ms > 0)) return;
    this.#cancelTick?.();
    this.#cancelTick = this.#nodes.surroundings.alarm(ms, () => {
      this.#cancelTick = undefined;
      void this.#tick();
    });
  }

  async #tick(): Promise<void> {
    this.#giveUp();
    this.#restWhenIdle();
    // Also while a node is asked: it may take longer than some have time.
    this.#tickSoon(tickMs);
    if (this.waiting === 0) return;
    const now = this.#nodes.surroundings.now();
    const stale = [...this.#open.values(), ...this.#flights.values()].filter((one) => isStale(one, now));
    if (stale.length > 0) await this.#submit(stale);
  }

  /** Tells those whose time is up. */
  #giveUp(): void {
    this.#queue = this.#queue.filter((job) => this.#isInTime(job));
    this.#launching = this.#launching.filter((job) => this.#isInTime(job));
    for (const flight of this.#flights.values()) {
      if (this.#nodes.surroundings.now() < flight.job.until) continue;
      this.#flights.delete(flight.transaction.hash);
      this.#open.set(flight.transaction.hash, flight);
      flight.job.settle(notFinal(flight.transaction));
    }
  }
}
