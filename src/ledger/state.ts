import { BoundedMap } from '../base/bounded-map.ts';
import { equalBytes, toHex } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { readAccount, readAccounts } from './account-reading.ts';
import type { Height } from './block.ts';
import {
  decodeEnding,
  decodeReservation,
  type Ending,
  endingStateKey,
  type Reservation,
  reservationStateKey,
} from './reservation.ts';
import type { ReservationId } from './reservation-id.ts';
import {
  type ChainParameters,
  decodeParameters,
  noParameters,
  parametersStateKey,
} from './chain-parameters.ts';
import {
  type ChainProposal,
  decodeProposal,
  decodeProposalNames,
  type ProposalName,
  proposalsStateKey,
  proposalStateKey,
} from './proposal.ts';
import {
  type Account,
  decodeRecord,
  namespaceKind,
  namespaceStateKey,
  type RecordEntry,
  recordIn,
  recordStateKey,
  type StateChanges,
  type Tombstone,
  treeOwnerOf,
  versionBytes,
  versionIn,
  writeStatePath,
} from './state-entry.ts';
import { type NamespaceEntry, readNamespace, rulesPartOf } from './namespace-entry.ts';
import { decodeNamespaceRules, type NamespaceRules } from './namespace.ts';
import { type ListingPage, proveListing, type ProvenListing } from './prove-listing.ts';
import type { NamespaceProof } from './namespace-proof.ts';
import { StateGrowth } from './state-growth.ts';
import { hashValue, type StateProof } from './state-proof.ts';
import { StateTree } from './state-tree.ts';

/** A state lives for a few blocks, and most reads of it are of the accounts of one block. */
const rememberedAccounts = 8_192;
/** A namespace with 32 writers takes 3 KiB. */
const rememberedNamespaces = 256;

type MadeAccounts = ReadonlyMap<PublicKey, { readonly now: Account }>;

/**
 * All that a chain knows after some block: accounts, records and what else there is. It never changes: `with`
 * gives the next state, which shares all that stayed. Keeping the states of many blocks, or of blocks that
 * compete, costs only their differences.
 *
 * The records of a namespace stand in a tree of their own; the namespace's entry in the main tree has its
 * root and the number of its entries. Those two follow from the records: what goes in and out here, to a
 * store or another node, is the entry without them (its rules).
 */
export class State {
  static readonly empty: State = new State(StateTree.empty(writeStatePath));
  readonly #tree: StateTree;
  #root: Hash | undefined;
  /** The newest state is asked about a few senders again and again. */
  readonly #accounts = new BoundedMap<PublicKey, Account>(rememberedAccounts);
  /** What the block that made this state made of accounts: those that are asked for next. */
  #made: MadeAccounts | undefined;
  #parameters: ChainParameters | undefined;
  readonly #namespaces = new BoundedMap<string, NamespaceRules>(rememberedNamespaces);

  private constructor(tree: StateTree) {
    this.#tree = tree;
  }

  /**
   * The state of entries in any order. Records of a namespace that has no entry are left out. The bytes
   * are copied, and may be any.
   */
  static fromEntries(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): State {
    const growing = State.growing();
    for (const [key, value] of entries) growing.add(key, value);
    return growing.finish();
  }

  /**
   * The same for entries that come one at a time, from wherever: hashed once, in the end. Best when those of
   * a namespace come together, as in the order of their keys.
   */
  static growing(): { add(key: Uint8Array, value: Uint8Array): void; finish(): State } {
    const growth = new StateGrowth(State.empty.#tree, writeStatePath);
    return {
      add: (key, value) => growth.add(key, value),
      finish: () => new State(growth.finish()),
    };
  }

  /** What a key has; balance 0 and nonce 0 when it has no entry. */
  account(publicKey: PublicKey): Account {
    const known = this.#knownAccount(publicKey);
    if (known !== undefined) return known;
    const account = readAccount(this.#tree, publicKey);
    this.#accounts.set(publicKey, account);
    return account;
  }

  /** The same for who asks once: it is not remembered. */
  peekAccount(publicKey: PublicKey): Account {
    return this.#knownAccount(publicKey) ?? readAccount(this.#tree, publicKey);
  }

  /** The same for many at once, which costs less. */
  peekAccounts(publicKeys: readonly PublicKey[]): readonly Account[] {
    return readAccounts(this.#tree, publicKeys, (publicKey) => this.#knownAccount(publicKey));
  }

  #knownAccount(publicKey: PublicKey): Account | undefined {
    return this.#made?.get(publicKey)?.now ?? this.#accounts.get(publicKey);
  }

  /** The record under a key; undefined where there is none, or none any more. */
  record(key: string): RecordEntry | undefined {
    return recordIn(this.recordEntry(key));
  }

  /** The same, or what is left of a deleted record: it has a version too, and goes on counting. */
  recordEntry(key: string): RecordEntry | Tombstone | undefined {
    const value = this.get(recordStateKey(key));
    return value === undefined ? undefined : decodeRecord(value);
  }

  /** The version of a record; 0 where there is none, or it was deleted. Its value is not read. */
  recordVersion(key: string): number {
    const stateKey = recordStateKey(key);
    const start = this.#tree.get(stateKey, treeOwnerOf(stateKey), versionBytes);
    return start === undefined ? 0 : versionIn(start);
  }

  /** What counts for all of a block's transactions, as it was decided up to here. */
  get parameters(): ChainParameters {
    if (this.#parameters === undefined) {
      const value = this.get(parametersStateKey);
      this.#parameters = value === undefined ? noParameters : decodeParameters(value);
    }
    return this.#parameters;
  }

  /** The changes of the chain that are proposed. */
  get proposalNames(): readonly ProposalName[] {
    const value = this.get(proposalsStateKey);
    return value === undefined ? [] : decodeProposalNames(value);
  }

  proposal(id: Hash): ChainProposal | undefined {
    const value = this.get(proposalStateKey(id));
    return value === undefined ? undefined : decodeProposal(value);
  }

  /** A reservation that can still be taken, or ended not long ago (`limits.reservationAfterlife`). */
  reservation(id: ReservationId): Reservation | undefined {
    const value = this.get(reservationStateKey(id));
    return value === undefined ? undefined : decodeReservation(value);
  }

  /** The reservations that end at a height, until they are forgotten. */
  ending(height: Height): Ending | undefined {
    const value = this.get(endingStateKey(height));
    return value === undefined ? undefined : decodeEnding(value);
  }

  /** A namespace as its entry in the tree has it. */
  namespace(name: string): NamespaceEntry | undefined {
    const value = this.#tree.get(namespaceStateKey(name));
    return value === undefined ? undefined : readNamespace(value);
  }

  /** Its rules alone. */
  namespaceRules(name: string): NamespaceRules | undefined {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const value = this.get(namespaceStateKey(name));
    if (value === undefined) return undefined;
    const rules = decodeNamespaceRules(value);
    this.#namespaces.set(name, rules);
    return rules;
  }

  /**
   * The value under a key that one of the functions `…StateKey` made, as changes have it: of a namespace its
   * rules. A copy.
   */
  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.#tree.get(key, treeOwnerOf(key));
    return value !== undefined && key[0] === namespaceKind ? rulesPartOf(value) : value;
  }

  /** The hash over all entries; zero when there are none. */
  get root(): Hash {
    this.#root ??= toHex(this.#tree.rootHash) as Hash;
    return this.#root;
  }

  /** Bytes of all states that this one shares entries with, used or kept for the next. */
  get memoryBytes(): number {
    return this.#tree.memoryBytes;
  }

  /** The same state once more, to be released apart. */
  share(): State {
    return new State(this.#tree.share());
  }

  /**
   * Gives back the memory of what no other state has, at once. Reading it afterwards breaks an invariant;
   * only its root stays known.
   */
  release(): void {
    void this.root;
    this.#tree.release();
  }

  /**
   * The state after changes; of two changes to one key the later counts. Records of a namespace that has no
   * entry are left out. The bytes are copied, and may be any. `made` are accounts as they are then.
   */
  with(changes: StateChanges, made?: MadeAccounts): State {
    const growth = new StateGrowth(this.#tree, writeStatePath);
    growth.addAll(changes);
    const tree = growth.finish();
    if (tree === this.#tree) return this;
    const next = new State(tree);
    next.#made = made;
    if (!growth.hasParameters) next.#parameters = this.#parameters;
    return next;
  }

  /**
   * The proof of what stands under a key, or that nothing does: in the main tree against `root`, or in the
   * tree of a namespace, whose entry's key is given, against its root. Of a record see `proveRecord`.
   */
  prove(key: Uint8Array, owner?: Uint8Array): StateProof {
    const isThere = (treeOwnerOf(key) === undefined) === (owner === undefined);
    invariant(isThere, 'what a namespace holds is not proven by the main tree');
    const { siblings, end } = this.#tree.way(key, owner);
    if (end === undefined || equalBytes(end.key, key)) return { siblings, other: undefined };
    return { siblings, other: { path: end.path, valueHash: hashValue(end.value) } };
  }

  /** The proof of what the state has of a namespace (`verifyNamespaceProof`). */
  proveNamespace(name: string): NamespaceProof {
    const key = namespaceStateKey(name);
    return { value: this.#tree.get(key) ?? null, proof: this.prove(key) };
  }

  /** A page of a namespace, and the proof that none is missing in it (see `proveListing`). */
  proveListing(name: string, page: ListingPage): ProvenListing {
    return proveListing(this.#tree, { name, namespace: this.proveNamespace(name) }, page);
  }

  /**
   * Every entry, or those behind a key's: those of the main tree in the order of their paths, behind each
   * namespace its records in the order of theirs (`positionOf`). Copies.
   */
  *entries(after?: Uint8Array): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    const owner = after && treeOwnerOf(after);
    if (owner !== undefined) yield* this.#tree.entries(after, owner);
    else if (after?.[0] === namespaceKind) yield* this.#tree.entries(undefined, after);
    for (const [key, value] of this.#tree.entries(owner ?? after)) {
      if (key[0] === namespaceKind) {
        yield [key, rulesPartOf(value)];
        yield* this.#tree.entries(undefined, key);
      } else yield [key, value];
    }
  }
}
