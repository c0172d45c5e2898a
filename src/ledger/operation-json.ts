import { toHex } from '../base/bytes.ts';
import { encodeAddress } from '../crypto/address.ts';
import { chainChangeJson } from './chain-change.ts';
import type { Operation } from './operation.ts';
import { reservationText } from './reservation-id.ts';

/** An operation as the API shows it. */
export function operationJson(operation: Operation) {
  switch (operation.type) {
    case 'transfer': {
      const { type, to, amount, memo } = operation;
      return { type, to: encodeAddress(to), amount: `${amount}`, memo };
    }
    case 'put':
      return { type: operation.type, key: operation.key, value: toHex(operation.value) };
    case 'delete':
      return { type: operation.type, key: operation.key };
    case 'give':
      return { type: operation.type, key: operation.key, to: encodeAddress(operation.to) };
    case 'reserve': {
      const { type, to, amount, expiryHeight, memo } = operation;
      return { type, to: encodeAddress(to), amount: `${amount}`, expiryHeight, memo };
    }
    case 'post': {
      const { type, reservation, amount } = operation;
      return { type, reservation: reservationText(reservation), amount: `${amount}` };
    }
    case 'void':
      return { type: operation.type, reservation: reservationText(operation.reservation) };
    case 'open-namespace': {
      const { type, name, mode, writers } = operation;
      return { type, name, mode, writers: writers.map(encodeAddress) };
    }
    case 'set-namespace': {
      const { type, name, owner, mode, writers } = operation;
      return {
        type,
        name,
        owner: owner === undefined ? null : encodeAddress(owner),
        mode: mode ?? null,
        writers: writers?.map(encodeAddress) ?? null,
      };
    }
    case 'propose-change': {
      const { type, change, expiryHeight, validatorsHash, members, replaces } = operation;
      return {
        type,
        change: chainChangeJson(change),
        expiryHeight,
        validatorsHash,
        members: toHex(members),
        replaces,
      };
    }
    case 'approve-change':
      return operation;
    case 'set-keys': {
      const { type, keys, threshold, force } = operation;
      return { type, keys: keys.map(encodeAddress), threshold, force };
    }
  }
}
