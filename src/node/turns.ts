/**
 * The one door into the core. Whatever comes from outside (a message, an answer, a timer) is a turn: its
 * handler runs, and then `settle` works off all that it left behind. A call that comes while a turn runs is part
 * of that turn. What a turn throws is a broken promise of our own: it ends the node, and no turn follows.
 */
export class Turns {
  readonly #settle: () => void;
  readonly #onThrow: (error: unknown) => void;
  #running = false;
  #ended = false;

  constructor(options: { settle: () => void; onThrow: (error: unknown) => void }) {
    this.#settle = options.settle;
    this.#onThrow = options.onThrow;
  }

  get ended(): boolean {
    return this.#ended;
  }

  run(handle: () => void): void {
    if (this.#ended) return;
    try {
      if (this.#running) {
        handle();
        return;
      }
      this.#running = true;
      handle();
      this.#settle();
      this.#running = false;
    } catch (error) {
      if (this.#ended) return;
      this.#ended = true;
      this.#onThrow(error);
    }
  }

  /** The same callback as a turn. */
  wrap<A extends unknown[]>(handle: (...args: A) => void): (...args: A) => void {
    return (...args) => this.run(() => handle(...args));
  }

  /** Nothing runs any more: what comes late comes to nothing. */
  end(): void {
    this.#ended = true;
  }
}
