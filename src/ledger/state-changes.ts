import { equalBytes } from '../base/bytes.ts';
import type { Draft } from './draft.ts';
import { encodeNamespaceRules } from './namespace.ts';
import { encodeEnding, encodeReservation, endingStateKey, reservationStateKey } from './reservation.ts';
import type { State } from './state.ts';
import {
  accountStateKey,
  encodeAccount,
  encodeRecord,
  namespaceStateKey,
  recordStateKey,
  type StateChange,
} from './state-entry.ts';

/** What a block changed: each key once, and nothing that is as it was in the parent's state. */
export function changesOf(draft: Draft, parent: State): StateChange[] {
  const changes: StateChange[] = [];
  for (const { key: publicKey, value: account } of draft.accounts.all) {
    const old = parent.account(publicKey);
    const { balance, held, nonce, keys } = account;
    if (balance === old.balance && held === old.held && nonce === old.nonce && keys === old.keys) continue;
    changes.push({ key: accountStateKey(publicKey), value: encodeAccount(account) });
  }
  // Whatever was done to a record made a new version of it.
  for (const { key, value: record } of draft.records.all) {
    changes.push({ key: recordStateKey(key), value: encodeRecord(record) });
  }
  for (const { key: name, value: rules } of draft.namespaces.all) {
    const [key, value] = [namespaceStateKey(name), encodeNamespaceRules(rules)];
    const old = parent.get(key);
    if (old === undefined || !equalBytes(old, value)) changes.push({ key, value });
  }
  for (const { value } of draft.reservations.all) {
    const { id, reservation } = value;
    changes.push({
      key: reservationStateKey(id),
      value: reservation === null ? null : encodeReservation(reservation),
    });
  }
  for (const { key: height, value: ending } of draft.endings.all) {
    changes.push({ key: endingStateKey(height), value: ending === null ? null : encodeEnding(ending) });
  }
  changes.push(...draft.changesOfTheChain());
  return changes;
}
