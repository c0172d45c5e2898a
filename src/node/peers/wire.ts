import {
  bool,
  boundedBytes,
  type Codec,
  fixedBytes,
  listOf,
  optional,
  struct,
  u16,
  u32,
  union,
} from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { hashCodec, type Hash } from '../../crypto/hash.ts';
import { type BlockHeader, headerCodec, type Height, heightCodec } from '../../ledger/block.ts';
import { maxEncodedBlockBytes } from '../../ledger/block-body.ts';
import { type FinalityCertificate, finalityCodec } from '../../ledger/certificate.ts';
import { transactionBytesCodec } from '../../ledger/transaction.ts';

/**
 * What nodes say to each other besides consensus messages.
 *
 * | channel | message | answer |
 * | --- | --- | --- |
 * | gossip `transactions` | TransactionFrame | |
 * | gossip `blocks` | Announcement | |
 * | gossip `consensus` | a consensus message to a validator out of reach, sealed (`relay.ts`) | |
 * | request `blocks` | BlocksRequest | BlocksResponse |
 * | request `candidate` | a block's hash | the encoded block, final or not; or nothing |
 * | request `transactions` | TransactionsRequest | TransactionsResponse |
 * | request `snapshot` | SnapshotRequest | SnapshotHead, or ChecksummedPart with a SnapshotPart in it |
 */
interface TransactionFrame {
  /** Differs from frame to frame, so that one gossiped again is not taken for a duplicate. */
  readonly salt: number;
  readonly transactions: readonly Uint8Array[];
}

const smallestTransaction = 150;
const framedTransactions = Math.ceil(limits.gossipFrameBytes / smallestTransaction);

export const transactionFrameCodec: Codec<TransactionFrame> = struct<TransactionFrame>({
  salt: u32,
  transactions: listOf(transactionBytesCodec, framedTransactions),
});

/** "This block is final", with the proof. For nodes that no validator talks to. */
interface Announcement {
  readonly certificate: FinalityCertificate;
}

export const announcementCodec: Codec<Announcement> = struct<Announcement>({ certificate: finalityCodec });

/** "Final blocks from this height on, please, at most this many." */
interface BlocksRequest {
  readonly from: Height;
  readonly count: number;
}

export const blocksRequestCodec: Codec<BlocksRequest> = struct<BlocksRequest>({
  from: heightCodec,
  count: u16,
});

/**
 * Final blocks in order, and what proves the last of them and so all: no blocks when there are none from that
 * height on, or not any more.
 */
export interface BlocksResponse {
  readonly blocks: readonly Uint8Array[];
  /**
   * From above the last block up to the one that the certificate is for; none when it is the last block's
   * own.
   */
  readonly headers: readonly BlockHeader[];
  readonly certificate: FinalityCertificate | undefined;
  /** The newest snapshot, in the place of blocks that were asked for and pruned. */
  readonly snapshot: SnapshotHead | undefined;
}

/**
 * The block after which the state is, and what makes it final: the certificate as `snapshotCertificate` makes
 * it.
 */
export interface SnapshotHead {
  readonly header: BlockHeader;
  readonly certificate: FinalityCertificate;
}

export const snapshotHeadCodec: Codec<SnapshotHead> = struct<SnapshotHead>({
  header: headerCodec,
  certificate: finalityCodec,
});

export const blocksResponseCodec: Codec<BlocksResponse> = struct<BlocksResponse>({
  blocks: listOf(boundedBytes(maxEncodedBlockBytes, 'block'), limits.syncBlocks),
  headers: listOf(headerCodec, limits.syncProofHeaders),
  certificate: optional(finalityCodec),
  snapshot: optional(snapshotHeadCodec),
});

/** Of the request `candidate`. */
export const blockRequestCodec: Codec<Hash> = hashCodec;

/** "The transactions at these places in this block, please." */
interface TransactionsRequest {
  readonly blockHash: Hash;
  /** Ascending. */
  readonly places: readonly number[];
}

export const transactionsRequestCodec: Codec<TransactionsRequest> = struct<TransactionsRequest>({
  blockHash: hashCodec,
  places: listOf(u16, limits.maxBlockTransactions),
});

/** All that were asked for, in order, or nothing. */
export const transactionsResponseCodec: Codec<readonly Uint8Array[]> = listOf(
  transactionBytesCodec,
  limits.maxBlockTransactions,
);

/**
 * "What is the snapshot at this block?", and: "its entries behind this key, please" (from the first one,
 * without a key).
 */
export type SnapshotRequest =
  | { readonly kind: 'head'; readonly blockHash: Hash }
  | { readonly kind: 'part'; readonly blockHash: Hash; readonly after: Uint8Array | undefined };

/** A kind, and the longest record key. */
const maxStateKeyBytes = 1 + limits.maxRecordKeyBytes;
/** An owner, and the longest record behind its length. */
const maxStateValueBytes = limits.maxRecordValueBytes + 64;

export const snapshotRequestCodec: Codec<SnapshotRequest> = union<SnapshotRequest, 'kind'>('kind', {
  head: [1, struct<{ blockHash: Hash }>({ blockHash: hashCodec })],
  part: [
    2,
    struct<{ blockHash: Hash; after: Uint8Array | undefined }>({
      blockHash: hashCodec,
      after: optional(boundedBytes(maxStateKeyBytes, 'state key')),
    }),
  ],
});

/** Entries of the state in the order of `positionOf`. */
export interface SnapshotPart {
  readonly entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[];
  /** Nothing stands behind these. */
  readonly last: boolean;
}

export const snapshotPartCodec: Codec<SnapshotPart> = struct<SnapshotPart>({
  entries: listOf(
    struct<{ key: Uint8Array; value: Uint8Array }>({
      key: boundedBytes(maxStateKeyBytes, 'state key'),
      value: boundedBytes(maxStateValueBytes, 'state value'),
    }),
    limits.snapshotPartEntries,
  ),
  last: bool,
});

/** A part behind its checksum, which tells a damaged part from a snapshot that is wrong as a whole. */
export interface ChecksummedPart {
  readonly checksum: Uint8Array;
  readonly part: Uint8Array;
}

export const checksummedPartCodec: Codec<ChecksummedPart> = struct<ChecksummedPart>({
  checksum: fixedBytes(32),
  part: boundedBytes(limits.responseBytes, 'snapshot part'),
});
