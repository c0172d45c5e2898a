import { number, pair, tagged, zero } from './plain-bytes.ts';

export interface Leaf {
  readonly path: Buffer;
  readonly hash: Buffer;
}

export function leafOf(kind: number, key: Uint8Array, value: readonly Uint8Array[]): Leaf {
  const path = tagged('state-key', number(kind, 1), key);
  return { path, hash: tagged('state-leaf', path, tagged('state-value', ...value)) };
}

/** The root of a tree with these leaves, from scratch. */
export function treeRoot(part: readonly Leaf[], depth: number): Buffer {
  const [only] = part;
  if (only === undefined) return zero;
  if (part.length === 1) return only.hash;
  const goesRight = ({ path }: Leaf): boolean =>
    (((path[depth >> 3] as number) >> (7 - (depth % 8))) & 1) === 1;
  const right = part.filter(goesRight);
  const left = part.filter((leaf) => !goesRight(leaf));
  return pair(treeRoot(left, depth + 1), treeRoot(right, depth + 1));
}
