import { BoundedMap } from '../base/bounded-map.ts';
import { limits } from '../base/limits.ts';
import type { PeerId } from './port.ts';

/**
 * Notices that two processes use one key. Each process names itself by a session of its own in its greetings.
 * One that was restarted has a new one, and the old is not heard of any more; so one that comes back after
 * another took its place still runs.
 */
export class TwinWatch {
  readonly #last = new BoundedMap<PeerId, string>(limits.peersRemembered);
  readonly #replaced = new BoundedMap<string, true>(limits.peersRemembered);

  /** A greeting was accepted. True when its session was replaced by another one before. */
  greeted(peer: PeerId, session: string): boolean {
    const last = this.#last.get(peer);
    this.#last.set(peer, session);
    if (last === undefined || last === session) return false;
    this.#replaced.set(`${peer} ${last}`, true);
    return this.#replaced.has(`${peer} ${session}`);
  }
}
