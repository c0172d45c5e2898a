import { writeHex } from '../base/bytes.ts';
import { domainPrefix, type Domain, type Hash, sha256Hex } from '../crypto/hash.ts';

/**
 * Hashes of two hashes under one domain: what trees are made of, thousands to a block. The same digest as `hash` of the
 * domain and their bytes, without a new buffer for every node.
 */
export function pairHasher(domain: Domain): (left: Hash, right: Hash) => Hash {
  const prefix = domainPrefix(domain);
  const buffer = new Uint8Array(prefix.length + 64);
  buffer.set(prefix);
  return (left, right) => {
    writeHex(buffer, prefix.length, left);
    writeHex(buffer, prefix.length + 32, right);
    return sha256Hex(buffer);
  };
}
