/**
 * The one door into the core. Whatever comes from outside (a message, an answer, a timer) is a turn: its
 * handler runs, and then `settle` works off all that it left behind. A call that comes while a turn runs is
 * part of that turn. What a turn throws is a broken promise of our own, wherever in it: it ends the node. No
 * turn follows, and nothing that was begun is gone on with: whoever loops inside a turn looks at `ended`, and
 * the ports take nothing more.
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
    const nested = this.#running;
    this.#running = true;
    try {
      handle();
      if (nested || this.#ended) return;
      this.#settle();
    } catch (error) {
      this.#end(error);
      // The outer turn must not go on as if this one had finished.
      if (nested) throw error;
    } finally {
      this.#running = nested;
    }
  }

  /** A turn that answers at once; `ended` when nothing runs any more. */
  answer<T>(handle: () => T, ended: T): T {
    let answer = ended;
    this.run(() => {
      answer = handle();
    });
    return answer;
  }

  /** The same callback as a turn. */
  wrap<A extends unknown[]>(handle: (...args: A) => void): (...args: A) => void {
    return (...args) => this.run(() => handle(...args));
  }

  /** Nothing runs any more: late callbacks do nothing. */
  end(): void {
    this.#ended = true;
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onThrow(error);
  }
}
