import { decode, encode, listOf, refine, struct, wordOf } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import { hash, type Hash } from '../crypto/hash.ts';
import { type PublicKey, publicKeyCodec } from '../crypto/signature.ts';
import { validatorSet } from './validators.ts';

/**
 * A member of the roster of a Raft chain. Its place in the roster is its index, which never changes and is
 * never given to another key.
 */
export interface Member {
  readonly key: PublicKey;
  /**
   * `voter` votes; `learner` follows without a vote; `removed` keeps only its index. Between two
   * configurations (joint consensus) `joining` votes in the new one only, and `leaving` and
   * `demoted` in the old one only.
   */
  readonly role: 'voter' | 'learner' | 'removed' | 'joining' | 'leaving' | 'demoted';
}

/**
 * Who takes part, by index (section 6). The list only grows: a member that is removed keeps its place, so an
 * index in a message, a certificate or a recorded vote means the same key forever. The roles say whether this
 * is one configuration or the joint phase between two: there is no flag that could contradict them.
 */
export type Configuration = readonly Member[];

export const configurationCodec = refine(
  listOf(
    struct<Member>({
      key: publicKeyCodec,
      role: wordOf(['voter', 'learner', 'removed', 'joining', 'leaving', 'demoted']),
    }),
    limits.raftMembers,
  ),
  'each key once, and somebody `voter` or `joining`',
  (members) => {
    if (new Set(members.map(({ key }) => key)).size !== members.length) throw new Error('a key stands twice');
    if (!members.some(votesInNew)) throw new Error('nobody votes');
    return members;
  },
);

export const votesInNew = ({ role }: Member): boolean => role === 'voter' || role === 'joining';

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return encode(configurationCodec, configuration);
}

export function decodeConfiguration(bytes: Uint8Array): Configuration | Problem {
  return decode(configurationCodec, bytes, 'configuration');
}

/**
 * What headers name it by. A configuration of voters only is a plain validator set and has its hash, so a
 * chain whose members never change looks the same under either engine. More voters than such a set has room
 * for have a hash of their own: peers and transactions may name as many as can be encoded.
 */
export function configurationHash(configuration: Configuration): Hash {
  const isPlain =
    configuration.length <= limits.maxValidators && configuration.every(({ role }) => role === 'voter');
  return isPlain
    ? validatorSet(configuration.map(({ key }) => key)).hash
    : hash('quorate/v1/raft/configuration', encodeConfiguration(configuration));
}

/** In the joint phase decisions need a majority of the old and of the new voters. */
export function isJoint(configuration: Configuration): boolean {
  return configuration.some(({ role }) => role === 'joining' || role === 'leaving' || role === 'demoted');
}
