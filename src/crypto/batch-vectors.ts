import { fromHex, toHex } from '../base/bytes.ts';
import { nextBelow, nextUint32, type RandomState, seedRandom } from '../base/random.ts';
import { keyPairFromSeed } from './keys.ts';
import { nativeSigner } from './native.ts';
import type { PublicKey, Signature, SignatureClaim } from './signature.ts';

/** A signature, good or damaged, and what the rule says of it. */
interface Vector {
  readonly claim: SignatureClaim;
  readonly valid: boolean;
}

const vectors = 1_000;
const signers = 24;
const longestMessage = 300;

/** What can be wrong with a signature that was good: one bit of one part, or the key. */
const damages = ['message', 'R', 'S', 'key', 'signer'] as const;

/**
 * A thousand signatures of some keys, half of them damaged, the same ones in each run: so that the verdicts
 * of the rule in TypeScript, which takes seconds for so many, have to be compared in the tests only. What was
 * damaged is not valid, because one changed bit makes a valid signature for one in 2^252.
 */
export function batchVectors(): Vector[] {
  const random = seedRandom(215);
  const keys = Array.from({ length: signers }, () => {
    const { publicKey, secretKey } = keyPairFromSeed(randomBytes(random, 32));
    return { publicKey, sign: nativeSigner(secretKey) };
  });
  return Array.from({ length: vectors }, () => {
    const [{ publicKey, sign }, other] = twoOf(keys, random);
    const message = randomBytes(random, 1 + nextBelow(random, longestMessage));
    const claim = { publicKey, message, signature: sign(message) };
    if (nextBelow(random, 2) === 0) return { claim, valid: true };
    const damage = damages[nextBelow(random, damages.length)] as (typeof damages)[number];
    return { claim: damaged(claim, damage, other.publicKey, random), valid: false };
  });
}

function damaged(
  claim: SignatureClaim,
  damage: (typeof damages)[number],
  other: PublicKey,
  random: RandomState,
): SignatureClaim {
  switch (damage) {
    case 'message':
      return { ...claim, message: flipped(claim.message, 0, claim.message.length, random) };
    case 'R':
      return { ...claim, signature: toHex(flipped(fromHex(claim.signature), 0, 32, random)) as Signature };
    case 'S':
      return { ...claim, signature: toHex(flipped(fromHex(claim.signature), 32, 64, random)) as Signature };
    case 'key':
      return { ...claim, publicKey: toHex(flipped(fromHex(claim.publicKey), 0, 32, random)) as PublicKey };
    case 'signer':
      return { ...claim, publicKey: other };
  }
}

/** A copy with one bit of the bytes in [from, to) changed. */
function flipped(bytes: Uint8Array, from: number, to: number, random: RandomState): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = from + nextBelow(random, to - from);
  copy[at] = (copy[at] as number) ^ (1 << nextBelow(random, 8));
  return copy;
}

function twoOf<T>(list: readonly T[], random: RandomState): [T, T] {
  const first = nextBelow(random, list.length);
  const second = (first + 1 + nextBelow(random, list.length - 1)) % list.length;
  return [list[first] as T, list[second] as T];
}

function randomBytes(random: RandomState, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => nextUint32(random) & 0xff);
}
