import { parentPort, workerData } from 'node:worker_threads';
import { defined } from '../base/invariant.ts';
import { loadNativeVerify } from './native-addon.ts';

/** What the main thread tells this one at its start. */
export interface VerifyWorkerData {
  /** The file of the addon that is good, if there is one. */
  readonly native: string | undefined;
}

/**
 * The thread of `WorkerVerifier`: takes packed claims, answers with one byte per claim,
 * in the order of arrival.
 */
const port = defined(parentPort, 'the port to the main thread');

const { native } = workerData as VerifyWorkerData;
// With the addon nothing else is loaded: this thread has a heap of its own.
const check =
  native === undefined
    ? (await import('./claim-batch.ts')).verifyPacked
    : loadNativeVerify(native).verifyFrame;

port.on('message', (packed: Uint8Array<ArrayBuffer>) => port.postMessage(check(packed)));
