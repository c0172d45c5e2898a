import { limits } from './limits.ts';

let buffer = new Uint8Array(limits.sharedBytes);
let used = 0;

/**
 * A copy of bytes that do not change any more. Small ones stand in one buffer with others that were copied
 * before and after: a buffer of its own lies outside of the heap, and to make it, to watch it, and to free it
 * costs more than all else that is made of a transaction. Take `slice` for what is kept alone, or for long.
 */
export function sharedCopy(bytes: Uint8Array): Uint8Array {
  const size = bytes.length;
  if (2 * size > limits.sharedBytes) return new Uint8Array(bytes);
  if (used + size > limits.sharedBytes) {
    buffer = new Uint8Array(limits.sharedBytes);
    used = 0;
  }
  const copy = buffer.subarray(used, used + size);
  copy.set(bytes);
  used += size;
  return copy;
}
