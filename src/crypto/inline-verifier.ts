import type { SignatureClaim, Verifier } from './signature.ts';
import { verifySignature } from './verify.ts';

/**
 * Checks signatures on the caller's thread, and answers through `defer`: for the simulator, which has its own
 * order of events, for tests and for small tools. A node uses `ThreadedVerifier`.
 */
export class InlineVerifier implements Verifier {
  readonly #defer: (answer: () => void) => void;
  #closed = false;

  /** `defer` calls its argument later, once, in the order of the calls; never before it returns. */
  constructor(defer: (answer: () => void) => void) {
    this.#defer = defer;
  }

  verify(
    claims: readonly SignatureClaim[],
    strict: boolean,
    done: (valid: readonly boolean[]) => void,
  ): void {
    if (this.#closed) return;
    const valid = claims.map((claim) => verifySignature(claim, strict));
    this.#defer(() => {
      if (!this.#closed) done(valid);
    });
  }

  /** Answers that are still due are not given. */
  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
