import { boundedText, type Codec, encode, listOf, refine, struct, wordOf } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { decodeStateValue } from './state-value.ts';

export const namespaceModes = ['open', 'writers', 'append-only'] as const;

/**
 * Who may write in a namespace. `open`: anybody creates records, each its creator's. `writers`: they alone
 * write, and any of them any record. `append-only`: they create records, which nobody ever changes, deletes
 * or gives away; this mode never ends.
 */
export type NamespaceMode = (typeof namespaceModes)[number];

/** What its owner says of a namespace. */
export interface NamespaceRules {
  /** Who may change these rules. No writer for that alone. */
  readonly owner: PublicKey;
  readonly mode: NamespaceMode;
  /** In ascending order. None in mode `open`, and at least one in the others. */
  readonly writers: readonly PublicKey[];
}

export const namespaceModeCodec: Codec<NamespaceMode> = wordOf(namespaceModes);

/** What stands before the first `/` of keys: one segment of a record's key, with room for more behind it. */
export const namespaceNameCodec: Codec<string> = refine(
  boundedText(limits.maxNamespaceNameBytes),
  'not empty, `.` or `..`, and without `/`',
  (name) => {
    if (isNamespaceName(name)) return name;
    throw new Problem('transaction/namespace-name', `no namespace can be named ${JSON.stringify(name)}`, {
      remedy: 'Write a name that is not empty, "." or "..", and has no "/" in it.',
      details: { name },
    });
  },
);

/** Whether a namespace can be named so, whatever the length: as a segment of a record's key. */
export function isNamespaceName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/');
}

const listedWriters = listOf(publicKeyCodec, limits.maxNamespaceWriters);

/** Up to `limits.maxNamespaceWriters` in ascending order, each once. */
export const writersCodec: Codec<readonly PublicKey[]> = {
  layout: { type: 'ruled', of: listedWriters.layout, rule: 'ascending, each once' },
  write(writer, writers) {
    if (Array.isArray(writers) && writers.length > limits.maxNamespaceWriters) {
      throw writersProblem(`${writers.length} writers are too many`);
    }
    listedWriters.write(writer, checkOrder(writers));
  },
  read: (reader) => checkOrder(listedWriters.read(reader)),
};

function checkOrder(writers: readonly PublicKey[]): readonly PublicKey[] {
  for (let at = 1; at < writers.length; at++) {
    const before = writers[at - 1] as PublicKey;
    const writer = writers[at] as PublicKey;
    if (before === writer) throw writersProblem(`the writer ${encodeAddress(writer)} is repeated`);
    if (before > writer) throw writersProblem('the writers do not stand in ascending order');
  }
  return writers;
}

/** Whether there are writers just where the mode asks for them. */
export function fits({ mode, writers }: Pick<NamespaceRules, 'mode' | 'writers'>): boolean {
  return (mode === 'open') === (writers.length === 0);
}

/** The same as a rule of a codec. */
export const writersRule = 'no writers in mode `open`, and at least one in the others';

export function checkFits<T extends Pick<NamespaceRules, 'mode' | 'writers'>>(rules: T): T {
  if (fits(rules)) return rules;
  throw writersProblem(
    rules.mode === 'open'
      ? 'a namespace that is open to everybody lists no writers'
      : `a namespace in mode "${rules.mode}" without writers is nobody's to write in`,
  );
}

function writersProblem(what: string): Problem {
  return new Problem('transaction/namespace-writers', what, {
    remedy: `List 1 to ${limits.maxNamespaceWriters} writers, each once and in ascending order of their public keys, in the modes "writers" and "append-only"; and none in mode "open".`,
  });
}

export const rulesCodec: Codec<NamespaceRules> = refine(
  struct<NamespaceRules>({ owner: publicKeyCodec, mode: namespaceModeCodec, writers: writersCodec }),
  writersRule,
  checkFits,
);

export function encodeNamespaceRules(rules: NamespaceRules): Uint8Array {
  return encode(rulesCodec, rules);
}

/** The rules in a state value. */
export function decodeNamespaceRules(value: Uint8Array): NamespaceRules {
  return decodeStateValue(rulesCodec, value, 'namespace');
}
