/**
 * One run of a node's process, from its start to its crash. Everything that the world does to a node goes
 * through `enter`: a paused process does it when it wakes up, a dead one never does.
 */
export class ProcessLife {
  private state: 'running' | 'paused' | 'dead' = 'running';
  private readonly waiting: (() => void)[] = [];
  private readonly onThrow: (error: unknown) => void;

  /** `onThrow` hears what the node's code throws: a broken promise of its own, since it never throws on input. */
  constructor(onThrow: (error: unknown) => void) {
    this.onThrow = onThrow;
  }

  get alive(): boolean {
    return this.state !== 'dead';
  }

  get paused(): boolean {
    return this.state === 'paused';
  }

  enter(call: () => void): void {
    if (this.state === 'paused') {
      this.waiting.push(call);
    } else if (this.state === 'running') {
      try {
        call();
      } catch (error) {
        this.onThrow(error);
      }
    }
  }

  /** SIGSTOP. */
  pause(): void {
    if (this.state === 'running') this.state = 'paused';
  }

  /** SIGCONT: all that waited happens at once, in order. */
  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    const calls = this.waiting.splice(0);
    for (const call of calls) this.enter(call);
  }

  /** SIGKILL. */
  kill(): void {
    this.state = 'dead';
    this.waiting.length = 0;
  }
}
