import type { PeerId } from './port.ts';

/** How one dial ended. `refused`: a hello was refused, by us or by them. */
export type DialOutcome = { readonly peer: PeerId; readonly refused: boolean } | 'failed';

interface RedialOptions {
  readonly baseMs: number;
  readonly capMs: number;
  readonly refusedMs: number;
  readonly stableMs: number;
  /** Our own peer id: of two nodes that lost each other the one with the smaller id dials first. */
  readonly self: PeerId;
  readonly dial: (address: string) => Promise<DialOutcome>;
  readonly isConnected: (peer: PeerId) => boolean;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
  readonly now: () => number;
}

interface Target {
  readonly address: string;
  peer: PeerId | undefined;
  failures: number;
  connectedAt: number;
  timer: NodeJS.Timeout | undefined;
  /** When `timer` ends. */
  dueAt: number;
  dialling: boolean;
}

/** The larger id waits this much longer, so that two nodes seldom dial each other at the same moment. */
const largerIdDelayMs = 150;

/** Keeps dialling the configured peers that are not connected. One timer per lost peer at most. */
export class Redial {
  readonly #options: RedialOptions;
  readonly #targets: Target[];
  #running = false;

  constructor(targets: readonly { address: string; peer: PeerId | undefined }[], options: RedialOptions) {
    this.#options = options;
    this.#targets = targets.map((target) => ({
      ...target,
      failures: 0,
      connectedAt: 0,
      timer: undefined,
      dueAt: 0,
      dialling: false,
    }));
  }

  start(): void {
    this.#running = true;
    for (const target of this.#targets) this.#schedule(target, this.#courtesy(target));
  }

  stop(): void {
    this.#running = false;
    for (const target of this.#targets) this.#cancel(target);
  }

  isConfigured(peer: PeerId): boolean {
    return this.#targets.some((target) => target.peer === peer);
  }

  /** Who answers at an address of ours: as it says, or who did before. */
  peerAt(address: string): PeerId | undefined {
    return this.#targets.find((target) => target.address === address)?.peer;
  }

  /** A member came by its own dial. Where it is not known who answers, it may be that one: a dial tells. */
  arrived(): void {
    const { baseMs, now } = this.#options;
    for (const target of this.#targets) {
      const isWaiting = target.timer !== undefined && target.dueAt > now() + baseMs;
      if (target.peer === undefined && isWaiting) this.#schedule(target, baseMs);
    }
  }

  /** A logical peer came up, by whoever's dial. */
  connected(peer: PeerId): void {
    for (const target of this.#targets) {
      if (target.peer !== peer) continue;
      target.connectedAt = this.#options.now();
      this.#cancel(target);
    }
  }

  /** A logical peer has no link left. */
  lost(peer: PeerId): void {
    const { now, stableMs } = this.#options;
    for (const target of this.#targets) {
      if (target.peer !== peer) continue;
      if (now() - target.connectedAt >= stableMs) target.failures = 0;
      this.#schedule(target, this.#backOff(target));
    }
  }

  #schedule(target: Target, delayMs: number): void {
    this.#cancel(target);
    if (!this.#running) return;
    target.dueAt = this.#options.now() + delayMs;
    target.timer = setTimeout(() => {
      target.timer = undefined;
      void this.#dial(target);
    }, delayMs);
  }

  #cancel(target: Target): void {
    clearTimeout(target.timer);
    target.timer = undefined;
  }

  async #dial(target: Target): Promise<void> {
    const { dial, isConnected, refusedMs, random } = this.#options;
    if (target.dialling || (target.peer !== undefined && isConnected(target.peer))) return;
    target.dialling = true;
    const outcome = await dial(target.address);
    target.dialling = false;
    if (outcome !== 'failed') {
      // Another than before, where a node was made anew with another key.
      target.peer = outcome.peer;
      if (outcome.refused) {
        this.#schedule(target, refusedMs * (0.75 + random() / 2));
        return;
      }
    }
    if (target.peer !== undefined && isConnected(target.peer)) {
      if (target.connectedAt === 0) target.connectedAt = this.#options.now();
      return;
    }
    this.#schedule(target, this.#backOff(target));
  }

  #backOff(target: Target): number {
    const { baseMs, capMs, random } = this.#options;
    const delay = Math.min(capMs, baseMs * 2 ** Math.min(target.failures, 20));
    target.failures++;
    return delay * (0.5 + random() / 2) + this.#courtesy(target);
  }

  #courtesy(target: Target): number {
    return target.peer !== undefined && this.#options.self > target.peer ? largerIdDelayMs : 0;
  }
}
