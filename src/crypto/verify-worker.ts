import { parentPort, workerData } from 'node:worker_threads';
import { defined } from '../base/invariant.ts';
import { verifyPacked } from './claim-batch.ts';
import { loadNativeVerify } from './native-verify.ts';

/** What the main thread tells this one at its start. */
export interface VerifyWorkerData {
  /** The addon is there and good. */
  readonly native: boolean;
}

/**
 * The thread of `WorkerVerifier`: takes packed claims, answers with one byte per claim,
 * in the order of arrival.
 */
const port = defined(parentPort, 'the port to the main thread');

const { native } = workerData as VerifyWorkerData;
const check = native ? loadNativeVerify() : verifyPacked;

port.on('message', (packed: Uint8Array<ArrayBuffer>) => port.postMessage(check(packed)));
