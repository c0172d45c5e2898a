import { type Codec, optional, struct } from '../base/codec.ts';
import type { Hash } from '../crypto/hash.ts';
import { treeRootIn } from './namespace-entry.ts';
import { type NamespaceProof, namespaceProofCodec, verifyNamespaceProof } from './namespace-proof.ts';
import { namespaceOf } from './record-key.ts';
import type { State } from './state.ts';
import { namespaceStateKey, recordStateKey } from './state-entry.ts';
import { type StateProof, stateProofCodec, verifyStateProof, verifyTreeProof } from './state-proof.ts';

/**
 * What the state with a known root holds under a record's key: the entry of a record or of a deleted one, or
 * nothing. Whoever asks for a record's proof asks here, so that where its entry stands is said once.
 */
interface RecordProof {
  /** Undefined where the key is of no namespace. */
  readonly namespace: NamespaceProof | undefined;
  /**
   * In the tree of its namespace, or in the main one. Undefined in a namespace that was never opened, which
   * has none.
   */
  readonly record: StateProof | undefined;
}

export const recordProofCodec: Codec<RecordProof> = struct<RecordProof>({
  namespace: optional(namespaceProofCodec),
  record: optional(stateProofCodec),
});

/** The bytes of a record's entry in a state, null where there is none, with what proves it. */
export function proveRecord(
  state: State,
  key: string,
): { readonly entry: Uint8Array | null; readonly proof: RecordProof } {
  const name = namespaceOf(key);
  const stateKey = recordStateKey(key);
  const entry = state.get(stateKey) ?? null;
  if (name === undefined) return { entry, proof: { namespace: undefined, record: state.prove(stateKey) } };
  const namespace = state.proveNamespace(name);
  const isOpen = namespace.value !== null;
  const record = isOpen ? state.prove(stateKey, namespaceStateKey(name)) : undefined;
  return { entry, proof: { namespace, record } };
}

/**
 * True when the state with this root holds exactly `entry` under a record's key; with null, when it holds
 * nothing under it. Believes nothing but the root. Never throws, whatever the proof.
 */
export function verifyRecordProof(claim: {
  readonly root: Hash;
  readonly key: string;
  /** As the state has it (`encodeRecord`): of a deleted record its tombstone. */
  readonly entry: Uint8Array | null;
  readonly proof: RecordProof;
}): boolean {
  const { root, entry: value, proof } = claim;
  const { namespace, record } = proof;
  const name = namespaceOf(claim.key);
  const key = recordStateKey(claim.key);
  if (name === undefined) {
    const isOfForm = namespace === undefined && record !== undefined;
    return isOfForm && verifyStateProof({ root, key, value, proof: record });
  }
  if (namespace === undefined || !verifyNamespaceProof({ root, name, proof: namespace })) return false;
  if (namespace.value === null) return record === undefined && value === null;
  if (record === undefined) return false;
  return verifyTreeProof({ root: treeRootIn(namespace.value), key, value, proof: record });
}
