import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { EngineName } from '../ledger/engine-names.ts';
import type { Operation } from '../ledger/operation.ts';
import { AccountNonces } from './account-nonces.ts';
import { FeeFloor } from './fee-floor.ts';
import type { FinalOutcome } from './final-proofs.ts';
import type { FinalWatch } from './final-watch.ts';
import {
  defaultDeadlineMs,
  defaultWindow,
  fillerOf,
  type Flight,
  flightOf,
  gapOf,
  inTime,
  isDoubtful,
  isStale,
  type Job,
  nextTickMs,
  nonceIsUsed,
  notFinal,
  notSent,
  openingMs,
  outcomesOf,
  refusedByAll,
  resendMs,
  type SendOptions,
  signed,
  submitToAny,
  tickMs,
  waitingStill,
} from './ledger-sending.ts';
import type { Nodes } from './nodes.ts';
import { Ticker } from './ticker.ts';
import { isRetryable } from './transport.ts';
import type { Content, Wallet } from './wallet.ts';

interface LedgerAccountOptions {
  readonly nodes: Nodes;
  readonly watch: FinalWatch;
  readonly wallet: Wallet;
  readonly engine: EngineName;
  /** Transactions under way at once; the others wait here. */
  readonly window?: number;
}

/**
 * Sends transactions of one key: it keeps the nonces, signs in the order in which it was asked, sends
 * many in one request, and sends the same bytes again, to another node when one does not answer, until
 * they are final. It never signs a second time for the same purpose: that would pay twice. When one is
 * refused, the next takes its nonce; while others wait behind it and none comes, a transaction that does
 * nothing takes it, and pays no more than the least of them. The key must be used by nobody else meanwhile.
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
  readonly #nonces: AccountNonces;
  readonly #floor: FeeFloor;
  /** When a gap among the nonces was last filled. */
  #filledAt = -Infinity;
  /** Those whose time was up and whose outcome is open: sent again, as others may stand behind them. */
  readonly #open = new Map<Hash, Flight>();
  #isPumping = false;
  readonly #ticker: Ticker;

  constructor(options: LedgerAccountOptions) {
    this.#nodes = options.nodes;
    this.#watch = options.watch;
    this.#wallet = options.wallet;
    this.#nonces = new AccountNonces({ ...options, publicKey: options.wallet.publicKey });
    this.#floor = new FeeFloor(options.nodes);
    this.#window = options.window ?? defaultWindow;
    this.#ticker = new Ticker(options.nodes.surroundings, () => void this.#tick());
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
    const until = this.#now + (options.deadlineMs ?? defaultDeadlineMs);
    return new Promise((settle) => {
      this.#queue.push({ what, options, until, settle });
      this.#tickSoon(Math.min(tickMs, until - this.#now));
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
      if (problem) this.#queue.unshift(...waitingStill(jobs, problem, this.#now));
    }
    this.#isPumping = false;
    this.#restWhenIdle();
    this.#tickSoon(tickMs);
  }

  get #room(): number {
    return this.#window - this.#flights.size - this.#open.size;
  }

  get #now(): number {
    return this.#nodes.surroundings.now();
  }

  /** Signs and sends. A problem when nothing was signed. */
  async #launch(jobs: readonly Job[]): Promise<Problem | undefined> {
    const deadlineMs = openingMs(jobs, this.#now);
    const opened =
      (await this.#watch.open(deadlineMs)) ??
      (await Promise.all([this.#nonces.begin(deadlineMs), this.#floor.learn()]))[0];
    if (opened !== undefined) return opened;
    const launched = inTime(jobs, this.#now).flatMap((job) => this.#sign(job) ?? []);
    this.#launching = [];
    if (launched.length === 0) return undefined;
    for (const flight of this.#open.values()) this.#expect(flight);
    await this.#submit(launched);
    return undefined;
  }

  #sign(job: Job): Flight | undefined {
    const [nonce, height, perUnit] = [this.#nonces.next, this.#watch.height, this.#floor.perUnit];
    const transaction = signed(this.#wallet, job, { nonce, height, perUnit });
    if (transaction instanceof Problem) {
      job.settle(transaction);
      return undefined;
    }
    this.#nonces.use();
    const flight = flightOf(transaction, job, this.#now);
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
    for (let at = 0; at < flights.length; at += limits.httpBatch) {
      const batch = flights.slice(at, at + limits.httpBatch);
      for (const flight of batch) flight.sentAt = this.#now;
      const answered = await submitToAny(this.#nodes, batch);
      // Nobody answered: they are sent again.
      if (answered instanceof Problem) return;
      const { by, answers } = answered;
      // What no node can have is over; the chain decides about the rest.
      const refused = await refusedByAll(this.#watch.proofs, by, batch);
      for (const { flight, why } of refused) this.#refuse(flight, why);
      for (const flight of batch.filter(isDoubtful)) await this.#lookUp([flight]);
      await this.#lookUp(batch.filter((_, index) => answers[index]?.status === 'known'));
      // Once for all whose nonces are said to be used.
      await this.#nonces.begin();
    }
  }

  /** What the chain says came of them, as far as it says something. */
  async #lookUp(flights: readonly Flight[]): Promise<void> {
    for await (const { flight, outcome } of outcomesOf(this.#watch.proofs, flights)) {
      if (outcome instanceof Problem) this.#refuse(flight, outcome);
      else this.#land(flight, outcome);
    }
  }

  /** No block can hold it: its nonce is free again, unless another transaction used it. */
  #refuse(flight: Flight, problem: Problem): void {
    const { nonce, hash } = flight.transaction;
    this.#floor.onRefused(problem);
    if (this.#flights.has(hash) || this.#open.has(hash)) {
      if (nonceIsUsed(problem)) this.#nonces.doubt(nonce);
      else this.#nonces.giveBack(nonce);
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
    this.#ticker.stop();
    for (const hash of this.#open.keys()) this.#watch.forget(hash);
    this.#watch.rest();
  }

  #tickSoon(ms: number): void {
    if (this.waiting > 0) this.#ticker.dueIn(ms);
  }

  async #tick(): Promise<void> {
    this.#giveUp();
    this.#restWhenIdle();
    // Also while a node is asked: it may take longer than some have time.
    const jobs = [...this.#queue, ...this.#launching];
    this.#tickSoon(nextTickMs(jobs, this.#flights.values(), this.#now));
    if (this.waiting === 0) return;
    this.#fillGap();
    const stale = [...this.#open.values(), ...this.#flights.values()].filter((one) =>
      isStale(one, this.#now),
    );
    if (stale.length === 0) return;
    // The node that had them may not have passed them on.
    this.#nodes.leave();
    await this.#submit(stale);
  }

  /** Others wait behind a nonce that no transaction has, and nothing that was asked for takes it. */
  #fillGap(): void {
    if (this.#queue.length + this.#launching.length > 0 || this.#now - this.#filledAt < resendMs) return;
    const job = fillerOf(this.#nonces.gap, [...this.#flights.values()]);
    if (job === undefined) return;
    this.#filledAt = this.#now;
    this.#queue.push(job);
    void this.#pump();
  }

  /** Tells those whose time is up. */
  #giveUp(): void {
    this.#queue = inTime(this.#queue, this.#now);
    this.#launching = inTime(this.#launching, this.#now);
    for (const [hash, flight] of this.#flights) {
      if (this.#now < flight.job.until) continue;
      this.#flights.delete(hash);
      this.#open.set(hash, flight);
      flight.job.settle(notFinal(flight, gapOf(this.#nonces, [...this.#flights.values()])));
    }
  }
}
