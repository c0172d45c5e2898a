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

/** What all strangers send together. */
export class StrangersBudget {
  readonly #buckets: Record<LineUse, TokenBucket>;
  /** What each of them sent of late. */
  readonly #sent = new Map<LineBudget, Record<LineUse, RecentUse>>();

  constructor(now: number, rates: LineRates = limits.line.strangers) {
    this.#buckets = bucketsOf(rates, now);
  }

  get connections(): number {
    return this.#sent.size;
  }

  join(line: LineBudget): void {
    const none = (): RecentUse => new RecentUse();
    this.#sent.set(line, { frames: none(), messages: none(), streams: none(), bytes: none() });
  }

  leave(line: LineBudget): void {
    this.#sent.delete(line);
  }

  /**
   * When the strangers as a whole sent too much, those go who sent the most of late, until what the others
   * sent fits: nobody who sent no more than an equal part.
   */
  take(line: LineBudget, use: LineUse, amount: number, now: number): void {
    this.#sent.get(line)?.[use].add(amount, now);
    const all = this.#buckets[use];
    all.owe(amount, now);
    while (!all.has(0, now)) {
      const most = this.#most(use, now);
      if (most === undefined || most.sent <= all.burst / limits.strangerConnections) return;
      // All of it would make it cheap to come back and do it again.
      all.owe(-most.sent / 2, now);
      this.leave(most.line);
      most.line.fault ??= tooMuch(use, 'stranger', all);
    }
  }

  #most(use: LineUse, now: number): { readonly line: LineBudget; readonly sent: number } | undefined {
    let most: { readonly line: LineBudget; readonly sent: number } | undefined;
    for (const [line, uses] of this.#sent) {
      const sent = uses[use].at(now);
      if (most === undefined || sent > most.sent) most = { line, sent };
    }
    return most;
  }
}

/** What was used, of which half is forgotten in `recentUseMs`. */
class RecentUse {
  #amount = 0;
  #at = 0;

  at(now: number): number {
    return this.#amount * 0.5 ** (Math.max(0, now - this.#at) / limits.recentUseMs);
  }

  add(amount: number, now: number): void {
    this.#amount = this.at(now) + amount;
    this.#at = now;
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
  /**
   * Why the connection has to end: it broke a rule of the muxer, or of this budget. Said when the next thing
   * comes on it.
   */
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
    if (this.#standing === 'stranger') this.#strangers.leave(this);
    if (standing === 'stranger') this.#strangers.join(this);
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
    if (this.#standing === 'stranger') this.#strangers.take(this, use, counted, now);
    return this.fault;
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
