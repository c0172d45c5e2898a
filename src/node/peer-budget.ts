import { limits } from '../base/limits.ts';
import type { MonotonicMs } from '../consensus/engine.ts';
import type { PeerId } from '../network/port.ts';
import { BoundedMap } from './bounded-map.ts';

interface Account {
  underWay: number;
  faults: MonotonicMs[];
  mutedUntil: MonotonicMs;
}

/** How much checking a peer may cost us: so much at once, and so many faults before it is not listened to for a while. */
export class PeerBudget {
  readonly #accounts = new BoundedMap<PeerId, Account>(limits.peersRemembered);

  /** True when one more message of the peer may be checked; each true is followed by one `release`. */
  take(peer: PeerId): boolean {
    const account = this.#account(peer);
    if (account.underWay >= limits.verifyingPerPeer) return false;
    account.underWay += 1;
    return true;
  }

  release(peer: PeerId): void {
    const account = this.#account(peer);
    account.underWay = Math.max(0, account.underWay - 1);
  }

  fault(peer: PeerId, now: MonotonicMs): void {
    const account = this.#account(peer);
    account.faults = account.faults.filter((at) => at > now - limits.peerFaultWindowMs);
    account.faults.push(now);
    if (account.faults.length < limits.peerFaults) return;
    account.faults = [];
    account.mutedUntil = now + limits.peerMuteMs;
  }

  muted(peer: PeerId, now: MonotonicMs): boolean {
    return now < (this.#accounts.get(peer)?.mutedUntil ?? -Infinity);
  }

  #account(peer: PeerId): Account {
    let account = this.#accounts.get(peer);
    if (account === undefined) {
      account = { underWay: 0, faults: [], mutedUntil: -Infinity };
      this.#accounts.set(peer, account);
    }
    return account;
  }
}
