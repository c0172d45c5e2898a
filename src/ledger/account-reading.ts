import { ByteReader } from '../base/byte-reader.ts';
import type { PublicKey } from '../crypto/signature.ts';
import {
  type Account,
  accountCodec,
  accountKeyBytes,
  decodeAccount,
  noAccount,
  writeAccountStateKey,
} from './state-entry.ts';
import type { StateTree } from './state-tree.ts';

/** Of most accounts: balance, nonce, and that there is no more. */
const plainBytes = 15;
/** The key of the account that is looked up, and what the tree has of it: nothing is kept of either. */
const sought = new Uint8Array(accountKeyBytes);
const found = new Uint8Array(plainBytes);
const reader = new ByteReader(found);

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
