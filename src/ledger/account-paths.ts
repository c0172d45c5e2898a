import { hashInto } from '../crypto/hash.ts';
import { hashSize } from '../crypto/pair-hash.ts';

/** A block asks for the path of each of its accounts several times: to read it, and to write it. */
const slotBits = 13;
const slots = 1 << slotBits;

/**
 * Slots by the first bits of the public key. Each holds a key and its path, which fit into one cache line.
 */
const slotBytes = 2 * hashSize;
const memory = new Uint8Array(slots * slotBytes);
const isUsed = new Uint8Array(slots);

/**
 * Writes the path of an account's key: its kind, then its public key. Recent paths are remembered, one for
 * each slot. Somebody who makes keys that share a slot only causes one more hash.
 */
export function writeAccountPath(key: Uint8Array, target: Uint8Array, at: number): void {
  const slot = (((key[1] as number) << 8) | (key[2] as number)) >>> (16 - slotBits);
  const start = slot * slotBytes;
  if (isUsed[slot] === 1 && hasKey(start, key)) {
    for (let i = 0; i < hashSize; i++) target[at + i] = memory[start + hashSize + i] as number;
    return;
  }
  hashInto('quorate/v1/state-key', target, at, key);
  for (let i = 0; i < hashSize; i++) {
    memory[start + i] = key[i + 1] as number;
    memory[start + hashSize + i] = target[at + i] as number;
  }
  isUsed[slot] = 1;
}

function hasKey(start: number, key: Uint8Array): boolean {
  for (let i = 0; i < hashSize; i++) if (memory[start + i] !== key[i + 1]) return false;
  return true;
}
