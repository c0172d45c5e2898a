import type { Problem } from '../../base/problem.ts';
import type { EngineRequest } from '../../consensus/engine.ts';
import type { Height } from '../../ledger/block.ts';
import type { Driver } from '../core/driver.ts';

type Reject = (problem: Problem) => void;

/**
 * Requests to the driver that wait for its answer. They are refused when the node ends, so that nobody waits
 * for an answer that never comes.
 */
export class Asking {
  readonly #driver: Pick<Driver<object>, 'request'>;
  /** Answers that the driver owes. */
  readonly #owed = new Set<Reject>();
  #ended: Problem | undefined;

  constructor(driver: Pick<Driver<object>, 'request'>) {
    this.#driver = driver;
  }

  /** Why the node works no more: it stops, or cannot go on. */
  get ended(): Problem | undefined {
    return this.#ended;
  }

  end(problem: Problem): void {
    this.#ended ??= problem;
    for (const reject of this.#owed) reject(this.#ended);
    this.#owed.clear();
  }

  ask<T>(ask: (done: (answer: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#owed.add(reject);
      ask((answer) => {
        this.#owed.delete(reject);
        resolve(answer);
      });
    });
  }

  request(request: EngineRequest): Promise<{ readonly height: Height } | Problem> {
    return this.ask((done) => this.#driver.request(request, done));
  }
}
