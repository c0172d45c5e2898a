import type { SignatureClaim, Verifier } from '../../crypto/signature.ts';
import type { SignatureScheme } from './fast-signatures.ts';
import type { ProcessLife } from './process-life.ts';
import type { Scheduler } from './scheduler.ts';

/** Checks claims with the run's scheme; answers come later, in order, as from a worker thread. */
export function virtualVerifier(options: {
  scheme: SignatureScheme;
  scheduler: Scheduler;
  life: ProcessLife;
}): Verifier {
  const { scheme, scheduler, life } = options;
  return {
    verify: (claims: readonly SignatureClaim[], _strict, done) => {
      scheduler.defer(() => life.enter(() => done(claims.map((claim) => scheme.verify(claim)))));
    },
    close: async () => undefined,
  };
}
