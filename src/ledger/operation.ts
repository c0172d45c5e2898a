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
  withShortcut,
} from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { hashCodec, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { type ChainChange, chainChangeCodec } from './chain-change.ts';
import {
  type OpenNamespace,
  openNamespaceCodec,
  type SetNamespace,
  setNamespaceCodec,
} from './namespace-operation.ts';
import { recordKeyCodec } from './record-key.ts';
import { type ReservationId, reservationIdCodec } from './reservation-id.ts';

/** Moves coins from the sender to another account. */
interface Transfer {
  readonly type: 'transfer';
  readonly to: PublicKey;
  /** In the smallest unit; at least 1. */
  readonly amount: bigint;
  readonly memo: string;
}

/**
 * Writes a record. The first writer of a key owns it, and only the owner may write, delete or give it, unless
 * its namespace says otherwise (`NamespaceMode`).
 */
interface Put {
  readonly type: 'put';
  readonly key: string;
  readonly value: Uint8Array;
}

/** Removes a record that the sender may write. What it was stays in the history of its key. */
interface Delete {
  readonly type: 'delete';
  readonly key: string;
}

/** Makes somebody else the owner of a record that the sender may write. */
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

/**
 * Sets an amount of the sender's aside for a recipient, who can take it until a height, that one included.
 * Until then the sender can neither spend it nor take it back; what nobody took is the sender's again in the
 * block after it. The reservation's id is the place of this operation (`ReservationId`).
 */
interface Reserve {
  readonly type: 'reserve';
  readonly to: PublicKey;
  /** In the smallest unit; at least 1. */
  readonly amount: bigint;
  /** From the height of its block to `limits.maxReservationAhead` above it. */
  readonly expiryHeight: Height;
  readonly memo: string;
}

/** Takes what was reserved for the sender, or a part of it: the rest goes back to whoever reserved it. */
interface Post {
  readonly type: 'post';
  readonly reservation: ReservationId;
  /** In the smallest unit; at least 1. */
  readonly amount: bigint;
}

/** Lets go of what was reserved for the sender: it goes back to whoever reserved it. */
interface Void {
  readonly type: 'void';
  readonly reservation: ReservationId;
}

/**
 * A validator proposes a change of the chain, and is the first to approve it. It is decided when a quorum of
 * the set that it was made for has approved it.
 */
export interface ProposeChange {
  readonly type: 'propose-change';
  readonly change: ChainChange;
  /** The last height at which it can be approved. */
  readonly expiryHeight: Height;
  /** The set in force, as headers name it: under another one the proposal means nothing. */
  readonly validatorsHash: Hash;
  /**
   * Raft: the members that this hash is of, encoded (`encodeConfiguration`), because the state
   * does not hold them. Empty in PBFT.
   */
  readonly members: Uint8Array;
  /** Takes the place of the sender's open proposal, if there is one. Without it that is refused. */
  readonly replaces: boolean;
}

/** A validator approves a proposed change, once. */
export interface ApproveChange {
  readonly type: 'approve-change';
  /** Its `proposalId`. */
  readonly proposal: Hash;
}

/** One of the things that a transaction does, in their order: all of them happen, or none. */
export type Operation =
  | Transfer
  | Put
  | Delete
  | Give
  | OpenNamespace
  | SetNamespace
  | Reserve
  | Post
  | Void
  | SetKeys
  | ProposeChange
  | ApproveChange;

/**
 * Which keys speak for an account, and how many of them it takes: 1 to
 * `limits.maxSigners` in ascending order.
 */
export interface KeySet {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

/** At least 1: to move nothing is a mistake, and has a code of its own. */
export const amountCodec: Codec<bigint> = refine(u64, 'at least 1', (amount) => {
  if (amount === 0n) {
    throw new Problem('transaction/zero-amount', 'an amount of the transaction is zero', {
      remedy: 'Give at least 1, in the smallest unit, or leave the operation out.',
    });
  }
  return amount;
});

const memoCodec = boundedText(limits.maxMemoBytes);
const recordValueCodec = boundedBytes(limits.maxRecordValueBytes);

/** Keys in ascending order, each once: one encoding for each set. */
export const sortedKeysCodec: Codec<readonly PublicKey[]> = refine(
  listOf(publicKeyCodec, limits.maxSigners),
  'ascending, each once',
  (keys) => {
    const unsorted = keys.findIndex((key, index) => index > 0 && key <= (keys[index - 1] as PublicKey));
    if (unsorted >= 0) throw new Error(`key ${unsorted} does not stand behind the one before it`);
    return keys;
  },
);

export const keySetRule = '1 <= threshold <= number of keys';
export const checkKeySet = <T extends KeySet>(set: T): T => {
  if (set.threshold < 1 || set.threshold > set.keys.length) {
    throw new Error(`${set.threshold} of ${set.keys.length} keys cannot sign`);
  }
  return set;
};

const tags = { transfer: 1, put: 2 } as const;

const anyOperationCodec: Codec<Operation> = union<Operation, 'type'>('type', {
  transfer: [
    tags.transfer,
    struct<Omit<Transfer, 'type'>>({
      to: publicKeyCodec,
      amount: amountCodec,
      memo: memoCodec,
    }),
  ],
  put: [tags.put, struct<Omit<Put, 'type'>>({ key: recordKeyCodec, value: recordValueCodec })],
  delete: [3, struct<Omit<Delete, 'type'>>({ key: recordKeyCodec })],
  give: [4, struct<Omit<Give, 'type'>>({ key: recordKeyCodec, to: publicKeyCodec })],
  'open-namespace': [5, openNamespaceCodec],
  'set-namespace': [6, setNamespaceCodec],
  reserve: [
    7,
    struct<Omit<Reserve, 'type'>>({
      to: publicKeyCodec,
      amount: amountCodec,
      expiryHeight: heightCodec,
      memo: memoCodec,
    }),
  ],
  post: [8, struct<Omit<Post, 'type'>>({ reservation: reservationIdCodec, amount: amountCodec })],
  void: [9, struct<Omit<Void, 'type'>>({ reservation: reservationIdCodec })],
  'set-keys': [
    10,
    refine(
      struct<Omit<SetKeys, 'type'>>({ keys: sortedKeysCodec, threshold: u8, force: bool }),
      keySetRule,
      checkKeySet,
    ),
  ],
  'propose-change': [
    11,
    struct<Omit<ProposeChange, 'type'>>({
      change: chainChangeCodec,
      expiryHeight: heightCodec,
      validatorsHash: hashCodec,
      members: boundedBytes(limits.raftConfigurationBytes, 'configuration'),
      replaces: bool,
    }),
  ],
  'approve-change': [12, struct<Omit<ApproveChange, 'type'>>({ proposal: hashCodec })],
});

/** Most are transfers and puts. */
export const operationCodec: Codec<Operation> = withShortcut(anyOperationCodec, (reader) => {
  const tag = reader.u8();
  if (tag === tags.transfer) {
    const to = publicKeyCodec.read(reader);
    const amount = amountCodec.read(reader);
    return { type: 'transfer', to, amount, memo: memoCodec.read(reader) };
  }
  if (tag === tags.put) {
    const key = recordKeyCodec.read(reader);
    return { type: 'put', key, value: recordValueCodec.read(reader) };
  }
  return undefined;
});

/** The keys that an operation names. */
export function keysNamedIn(operation: Operation): readonly PublicKey[] {
  switch (operation.type) {
    case 'transfer':
    case 'give':
    case 'reserve':
      return [operation.to];
    case 'set-keys':
      return operation.keys;
    case 'post':
    case 'void':
      return [operation.reservation.sender];
    case 'propose-change':
      return operation.change.type === 'validators' ? operation.change.validators : [];
    case 'open-namespace':
      return operation.writers;
    case 'set-namespace': {
      const { owner, writers = [] } = operation;
      return owner === undefined ? writers : [owner, ...writers];
    }
    case 'put':
    case 'delete':
    case 'approve-change':
      return [];
  }
}

/** What makes a version of a record, when it is done. */
export type RecordOperation = Extract<Operation, { readonly type: 'put' | 'delete' | 'give' }>;

export function isRecordOperation(operation: Operation): operation is RecordOperation {
  const { type } = operation;
  return type === 'put' || type === 'delete' || type === 'give';
}
