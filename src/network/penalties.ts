import { limits } from '../base/limits.ts';
import type { PeerId } from './port.ts';

interface Offences {
  score: number;
  total: number;
  updatedAt: number;
  bannedUntil: number;
}

/**
 * Counts offences with decay, and says who is refused for now. Times are milliseconds of a monotonic clock.
 */
export class Penalties {
  readonly #peers = new Map<PeerId, Offences>();
  readonly #limit: number;
  readonly #halfLifeMs: number;
  readonly #banMs: number;

  constructor(options: { limit: number; halfLifeMs: number; banMs: number }) {
    this.#limit = options.limit;
    this.#halfLifeMs = options.halfLifeMs;
    this.#banMs = options.banMs;
  }

  /** Counts one offence of the given weight. True when the peer has to go now. */
  add(peer: PeerId, now: number, weight = 1): boolean {
    const record = this.#peers.get(peer) ?? { score: 0, total: 0, updatedAt: now, bannedUntil: 0 };
    record.score = record.score * 0.5 ** ((now - record.updatedAt) / this.#halfLifeMs) + weight;
    record.total++;
    record.updatedAt = now;
    this.#peers.delete(peer);
    this.#peers.set(peer, record);
    if (this.#peers.size > limits.penaltiesRemembered) this.#forgetOldest();
    if (record.score < this.#limit) return false;
    record.bannedUntil = now + this.#banMs;
    record.score = this.#limit / 2;
    return true;
  }

  /** Refuses a peer for this long, whatever was counted. */
  ban(peer: PeerId, now: number, banMs: number): void {
    this.add(peer, now, 0);
    const record = this.#peers.get(peer);
    if (record !== undefined) record.bannedUntil = Math.max(record.bannedUntil, now + banMs);
  }

  isBanned(peer: PeerId, now: number): boolean {
    return (this.#peers.get(peer)?.bannedUntil ?? 0) > now;
  }

  /** Offences counted since they were last forgotten, without decay. */
  total(peer: PeerId): number {
    return this.#peers.get(peer)?.total ?? 0;
  }

  #forgetOldest(): void {
    for (const peer of this.#peers.keys()) {
      this.#peers.delete(peer);
      return;
    }
  }
}
