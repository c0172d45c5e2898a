import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { toHeight } from '../ledger/block.ts';
import type { Operation } from '../ledger/operation.ts';
import type { Transaction } from '../ledger/transaction.ts';
import type { SubmitAnswer } from './answers.ts';
import type { FinalOutcome, FinalWatch } from './final-watch.ts';
import { type HttpClient, problemOf } from './http-client.ts';
import type { Nodes } from './nodes.ts';
import { isRetryable } from './transport.ts';
import type { Content, Wallet } from './wallet.ts';

export interface SendOptions {
  /** In the smallest unit; 1 unless told. */
  readonly fee?: bigint;
  /** How many blocks ahead it expires; 10,000 unless told. */
  readonly expiryAhead?: number;
  /** How long to wait until it is final; 60 s unless told. */
  readonly deadlineMs?: number;
}

/** Something to be signed and sent, in the order in which it was asked for. */
interface Job {
  readonly what: Operation | Content;
  readonly options: SendOptions;
  readonly until: number;
  readonly settle: (outcome: FinalOutcome | Problem) => void;
}

/**
 * A signed transaction that may be anywhere. The same bytes are sent again until they
 * are final, or can never be.
 */
interface Flight {
  readonly transaction: Transaction;
  readonly job: Job;
  sentAt: number;
}

interface LedgerAccountOptions {
  readonly nodes: Nodes;
  readonly watch: FinalWatch;
  readonly wallet: Wallet;
  /** Transactions under way at once; the others wait here. */
  readonly window?: number;
}

/** How far ahead the expiry lies when nobody says: hours on an idle chain, minutes on a busy one. */
export const defaultExpiryAhead = 10_000;
const defaultDeadlineMs = 60_000;
/** Half of what a node takes of one sender: another program with the same key still finds room. */
const defaultWindow = limits.mempoolPerSender / 2;
/** What is not final after this long is sent again: the node that took it may have died with it. */
const resendMs = 3_000;
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
  readonly #queue: Job[] = [];
  readonly #flights = new Map<Hash, Flight>();
  /** Nonces of transactions that no node took: the next ones use them, so that no gap is left. */
  readonly #free: number[] = [];
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
    return this.#queue.length + this.#flights.size;
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
   * when the deadline passed, which leaves the outcome open.
   */
  send(what: Operation | Content, options: SendOptions = {}): Promise<FinalOutcome | Problem> {
    const until = this.#nodes.surroundings.now() + (options.deadlineMs ?? defaultDeadlineMs);
    return new Promise((settle) => {
      this.#queue.push({ what, options, until, settle });
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
    while (this.#queue.length > 0 && this.#flights.size < this.#window) {
      const count = Math.min(this.#window - this.#flights.size, limits.httpBatch);
      const jobs = this.#queue.splice(0, count);
      const problem = await this.#launch(jobs);
      if (problem !== undefined) for (const { settle } of jobs) settle(problem);
    }
    this.#isPumping = false;
  }

  /** Signs and sends. A problem when nothing was signed. */
  async #launch(jobs: readonly Job[]): Promise<Problem | undefined> {
    const opened = (await this.#watch.open()) ?? (await this.#findNonce());
    if (opened !== undefined) return opened;
    const launched = jobs.flatMap((job) => this.#sign(job) ?? []);
    // Again, now that they are expected: the watch closes when it expects nothing.
    const problem = await this.#watch.open();
    if (problem === undefined) await this.#submit(launched, true);
    else for (const flight of launched) this.#refuse(flight, problem);
    this.#tickSoon(tickMs);
    return undefined;
  }

  async #findNonce(): Promise<Problem | undefined> {
    if (this.#next !== undefined) return undefined;
    // One node's opinion is what waits in its own mempool; the highest of all is behind
    // everything that is known anywhere.
    const opinions = await this.#nodes.all((client) => client.account(this.publicKey));
    if (opinions.length > 0) {
      this.#next = Math.max(...opinions.map(({ pendingNonce }) => pendingNonce));
      return undefined;
    }
    const account = await this.#nodes.ask((client) => client.account(this.publicKey));
    if (account instanceof Problem) return account;
    this.#next = account.pendingNonce;
    return undefined;
  }

  #sign(job: Job): Flight | undefined {
    const { fee = 1n, expiryAhead = defaultExpiryAhead } = job.options;
    const nonce = this.#free[0] ?? defined(this.#next, 'a nonce before anything is signed');
    const expiryHeight = toHeight(this.#watch.height + expiryAhead);
    const transaction = this.#wallet.build(job.what, { nonce, fee, expiryHeight });
    if (transaction instanceof Problem) {
      job.settle(transaction);
      return undefined;
    }
    if (this.#free.shift() === undefined) this.#next = nonce + 1;
    const flight: Flight = { transaction, job, sentAt: this.#nodes.surroundings.now() };
    this.#flights.set(transaction.hash, flight);
    this.#watch.expect(transaction.hash, (outcome) => this.#land(flight, outcome));
    return flight;
  }

  async #submit(flights: readonly Flight[], isFirst: boolean): Promise<void> {
    const { now } = this.#nodes.surroundings;
    for (let at = 0; at < flights.length; at += limits.httpBatch) {
      const batch = flights.slice(at, at + limits.httpBatch);
      for (const flight of batch) flight.sentAt = now();
      let maybeTaken = !isFirst;
      const answers = await this.#nodes.ask(async (client) => {
        const result = await submitTo(client, batch);
        if (result instanceof Problem) maybeTaken ||= result.details['sent'] === true;
        return result;
      });
      // Nobody answered: they are sent again.
      if (answers instanceof Problem) return;
      for (const [index, flight] of batch.entries()) {
        const answer = answers[index];
        if (answer?.status === 'refused')
          await this.#onRefused(flight, problemOf(answer.problem), maybeTaken);
      }
    }
  }

  /**
   * What may pass is tried again; what was never taken anywhere is over; of the rest the
   * chain says what came of it.
   */
  async #onRefused(flight: Flight, problem: Problem, maybeTaken: boolean): Promise<void> {
    if (isRetryable(problem)) return;
    if (problem.code === 'transaction/nonce-used') {
      const used = problem.details['next'];
      if (typeof used === 'number') this.#next = Math.max(this.#next ?? 0, used);
    }
    if (!maybeTaken) return this.#refuse(flight, problem);
    const status = await this.#nodes.ask((client) => client.transaction(flight.transaction.hash), {
      deadlineMs: 0,
    });
    if (status instanceof Problem) return;
    if (status.status === 'final') {
      const { hash, inclusion } = status;
      const { height, blockHash, receipt } = inclusion;
      this.#land(flight, { hash, height, blockHash, receipt });
    } else if (status.status === 'gone') this.#land(flight, problemOf(status.problem));
  }

  /** No node has it: its nonce is free again. */
  #refuse(flight: Flight, problem: Problem): void {
    const { nonce } = flight.transaction;
    if (problem.code !== 'transaction/nonce-used') {
      this.#free.push(nonce);
      this.#free.sort((a, b) => a - b);
    }
    this.#land(flight, problem);
  }

  #land({ transaction, job }: Flight, outcome: FinalOutcome | Problem): void {
    if (!this.#flights.delete(transaction.hash)) return;
    this.#watch.forget(transaction.hash);
    job.settle(outcome);
    if (this.#flights.size === 0) {
      this.#cancelTick?.();
      this.#cancelTick = undefined;
    }
    void this.#pump();
  }

  #tickSoon(ms: number): void {
    if (this.#flights.size === 0 || (this.#cancelTick !== undefined && ms > 0)) return;
    this.#cancelTick?.();
    this.#cancelTick = this.#nodes.surroundings.alarm(ms, () => {
      this.#cancelTick = undefined;
      void this.#tick();
    });
  }

  async #tick(): Promise<void> {
    const { now } = this.#nodes.surroundings;
    for (const flight of this.#flights.values()) {
      if (now() >= flight.job.until) this.#land(flight, notFinal(flight));
    }
    const stale = [...this.#flights.values()].filter(({ sentAt }) => now() - sentAt >= resendMs);
    if (stale.length > 0) await this.#submit(stale, false);
    this.#tickSoon(tickMs);
  }
}

/** The answers of one node; a problem when it took nothing and others may. */
async function submitTo(
  client: HttpClient,
  batch: readonly Flight[],
): Promise<readonly SubmitAnswer[] | Problem> {
  const answers = await client.submitBatch(batch.map(({ transaction }) => transaction));
  const problems = answers.map((answer) =>
    answer.status === 'refused' ? problemOf(answer.problem) : undefined,
  );
  const [first] = problems;
  return first !== undefined && problems.every((one) => one !== undefined && isRetryable(one))
    ? first
    : answers;
}

function notFinal({ transaction }: Flight): Problem {
  const { hash, nonce, expiryHeight } = transaction;
  return new Problem('api/not-final', 'the transaction was not final when its time was up', {
    remedy: `It may still become final. Ask for transaction ${hash}, or submit the same bytes again; sign nothing else for the same purpose before it is "gone".`,
    details: { hash, nonce, expiryHeight, outcome: 'unknown' },
  });
}
