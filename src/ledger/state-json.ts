import { toHex } from '../base/bytes.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { ProvenVersion } from './history-proof.ts';
import type { NamespaceEntry } from './namespace-entry.ts';
import type { RecordOperation } from './operation.ts';
import type { Reservation } from './reservation.ts';
import { type ReservationId, reservationText } from './reservation-id.ts';
import type { Account, RecordEntry } from './state-entry.ts';

/** What stands in the state, as JSON: what the API answers, and what is shown of a proof. */
export function accountItemJson(publicKey: PublicKey, { balance, held, nonce, keys }: Account) {
  return {
    address: encodeAddress(publicKey),
    publicKey,
    balance: `${balance}`,
    held: `${held}`,
    nonce,
    keys: keys === undefined ? null : { ...keys, keys: keys.keys.map(encodeAddress) },
  };
}

export function recordItemJson(
  key: string,
  { owner, value, version, changed, previous }: Omit<RecordEntry, 'type'>,
) {
  return {
    key,
    owner: encodeAddress(owner),
    value: toHex(value),
    version,
    changed,
    previous: previous ?? null,
  };
}

/** A version of a record, and what made it. */
export interface VersionView extends Omit<ProvenVersion, 'operation'> {
  readonly change: RecordOperation['type'];
  /** What was written; null for the others. */
  readonly value: Uint8Array | null;
  /** Whom it was given to; null for the others. */
  readonly to: PublicKey | null;
}

export function versionView({ operation, ...version }: ProvenVersion): VersionView {
  return {
    ...version,
    change: operation.type,
    value: operation.type === 'put' ? operation.value : null,
    to: operation.type === 'give' ? operation.to : null,
  };
}

export function recordVersionJson(view: VersionView) {
  const { by, value, to } = view;
  return {
    ...view,
    by: encodeAddress(by),
    value: value && toHex(value),
    to: to && encodeAddress(to),
  };
}

export function reservationItemJson(
  id: ReservationId,
  { recipient, amount, expiryHeight, made, fate }: Reservation,
) {
  return {
    reservation: reservationText(id),
    sender: encodeAddress(id.sender),
    recipient: encodeAddress(recipient),
    amount: `${amount}`,
    expiryHeight,
    made,
    status: fate.type,
    taken: fate.type === 'posted' ? `${fate.taken}` : '0',
    settled: 'at' in fate ? fate.at : null,
  };
}

export function namespaceItemJson(name: string, { owner, mode, writers, entries, root }: NamespaceEntry) {
  return {
    name,
    owner: encodeAddress(owner),
    mode,
    writers: writers.map(encodeAddress),
    entries,
    root: toHex(root) as Hash,
  };
}
