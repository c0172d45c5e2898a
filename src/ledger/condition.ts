import { type Codec, refine, struct, u48, u64, union } from '../base/codec.ts';
import { encodeAddress } from '../crypto/address.ts';
import { hashCodec, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { recordKeyCodec } from './record-key.ts';

/**
 * What must hold before a transaction's first operation; otherwise none of them is done. So an application
 * can read, decide and write without a lock (compare and set).
 */
export type Condition =
  /** The record is there in this version. */
  | { readonly type: 'record-version'; readonly key: string; readonly version: number }
  | { readonly type: 'record-absent'; readonly key: string }
  | { readonly type: 'record-exists'; readonly key: string }
  /** The record is there, and this is the SHA-256 of its value. */
  | { readonly type: 'record-hash'; readonly key: string; readonly hash: Hash }
  /** The account has at least this much, in the smallest unit. The sender's is looked at after its fee. */
  | { readonly type: 'balance-at-least'; readonly account: PublicKey; readonly amount: bigint }
  /** The block that the transaction stands in is at this height or below. */
  | { readonly type: 'height-at-most'; readonly height: Height }
  /** The timestamp of that block, in ms since 1970, is at this time or before. From protocol version 2 on. */
  | { readonly type: 'time-at-most'; readonly time: number };

type Fields<Type extends Condition['type']> = Omit<Extract<Condition, { readonly type: Type }>, 'type'>;

const versionCodec = refine(u48, 'at least 1', (version) => {
  if (version < 1) throw new Error('versions start at 1');
  return version;
});

export const conditionCodec: Codec<Condition> = union<Condition, 'type'>('type', {
  'record-version': [1, struct<Fields<'record-version'>>({ key: recordKeyCodec, version: versionCodec })],
  'record-absent': [2, struct<Fields<'record-absent'>>({ key: recordKeyCodec })],
  'record-exists': [3, struct<Fields<'record-exists'>>({ key: recordKeyCodec })],
  'record-hash': [4, struct<Fields<'record-hash'>>({ key: recordKeyCodec, hash: hashCodec })],
  'balance-at-least': [5, struct<Fields<'balance-at-least'>>({ account: publicKeyCodec, amount: u64 })],
  'height-at-most': [6, struct<Fields<'height-at-most'>>({ height: heightCodec })],
  'time-at-most': [7, struct<Fields<'time-at-most'>>({ time: u48 })],
});

/** A condition as the API shows it. */
export function conditionJson(condition: Condition) {
  if (condition.type !== 'balance-at-least') return condition;
  const { type, account, amount } = condition;
  return { type, account: encodeAddress(account), amount: `${amount}` };
}
