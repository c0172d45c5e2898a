/** The prime of Ed25519's field (RFC 8032, section 5.1). */
export const fieldPrime: bigint = 2n ** 255n - 19n;

/**
 * A number modulo the prime: twelve limbs of 22 bits, the lowest first. Sums of products are exact in a
 * double (2^53) with much to spare, and nothing is allocated, as big integers would be.
 */
export type FieldElement = Float64Array;

const limbBits = 22;
const limbCount = 12;
const limbBase = 2 ** limbBits;
const elementBytes = 32;
/** 2^264, which is what comes after the last limb, modulo the prime. */
const wrapped = 19 * 2 ** 9;
/** Of the last limb, what is below 2^255. */
const lastBase = 2 ** 13;

export function newElement(): FieldElement {
  return new Float64Array(limbCount);
}

/** Of a number from 0 to below 2^264. */
export function elementOf(value: bigint): FieldElement {
  return Float64Array.from({ length: limbCount }, (_, index) =>
    Number(BigInt.asUintN(limbBits, value >> BigInt(limbBits * index))),
  );
}

export function valueOf(element: FieldElement): bigint {
  return element.reduceRight((value, limb) => (value << BigInt(limbBits)) + BigInt(limb), 0n);
}

/** Of 32 bytes, the lowest first, as keys have it. */
export function readElement(bytes: Uint8Array, element: FieldElement): void {
  let bits = 0;
  let count = 0;
  let index = 0;
  for (let at = 0; at < elementBytes; at++) {
    bits |= (bytes[at] as number) << count;
    count += 8;
    if (count < limbBits) continue;
    element[index++] = bits & (limbBase - 1);
    bits >>>= limbBits;
    count -= limbBits;
  }
  element[index] = bits;
}

const product = new Float64Array(2 * limbCount);

/** Into `result`, which may be one of the two: from 0 to below the prime. Their limbs are below 2^23. */
export function multiply(a: FieldElement, b: FieldElement, result: FieldElement): void {
  product.fill(0);
  for (let i = 0; i < limbCount; i++) {
    const limb = a[i] as number;
    for (let j = 0; j < limbCount; j++) (product[i + j] as number) += limb * (b[j] as number);
  }
  carryOn(product, 2 * limbCount);
  for (let i = 0; i < limbCount; i++) {
    result[i] = (product[i] as number) + wrapped * (product[i + limbCount] as number);
  }
  reduce(result);
}

function carryOn(limbs: Float64Array, count: number): void {
  let carry = 0;
  for (let i = 0; i < count - 1; i++) {
    const sum = (limbs[i] as number) + carry;
    carry = Math.floor(sum / limbBase);
    limbs[i] = sum - carry * limbBase;
  }
  (limbs[count - 1] as number) += carry;
}

/** To the one form that is below the prime. */
function reduce(element: FieldElement): void {
  for (;;) {
    carryOn(element, limbCount);
    const last = element[limbCount - 1] as number;
    const above = Math.floor(last / lastBase);
    if (above === 0) break;
    element[limbCount - 1] = last - above * lastBase;
    (element[0] as number) += 19 * above;
  }
  if (isBelowPrime(element)) return;
  const rest = (element[0] as number) - (primeLimbs[0] as number);
  element.fill(0);
  element[0] = rest;
}

const primeLimbs = elementOf(fieldPrime);

/** Of limbs that are below their base. */
export function isBelowPrime(element: FieldElement): boolean {
  for (let i = limbCount - 1; i > 0; i--) {
    if (element[i] !== primeLimbs[i]) return (element[i] as number) < (primeLimbs[i] as number);
  }
  return (element[0] as number) < (primeLimbs[0] as number);
}

export function isZero(element: FieldElement): boolean {
  for (let i = 0; i < limbCount; i++) if (element[i] !== 0) return false;
  return true;
}

/** In limbs of another size, as many as take it. */
export function writeLimbs(element: FieldElement, bits: number, limbs: Float64Array): void {
  const base = 2 ** bits;
  let rest = 0;
  let count = 0;
  let index = 0;
  for (let i = 0; i < limbCount; i++) {
    rest += (element[i] as number) * 2 ** count;
    count += limbBits;
    if (count < bits) continue;
    const above = Math.floor(rest / base);
    limbs[index++] = rest - above * base;
    rest = above;
    count -= bits;
  }
  if (index < limbs.length) limbs[index] = rest;
}
