import { concat } from '../base/bytes.ts';
import { encode, u48 } from '../base/codec.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import { decodeNamespaceRules, type NamespaceRules } from './namespace.ts';
import { decodeStateValue } from './state-value.ts';

/** A namespace as the main tree has it: its rules, and what they are for. */
export interface NamespaceEntry extends NamespaceRules {
  /** Of the tree of its records; zero as long as there are none. */
  readonly root: Uint8Array;
  /** Keys that were ever written there: records, and what is left of deleted ones. */
  readonly entries: number;
}

const countBytes = 6;
const treePart = hashSize + countBytes;

/** The value in the main tree: the rules as they are stored, then root and number. */
export function namespaceValue(rules: Uint8Array, root: Uint8Array, entries: number): Uint8Array {
  return concat(rules, root, encode(u48, entries));
}

/** The rules in such a value, as they are stored. Its other bytes may be any. */
export function rulesPartOf(value: Uint8Array): Uint8Array {
  return value.slice(0, value.length - treePart);
}

/** The number in such a value. */
export function entriesIn(value: Uint8Array): number {
  return decodeStateValue(u48, value.subarray(value.length - countBytes), 'number of entries');
}

/** The root in such a value. */
export function treeRootIn(value: Uint8Array): Uint8Array {
  return value.slice(value.length - treePart, value.length - countBytes);
}

/** The namespace in a state value. */
export function readNamespace(value: Uint8Array): NamespaceEntry {
  const rules = decodeNamespaceRules(rulesPartOf(value));
  return { ...rules, root: treeRootIn(value), entries: entriesIn(value) };
}
