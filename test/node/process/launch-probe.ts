import { getHeapStatistics } from 'node:v8';

/** A program that says how it was started, and how large its heap may become, in bytes. */
const { MALLOC_ARENA_MAX } = process.env;
process.stdout.write(
  JSON.stringify({
    heapLimit: getHeapStatistics().heap_size_limit,
    flags: process.execArgv,
    environment: { MALLOC_ARENA_MAX },
  }),
);
