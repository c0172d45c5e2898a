import { createRequire } from 'node:module';

/** Checks a frame of claims (`claim-batch.ts`) by the consensus rule: one byte per claim, 1 when valid. */
export type FrameCheck = (frame: Uint8Array) => Uint8Array;

/** What the addon in `native-verify/` exports. */
interface Addon {
  readonly verifyFrame: FrameCheck;
  readonly arithmetic: () => string;
}

/** The addon, in this process. */
export interface NativeVerify {
  /** For people: status, log, metrics. */
  readonly name: string;
  /** The file, which other threads can load. */
  readonly path: string;
  readonly verifyFrame: FrameCheck;
}

/** The addon without a self-test, for a thread of a process that made it. Throws when it cannot be loaded. */
export function loadNativeVerify(path: string): NativeVerify {
  const { verifyFrame, arithmetic } = createRequire(import.meta.url)(path) as Addon;
  return { name: `curve25519-dalek, in batches, with ${arithmetic()}`, path, verifyFrame };
}
