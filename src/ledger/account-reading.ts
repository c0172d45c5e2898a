import { ByteReader } from '../base/byte-reader.ts';
import type { PublicKey } from '../crypto/signature.ts';
import {
  type Account,
  accountCodec,
  accountKeyBytes,
  decodeAccount,
  noAccount,
  writeAccountStateKey,
  writeStatePath,
} from './state-entry.ts';
import type { StateTree } from './state-tree.ts';
import { TreeLookups } from './tree-lookups.ts';

/** Of most accounts: balance, nonce, and that there is no more. */
const plainBytes = 15;
/** The key of the account that is looked up, and what the tree has of it: nothing is kept of either. */
const sought = new Uint8Array(accountKeyBytes);
const found = new Uint8Array(plainBytes);
const reader = new ByteReader(found);

/** So many are near the processor, and enough to wait for together. */
const accountsAtOnce = 256;
const lookups = new TreeLookups(writeStatePath, accountsAtOnce, {
  keyBytes: accountKeyBytes,
  valueBytes: plainBytes,
});
const manyReader = new ByteReader(lookups.values);

/** What a tree has of an account; balance 0 and nonce 0 when it has no entry. */
export function readAccount(tree: StateTree, publicKey: PublicKey): Account {
  writeAccountStateKey(sought, publicKey);
  if (tree.copy(sought, found)) {
    reader.at = 0;
    return accountCodec.read(reader);
  }
  const value = tree.get(sought);
  return value === undefined ? noAccount : decodeAccount(value);
}

/** The same of many together, but of those that are known already. */
export function readAccounts(
  tree: StateTree,
  publicKeys: readonly PublicKey[],
  known: (publicKey: PublicKey) => Account | undefined,
): Account[] {
  const accounts = publicKeys.map(known);
  let from = 0;
  for (let at = 0; at < accounts.length; at++) {
    if (accounts[at] === undefined) {
      writeAccountStateKey(sought, publicKeys[at] as PublicKey);
      lookups.add(sought);
    }
    if (!lookups.isFull && at + 1 < accounts.length) continue;
    tree.lookUp(lookups);
    for (let place = 0; from <= at; from++) {
      accounts[from] ??= foundAccount(place++) ?? readAccount(tree, publicKeys[from] as PublicKey);
    }
  }
  return accounts as Account[];
}

function foundAccount(place: number): Account | undefined {
  if (!lookups.isFound(place)) return undefined;
  manyReader.at = place * plainBytes;
  return accountCodec.read(manyReader);
}
