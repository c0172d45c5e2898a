import { type Codec, optional, refine, struct } from '../base/codec.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import {
  checkFits,
  namespaceModeCodec,
  type NamespaceMode,
  namespaceNameCodec,
  type NamespaceRules,
  writersCodec,
  writersRule,
} from './namespace.ts';

/**
 * Claims what stands before the first `/` of keys. The sender owns the namespace, and says who may write
 * there.
 */
export interface OpenNamespace extends Omit<NamespaceRules, 'owner'> {
  readonly type: 'open-namespace';
  readonly name: string;
}

/**
 * Changes the rules of a namespace of the sender's. What is undefined stays as it is, but that mode `open`
 * leaves no writers. Another `owner` gets all say over it.
 */
export interface SetNamespace {
  readonly type: 'set-namespace';
  readonly name: string;
  readonly owner: PublicKey | undefined;
  readonly mode: NamespaceMode | undefined;
  readonly writers: readonly PublicKey[] | undefined;
}

export const openNamespaceCodec: Codec<Omit<OpenNamespace, 'type'>> = refine(
  struct<Omit<OpenNamespace, 'type'>>({
    name: namespaceNameCodec,
    mode: namespaceModeCodec,
    writers: writersCodec,
  }),
  writersRule,
  checkFits,
);

export const setNamespaceCodec: Codec<Omit<SetNamespace, 'type'>> = refine(
  struct<Omit<SetNamespace, 'type'>>({
    name: namespaceNameCodec,
    owner: optional(publicKeyCodec),
    mode: optional(namespaceModeCodec),
    writers: optional(writersCodec),
  }),
  `something is there, and if mode and writers both are, ${writersRule}`,
  checkChange,
);

function checkChange(change: Omit<SetNamespace, 'type'>): Omit<SetNamespace, 'type'> {
  const { owner, mode, writers } = change;
  if (owner === undefined && mode === undefined && writers === undefined)
    throw new Error('it changes nothing');
  if (mode !== undefined && writers !== undefined) checkFits({ mode, writers });
  return change;
}
