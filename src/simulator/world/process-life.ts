/**
 * One run of a node's process, from its start to its crash. Everything that the world does to a node goes
 * through `enter`: a paused process does it when it wakes up, a dead one never does.
 */
export class ProcessLife {
  #state: 'running' | 'paused' | 'dead' = 'running';
  readonly #waiting: { readonly call: () => void; readonly timer: boolean }[] = [];
  readonly #onThrow: (error: unknown) => void;

  /**
   * `onThrow` hears what the node's code throws: a broken promise of its own, since it never throws on input.
   */
  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  enter(call: () => void, timer = false): void {
    if (this.#state === 'paused') {
      this.#waiting.push({ call, timer });
    } else if (this.#state === 'running') {
      try {
        call();
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }

  /** SIGSTOP. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /**
   * SIGCONT: all that waited happens at once, in order. A process that was stopped while it waited for input
   * sees what came meanwhile before its timers: `timersLast`.
   */
  resume(timersLast = false): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const calls = this.#waiting.splice(0);
    if (timersLast) calls.sort((a, b) => Number(a.timer) - Number(b.timer));
    for (const { call } of calls) this.enter(call);
  }

  /** SIGKILL. */
  kill(): void {
    this.#state = 'dead';
    this.#waiting.length = 0;
  }
}
