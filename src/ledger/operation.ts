import { toHex } from '../base/bytes.ts';
import {
  bool,
  boundedBytes,
  boundedText,
  type Codec,
  listOf,
  refine,
  struct,
  u64,
  u8,
  union,
} from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { encodeAddress } from '../crypto/address.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { recordKeyCodec } from './record-key.ts';

/** Moves coins from the sender to another account. */
interface Transfer {
  readonly type: 'transfer';
  readonly to: PublicKey;
  /** In the smallest unit; at least 1. */
  readonly amount: bigint;
  readonly memo: string;
}

/** Writes a record. The first writer of a key owns it, and only the owner may write, delete or give it. */
interface Put {
  readonly type: 'put';
  readonly key: string;
  readonly value: Uint8Array;
}

/** Removes a record of the sender's. What it was stays in the history of its key. */
interface Delete {
  readonly type: 'delete';
  readonly key: string;
}

/** Makes somebody else the owner of a record of the sender's. */
interface Give {
  readonly type: 'give';
  readonly key: string;
  readonly to: PublicKey;
}

/**
 * Says which keys sign for the sender from the next block on: `threshold` of `keys`. The account keeps its
 * address. As many of the new keys as the threshold asks for must have signed this transaction too, so that
 * nobody is locked out by a key that nobody holds; `force` leaves that out.
 */
export interface SetKeys {
  readonly type: 'set-keys';
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
  readonly force: boolean;
}

/** One of the things that a transaction does, in their order: all of them happen, or none. */
export type Operation = Transfer | Put | Delete | Give | SetKeys;

/**
 * Which keys speak for an account, and how many of them it takes: 1 to
 * `limits.maxSigners` in ascending order.
 */
export interface KeySet {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

const amountCodec = refine(u64, (amount) => {
  if (amount < 1n) throw new Error('amount is zero');
  return amount;
});

/** Keys in ascending order, each once: one encoding for each set. */
export const sortedKeysCodec: Codec<readonly PublicKey[]> = refine(
  listOf(publicKeyCodec, limits.maxSigners),
  (keys) => {
    const unsorted = keys.findIndex((key, index) => index > 0 && key <= (keys[index - 1] as PublicKey));
    if (unsorted >= 0) throw new Error(`key ${unsorted} does not stand behind the one before it`);
    return keys;
  },
);

export const checkKeySet = <T extends KeySet>(set: T): T => {
  if (set.threshold < 1 || set.threshold > set.keys.length) {
    throw new Error(`${set.threshold} of ${set.keys.length} keys cannot sign`);
  }
  return set;
};

export const operationCodec: Codec<Operation> = union<Operation, 'type'>('type', {
  transfer: [
    1,
    struct<Omit<Transfer, 'type'>>({
      to: publicKeyCodec,
      amount: amountCodec,
      memo: boundedText(limits.maxMemoBytes),
    }),
  ],
  put: [
    2,
    struct<Omit<Put, 'type'>>({ key: recordKeyCodec, value: boundedBytes(limits.maxRecordValueBytes) }),
  ],
  delete: [3, struct<Omit<Delete, 'type'>>({ key: recordKeyCodec })],
  give: [4, struct<Omit<Give, 'type'>>({ key: recordKeyCodec, to: publicKeyCodec })],
  'set-keys': [
    10,
    refine(struct<Omit<SetKeys, 'type'>>({ keys: sortedKeysCodec, threshold: u8, force: bool }), checkKeySet),
  ],
});

/** The keys that an operation names. */
export function keysNamedIn(operation: Operation): readonly PublicKey[] {
  switch (operation.type) {
    case 'transfer':
    case 'give':
      return [operation.to];
    case 'set-keys':
      return operation.keys;
    case 'put':
    case 'delete':
      return [];
  }
}

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
    case 'set-keys': {
      const { type, keys, threshold, force } = operation;
      return { type, keys: keys.map(encodeAddress), threshold, force };
    }
  }
}
