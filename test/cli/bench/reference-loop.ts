import { hash } from 'node:crypto';

const rounds = 400;

/**
 * Fixed work of the kind that a node does (small objects, maps of text, copies of bytes, hashes of OpenSSL), to which costs are
 * compared: so they are the same on a fast and on a slow machine. To change it is to change every ratio.
 */
export function referenceLoop(): number {
  const seen = new Map<string, { readonly bytes: Uint8Array; count: number }>();
  const target = new Uint8Array(64 * 1024);
  let at = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = new Uint8Array(200);
    for (let index = 0; index < bytes.length; index++) bytes[index] = (round * 31 + index * 7) & 0xff;
    const name = hash('sha256', bytes, 'hex');
    const entry = seen.get(name.slice(0, 2)) ?? { bytes: bytes.slice(), count: 0 };
    entry.count += name.charCodeAt(5);
    seen.set(name.slice(0, 2), entry);
    seen.set(name, { ...entry, count: round });
    if (at + bytes.length > target.length) at = 0;
    target.set(bytes, at);
    at += bytes.length;
  }
  const sorted = [...seen.keys()].sort();
  return sorted.reduce((sum, name) => sum + (seen.get(name)?.count ?? 0), target[7] ?? 0);
}
