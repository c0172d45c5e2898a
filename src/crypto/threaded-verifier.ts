import { invariant, InvariantError } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { type ClaimRun, packClaims } from './claim-batch.ts';
import { addonThreads, type FrameThread, workerThread } from './frame-threads.ts';
import type { FrameCheck, NativeVerify } from './native-addon.ts';
import type { SignatureClaim, Verifier } from './signature.ts';

/** One call of `verify` until its answer. */
interface Call {
  readonly claims: readonly SignatureClaim[];
  readonly strict: boolean;
  /** How many of the claims are in batches. */
  batched: number;
  readonly verdicts: boolean[];
  readonly done: (valid: readonly boolean[]) => void;
}

/** Some claims of a call, in a batch. */
interface Run extends ClaimRun {
  readonly call: Call;
}

/** Calls without an answer, the oldest first. */
class Line {
  readonly #calls: Call[] = [];
  /** Claims that are in no batch. */
  waiting = 0;
  /** A batch of them is at the thread. */
  isBusy = false;
  /** The last batch held a wrong one. */
  wasWrong = false;

  add(call: Call): void {
    this.#calls.push(call);
    this.waiting += call.claims.length;
  }

  /** Puts the next claims into a batch: so many at most. */
  take(most: number, batch: Run[]): void {
    let room = Math.min(most, this.waiting);
    this.waiting -= room;
    for (const call of this.#calls) {
      if (room === 0) return;
      const from = call.batched;
      const count = Math.min(room, call.claims.length - from);
      if (count === 0) continue;
      call.batched += count;
      room -= count;
      batch.push({ call, claims: call.claims, from, to: call.batched, strict: call.strict });
    }
  }

  /** Takes out the oldest call if it is complete; one without claims is, as soon as those before it are. */
  complete(): Call | undefined {
    const [call] = this.#calls;
    if (call === undefined || call.verdicts.length < call.claims.length) return undefined;
    return this.#calls.shift();
  }
}

/**
 * Claims of a batch: few enough that an urgent claim that arrives now waits for little. The native check is
 * faster the more it has at once, and gets more of what is patient, unless a wrong one was in the batch
 * before: 256 are 2.5 ms of work, 6 when one is wrong, and 16 when all are, and half of that with AVX-512; of
 * 128 it is half. `beside`: of what is patient while there is something urgent. Without the addon both wait
 * for one worker, which gives most of its time to what is urgent.
 */
const batchClaims = {
  native: { urgent: 128, patient: 256, beside: 256 },
  plain: { urgent: 64, patient: 64, beside: 16 },
};

/**
 * Checks signatures beside the main thread. Calls of one turn of the event loop share batches, and so does
 * all that comes while the thread is busy; nothing waits while it is not. A batch crosses as one buffer. With
 * the addon a few votes on a quiet chain do not cross at all.
 *
 * Answers come in the order of the calls, among the urgent ones and among the others. Urgent ones are
 * consensus messages and blocks, and must not wait behind a flood of transactions: of each kind one batch is
 * under way, and none has both, so that no batch with votes has to be searched for a wrong transaction.
 */
export class ThreadedVerifier implements Verifier {
  readonly #thread: FrameThread;
  readonly #onFatal: (error: InvariantError) => void;
  readonly #native: FrameCheck | undefined;
  readonly #batchClaims: typeof batchClaims.native;
  readonly #urgent = new Line();
  readonly #patient = new Line();
  #waiting = 0;
  #flushing = false;
  #stopped = false;

  /**
   * `onFatal` is called at most once, when the thread dies. No answer comes after that: the node must stop.
   */
  constructor(options: {
    readonly onFatal: (error: InvariantError) => void;
    /** The addon, which this process opened and tried (`openNativeVerify`). */
    readonly native?: NativeVerify | undefined;
    /** Of another kind than fits the addon, or that there is none. */
    readonly thread?: (onDeath: (how: string, cause: unknown) => void) => FrameThread;
  }) {
    const { onFatal, native, thread } = options;
    this.#onFatal = onFatal;
    this.#native = native?.verifyFrame;
    this.#batchClaims = native === undefined ? batchClaims.plain : batchClaims.native;
    const onDeath = this.#onDeath.bind(this);
    this.#thread =
      thread?.(onDeath) ?? (native === undefined ? workerThread(onDeath) : addonThreads(native, onDeath));
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
    (urgent ? this.#urgent : this.#patient).add({ claims, strict, batched: 0, verdicts: [], done });
    this.#waiting += claims.length;
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      if (!this.#checkHere()) this.#flush();
      this.#answer();
    });
  }

  /** Ends the thread. Answers that are still due are not given. */
  close(): Promise<void> {
    this.#stopped = true;
    return this.#thread.close();
  }

  /** Checks the few that wait, if they are few and nothing is under way. True when it did. */
  #checkHere(): boolean {
    if (this.#stopped || this.#native === undefined || this.#waiting > limits.claimsAtHand) return false;
    if (this.#urgent.isBusy || this.#patient.isBusy) return false;
    const batch: Run[] = [];
    this.#urgent.take(this.#waiting, batch);
    this.#patient.take(this.#waiting, batch);
    this.#settle(batch, this.#native(packClaims(batch)));
    return true;
  }

  /** Gives the thread what waits, unless it has of the same kind. */
  #flush(): void {
    const { urgent, patient, beside } = this.#batchClaims;
    this.#send(this.#urgent, urgent);
    const isAlone = this.#urgent.waiting === 0 && !this.#urgent.isBusy;
    const most = this.#patient.wasWrong ? urgent : patient;
    this.#send(this.#patient, isAlone ? most : Math.min(most, beside));
  }

  #send(line: Line, most: number): void {
    if (this.#stopped || line.isBusy || line.waiting === 0) return;
    const batch: Run[] = [];
    line.take(most, batch);
    line.isBusy = true;
    this.#thread.check(packClaims(batch), (verdicts) => {
      if (this.#stopped) return;
      line.isBusy = false;
      line.wasWrong = verdicts.includes(0);
      this.#settle(batch, verdicts);
      // Before the answers: the thread works on while the callers think.
      this.#flush();
      this.#answer();
    });
  }

  #settle(batch: readonly Run[], verdicts: Uint8Array): void {
    let next = 0;
    for (const { call, from, to } of batch) {
      for (let index = from; index < to; index++) call.verdicts.push(verdicts[next++] === 1);
    }
    invariant(verdicts.length === next, 'each claim of a batch has one verdict');
    this.#waiting -= next;
  }

  /** Answers the calls that are complete. */
  #answer(): void {
    for (const line of [this.#urgent, this.#patient]) {
      while (!this.#stopped) {
        const call = line.complete();
        if (call === undefined) break;
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
    void this.#thread.close();
  }
}
