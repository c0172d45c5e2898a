import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { PeerId } from '../../network/port.ts';

/**
 * Whose turn it is to be asked one question. Each is asked once; while an answer does not come, the others
 * are asked again, because what one had not a while ago it may have now.
 */
export class AskingTurns {
  /** Who is still to be asked, the best first. */
  readonly #waiting: PeerId[];
  readonly #connected: () => readonly PeerId[];
  /** When each was asked last; who was asked longest ago stands first. */
  readonly asked = new Map<PeerId, MonotonicMs>();
  /** Who was asked and has not answered. */
  readonly #pending = new Set<PeerId>();
  readonly #answered = new Set<PeerId>();

  /** `connected`: who could be asked at that moment. */
  constructor(waiting: readonly PeerId[], connected: () => readonly PeerId[]) {
    this.#waiting = [...waiting];
    this.#connected = connected;
  }

  /** Somebody has not answered once: whoever is asked again is not waited for. */
  get awaited(): boolean {
    return [...this.#pending].some((peer) => !this.#answered.has(peer));
  }

  /** Who waits to be asked for the first time. */
  next(): PeerId | undefined {
    return this.#waiting.shift();
  }

  /** Who was connected since, or left out. */
  newcomer(connected = this.#connected()): PeerId | undefined {
    return connected.find((peer) => !this.asked.has(peer));
  }

  /** Who is asked besides, when an answer does not come; nobody while `fetchParallel` are asked. */
  company(): PeerId | undefined {
    if (this.#pending.size >= limits.fetchParallel) return undefined;
    const next = this.next();
    if (next !== undefined) return next;
    const connected = this.#connected();
    const isFree = (peer: PeerId): boolean => !this.#pending.has(peer) && connected.includes(peer);
    return this.newcomer(connected) ?? [...this.asked.keys()].find(isFree);
  }

  asks(peer: PeerId, now: MonotonicMs): void {
    this.asked.delete(peer);
    this.asked.set(peer, now);
    this.#pending.add(peer);
  }

  answered(peer: PeerId): void {
    this.#pending.delete(peer);
    this.#answered.add(peer);
  }
}
