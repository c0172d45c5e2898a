import { parentPort } from 'node:worker_threads';

/** A verification thread that dies of its first batch. */
parentPort?.on('message', () => {
  throw new Error('the thread died');
});
