import { parentPort } from 'node:worker_threads';
import { defined } from '../base/invariant.ts';
import { verifyPacked } from './claim-batch.ts';

/** The thread of `workerThread`: takes packed claims, answers with one byte per claim, in their order. */
const port = defined(parentPort, 'the port to the main thread');

port.on('message', (packed: Uint8Array<ArrayBuffer>) => port.postMessage(verifyPacked(packed)));
