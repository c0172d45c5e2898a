import type { PublicKey } from './signature.ts';

/**
 * The y coordinates of the eight points whose order divides 8, in their one encoding
 * without the sign bit of x.
 */
const smallOrders: ReadonlySet<string> = new Set([
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);

/**
 * The last digit of each, and of 2^255 - 19 and above. A quarter of keys ends so, and to look at it makes no
 * text.
 */
const lastDigits: ReadonlySet<string> = new Set([...smallOrders].map((y) => y.charAt(63)));

/**
 * True for a key that stands for nobody: a point of small order, for which anybody can make a signature that
 * ZIP-215 accepts (one with R = A and S = 0 is good for every message), or a point in another than its one
 * encoding (y not below 2^255 - 19; RFC 8032, section 5.1.3), which would be a second name for one key. No
 * account and no validator has such a key. It looks at the text alone, and so costs nothing; whether a key is
 * a point of the curve at all is another question (`isCurvePoint`).
 */
export function isForgeableKey(publicKey: PublicKey): boolean {
  if (!lastDigits.has(publicKey.charAt(63))) return false;
  const top = Number.parseInt(publicKey.slice(62), 16) & 0x7f;
  const y = publicKey.slice(0, 62) + top.toString(16).padStart(2, '0');
  return smallOrders.has(y) || (top === 0x7f && /^(?:e[d-f]|f[0-9a-f])(?:ff){30}/.test(y));
}
