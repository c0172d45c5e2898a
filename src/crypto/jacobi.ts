import { elementOf, type FieldElement, fieldPrime, isZero, valueOf, writeLimbs } from './field.ts';

/**
 * Numbers below 2^260 in ten limbs of 26 bits: what a batch multiplies and adds is exact in a double (2^53).
 */
const limbBits = 26;
const limbCount = 10;
const limbBase = 2 ** limbBits;

/**
 * Batches of `limbBits` steps. Of a million numbers none needed more than 40; a number that does is judged in
 * another way.
 */
const mostBatches = 64;

const primeLimbs = new Float64Array(limbCount);
writeLimbs(elementOf(fieldPrime), limbBits, primeLimbs);

/**
 * Whether a number from 0 to below the prime is a square in the field: 1 when it is, -1 when it is not, 0
 * for 0. It takes some 3 µs, a fiftieth of a power in the field, and is the same on every machine.
 *
 * The Jacobi symbol by the steps of libsecp256k1 (`secp256k1_jacobi32_maybe_var`, and
 * `doc/safegcd_implementation.md` there): of `f`, odd, and `g`, both
 * positive, a step halves `g`, or makes it even by a multiple of `f`, after an exchange of the two when it is
 * due. Halving `g` changes the symbol when `f` is 3 or 5 mod 8, the exchange when both are 3 mod 4. So all
 * depends on the lowest bits: the steps of a batch are done with those, and then at once with the whole
 * numbers. They always end, as far as anybody knows; should they not, Euler's criterion decides, which says
 * the same.
 */
export function jacobi(value: FieldElement, batches: number = mostBatches): -1 | 0 | 1 {
  if (isZero(value)) return 0;
  f.set(primeLimbs);
  writeLimbs(value, limbBits, g);
  let length = limbCount;
  batch.eta = -1;
  let changes = 0;
  for (let done = 0; done < batches; done++) {
    run(batch, lowBits(f), lowBits(g));
    changes ^= batch.changes;
    apply(batch, f, g, length);
    while (length > 1 && f[length - 1] === 0 && g[length - 1] === 0) length -= 1;
    if (length === 1 && f[0] === 1) return (changes & 1) === 1 ? -1 : 1;
  }
  return euler(valueOf(value));
}

const f = new Float64Array(limbCount);
const g = new Float64Array(limbCount);

/** The lowest 32 bits. */
const lowBits = (limbs: Float64Array): number => (limbs[0] as number) | ((limbs[1] as number) << limbBits);

/**
 * The steps of a batch together: f and g become (u f + v g) and (q f + r g), each divided by 2^26. The
 * factors of each add up to 2^26 at most.
 */
interface Batch {
  /** How far the exchange is due: below 0 it is. */
  eta: number;
  /** The lowest bit says whether the symbol changed. */
  changes: number;
  u: number;
  v: number;
  q: number;
  r: number;
}

const batch: Batch = { eta: -1, changes: 0, u: 0, v: 0, q: 0, r: 0 };

/** `limbBits` steps with the lowest 32 bits of f and g: no step looks at more of them. */
function run(batch: Batch, fBits: number, gBits: number): void {
  let { eta } = batch;
  let f = fBits;
  let g = gBits;
  let u = 1;
  let v = 0;
  let q = 0;
  let r = 1;
  let changes = 0;
  for (let left = limbBits; ;) {
    const zeros = g === 0 ? left : Math.min(left, 31 - Math.clz32(g & -g));
    g >>= zeros;
    u *= 1 << zeros;
    v *= 1 << zeros;
    eta -= zeros;
    left -= zeros;
    changes ^= zeros & ((f >> 1) ^ (f >> 2));
    if (left === 0) break;
    if (eta < 0) {
      eta = -eta;
      const oldF = f;
      const oldU = u;
      const oldV = v;
      f = g;
      g = oldF;
      u = q;
      q = oldU;
      v = r;
      r = oldV;
      changes ^= (f & g) >> 1;
    }
    // The multiple of f, below 2^4, that makes the next few bits of g zero: modulo 16, 1 / f is this.
    const inverse = f + (((f + 1) & 4) << 1);
    const multiple = Math.imul(-inverse, g) & ((1 << Math.min(eta + 1, left, 4)) - 1);
    g = (g + Math.imul(f, multiple)) | 0;
    q += u * multiple;
    r += v * multiple;
  }
  batch.eta = eta;
  batch.changes = changes;
  batch.u = u;
  batch.v = v;
  batch.q = q;
  batch.r = r;
}

/** The steps of a batch, with the whole numbers; the bits that are divided away are zero. */
function apply({ u, v, q, r }: Batch, f: Float64Array, g: Float64Array, length: number): void {
  let fCarry = 0;
  let gCarry = 0;
  for (let index = 0; index < length; index++) {
    const fLimb = f[index] as number;
    const gLimb = g[index] as number;
    const fSum = u * fLimb + v * gLimb + fCarry;
    const gSum = q * fLimb + r * gLimb + gCarry;
    fCarry = Math.floor(fSum / limbBase);
    gCarry = Math.floor(gSum / limbBase);
    if (index === 0) continue;
    f[index - 1] = fSum - fCarry * limbBase;
    g[index - 1] = gSum - gCarry * limbBase;
  }
  f[length - 1] = fCarry;
  g[length - 1] = gCarry;
}

/** Euler's criterion: value^((p - 1) / 2) is 1 for squares, and -1 for others. */
function euler(value: bigint): -1 | 0 | 1 {
  let power = 1n;
  for (let bit = 254n; bit >= 0n; bit--) {
    power = (power * power) % fieldPrime;
    if ((((fieldPrime - 1n) / 2n) >> bit) & 1n) power = (power * value) % fieldPrime;
  }
  return power === 0n ? 0 : power === 1n ? 1 : -1;
}
