import { createRequire } from 'node:module';

/** Checks a frame of claims (`claim-batch.ts`) by the consensus rule: one byte per claim, 1 when valid. */
export type FrameCheck = (frame: Uint8Array) => Uint8Array;

interface FrameChecks {
  readonly verifyFrame: FrameCheck;
  /** On one of libuv's threads; the frame is copied before it returns. */
  readonly verifyFrameLater: (frame: Uint8Array) => Promise<Uint8Array>;
}

/** What the addon in `native-verify/` exports. */
interface Addon extends FrameChecks {
  readonly arithmetic: () => string;
}

/** The addon, in this process. */
export interface NativeVerify extends FrameChecks {
  /** For people: status, log, metrics. */
  readonly name: string;
}

/** The addon without a self-test. Throws when it cannot be loaded. */
export function loadNativeVerify(path: string): NativeVerify {
  const { verifyFrame, verifyFrameLater, arithmetic } = createRequire(import.meta.url)(path) as Addon;
  return { name: `curve25519-dalek, in batches, with ${arithmetic()}`, verifyFrame, verifyFrameLater };
}
