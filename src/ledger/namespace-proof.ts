import { boundedBytes, type Codec, optional, struct } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { Hash } from '../crypto/hash.ts';
import { treeRootIn } from './namespace-entry.ts';
import { namespaceOf } from './record-key.ts';
import { namespaceStateKey, recordStateKey } from './state-entry.ts';
import { type StateProof, stateProofCodec, verifyStateProof, verifyTreeProof } from './state-proof.ts';

/** What the state has of a namespace, with its proof. */
export interface NamespaceProof {
  /** Its entry in the main tree (`readNamespace`); null for one that was never opened. */
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
}

/** That the state holds a record, or holds nothing under its key. */
export interface RecordProof {
  /** Undefined where the key is of no namespace. */
  readonly namespace: NamespaceProof | undefined;
  /**
   * In the tree of its namespace, or in the main one. Undefined in a namespace that was never opened, which
   * has none.
   */
  readonly record: StateProof | undefined;
}

/** Rules with all writers, the root and the number of entries. */
const maxNamespaceValueBytes = 32 * (limits.maxNamespaceWriters + 3);

export const namespaceProofCodec: Codec<NamespaceProof> = struct<NamespaceProof>({
  value: nullable(boundedBytes(maxNamespaceValueBytes)),
  proof: stateProofCodec,
});

export const recordProofCodec: Codec<RecordProof> = struct<RecordProof>({
  namespace: optional(namespaceProofCodec),
  record: optional(stateProofCodec),
});

function nullable<T>(inner: Codec<T>): Codec<T | null> {
  const present = optional(inner);
  return {
    write: (writer, value) => present.write(writer, value ?? undefined),
    read: (reader) => present.read(reader) ?? null,
  };
}

/**
 * True when the state with this root has that of a namespace. Believes nothing but the root. Never throws.
 */
export function verifyNamespaceProof(claim: {
  readonly root: Hash;
  readonly name: string;
  readonly proof: NamespaceProof;
}): boolean {
  const { root, name, proof } = claim;
  return verifyStateProof({ root, key: namespaceStateKey(name), ...proof });
}

/**
 * True when the state with this root holds exactly `value` under a record's key; with null, when it holds
 * nothing under it. Believes nothing but the root. Never throws, whatever the proof.
 */
export function verifyRecordProof(claim: {
  readonly root: Hash;
  readonly key: string;
  /** As the state has it (`encodeRecord`): of a deleted record its tombstone. */
  readonly value: Uint8Array | null;
  readonly proof: RecordProof;
}): boolean {
  const { root, value, proof } = claim;
  const { namespace, record } = proof;
  const [name, key] = [namespaceOf(claim.key), recordStateKey(claim.key)];
  if (name === undefined) {
    return (
      namespace === undefined && record !== undefined && verifyStateProof({ root, key, value, proof: record })
    );
  }
  if (namespace === undefined || !verifyNamespaceProof({ root, name, proof: namespace })) return false;
  if (namespace.value === null) return record === undefined && value === null;
  if (record === undefined) return false;
  return verifyTreeProof({ root: treeRootIn(namespace.value), key, value, proof: record });
}
