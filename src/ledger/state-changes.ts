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
  type StateChanges,
} from './state-entry.ts';

/** What a block changed: each key once, and nothing that is as it was in the parent's state. */
export function changesOf(draft: Draft, parent: State): StateChanges {
  return new BlockChanges(draft.accounts.changed, otherChanges(draft, parent));
}

/** Of all that is no account. */
function otherChanges(draft: Draft, parent: State): StateChange[] {
  const changes: StateChange[] = [];
  // Whatever was done to a record made a new version of it.
  for (const { key, value: record } of draft.records.all) {
    changes.push({ key: recordStateKey(key), value: encodeRecord(record) });
  }
  for (const { key: name, value: rules } of draft.namespaces.all) {
    const key = namespaceStateKey(name);
    const value = encodeNamespaceRules(rules);
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

/**
 * Keys and values of the accounts stand in one piece of memory, and each is made for whoever asks: there are
 * two for each transfer, until the block is stored, and so many objects that live for some blocks cost more
 * than making them twice.
 */
class BlockChanges implements StateChanges {
  readonly length: number;
  readonly #bytes: Uint8Array;
  /** Where each account ends, and the next begins. */
  readonly #ends: Uint32Array;
  readonly #others: readonly StateChange[];

  constructor(accounts: readonly DraftAccount[], others: readonly StateChange[]) {
    const changed = accounts.filter(isChanged);
    this.length = changed.length + others.length;
    this.#ends = new Uint32Array(changed.length);
    this.#bytes = writing((writer) => {
      for (let index = 0; index < changed.length; index++) {
        const { publicKey, now } = changed[index] as DraftAccount;
        writer.u8(accountKind);
        publicKeyCodec.write(writer, publicKey);
        if (!isNoAccount(now)) accountCodec.write(writer, now);
        this.#ends[index] = writer.length;
      }
      return writer.taken();
    });
    this.#others = others;
  }

  at(index: number): StateChange | undefined {
    const end = this.#ends[index];
    if (end === undefined) return this.#others[index - this.#ends.length];
    const start = index === 0 ? 0 : (this.#ends[index - 1] as number);
    const middle = start + accountKeyBytes;
    return {
      key: this.#bytes.subarray(start, middle),
      value: middle === end ? null : this.#bytes.subarray(middle, end),
    };
  }
}

function isChanged({ before, now }: DraftAccount): boolean {
  const { balance, held, nonce, keys } = now;
  return balance !== before.balance || held !== before.held || nonce !== before.nonce || keys !== before.keys;
}
