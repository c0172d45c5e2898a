import { sha256 as portableSha256 } from '@noble/hashes/sha2.js';
import type { Brand } from '../base/brand.ts';
import { fromHex, toHex, utf8 } from '../base/bytes.ts';
import { type Codec, hexOf, knownHex } from '../base/codec.ts';

/**
 * A SHA-256 digest as 64 characters of lower-case hex. Text, so that it can be compared, a map key, and JSON.
 */
export type Hash = Brand<string, 'Hash'>;

export const hashCodec: Codec<Hash> = hexOf<Hash>(32);
/** Of a chain, which stands in whatever is signed for it. */
export const chainIdCodec: Codec<Hash> = knownHex(hashCodec);
export const zeroHash: Hash = '0'.repeat(64) as Hash;

/** True for text that has the form of a hash: for data from outside that took no codec's way in. */
export function isHash(text: string): text is Hash {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}

/**
 * What a digest or a signature is about. No bytes hashed or signed for one purpose mean anything for
 * another, because the domain's name, ended by a zero byte, is in front of them.
 */
export type Domain =
  | 'quorate/v1/snapshot-part'
  | 'quorate/v1/chain'
  | 'quorate/v1/transaction'
  | 'quorate/v1/transaction-signature'
  | 'quorate/v1/block'
  | 'quorate/v1/receipt'
  | 'quorate/v1/validators'
  | 'quorate/v1/proposal'
  | 'quorate/v1/merkle-root'
  | 'quorate/v1/state-leaf'
  | 'quorate/v1/state-key'
  | 'quorate/v1/state-value'
  | 'quorate/v1/hello'
  | 'quorate/v1/relay'
  | 'quorate/v1/pbft/pre-prepare'
  | 'quorate/v1/pbft/prepare'
  | 'quorate/v1/pbft/commit'
  | 'quorate/v1/pbft/suspect'
  | 'quorate/v1/pbft/query-stable'
  | 'quorate/v1/pbft/reply-stable'
  | 'quorate/v1/pbft/view-change'
  | 'quorate/v1/pbft/new-view'
  | 'quorate/v1/pbft/status'
  | 'quorate/v1/pbft/evidence'
  | 'quorate/v1/raft/block'
  | 'quorate/v1/raft/configuration'
  | 'quorate/v1/gossip-id'
  | 'quorate/v1/list-cursor';

const prefixes = new Map<Domain, Uint8Array>();

export function domainPrefix(domain: Domain): Uint8Array {
  let prefix = prefixes.get(domain);
  if (prefix === undefined) {
    prefix = utf8(`${domain}\0`);
    prefixes.set(domain, prefix);
  }
  return prefix;
}

/** An implementation of SHA-256 (FIPS 180-4). */
export interface Sha256 {
  bytes(data: Uint8Array): Uint8Array;
  /** The digest in lower-case hex. */
  hex(data: Uint8Array): string;
  /** Writes the 32 bytes of the digest into `target` from `at` on; `data` may be a part of `target`. */
  into(data: Uint8Array, target: Uint8Array, at: number): void;
}

let implementation: Sha256 = {
  bytes: portableSha256,
  hex: (data) => toHex(portableSha256(data)),
  into: (data, target, at) => target.set(portableSha256(data), at),
};

/**
 * Replaces the portable implementation with a faster one. A node does it once, when it
 * starts (`native-hash.ts`).
 */
export function useSha256(faster: Sha256): void {
  implementation = faster;
}

/** SHA-256 without a domain: only for what has the domain's prefix in its bytes already. */
export function sha256(data: Uint8Array): Uint8Array {
  return implementation.bytes(data);
}

/** The same in hex: of a record's value, as a condition names it, which anybody can make with any tool. */
export function sha256Hex(data: Uint8Array): Hash {
  return toHex(sha256(data)) as Hash;
}

/** The same digest, written where there is room for it. Without a domain, as `sha256`. */
export function sha256Into(data: Uint8Array, target: Uint8Array, at: number): void {
  implementation.into(data, target, at);
}

/** What is hashed is mostly small, and needs no buffer of its own. */
const scratch = new Uint8Array(8 * 1024);
/** Views of its first bytes, by length: the same few lengths come up again and again. */
const beginnings: (Uint8Array | undefined)[] = [];
const mostBeginnings = 1_024;

function roomFor(size: number): Uint8Array {
  if (size > scratch.length) return new Uint8Array(size);
  if (size >= mostBeginnings) return scratch.subarray(0, size);
  return (beginnings[size] ??= scratch.subarray(0, size));
}

function join(domain: Domain, parts: readonly Uint8Array[]): Uint8Array {
  const prefix = domainPrefix(domain);
  let size = prefix.length;
  for (let index = 0; index < parts.length; index++) size += (parts[index] as Uint8Array).length;
  const joined = roomFor(size);
  joined.set(prefix);
  let at = prefix.length;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Uint8Array;
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** SHA-256 over the domain's prefix and the parts, which must be of fixed size or carry their lengths. */
export function hashBytes(domain: Domain, ...parts: Uint8Array[]): Uint8Array {
  return implementation.bytes(join(domain, parts));
}

export function hash(domain: Domain, ...parts: Uint8Array[]): Hash {
  return implementation.hex(join(domain, parts)) as Hash;
}

/** The bytes of `hash`, written into `target` from `at` on. */
export function hashInto(domain: Domain, target: Uint8Array, at: number, ...parts: Uint8Array[]): void {
  implementation.into(join(domain, parts), target, at);
}

export function hashToBytes(value: Hash): Uint8Array {
  return fromHex(value);
}
