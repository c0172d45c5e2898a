import { boundedBytes, type Codec, optional, struct } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import type { Hash } from '../crypto/hash.ts';
import { namespaceStateKey } from './state-entry.ts';
import { type StateProof, stateProofCodec, verifyStateProof } from './state-proof.ts';

/** What the state has of a namespace, with its proof. */
export interface NamespaceProof {
  /** Its entry in the main tree (`readNamespace`); null for one that was never opened. */
  readonly value: Uint8Array | null;
  readonly proof: StateProof;
}

/** Rules with all writers, the root and the number of entries. */
const maxNamespaceValueBytes = 32 * (limits.maxNamespaceWriters + 3);

export const namespaceProofCodec: Codec<NamespaceProof> = struct<NamespaceProof>({
  value: nullable(boundedBytes(maxNamespaceValueBytes, 'namespace entry')),
  proof: stateProofCodec,
});

function nullable<T>(inner: Codec<T>): Codec<T | null> {
  const present = optional(inner);
  return {
    layout: present.layout,
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
