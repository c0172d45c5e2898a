import { compareBytes } from '../base/bytes.ts';

/** Paths behind one and up to another; without the other, up to the end. */
export interface PathRange {
  readonly after: Uint8Array | undefined;
  readonly last: Uint8Array | undefined;
}

export function isInRange({ after, last }: PathRange, path: Uint8Array): boolean {
  if (after !== undefined && compareBytes(path, after) <= 0) return false;
  return last === undefined || compareBytes(path, last) <= 0;
}

/** A subtree of a tree: all paths that agree with this one on this many bits. */
export interface Place {
  readonly prefix: Uint8Array;
  readonly depth: number;
}

export const rootPlace: Place = { prefix: new Uint8Array(32), depth: 0 };

export function halfOf({ prefix, depth }: Place, bit: 0 | 1): Place {
  const next = prefix.slice();
  if (bit === 1) next[depth >>> 3] = (next[depth >>> 3] as number) | (0x80 >>> (depth & 7));
  return { prefix: next, depth: depth + 1 };
}

/** Whether all paths of a subtree are in a range, or none, or its edge may go through it. */
export function sideOf({ after, last }: PathRange, place: Place): 'inside' | 'outside' | 'edge' {
  const fromAfter = after === undefined ? 1 : compareWith(place, after);
  const toLast = last === undefined ? -1 : compareWith(place, last);
  if (fromAfter < 0 || toLast > 0) return 'outside';
  return fromAfter > 0 && toLast < 0 ? 'inside' : 'edge';
}

/**
 * Below zero as all paths of a subtree come before this one, above as they come behind it; 0 when it is one
 * of them.
 */
function compareWith({ prefix, depth }: Place, path: Uint8Array): number {
  for (let bit = 0; bit < depth; bit++) {
    const difference = bitAt(prefix, bit) - bitAt(path, bit);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The bit of a path that decides at a branch of this depth: 0 goes left. */
export function bitAt(path: Uint8Array, depth: number): number {
  return ((path[depth >>> 3] as number) >>> (7 - (depth & 7))) & 1;
}

/** 32 bits of a path from a byte on, as a number with a sign. */
export function word32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
