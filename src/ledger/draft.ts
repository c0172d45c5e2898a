import { invariant } from '../base/invariant.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from './block.ts';
import type { Ending, Reservation } from './reservation.ts';
import type { ReservationId } from './reservation-id.ts';
import { type ChainParameters, encodeParameters, parametersStateKey } from './chain-parameters.ts';
import type { NamespaceRules } from './namespace.ts';
import {
  type ChainProposal,
  encodeProposal,
  encodeProposalNames,
  type ProposalName,
  proposalsStateKey,
  proposalStateKey,
} from './proposal.ts';
import type { Account, RecordEntry, StateChange, Tombstone } from './state-entry.ts';

/** What can be looked up: a state, or a draft of the next one. */
interface Readable {
  account(publicKey: PublicKey): Account;
  recordEntry(key: string): RecordEntry | Tombstone | undefined;
  readonly parameters: ChainParameters;
  readonly proposalNames: readonly ProposalName[];
  proposal(id: Hash): ChainProposal | undefined;
  reservation(id: ReservationId): Reservation | undefined;
  /** The reservations that end at a height. */
  ending(height: Height): Ending | undefined;
  namespaceRules(name: string): NamespaceRules | undefined;
}

/** What becomes of a reservation's entry; null when it goes. */
interface ReservationChange {
  readonly id: ReservationId;
  readonly reservation: Reservation | null;
}

const nothing: ReadonlyMap<never, never> = new Map<never, never>();

/**
 * What becomes of entries of one kind, in the order in which they were first changed. Memory is taken when
 * the first is: a draft is made for each transaction, and most change accounts and nothing else.
 */
class Changes<K, V> {
  #map: Map<K, V> | undefined;

  get(key: K): V | undefined {
    return this.#map?.get(key);
  }

  set(key: K, value: V): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  takeOver(later: Changes<K, V>): void {
    later.#map?.forEach((value, key) => this.set(key, value));
  }

  keys(): IterableIterator<K> {
    return (this.#map ?? nothing).keys();
  }

  values(): IterableIterator<V> {
    return (this.#map ?? nothing).values();
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return (this.#map ?? nothing)[Symbol.iterator]();
  }
}

/**
 * Changes over something that stays as it is: those of a block over its parent's state, those of a
 * transaction over the block's so far. They are taken over with `apply`, or forgotten with the draft.
 */
export class Draft implements Readable {
  readonly accounts = new Changes<PublicKey, Account>();
  readonly records = new Changes<string, RecordEntry | Tombstone>();
  /** By the id as a text; see `setReservation`. */
  readonly reservations = new Changes<string, ReservationChange>();
  /** Null where the entry goes. */
  readonly endings = new Changes<Height, Ending | null>();
  /** Null for one that is gone. */
  readonly proposals = new Changes<Hash, ChainProposal | null>();
  readonly namespaces = new Changes<string, NamespaceRules>();
  readonly #below: Readable;
  #parameters: ChainParameters | undefined;
  #proposalNames: readonly ProposalName[] | undefined;

  constructor(below: Readable) {
    this.#below = below;
  }

  account(publicKey: PublicKey): Account {
    return this.accounts.get(publicKey) ?? this.#below.account(publicKey);
  }

  recordEntry(key: string): RecordEntry | Tombstone | undefined {
    return this.records.get(key) ?? this.#below.recordEntry(key);
  }

  namespaceRules(name: string): NamespaceRules | undefined {
    return this.namespaces.get(name) ?? this.#below.namespaceRules(name);
  }

  /** The record, unless it was deleted. */
  record(key: string): RecordEntry | undefined {
    const entry = this.recordEntry(key);
    return entry?.type === 'record' ? entry : undefined;
  }

  reservation(id: ReservationId): Reservation | undefined {
    const changed = this.reservations.get(nameOf(id));
    return changed === undefined ? this.#below.reservation(id) : (changed.reservation ?? undefined);
  }

  setReservation(id: ReservationId, reservation: Reservation | null): void {
    this.reservations.set(nameOf(id), { id, reservation });
  }

  ending(height: Height): Ending | undefined {
    const changed = this.endings.get(height);
    return changed === undefined ? this.#below.ending(height) : (changed ?? undefined);
  }

  get parameters(): ChainParameters {
    return this.#parameters ?? this.#below.parameters;
  }

  set parameters(parameters: ChainParameters) {
    this.#parameters = parameters;
  }

  get proposalNames(): readonly ProposalName[] {
    return this.#proposalNames ?? this.#below.proposalNames;
  }

  set proposalNames(names: readonly ProposalName[]) {
    this.#proposalNames = names;
  }

  proposal(id: Hash): ChainProposal | undefined {
    const own = this.proposals.get(id);
    return own === undefined ? this.#below.proposal(id) : (own ?? undefined);
  }

  credit(publicKey: PublicKey, amount: bigint): void {
    const account = this.account(publicKey);
    const balance = account.balance + amount;
    invariant(balance < 2n ** 64n, 'all coins together fit into 64 bits');
    this.accounts.set(publicKey, { ...account, balance });
  }

  /** False, and nothing changes, when the account has less. */
  debit(publicKey: PublicKey, amount: bigint): boolean {
    const account = this.account(publicKey);
    if (account.balance < amount) return false;
    this.accounts.set(publicKey, { ...account, balance: account.balance - amount });
    return true;
  }

  /** What differs of the chain's parameters, and of proposals to change them. */
  changesOfTheChain(): StateChange[] {
    const changes: StateChange[] = [];
    if (this.#parameters !== undefined) {
      changes.push({ key: parametersStateKey, value: encodeParameters(this.#parameters) });
    }
    if (this.#proposalNames !== undefined) {
      changes.push({ key: proposalsStateKey, value: encodeProposalNames(this.#proposalNames) });
    }
    for (const [id, proposal] of this.proposals) {
      // A proposal that was made and replaced in this block never had an entry.
      if (proposal === null && this.#below.proposal(id) === undefined) continue;
      changes.push({
        key: proposalStateKey(id),
        value: proposal === null ? null : encodeProposal(proposal),
      });
    }
    return changes;
  }

  /** Takes over the changes of a draft over this one. */
  apply(draft: Draft): void {
    this.accounts.takeOver(draft.accounts);
    this.records.takeOver(draft.records);
    this.reservations.takeOver(draft.reservations);
    this.endings.takeOver(draft.endings);
    this.proposals.takeOver(draft.proposals);
    this.namespaces.takeOver(draft.namespaces);
    this.#parameters = draft.#parameters ?? this.#parameters;
    this.#proposalNames = draft.#proposalNames ?? this.#proposalNames;
  }
}

const nameOf = ({ sender, nonce, operation }: ReservationId): string => `${sender}:${nonce}:${operation}`;
