import { type Codec, encode, listOf } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { hash, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';

/**
 * Those who agree on blocks, in the order that decides whose turn it is. A message names one by its index.
 */
export interface ValidatorSet {
  readonly keys: readonly PublicKey[];
  /** Commits to the ordered keys; it stands in every header, and in what every vote signs (its epoch). */
  readonly hash: Hash;
}

/** The keys of a set, in their order. */
export const validatorKeysCodec: Codec<readonly PublicKey[]> = listOf(publicKeyCodec, limits.maxValidators);

/** Sets by their list of keys, for as long as the list is in use: the same list comes with each block. */
const known = new WeakMap<readonly PublicKey[], ValidatorSet>();

export function validatorSet(keys: readonly PublicKey[]): ValidatorSet {
  let set = known.get(keys);
  if (set === undefined) {
    set = { keys, hash: hash('quorate/v1/validators', encode(validatorKeysCodec, keys)) };
    known.set(keys, set);
  }
  return set;
}
