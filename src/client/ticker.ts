import type { Surroundings } from './transport.ts';

/** Calls once when it is due; what is due earlier already stays so. */
export class Ticker {
  readonly #surroundings: Surroundings;
  readonly #call: () => void;
  #cancel: (() => void) | undefined;

  constructor(surroundings: Surroundings, call: () => void) {
    this.#surroundings = surroundings;
    this.#call = call;
  }

  /** In so many milliseconds, unless a call is on its way; with 0 at once all the same. */
  dueIn(ms: number): void {
    if (this.#cancel !== undefined && ms > 0) return;
    this.#cancel?.();
    this.#cancel = this.#surroundings.alarm(ms, () => {
      this.#cancel = undefined;
      this.#call();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
