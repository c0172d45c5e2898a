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
  for (const [publicKey, account] of draft.accounts) {
    const old = parent.account(publicKey);
    const { balance, held, nonce, keys } = account;
    if (balance === old.balance && held === old.held && nonce === old.nonce && keys === old.keys) continue;
    changes.push({ key: accountStateKey(publicKey), value: encodeAccount(account) });
  }
  // Whatever was done to a record made a new version of it.
  for (const [key, record] of draft.records) {
    changes.push({ key: recordStateKey(key), value: encodeRecord(record) });
  }
  for (const [name, rules] of draft.namespaces) {
    const [key, value] = [namespaceStateKey(name), encodeNamespaceRules(rules)];
    const old = parent.get(key);
    if (old === undefined || !equalBytes(old, value)) changes.push({ key, value });
  }
  for (const { id, reservation } of draft.reservations.values()) {
    changes.push({
      key: reservationStateKey(id),
      value: reservation === null ? null : encodeReservation(reservation),
    });
  }
  for (const [height, ending] of draft.endings) {
    changes.push({ key: endingStateKey(height), value: ending === null ? null : encodeEnding(ending) });
  }
  changes.push(...draft.changesOfTheChain());
  return changes;
}
