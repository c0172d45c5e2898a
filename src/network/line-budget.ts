import { limits } from '../base/limits.ts';
import { peerAtFault } from '../base/peer-faults.ts';
import { Problem } from '../base/problem.ts';
import { type Rate, TokenBucket } from '../base/token-bucket.ts';

/** What a connection is worth to us: it has said nothing yet, it is of anybody, or of a key that we know. */
export type Standing = 'greeting' | 'stranger' | 'member';

/** What one connection may send: frames of the muxer, messages in them, streams that it opens, and bytes. */
interface LineRates {
  readonly frames: Rate;
  readonly messages: Rate;
  readonly streams: Rate;
  readonly bytes: Rate;
}

/** What is counted. */
export type LineUse = keyof LineRates;

/** What all strangers send together, and how many they are. */
export class StrangersBudget {
  readonly #buckets: Record<LineUse, TokenBucket>;
  connections = 0;

  constructor(now: number, rates: LineRates = limits.line.strangers) {
    this.#buckets = bucketsOf(rates, now);
  }

  /**
   * False when the strangers as a whole sent too much, and this one more than its share of it: so who sends
   * much goes, and the others stay.
   */
  take(use: LineUse, amount: number, spent: number, now: number): boolean {
    const all = this.#buckets[use];
    return all.take(amount, now) || spent <= all.burst / Math.max(1, this.connections);
  }
}

/**
 * How much work one connection may make below the hello and the streams, where nobody else counts. Honest
 * nodes stay far below, and past it there is nothing to wait for: the connection ends.
 */
export class LineBudget {
  readonly #strangers: StrangersBudget;
  readonly #now: () => number;
  #standing: Standing = 'greeting';
  #buckets: Record<LineUse, TokenBucket>;
  /** Bytes that we asked for and that have not come. */
  #asked = 0;
  /** Why the connection had to end: it broke a rule of the muxer, or of this budget. */
  fault: Problem | undefined;

  constructor(strangers: StrangersBudget, now: () => number) {
    this.#strangers = strangers;
    this.#now = now;
    this.#buckets = bucketsOf(limits.line.greeting, now());
  }

  get standing(): Standing {
    return this.#standing;
  }

  set standing(standing: Standing) {
    if (standing === this.#standing) return;
    if (this.#standing === 'stranger') this.#strangers.connections--;
    if (standing === 'stranger') this.#strangers.connections++;
    this.#standing = standing;
    this.#buckets = bucketsOf(limits.line[standing], this.#now());
  }

  /** We asked for an answer of at most this many bytes: they are not held against it. */
  expect(bytes: number): void {
    this.#asked = Math.min(this.#asked + bytes, limits.requestsPerPeer * limits.responseBytes);
  }

  /** A problem when it was too much: the connection has to end. */
  take(use: LineUse, amount: number): Problem | undefined {
    const now = this.#now();
    let counted = amount;
    if (use === 'bytes') {
      const asked = Math.min(this.#asked, amount);
      this.#asked -= asked;
      counted -= asked;
    }
    const own = this.#buckets[use];
    if (!own.take(counted, now)) return tooMuch(use, this.#standing, own);
    if (this.#standing !== 'stranger') return undefined;
    return this.#strangers.take(use, counted, own.spent(now), now)
      ? undefined
      : tooMuch(use, 'stranger', own);
  }
}

function bucketsOf(rates: LineRates, now: number): Record<LineUse, TokenBucket> {
  return {
    frames: new TokenBucket(rates.frames, now),
    messages: new TokenBucket(rates.messages, now),
    streams: new TokenBucket(rates.streams, now),
    bytes: new TokenBucket(rates.bytes, now),
  };
}

function tooMuch(use: LineUse, standing: Standing, { perSecond, burst }: TokenBucket): Problem {
  return new Problem('network/too-much', `more ${use} on one connection than a ${standing} may send`, {
    remedy: peerAtFault,
    details: { use, standing, perSecond, burst },
  });
}
