import { toHex } from '../base/bytes.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import {
  type Account,
  accountStateKey,
  decodeAccount,
  decodeRecord,
  type RecordEntry,
  recordStateKey,
  type StateChange,
  statePath,
} from './state-entry.ts';
import type { StateProof } from './state-proof.ts';
import {
  bitAt,
  comparePaths,
  findLeaf,
  hashTree,
  hashValue,
  leavesAfter,
  leavesOf,
  type Tree,
  type Update,
  updateTree,
} from './state-tree.ts';

/** A state lives for a few blocks, and most are asked about the senders of one. */
const rememberedAccounts = 4_096;
const noAccount: Account = Object.freeze({ balance: 0n, nonce: 0 });

/**
 * All accounts and records after some block. It never changes: `with` gives the next state, which shares all that stayed. Keeping
 * the states of many blocks, or of blocks that compete, costs only their differences.
 */
export class State {
  static readonly empty: State = new State(null);
  readonly #tree: Tree;
  /** Accounts that were asked for: the newest state is asked about a few senders again and again. */
  readonly #accounts = new Map<PublicKey, Account>();

  private constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** The state of stored entries, in any order. The bytes belong to the state from now on. */
  static fromEntries(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): State {
    const changes: StateChange[] = [];
    for (const [key, value] of entries) changes.push({ key, value });
    return State.empty.with(changes);
  }

  /** What a key has; balance 0 and nonce 0 when it has no entry. */
  account(publicKey: PublicKey): Account {
    const known = this.#accounts.get(publicKey);
    if (known !== undefined) return known;
    const value = this.get(accountStateKey(publicKey));
    const account = value === undefined ? noAccount : decodeAccount(value);
    if (this.#accounts.size >= rememberedAccounts) this.#accounts.clear();
    this.#accounts.set(publicKey, account);
    return account;
  }

  record(key: string): RecordEntry | undefined {
    const value = this.get(recordStateKey(key));
    return value === undefined ? undefined : decodeRecord(value);
  }

  /** The value under a key of `accountStateKey` or `recordStateKey`. Not a copy. */
  get(key: Uint8Array): Uint8Array | undefined {
    return findLeaf(this.#tree, statePath(key))?.value;
  }

  /** The hash over all entries; zero when there are none. */
  get root(): Hash {
    return hashTree(this.#tree);
  }

  /** The state after changes; of two changes to one key the later counts. The bytes belong to the state from now on. */
  with(changes: readonly StateChange[]): State {
    const updates = changes.map(({ key, value }): Update => ({ path: statePath(key), key, value }));
    updates.sort((a, b) => comparePaths(a.path, b.path));
    // The sort is stable, so the last of equal paths is the latest change.
    const latest = updates.filter((update, index) => {
      const next = updates[index + 1];
      return next === undefined || comparePaths(update.path, next.path) !== 0;
    });
    const tree = updateTree(this.#tree, latest);
    return tree === this.#tree ? this : new State(tree);
  }

  /** The proof of what `get` answers, present or absent, against `root`. */
  prove(key: Uint8Array): StateProof {
    const path = statePath(key);
    const siblings: Hash[] = [];
    let node = this.#tree;
    for (let depth = 0; node !== null && node.type === 'branch'; depth++) {
      const goesLeft = bitAt(path, depth) === 0;
      siblings.push(hashTree(goesLeft ? node.right : node.left));
      node = goesLeft ? node.left : node.right;
    }
    if (node === null || comparePaths(node.path, path) === 0) return { siblings, other: undefined };
    const other = { path: toHex(node.path) as Hash, valueHash: hashValue(node.value) };
    return { siblings, other };
  }

  /** Every entry, or those behind a key's, in the order of their paths (`statePath`). Not copies. */
  *entries(after?: Uint8Array): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    const leaves = after === undefined ? leavesOf(this.#tree) : leavesAfter(this.#tree, statePath(after));
    for (const leaf of leaves) yield [leaf.key, leaf.value];
  }
}
