import { defined } from '../../base/invariant.ts';
import type { Problem } from '../../base/problem.ts';
import type { Effect, EngineRequest, Input, RequestId } from '../../consensus/engine.ts';
import type { Height } from '../../ledger/block.ts';

export type Answered = (result: { readonly height: Height } | Problem) => void;

/** What was asked of the engine and is not answered yet. */
export class Requests {
  readonly #waiting = new Map<RequestId, Answered>();
  #nextId: RequestId = 1;

  /** The input that asks; `done` is called once, unless the node stops. */
  ask(request: EngineRequest, done: Answered): Extract<Input<never>, { type: 'request' }> {
    const id = this.#nextId++;
    this.#waiting.set(id, done);
    return { type: 'request', id, request };
  }

  answer({ id, result }: Extract<Effect<never>, { type: 'answer' }>): void {
    const done = defined(this.#waiting.get(id), 'the request that is answered');
    this.#waiting.delete(id);
    done(result);
  }
}
