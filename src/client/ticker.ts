import type { Surroundings } from './transport.ts';

/** Calls once when it is due; what is due earlier already stays so. */
export class Ticker {
  readonly #surroundings: Surroundings;
  readonly #call: () => void;
  #cancel: (() => void) | undefined;
  #at = Infinity;

  constructor(surroundings: Surroundings, call: () => void) {
    this.#surroundings = surroundings;
    this.#call = call;
  }

  /** In so many milliseconds, unless a call is on its way that comes earlier. */
  dueIn(ms: number): void {
    const at = this.#surroundings.now() + ms;
    if (this.#cancel !== undefined && at >= this.#at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = this.#surroundings.alarm(Math.max(ms, 0), () => {
      this.#cancel = undefined;
      this.#call();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
