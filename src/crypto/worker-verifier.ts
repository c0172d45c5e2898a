import { Worker } from 'node:worker_threads';
import { defined, invariant, InvariantError } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { packClaims, type QueuedClaim } from './claim-batch.ts';
import type { SignatureClaim, Verifier } from './signature.ts';

/** One call of `verify` until its answer. */
interface Call {
  readonly verdicts: boolean[];
  readonly expected: number;
  readonly done: (valid: readonly boolean[]) => void;
}

interface Pending extends QueuedClaim {
  readonly call: Call;
}

/** Claims of a batch: about 5 ms of work, so that an urgent claim that arrives now waits for little. */
const batchClaims = 64;
/** Of these, places that claims under the consensus rule leave to strict ones when both wait. */
const strictShare = 16;
/** Batches at the worker: one under way, and one so that it never waits for the main thread. */
const batchesInFlight = 2;

/**
 * Checks signatures on a thread of its own. Calls of one turn of the event loop, and all that come while
 * the thread is busy, share batches; a batch crosses as one buffer, without a copy.
 *
 * Answers come in the order of the calls, among the strict ones that are not urgent and among the others. The
 * others go first: they are consensus messages and blocks, and must not wait behind a flood of transactions.
 */
export class WorkerVerifier implements Verifier {
  readonly #worker: Worker;
  readonly #onFatal: (error: InvariantError) => void;
  readonly #urgent: Pending[] = [];
  readonly #strict: Pending[] = [];
  readonly #urgentCalls: Call[] = [];
  readonly #strictCalls: Call[] = [];
  readonly #inFlight: Pending[][] = [];
  #waiting = 0;
  #flushing = false;
  #stopped = false;

  /**
   * `onFatal` is called at most once, when the thread dies. No answer comes after that: the node must stop.
   */
  constructor(options: { readonly onFatal: (error: InvariantError) => void; readonly script?: URL }) {
    this.#onFatal = options.onFatal;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(options.script ?? new URL(`./verify-worker.${extension}`, import.meta.url));
    this.#worker.on('message', (verdicts: Uint8Array) => this.#onVerdicts(verdicts));
    this.#worker.on('error', (cause) => this.#onDeath('it threw', cause));
    this.#worker.on('messageerror', (cause) => this.#onDeath('its answer could not be read', cause));
    this.#worker.on('exit', (code) => this.#onDeath(`it ended with code ${code}`, undefined));
  }

  /**
   * Claims that have no answer yet. A caller that feeds from the network stops reading well
   * below `limits.verifierQueue`.
   */
  get waiting(): number {
    return this.#waiting;
  }

  verify(
    claims: readonly SignatureClaim[],
    strict: boolean,
    done: (valid: readonly boolean[]) => void,
    urgent = !strict,
  ): void {
    if (this.#stopped) return;
    invariant(
      this.#waiting + claims.length <= limits.verifierQueue,
      `at most ${limits.verifierQueue} signatures wait for the verifier`,
    );
    const call: Call = { verdicts: [], expected: claims.length, done };
    (urgent ? this.#urgentCalls : this.#strictCalls).push(call);
    const lane = urgent ? this.#urgent : this.#strict;
    for (const claim of claims) lane.push({ claim, strict, call });
    this.#waiting += claims.length;
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
      this.#answer();
    });
  }

  /** Ends the thread. Answers that are still due are not given. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#worker.terminate();
  }

  #flush(): void {
    while (!this.#stopped && this.#inFlight.length < batchesInFlight) {
      const reserved = Math.min(strictShare, this.#strict.length);
      const batch = this.#urgent.splice(0, batchClaims - reserved);
      for (const pending of this.#strict.splice(0, batchClaims - batch.length)) batch.push(pending);
      if (batch.length === 0) return;
      this.#inFlight.push(batch);
      const packed = packClaims(batch);
      this.#worker.postMessage(packed, [packed.buffer]);
    }
  }

  #onVerdicts(verdicts: Uint8Array): void {
    if (this.#stopped) return;
    const batch = defined(this.#inFlight.shift(), 'the batch of an answer');
    invariant(verdicts.length === batch.length, 'each claim of a batch has one verdict');
    this.#waiting -= batch.length;
    // Before the answers: the thread works on while the callers think.
    this.#flush();
    for (const [index, { call }] of batch.entries()) {
      call.verdicts.push(verdicts[index] === 1);
    }
    this.#answer();
  }

  /** Answers the calls that are complete; one without claims is, as soon as those before it are. */
  #answer(): void {
    for (const calls of [this.#urgentCalls, this.#strictCalls]) {
      while (!this.#stopped) {
        const call = calls[0];
        if (call === undefined || call.verdicts.length < call.expected) break;
        calls.shift();
        call.done(call.verdicts);
      }
    }
  }

  #onDeath(how: string, cause: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    const error = new InvariantError(`broken invariant: the signature verification thread lives (${how})`);
    error.cause = cause;
    this.#onFatal(error);
    void this.#worker.terminate();
  }
}
