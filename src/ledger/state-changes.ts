import { equalBytes } from '../base/bytes.ts';
import { writing } from '../base/codec.ts';
import { publicKeyCodec } from '../crypto/signature.ts';
import type { Draft } from './draft.ts';
import type { DraftAccount } from './draft-accounts.ts';
import { encodeNamespaceRules } from './namespace.ts';
import { encodeEnding, encodeReservation, endingStateKey, reservationStateKey } from './reservation.ts';
import type { State } from './state.ts';
import {
  accountCodec,
  accountKeyBytes,
  accountKind,
  encodeRecord,
  isNoAccount,
  namespaceStateKey,
  recordStateKey,
  type StateChange,
} from './state-entry.ts';

/** What a block changed: each key once, and nothing that is as it was in the parent's state. */
export function changesOf(draft: Draft, parent: State): StateChange[] {
  const changes = accountChanges(draft.accounts.changed);
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

/** Keys and values of a block's accounts stand in one piece of memory: there are two for each transfer. */
function accountChanges(accounts: readonly DraftAccount[]): StateChange[] {
  const changed = accounts.filter(({ before, now }) => {
    const { balance, held, nonce, keys } = now;
    return (
      balance !== before.balance || held !== before.held || nonce !== before.nonce || keys !== before.keys
    );
  });
  const ends = new Uint32Array(changed.length);
  const bytes = writing((writer) => {
    for (let index = 0; index < changed.length; index++) {
      const { publicKey, now } = changed[index] as DraftAccount;
      writer.u8(accountKind);
      publicKeyCodec.write(writer, publicKey);
      if (!isNoAccount(now)) accountCodec.write(writer, now);
      ends[index] = writer.length;
    }
    return writer.taken();
  });
  return changed.map((_, index) => {
    const start = index === 0 ? 0 : (ends[index - 1] as number);
    const [middle, end] = [start + accountKeyBytes, ends[index] as number];
    return {
      key: bytes.subarray(start, middle),
      value: middle === end ? null : bytes.subarray(middle, end),
    };
  });
}
