import { type Hash, sha256Hex } from '../crypto/hash.ts';
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
import { DraftAccounts } from './draft-accounts.ts';
import { type Account, type RecordEntry, recordIn, type StateChange, type Tombstone } from './state-entry.ts';
import type { State } from './state.ts';

/** What becomes of a reservation's entry; null when it goes. */
interface ReservationChange {
  readonly id: ReservationId;
  readonly reservation: Reservation | null;
}

const nothing: readonly never[] = [];

/** What becomes of one entry. */
interface Change<K, V> {
  readonly key: K;
  value: V;
  /** The trial that changed it last, and what it was before that; undefined where it was not changed yet. */
  trial: number;
  before: V | undefined;
}

/**
 * What becomes of entries of one kind, in the order in which they were first changed. Memory is taken when
 * the first is: most blocks change accounts (`DraftAccounts`) and nothing else.
 */
class Changes<K, V extends object | null> {
  #map: Map<K, Change<K, V>> | undefined;
  #trial = 0;
  /** Changed since the trial began, in the order in which they first were. */
  readonly #tried: Change<K, V>[] = [];

  get(key: K): V | undefined {
    return this.#map?.get(key)?.value;
  }

  set(key: K, value: V): void {
    this.#map ??= new Map();
    const change = this.#map.get(key);
    if (change === undefined) {
      const first = { key, value, trial: this.#trial, before: undefined };
      this.#map.set(key, first);
      this.#tried.push(first);
      return;
    }
    if (change.trial !== this.#trial) {
      change.trial = this.#trial;
      change.before = change.value;
      this.#tried.push(change);
    }
    change.value = value;
  }

  begin(): void {
    this.#trial += 1;
    if (this.#tried.length > 0) this.#tried.length = 0;
  }

  /** All is as it was when the trial began. */
  undo(): void {
    for (const change of this.#tried) {
      if (change.before === undefined) this.#map?.delete(change.key);
      else change.value = change.before;
    }
    this.begin();
  }

  get all(): Iterable<Readonly<Change<K, V>>> {
    return this.#map?.values() ?? nothing;
  }
}

/**
 * What a block changes of its parent's state. What a transaction does is tried: it stays, or is undone.
 */
export class Draft {
  readonly accounts: DraftAccounts;
  readonly records = new Changes<string, RecordEntry | Tombstone>();
  /** By the id as a text; see `setReservation`. */
  readonly reservations = new Changes<string, ReservationChange>();
  /** Null where the entry goes. */
  readonly endings = new Changes<Height, Ending | null>();
  /** Null for one that is gone. */
  readonly proposals = new Changes<Hash, ChainProposal | null>();
  readonly namespaces = new Changes<string, NamespaceRules>();
  readonly #kinds = [this.records, this.reservations, this.endings, this.proposals, this.namespaces];
  readonly #below: State;
  /**
   * What conditions asked of records, and what is proposed, as the parent's state has it: conditions are
   * free, and each validator may have a large proposal, so each is read once, however often a block asks.
   */
  readonly #versionsBelow = new Map<string, number>();
  readonly #hashes = new Map<
    string,
    { readonly of: RecordEntry | Tombstone | undefined; readonly hash: Hash }
  >();
  readonly #proposalsBelow = new Map<Hash, ChainProposal | undefined>();
  #proposalNamesBelow: readonly ProposalName[] | undefined;
  #parameters: ChainParameters | undefined;
  #proposalNames: readonly ProposalName[] | undefined;
  /** Both as they were when the trial began. */
  #parametersBefore: ChainParameters | undefined;
  #proposalNamesBefore: readonly ProposalName[] | undefined;

  constructor(below: State) {
    this.#below = below;
    this.accounts = new DraftAccounts(below);
  }

  /** What an account has by now: good until it is changed. */
  account(publicKey: PublicKey): Account {
    return this.accounts.get(publicKey);
  }

  recordEntry(key: string): RecordEntry | Tombstone | undefined {
    return this.records.get(key) ?? this.#below.recordEntry(key);
  }

  namespaceRules(name: string): NamespaceRules | undefined {
    return this.namespaces.get(name) ?? this.#below.namespaceRules(name);
  }

  /** The record, unless it was deleted. */
  record(key: string): RecordEntry | undefined {
    return recordIn(this.recordEntry(key));
  }

  /** The version of a record; 0 where there is none, or it was deleted. */
  recordVersion(key: string): number {
    const changed = this.records.get(key);
    if (changed !== undefined) return recordIn(changed)?.version ?? 0;
    let version = this.#versionsBelow.get(key);
    if (version === undefined) {
      version = this.#below.recordVersion(key);
      this.#versionsBelow.set(key, version);
    }
    return version;
  }

  /** The SHA-256 of a record's value; undefined where there is none. */
  recordHash(key: string): Hash | undefined {
    const changed = this.records.get(key);
    const known = this.#hashes.get(key);
    if (known !== undefined && known.of === changed) return known.hash;
    const record = this.record(key);
    if (record === undefined) return undefined;
    const hash = sha256Hex(record.value);
    this.#hashes.set(key, { of: changed, hash });
    return hash;
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
    return this.#proposalNames ?? (this.#proposalNamesBelow ??= this.#below.proposalNames);
  }

  set proposalNames(names: readonly ProposalName[]) {
    this.#proposalNames = names;
  }

  proposal(id: Hash): ChainProposal | undefined {
    const own = this.proposals.get(id);
    return own === undefined ? this.#proposalBelow(id) : (own ?? undefined);
  }

  #proposalBelow(id: Hash): ChainProposal | undefined {
    if (!this.#proposalsBelow.has(id)) this.#proposalsBelow.set(id, this.#below.proposal(id));
    return this.#proposalsBelow.get(id);
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
    for (const { key: id, value: proposal } of this.proposals.all) {
      // A proposal that was made and replaced in this block never had an entry.
      if (proposal === null && this.#proposalBelow(id) === undefined) continue;
      changes.push({
        key: proposalStateKey(id),
        value: proposal === null ? null : encodeProposal(proposal),
      });
    }
    return changes;
  }

  /** Whatever is changed from here on stays, or is forgotten by `undo`. */
  begin(): void {
    this.accounts.begin();
    for (let kind = 0; kind < this.#kinds.length; kind++) this.#kinds[kind]?.begin();
    this.#parametersBefore = this.#parameters;
    this.#proposalNamesBefore = this.#proposalNames;
  }

  /** All is as it was when the trial began. */
  undo(): void {
    this.accounts.undo();
    for (const changes of this.#kinds) changes.undo();
    this.#parameters = this.#parametersBefore;
    this.#proposalNames = this.#proposalNamesBefore;
  }
}

const nameOf = ({ sender, nonce, operation }: ReservationId): string => `${sender}:${nonce}:${operation}`;
