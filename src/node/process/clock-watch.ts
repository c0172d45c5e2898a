import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

const remedy =
  'Compare the clock of this machine with another source (NTP). If it is right, the one who made the block has a clock that is wrong.';

/** So long no block takes that everybody is there for. */
function isOld(differenceMs: number | undefined): differenceMs is number {
  return differenceMs !== undefined && differenceMs > limits.maxClockAheadMs;
}

/** Compares this node's wall clock with the times of blocks, and says when the two cannot both be right. */
export class ClockWatch {
  readonly #clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #final: () => BlockHeader;
  readonly #self: PublicKey;
  #differenceMs: number | undefined;
  /** Since when blocks were old when they became final, and how old the first of them was. */
  #old: { readonly since: MonotonicMs; readonly byMs: number } | undefined;
  /** Until then, by this clock, what was proposed last is too early. */
  #refusesUntil = -Infinity;
  #warnedAt: MonotonicMs = -Infinity;

  constructor(options: {
    readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
    readonly log: Pick<Logger, 'warn'>;
    /** The header of the last final block. */
    readonly final: () => BlockHeader;
    /** The key of this node: blocks of its own say nothing of other clocks. */
    readonly self: PublicKey;
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#final = options.final;
    this.#self = options.self;
  }

  /**
   * A block became final here that is not of the past: its time is what its maker's clock said a moment ago.
   */
  live({ proposer, timestamp }: BlockHeader): void {
    if (proposer === this.#self) return this.timely();
    const differenceMs = this.#clock.wallMs() - timestamp;
    if (!this.#isEvidence(differenceMs)) return;
    this.#differenceMs = differenceMs;
    if (!isOld(differenceMs)) return;
    this.#warn('a block of another was old by the clock of this node when it became final', {
      oldMs: differenceMs,
    });
  }

  /**
   * How far this clock was ahead of that of whoever made the last block that another made, when that became
   * final here; negative when it was behind. It includes the block's way, so some hundredths of a second are
   * none. Undefined before there was one.
   */
  differenceMs(): number | undefined {
    return this.#differenceMs;
  }

  /** How far the clock is behind the last final block's time; 0 when it is not. */
  behindMs(): number {
    return Math.max(0, this.#final().timestamp - this.#clock.wallMs());
  }

  /** To be called when the node starts and with each final block. */
  look(): void {
    const { height } = this.#final();
    const behindMs = this.behindMs();
    if (behindMs <= limits.maxClockAheadMs) return;
    this.#warn(
      height === 0
        ? 'the genesis time is ahead of the clock of this node'
        : 'the last final block is ahead of the clock of this node',
      { height, aheadMs: behindMs },
    );
  }

  /** A proposal was too early for this clock. */
  early(aheadMs: number): void {
    this.#refusesUntil = this.#clock.wallMs() + aheadMs - limits.maxClockAheadMs;
    this.#warn('a proposed block is too far ahead of the clock of this node to be voted for', { aheadMs });
  }

  /** A proposal was not too early for this clock. */
  timely(): void {
    this.#refusesUntil = -Infinity;
  }

  /** The last proposal is too early even now: as long as this clock is as it is, the node does not vote. */
  get refuses(): boolean {
    return this.#clock.wallMs() < this.#refusesUntil;
  }

  /** For `why`: nothing while the clock agrees with the chain. */
  sentences(): readonly string[] {
    const behindMs = this.behindMs();
    const differenceMs = this.#differenceMs;
    if (isOld(differenceMs)) {
      return [
        `the last block of another was ${(differenceMs / 1_000).toFixed(1)} s old by the clock of this node when it became final: it took so long, or one of the two clocks is wrong`,
      ];
    }
    if (behindMs <= limits.maxClockAheadMs) return [];
    const { height } = this.#final();
    const what = height === 0 ? 'the genesis time' : `the time of the last final block (${height})`;
    return [`the clock of this node is ${(behindMs / 1_000).toFixed(1)} s behind ${what}`];
  }

  /**
   * Who was away may get old blocks from its leader as if they were of now, fast, and each less old than the
   * one before. A clock that is wrong stays so: blocks are as old some time later.
   */
  #isEvidence(differenceMs: number): boolean {
    if (!isOld(differenceMs)) {
      this.#old = undefined;
      return true;
    }
    const now = this.#clock.monotonicMs();
    const isAsBefore = Math.abs(differenceMs - (this.#old?.byMs ?? Infinity)) <= limits.maxClockAheadMs;
    if (this.#old === undefined || !isAsBefore) this.#old = { since: now, byMs: differenceMs };
    return now - this.#old.since >= limits.maxClockAheadMs;
  }

  #warn(message: string, details: Readonly<Record<string, number>>): void {
    const now = this.#clock.monotonicMs();
    if (now - this.#warnedAt < limits.clockWarningMs) return;
    this.#warnedAt = now;
    this.#log.warn(message, { ...details, remedy });
  }
}
