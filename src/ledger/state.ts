import { equalBytes, toHex } from '../base/bytes.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
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
  parametersKind,
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
  accountStateKey,
  decodeAccount,
  decodeRecord,
  noAccount,
  type RecordEntry,
  recordStateKey,
  type StateChange,
  type Tombstone,
  writeStatePath,
} from './state-entry.ts';
import { hashValue, type StateProof } from './state-proof.ts';
import { StateTree, TreeGrowth } from './state-tree.ts';

/** A state lives for a few blocks, and most are asked about the senders of one. */
const rememberedAccounts = 4_096;

/**
 * All accounts and records after some block. It never changes: `with` gives the next state, which shares all
 * that stayed. Keeping the states of many blocks, or of blocks that compete, costs only their differences.
 */
export class State {
  static readonly empty: State = new State(StateTree.empty(writeStatePath));
  readonly #tree: StateTree;
  #root: Hash | undefined;
  /** Accounts that were asked for: the newest state is asked about a few senders again and again. */
  readonly #accounts = new Map<PublicKey, Account>();
  /** Read for each block, and the same for most. */
  #parameters: ChainParameters | undefined;

  private constructor(tree: StateTree) {
    this.#tree = tree;
  }

  /** The state of entries in any order. The bytes are copied. */
  static fromEntries(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): State {
    const growing = State.growing();
    for (const [key, value] of entries) growing.add(key, value);
    return growing.finish();
  }

  /** The same for entries that come one at a time, from wherever: hashed once, in the end. */
  static growing(): { add(key: Uint8Array, value: Uint8Array): void; finish(): State } {
    const growth = new TreeGrowth(State.empty.#tree);
    return {
      add: (key, value) => growth.add(key, value),
      finish: () => new State(growth.finish()),
    };
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

  /** The record under a key; undefined where there is none, or none any more. */
  record(key: string): RecordEntry | undefined {
    const entry = this.recordEntry(key);
    return entry?.type === 'record' ? entry : undefined;
  }

  /** The same, or what is left of a deleted record: it has a version too, and goes on counting. */
  recordEntry(key: string): RecordEntry | Tombstone | undefined {
    const value = this.get(recordStateKey(key));
    return value === undefined ? undefined : decodeRecord(value);
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

  /** The value under a key that one of the functions `…StateKey` made. A copy. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#tree.get(key);
  }

  /** The hash over all entries; zero when there are none. */
  get root(): Hash {
    this.#root ??= toHex(this.#tree.rootHash) as Hash;
    return this.#root;
  }

  /** Bytes of memory of all states that this one shares entries with, used or kept for the next. */
  get memoryBytes(): number {
    return this.#tree.memoryBytes;
  }

  /** The same state once more, to be released apart. */
  share(): State {
    return new State(this.#tree.share());
  }

  /**
   * Gives back the memory of what no other state has, at once. Who reads it afterwards breaks an invariant;
   * only its root stays known.
   */
  release(): void {
    void this.root;
    this.#tree.release();
  }

  /** The state after changes; of two changes to one key the later counts. The bytes are copied. */
  with(changes: readonly StateChange[]): State {
    const tree = this.#tree.with(changes);
    if (tree === this.#tree) return this;
    const next = new State(tree);
    if (!changes.some(({ key }) => key[0] === parametersKind)) next.#parameters = this.#parameters;
    return next;
  }

  /** The proof of what `get` answers, present or absent, against `root`. */
  prove(key: Uint8Array): StateProof {
    const { siblings, end } = this.#tree.way(key);
    if (end === undefined || equalBytes(end.key, key)) return { siblings, other: undefined };
    return { siblings, other: { path: end.path, valueHash: hashValue(end.value) } };
  }

  /** Every entry, or those behind a key's, in the order of their paths (`statePath`). Copies. */
  entries(after?: Uint8Array): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    return this.#tree.entries(after);
  }
}
