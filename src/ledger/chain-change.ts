import { type Codec, optional, struct, u16, u32, u64, union } from '../base/codec.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type Height, heightCodec } from './block.ts';
import { validatorKeysCodec } from './validators.ts';

/** What a block may hold at most on this chain, within the bounds that every node keeps (`limits`). */
export interface BlockLimits {
  readonly maxTransactions: number;
  /** In all its transactions. */
  readonly maxOperations: number;
  /** Encoded transactions. */
  readonly maxBytes: number;
}

/**
 * What the validators of a chain can change of it. Without a height it counts from the block after the
 * one that decides it.
 */
export type ChainChange =
  /**
   * The whole next set, in the order that decides whose turn it is (PBFT), so that nobody approves only a
   * part of it.
   */
  | { readonly type: 'validators'; readonly validators: readonly PublicKey[] }
  /** The rules of this version count from this height on. */
  | { readonly type: 'protocol-version'; readonly version: number; readonly height: Height }
  /** The least fee for each of a transaction's units (`unitsOf`), in the smallest unit. */
  | { readonly type: 'fee-floor'; readonly feePerOperation: bigint; readonly height: Height | undefined }
  | { readonly type: 'limits'; readonly limits: BlockLimits; readonly height: Height | undefined };

type Fields<Type extends ChainChange['type']> = Omit<Extract<ChainChange, { readonly type: Type }>, 'type'>;

export const blockLimitsCodec: Codec<BlockLimits> = struct<BlockLimits>({
  maxTransactions: u32,
  maxOperations: u32,
  maxBytes: u32,
});

/**
 * An empty set, one that names somebody twice, and limits out of bounds can be encoded, but the operation
 * fails.
 */
export const chainChangeCodec: Codec<ChainChange> = union<ChainChange, 'type'>('type', {
  validators: [1, struct<Fields<'validators'>>({ validators: validatorKeysCodec })],
  'protocol-version': [2, struct<Fields<'protocol-version'>>({ version: u16, height: heightCodec })],
  'fee-floor': [3, struct<Fields<'fee-floor'>>({ feePerOperation: u64, height: optional(heightCodec) })],
  limits: [4, struct<Fields<'limits'>>({ limits: blockLimitsCodec, height: optional(heightCodec) })],
});

/** A change as the API shows it. */
export function chainChangeJson(change: ChainChange) {
  switch (change.type) {
    case 'validators':
      return { type: change.type, validators: change.validators.map(encodeAddress) };
    case 'protocol-version':
      return { type: change.type, version: change.version, height: change.height };
    case 'fee-floor': {
      const { type, feePerOperation, height } = change;
      return { type, feePerOperation: `${feePerOperation}`, ...(height !== undefined && { height }) };
    }
    case 'limits': {
      const { type, limits: of, height } = change;
      return { type, limits: { ...of }, ...(height !== undefined && { height }) };
    }
  }
}
