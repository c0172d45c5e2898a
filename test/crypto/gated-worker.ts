import { getEnvironmentData, parentPort } from 'node:worker_threads';
import { defined } from '../../src/base/invariant.ts';
import { verifyPacked } from '../../src/crypto/claim-batch.ts';

/**
 * A verification thread that does nothing until the number at 0 is raised, and notes how many claims its batches
 * have: their count at 1, and one number for each behind it.
 */
const notes = new Int32Array(getEnvironmentData('verify gate') as SharedArrayBuffer);

const port = defined(parentPort, 'the port to the main thread');

port.on('message', (packed: Uint8Array<ArrayBuffer>) => {
  Atomics.wait(notes, 0, 0);
  const verdicts = verifyPacked(packed);
  notes[2 + Atomics.add(notes, 1, 1)] = verdicts.length;
  port.postMessage(verdicts);
});
