import { Worker } from 'node:worker_threads';
import { defined } from '../base/invariant.ts';
import type { NativeVerify } from './native-addon.ts';

/** Checks frames of claims (`claim-batch.ts`) while the main thread does something else. */
export interface FrameThread {
  /**
   * `onVerdicts` is called later, once, with one byte per claim: 1 when it is valid. The frame is no longer
   * the caller's. Two may be under way, and either be first.
   */
  check(frame: Uint8Array<ArrayBuffer>, onVerdicts: (verdicts: Uint8Array) => void): void;
  close(): Promise<void>;
}

/** It died, and gives no more answers. */
type OnDeath = (how: string, cause: unknown) => void;

/**
 * The threads that libuv has for files, with the addon: one more of our own would have a heap of its own,
 * 12 MB for a loop that hands bytes on.
 */
export function addonThreads({ verifyFrameLater }: NativeVerify, onDeath: OnDeath): FrameThread {
  return {
    check: (frame, onVerdicts) =>
      void verifyFrameLater(frame).then(onVerdicts, (cause: unknown) => onDeath('a frame failed', cause)),
    close: async () => undefined,
  };
}

/** A worker that checks in JavaScript and with sodium, one frame after the other. */
export function workerThread(
  onDeath: OnDeath,
  script = new URL(`./verify-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
): FrameThread {
  const waiting: ((verdicts: Uint8Array) => void)[] = [];
  const worker = new Worker(script);
  worker.on('message', (verdicts: Uint8Array) => defined(waiting.shift(), 'a frame of an answer')(verdicts));
  worker.on('error', (cause) => onDeath('it threw', cause));
  worker.on('messageerror', (cause) => onDeath('its answer could not be read', cause));
  worker.on('exit', (code) => onDeath(`it ended with code ${code}`, undefined));
  return {
    check(frame, onVerdicts) {
      waiting.push(onVerdicts);
      worker.postMessage(frame, [frame.buffer]);
    },
    close: async () => void (await worker.terminate()),
  };
}
