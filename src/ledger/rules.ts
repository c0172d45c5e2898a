import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from './block.ts';
import { approveChange, proposeChange } from './change-rules.ts';
import type { Condition } from './condition.ts';
import type { Draft } from './draft.ts';
import { fits } from './namespace.ts';
import type { OpenNamespace, SetNamespace } from './namespace-operation.ts';
import type { Operation, SetKeys } from './operation.ts';
import { proposalId } from './proposal.ts';
import type { FailureCode } from './failure-codes.ts';
import type { Effects, RecordEffect, Refusal } from './receipt.ts';
import { namespaceOf } from './record-key.ts';
import { refused, shortOf } from './refusal.ts';
import { reserve, settle } from './reservation-rules.ts';
import { type Place, type RecordEntry, recordIn, type Tombstone } from './state-entry.ts';
import type { Transaction } from './transaction.ts';

/** Why a condition does not hold; undefined when it does. */
export function checkCondition(
  draft: Draft,
  condition: Condition,
  { height, timestamp }: { readonly height: Height; readonly timestamp: number },
): Refusal | undefined {
  const code = `condition/${condition.type}` as const;
  switch (condition.type) {
    case 'record-version': {
      const found = versionOf(draft, condition.key);
      return found.version === condition.version ? undefined : { code, found };
    }
    case 'record-absent': {
      const found = versionOf(draft, condition.key);
      return found.version === 0 ? undefined : { code, found };
    }
    case 'record-exists': {
      const found = versionOf(draft, condition.key);
      return found.version > 0 ? undefined : { code, found };
    }
    case 'record-hash': {
      const hash = draft.recordHash(condition.key);
      if (hash === undefined) return { code, found: { type: 'version', version: 0 } };
      return hash === condition.hash ? undefined : { code, found: { type: 'hash', hash } };
    }
    case 'balance-at-least': {
      const { balance } = draft.account(condition.account);
      return balance >= condition.amount ? undefined : { code, found: { type: 'balance', balance } };
    }
    case 'height-at-most':
      return height <= condition.height ? undefined : { code, found: { type: 'height', height } };
    case 'time-at-most':
      return timestamp <= condition.time ? undefined : { code, found: { type: 'time', time: timestamp } };
  }
}

/** What operations are judged by, besides the state and their transaction. */
interface BlockTerms {
  /** The validators in force, as the block's header names them. */
  readonly validatorsHash: Hash;
}

/** Most operations are this one. */
export function transfer(
  draft: Draft,
  sender: PublicKey,
  { to, amount }: Extract<Operation, { readonly type: 'transfer' }>,
): Refusal | undefined {
  if (!draft.accounts.debit(sender, amount)) return shortOf(draft, sender);
  draft.accounts.credit(to, amount);
  return undefined;
}

/** Does what any other asks; or changes nothing and says why. What it did is added to `effects`. */
export function perform(
  draft: Draft,
  transaction: Pick<Transaction, 'sender' | 'nonce' | 'signers' | 'hash'>,
  operation: Exclude<Operation, { readonly type: 'transfer' }>,
  place: Place,
  effects: Effects,
  { validatorsHash }: BlockTerms,
): Refusal | undefined {
  const { sender, signers } = transaction;
  switch (operation.type) {
    case 'put': {
      const before = draft.recordEntry(operation.key);
      const old = recordIn(before);
      const code = mayNotWrite(draft, sender, operation, old);
      if (code !== undefined) return refused(code);
      // In a namespace with several writers, a record keeps its owner.
      const next = { owner: old?.owner ?? sender, value: operation.value };
      change(draft, { key: operation.key, before, changed: place }, effects.records, next);
      return undefined;
    }
    case 'delete':
    case 'give': {
      const before = draft.recordEntry(operation.key);
      const old = recordIn(before);
      const code = mayNotWrite(draft, sender, operation, old);
      if (code !== undefined) return refused(code);
      if (old === undefined) return refused('transaction/no-such-record');
      const next = operation.type === 'delete' ? undefined : { owner: operation.to, value: old.value };
      change(draft, { key: operation.key, before, changed: place }, effects.records, next);
      return undefined;
    }
    case 'open-namespace':
      return openNamespace(draft, sender, operation);
    case 'set-namespace':
      return setNamespace(draft, sender, operation);
    case 'set-keys':
      return setKeys(draft, sender, signers, operation);
    case 'reserve':
      return reserve(draft, transaction, operation, place);
    case 'post':
    case 'void':
      return settle(draft, sender, operation, place);
    case 'propose-change':
    case 'approve-change': {
      const terms = { sender, height: place.height, validatorsHash, operation: place.operation };
      const effect =
        operation.type === 'propose-change'
          ? proposeChange(draft, proposalId(transaction.hash, place.operation), operation, terms)
          : approveChange(draft, operation, terms);
      if (typeof effect === 'string') return refused(effect);
      effects.changes.push(effect);
      return undefined;
    }
  }
}

/**
 * Why the sender may not do this under a key that holds this record, or none. Whether there has to be one is
 * another rule.
 */
function mayNotWrite(
  draft: Draft,
  sender: PublicKey,
  { key }: { readonly key: string },
  old: RecordEntry | undefined,
): FailureCode | undefined {
  const name = namespaceOf(key);
  const namespace = name === undefined ? undefined : draft.namespaceRules(name);
  if (name !== undefined && namespace === undefined) return 'transaction/no-such-namespace';
  if (namespace === undefined || namespace.mode === 'open') {
    return old !== undefined && old.owner !== sender ? 'transaction/not-owner' : undefined;
  }
  if (!namespace.writers.includes(sender)) return 'transaction/not-writer';
  return old !== undefined && namespace.mode === 'append-only' ? 'transaction/append-only' : undefined;
}

function openNamespace(
  draft: Draft,
  sender: PublicKey,
  { name, mode, writers }: OpenNamespace,
): Refusal | undefined {
  if (draft.namespaceRules(name) !== undefined) return refused('transaction/namespace-taken');
  draft.namespaces.set(name, { owner: sender, mode, writers });
  return undefined;
}

function setNamespace(draft: Draft, sender: PublicKey, change: SetNamespace): Refusal | undefined {
  const old = draft.namespaceRules(change.name);
  if (old === undefined) return refused('transaction/no-such-namespace');
  if (old.owner !== sender) return refused('transaction/not-namespace-owner');
  const { owner = old.owner, mode = old.mode } = change;
  if (old.mode === 'append-only' && mode !== 'append-only') return refused('transaction/append-only');
  const writers = change.writers ?? (mode === 'open' ? [] : old.writers);
  if (!fits({ mode, writers })) return refused('transaction/namespace-writers');
  draft.namespaces.set(change.name, { owner, mode, writers });
  return undefined;
}

/** A new version of a record; without `next` it is deleted. */
function change(
  draft: Draft,
  {
    key,
    before,
    changed,
  }: { readonly key: string; readonly before: RecordEntry | Tombstone | undefined; readonly changed: Place },
  effects: RecordEffect[],
  next: { readonly owner: PublicKey; readonly value: Uint8Array } | undefined,
): void {
  const version = (before?.version ?? 0) + 1;
  const previous = before?.changed;
  draft.records.set(
    key,
    next === undefined
      ? { type: 'tombstone', version, changed, previous }
      : { type: 'record', version, changed, previous, owner: next.owner, value: next.value },
  );
  effects.push({ operation: changed.operation, version, previous });
}

function setKeys(
  draft: Draft,
  sender: PublicKey,
  signers: readonly PublicKey[],
  { keys, threshold, force }: SetKeys,
): Refusal | undefined {
  const proven = keys.filter((key) => signers.includes(key)).length;
  if (proven < threshold && !force) return refused('transaction/unproven-keys');
  const isOwnKeyAlone = keys.length === 1 && keys[0] === sender;
  draft.accounts.setKeys(sender, isOwnKeyAlone ? undefined : { keys, threshold });
  return undefined;
}

/** 0 where there is no record, or it was deleted. */
function versionOf(draft: Draft, key: string): { readonly type: 'version'; readonly version: number } {
  return { type: 'version', version: draft.recordVersion(key) };
}
