import type {
  Backend,
  MissingNonce,
  Pace,
  SubmitResult,
  TransactionOutcome,
  TransactionStatus,
} from '../../api/backend.ts';
import { inPieces } from '../../api/in-pieces.ts';
import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { decodeOwnTransaction } from '../../ledger/transaction.ts';
import { lacksLeader, noLeader } from '../core/leaderless.ts';
import { Departures } from './departures.ts';
import { FinalBlocks } from './final-blocks.ts';
import type { Submitted } from '../peers/intake.ts';
import type { NodeBackendOptions } from './options.ts';
import type { Asking } from './asking.ts';
import { unpaced } from './reads.ts';

/**
 * Blocks that are not final and are looked through in one turn of the loop: some ten thousand comparisons
 * when they are full.
 */
const candidatesPerPiece = 16;
/** How often a submission that waits looks whether somebody leads: a tick. */
const leaderPollMs = limits.tickMs;

/** What clients submit, and what became of it. */
export class Submissions {
  readonly #options: Pick<NodeBackendOptions, 'driver' | 'clock'>;
  readonly #asking: Asking;
  readonly #finalBlocks: FinalBlocks;
  readonly #departures: Departures;

  constructor(options: Pick<NodeBackendOptions, 'driver' | 'clock' | 'store'>, asking: Asking) {
    this.#options = options;
    this.#asking = asking;
    this.#finalBlocks = new FinalBlocks(options.store);
    this.#departures = new Departures(options.store);
    options.driver.listeners.dropped.add((transaction, reason) => this.#departures.note(transaction, reason));
  }

  async submit(...[encoded, options = {}]: Parameters<Backend['submit']>) {
    const { driver } = this.#options;
    const { waitMs = 0, waitsNoMore = () => false, pace = unpaced } = options;
    await this.#leader(waitMs, waitsNoMore);
    const transactions = await inPieces(encoded, decodeOwnTransaction, pace);
    if (driver.engine.status().accepting === false) {
      throw new Problem('node/busy', 'the node has too much unfinished work to take on more', {
        remedy: 'Try again in a moment.',
        details: { retryable: true },
      });
    }
    return this.#asking.ask<Awaited<ReturnType<Backend['submit']>>>((done) =>
      driver.submit(transactions, (results) => done(results.map((result) => this.#asTaken(result)))),
    );
  }

  async transaction(hash: Hash, pace: Pace = unpaced): Promise<TransactionStatus> {
    const find = () => this.#finalBlocks.inclusion(hash, pace);
    let inclusion = await find();
    const other = inclusion === undefined ? await this.#notFinal(hash, pace) : undefined;
    // It may have become final while others were looked through.
    inclusion ??= await find();
    return other === undefined || inclusion !== undefined
      ? { status: 'final', hash, inclusion: defined(inclusion, 'what was found') }
      : other;
  }

  async outcome(hash: Hash, pace: Pace = unpaced): Promise<TransactionOutcome> {
    await pace();
    let outcome = this.#finalBlocks.outcome(hash);
    const other = outcome === undefined ? await this.#notFinal(hash, pace) : undefined;
    outcome ??= this.#finalBlocks.outcome(hash);
    return other === undefined || outcome !== undefined
      ? { status: 'final', hash, ...defined(outcome, 'what was found') }
      : other;
  }

  async #notFinal(hash: Hash, pace: Pace): Promise<Exclude<TransactionStatus, { readonly status: 'final' }>> {
    const { driver } = this.#options;
    if (driver.mempool.has(hash) || (await this.#isInFlight(hash, pace))) {
      return { status: 'pending', hash, missing: this.#missingBefore(hash) };
    }
    return { hash, ...this.#departures.statusOf(hash, driver.chain.final) };
  }

  /** Waits for a leader, in engines in which nothing goes on without one. */
  async #leader(waitMs: number, waitsNoMore: () => boolean): Promise<void> {
    const { driver, clock } = this.#options;
    const begin = clock.monotonicMs();
    while (lacksLeader(driver)) {
      const waitedMs = Math.ceil(clock.monotonicMs() - begin);
      if (waitedMs >= waitMs || waitsNoMore()) throw noLeader(Math.min(waitedMs, waitMs));
      await this.#asking.ask<void>((done) => clock.after(leaderPollMs, () => done()));
    }
  }

  #asTaken(result: Submitted): SubmitResult {
    if (result.status === 'refused') return result;
    const { status, hash } = result;
    return status === 'known' ? { status, hash } : { status, hash, missing: this.#missingBefore(hash) };
  }

  #missingBefore(hash: Hash): MissingNonce | null {
    const { mempool } = this.#options.driver;
    const missing = mempool.missingBefore(hash);
    if (missing === undefined) return null;
    const { expiryHeight } = defined(mempool.get(hash), 'what waits in the pool');
    return { sender: missing.sender, nonce: missing.nonce, expiryHeight };
  }

  /** Not in the mempool, but in a block that others proposed and that is not final. */
  async #isInFlight(hash: Hash, pace: Pace): Promise<boolean> {
    for (const [at, { block }] of [...this.#options.driver.chain.candidates()].entries()) {
      if (at % candidatesPerPiece === candidatesPerPiece - 1) await pace();
      if (block.transactions.some((transaction) => transaction.hash === hash)) return true;
    }
    return false;
  }
}
