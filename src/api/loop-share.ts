import { performance } from 'node:perf_hooks';
import { limits } from '../base/limits.ts';
import { Rotation } from './rotation.ts';

/** What the share is measured and divided with. Tests have their own. */
interface LoopPorts {
  /**
   * Calls back in the next turn of the loop, behind all that peers, the disk and timers had for it;
   * several calls in their order.
   */
  readonly nextTurn: (call: () => void) => void;
  readonly after: (ms: number, call: () => void) => void;
  readonly nowMs: () => number;
}

const systemPorts: LoopPorts = {
  nextTurn: setImmediate,
  after: (ms, call) => void setTimeout(call, ms),
  nowMs: () => performance.now(),
};

/** This much of a turn is for what comes first, and one piece of it in any case. */
const firstMs = 1;
/** A rest that is shorter is put off until it is worth a timer. */
const shortestRestMs = 1;

/**
 * A share of the event loop, which belongs to consensus first, for work for clients. That is cut into pieces.
 * In one turn of the loop one piece is done, after everything that came from peers and the disk; and after
 * its pieces the share rests as long as they took, or a multiple of that. So whatever clients ask for, the
 * rest of the loop is left, and nobody waits for more than one piece.
 *
 * Clients have turns among themselves. What is said to come first is small, and as much of it as fits into a
 * millisecond comes before the piece of the others.
 */
export class LoopShare {
  readonly #ports: LoopPorts;
  readonly #first = new Rotation<() => void>();
  readonly #rest = new Rotation<() => void>();
  readonly #restPerWork: number;
  #awake = false;
  /** Work for which the rest is still due. */
  #owedMs = 0;
  #endedAt = 0;

  /** `restPerWork`: how long it rests after a piece, in multiples of the time that the piece took. */
  constructor(restPerWork = 1, ports: LoopPorts = systemPorts) {
    this.#restPerWork = restPerWork;
    this.#ports = ports;
  }

  /**
   * Runs `piece` later, in a turn of its own. It must not throw, and should take no longer
   * than a few milliseconds.
   */
  add(client: string, piece: () => void): void {
    this.#rest.push(client, piece);
    this.#wake();
  }

  /** The same for one that takes a fraction of a millisecond. */
  addFirst(client: string, piece: () => void): void {
    this.#first.push(client, piece);
    this.#wake();
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    this.#owedMs = Math.max(this.#owedMs - (this.#ports.nowMs() - this.#endedAt), 0);
    this.#goOn();
  }

  #goOn(): void {
    const owed = this.#owedMs;
    if (owed < shortestRestMs) return this.#turn();
    this.#owedMs = 0;
    this.#ports.after(owed, () => this.#turn());
  }

  #turn(): void {
    const { nextTurn, nowMs } = this.#ports;
    let begin = 0;
    nextTurn(() => {
      begin = nowMs();
      let first = this.#first.take();
      while (first !== undefined) {
        first();
        first = nowMs() - begin < firstMs ? this.#first.take() : undefined;
      }
      this.#rest.take()?.();
    });
    // In the same turn, after all promise callbacks of the piece.
    nextTurn(() => {
      this.#endedAt = nowMs();
      this.#owedMs += Math.min(this.#endedAt - begin, limits.pieceCountedMs) * this.#restPerWork;
      this.#awake = !this.#first.isEmpty || !this.#rest.isEmpty;
      if (this.#awake) this.#goOn();
    });
  }
}
