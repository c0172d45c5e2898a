import { toHex } from '../base/bytes.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { ProvenVersion } from './history-proof.ts';
import type { NamespaceEntry } from './namespace-entry.ts';
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

export function recordVersionJson({
  version,
  made,
  timestamp,
  transactionHash,
  by,
  operation,
}: ProvenVersion) {
  return {
    version,
    made,
    timestamp,
    transactionHash,
    by: encodeAddress(by),
    change: operation.type,
    value: operation.type === 'put' ? toHex(operation.value) : null,
    to: operation.type === 'give' ? encodeAddress(operation.to) : null,
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
