import { getHeapStatistics } from 'node:v8';

/** A program that says how large its heap may become, in bytes. */
process.stdout.write(`${getHeapStatistics().heap_size_limit}`);
