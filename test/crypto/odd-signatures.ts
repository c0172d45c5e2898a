import { hash, Point, utils } from '@noble/ed25519';
import { concat, fromHex, toHex } from '../../src/base/bytes.ts';
import type { KeyPair } from '../../src/crypto/keys.ts';
import type { Signature, SignatureClaim } from '../../src/crypto/signature.ts';

/** A point of order 8: what it is added to has another encoding, and is the same point to ZIP-215. */
export const orderEight = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a';

const { n: order } = Point.CURVE();

/** The number that little-endian bytes are, below the order of the group. */
function scalarOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % order;
}

/**
 * A signature that whoever holds the key can make, and that only the rule with the cofactor accepts: R has a
 * part of small order.
 */
export function oddSignature({ publicKey, secretKey }: KeyPair, message: Uint8Array): SignatureClaim {
  const { scalar, prefix } = utils.getExtendedPublicKey(secretKey);
  const nonce = scalarOf(hash(concat(prefix, message)));
  const r = Point.BASE.multiply(nonce).add(Point.fromHex(orderEight)).toBytes();
  const k = scalarOf(hash(concat(r, fromHex(publicKey), message)));
  const s = (nonce + k * scalar) % order;
  const littleEndian = Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 0xffn));
  return { publicKey, message, signature: toHex(concat(r, littleEndian)) as Signature };
}

const oddYs = [
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  orderEight,
  ...Array.from({ length: 19 }, (_, i) => `${(0xed + i).toString(16)}${'ff'.repeat(30)}7f`),
];

/** Every encoding that ZIP-215 reads as a point of small order or that is not the one encoding of its point. */
export const oddEncodings: readonly Uint8Array[] = oddYs.flatMap((y) => [fromHex(y), withSign(fromHex(y))]);

function withSign(encoding: Uint8Array): Uint8Array {
  encoding[31] = (encoding[31] as number) | 0x80;
  return encoding;
}
