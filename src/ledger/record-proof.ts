import type { Codec } from '../base/codec.ts';
import type { Hash } from '../crypto/hash.ts';
import type { State } from './state.ts';
import { recordStateKey } from './state-entry.ts';
import { type StateProof, stateProofCodec, verifyStateProof } from './state-proof.ts';

/**
 * What the state with a known root holds under a record's key: the entry of a record or of a deleted one, or
 * nothing. Whoever asks for a record's proof asks here, so that where its entry stands is said once.
 */
export type RecordProof = StateProof;

export const recordProofCodec: Codec<RecordProof> = stateProofCodec;

/** The bytes of a record's entry in a state, null where there is none, with what proves it. */
export function proveRecord(
  state: State,
  key: string,
): { readonly entry: Uint8Array | null; readonly proof: RecordProof } {
  const stateKey = recordStateKey(key);
  return { entry: state.get(stateKey) ?? null, proof: state.prove(stateKey) };
}

/** True when the state with this root holds exactly `entry` for a record's key. Never throws. */
export function verifyRecordProof(claim: {
  readonly root: Hash;
  readonly key: string;
  readonly entry: Uint8Array | null;
  readonly proof: RecordProof;
}): boolean {
  const { root, key, entry, proof } = claim;
  return verifyStateProof({ root, key: recordStateKey(key), value: entry, proof });
}
