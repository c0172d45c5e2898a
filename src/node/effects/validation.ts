import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { ChainLink, Effect, Input, ValidatorIndex } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Height, Proposal } from '../../ledger/block.ts';
import type { Bodies } from './bodies.ts';
import type { Chain } from './chain.ts';
import type { Cancel, Clock } from '../process/clock.ts';

type ValidateEffect = Extract<Effect<never>, { type: 'validate' }>;
type ValidatedInput = Extract<Input<never>, { type: 'validated' }>;

interface ValidationOptions {
  readonly chain: Chain;
  readonly bodies: Pick<Bodies, 'obtain'>;
  readonly clock: Clock;
  /** The final block's hash at a height, undefined above the last one. */
  readonly finalHashAt: (height: Height) => Hash | undefined;
  /** Takes any timestamp that is later than the parent's. */
  readonly proposerClockBinds: boolean;
  /** Told when a block is too early for this node's clock, and how far it is ahead. */
  readonly onEarly?: (aheadMs: number) => void;
  /** Told when one is not. */
  readonly onTimely?: () => void;
  readonly enqueue: (input: ValidatedInput) => void;
}

interface Job {
  readonly hash: Hash;
  readonly height: Height;
  readonly proposal: Proposal | null;
  readonly holders: readonly ValidatorIndex[];
  cancelDeadline: Cancel;
}

/** The `validate` effect: brings a block and its ancestors here, executes them, and answers `validated`. */
export class Validation {
  readonly #options: ValidationOptions;
  readonly #jobs = new Map<Hash, Job>();
  /** Those that wait for the next turn of the loop, in which one block is executed again. */
  #nextTurn: Job[] | null = null;

  constructor(options: ValidationOptions) {
    this.#options = options;
  }

  /** Asked again for a block under way, it answers once. */
  validate({ blockHash: hash, height, proposal, holders }: ValidateEffect): void {
    if (this.#jobs.has(hash)) return;
    const job: Job = { hash, height, proposal, holders, cancelDeadline: () => {} };
    this.#jobs.set(hash, job);
    this.#goOn(job);
    if (!this.#jobs.has(hash)) return;
    job.cancelDeadline = this.#options.clock.after(limits.validateDeadlineMs, () =>
      this.#answer(job, { verdict: 'unavailable', reason: 'it took too long to fetch' }),
    );
  }

  /** `fetched` is what was just brought here. */
  #goOn(job: Job, fetched?: Hash): void {
    const { chain } = this.#options;
    if (job.height <= chain.final.height) return this.#answer(job, this.#atFinal(job));
    if (job.height > chain.final.height + limits.ancestorWalk) {
      return this.#answer(job, { verdict: 'unavailable', reason: 'too far above the final block' });
    }
    const verdict = this.#judge(job.hash);
    if (verdict.verdict === 'unfinished') {
      this.#nextTurn?.push(job);
      return;
    }
    if (verdict.verdict === 'missing') {
      if (verdict.hash === fetched) {
        // Not kept, and still needed: it is at or below the final height and nothing final, so it is of a
        // dead branch.
        return this.#answer(job, { verdict: 'invalid', reason: 'it does not extend the final block' });
      }
      const proposal = verdict.hash === job.hash ? job.proposal : null;
      return this.#obtain(job, verdict.hash, proposal);
    }
    if (verdict.verdict === 'invalid') {
      return this.#answer(job, { verdict: 'invalid', reason: verdict.problem.message });
    }
    if (verdict.verdict === 'unknown-version') {
      const reason = `it is of protocol version ${verdict.version}, which this program does not know`;
      return this.#answer(job, { verdict: 'unavailable', reason });
    }
    this.#answer(job, this.#judgeTime(verdict.chain));
  }

  /**
   * Executes one block in each turn of the loop, whoever needs it: ancestors of a block that was fetched, or
   * a window of proposals that waited for one, would hold up everything else together.
   */
  #judge(hash: Hash): ReturnType<Chain['judge']> {
    const { chain, clock } = this.#options;
    const { executed } = chain;
    const verdict = chain.judge(hash, this.#nextTurn === null ? 1 : 0);
    if (chain.executed === executed) return verdict;
    this.#nextTurn = [];
    clock.after(0, () => {
      const waiting = this.#nextTurn ?? [];
      this.#nextTurn = null;
      for (const job of waiting) if (this.#jobs.get(job.hash) === job) this.#goOn(job);
    });
    return verdict;
  }

  #atFinal({ height, hash }: Job): ValidatedInput['result'] {
    const final = this.#options.finalHashAt(height);
    if (final === hash) return { verdict: 'valid', chain: [] };
    return final === undefined
      ? { verdict: 'unavailable', reason: 'the state of a later block came here as a snapshot' }
      : { verdict: 'invalid', reason: 'another block is final there' };
  }

  #obtain(job: Job, hash: Hash, proposal: Proposal | null): void {
    this.#options.bodies.obtain({ hash, proposal, holders: job.holders }, (result) => {
      if (this.#jobs.get(job.hash) !== job) return;
      if (result instanceof Problem) this.#answer(job, { verdict: 'invalid', reason: result.message });
      else if (result === 'unavailable') {
        this.#answer(job, { verdict: 'unavailable', reason: `nobody asked had block ${hash}` });
      } else this.#goOn(job, hash);
    });
  }

  /**
   * A block may be as far ahead of the clock as `limits.maxClockAheadMs`, and one that is a millisecond after
   * its parent is never early: when the final block is ahead of all clocks, the chain goes on in such steps
   * until they catch up. What is early becomes valid by waiting. Each block above the final one is looked at,
   * because an early one below makes those above it no better.
   */
  #judgeTime(chain: readonly ChainLink[]): ValidatedInput['result'] {
    if (this.#options.proposerClockBinds) return { verdict: 'valid', chain };
    const now = this.#options.clock.wallMs();
    let before = this.#options.chain.final.header.timestamp;
    let aheadMs = 0;
    for (const { blockHash } of chain) {
      const { timestamp } = defined(this.#options.chain.get(blockHash), 'a block of the chain').block.header;
      const earliest = Math.max(now + limits.maxClockAheadMs, before + 1);
      if (timestamp > earliest) aheadMs = Math.max(aheadMs, timestamp - now);
      before = timestamp;
    }
    if (aheadMs === 0) {
      this.#options.onTimely?.();
      return { verdict: 'valid', chain };
    }
    this.#options.onEarly?.(aheadMs);
    return { verdict: 'early', chain, aheadMs };
  }

  #answer(job: Job, result: ValidatedInput['result']): void {
    this.#jobs.delete(job.hash);
    job.cancelDeadline();
    this.#options.enqueue({ type: 'validated', blockHash: job.hash, result });
  }
}
