import type { Brand } from '../base/brand.ts';
import { branded, type Codec, encode, listOf, struct, u16, u48 } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { encodeAddress } from '../crypto/address.ts';
import { hash, hashCodec, type Hash } from '../crypto/hash.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';

/** A block's position in the chain; genesis is 0. */
export type Height = Brand<number, 'Height'>;
/** A period with one primary (PBFT), or a leader's term (Raft). */
export type View = Brand<number, 'View'>;

export const toHeight = (value: number): Height => value as Height;
export const toView = (value: number): View => value as View;
export const heightCodec: Codec<Height> = branded<Height>(u48);
export const viewCodec: Codec<View> = branded<View>(u48);

export interface BlockHeader {
  readonly height: Height;
  /** Hash of the header before; for height 1 that of the genesis header. */
  readonly parentHash: Hash;
  /**
   * View (PBFT) or term (Raft) of the block's first proposal. It stays when a later view
   * proposes the block again.
   */
  readonly view: View;
  /** Who proposed it first. */
  readonly proposer: PublicKey;
  /** Milliseconds since 1970, greater than the parent's. */
  readonly timestamp: number;
  /** The rules under which its transactions were executed. */
  readonly protocolVersion: number;
  /** Merkle root over the transaction hashes, in order. */
  readonly transactionRoot: Hash;
  /** Root of the state tree after this block. */
  readonly stateRoot: Hash;
  /** Merkle root over the receipts, in order. */
  readonly receiptsRoot: Hash;
  /** The validators whose certificate makes this block final. */
  readonly validatorsHash: Hash;
  /** The validators of the next height. */
  readonly nextValidatorsHash: Hash;
}

export const headerCodec = struct<BlockHeader>({
  height: heightCodec,
  parentHash: hashCodec,
  view: viewCodec,
  proposer: publicKeyCodec,
  timestamp: u48,
  protocolVersion: u16,
  transactionRoot: hashCodec,
  stateRoot: hashCodec,
  receiptsRoot: hashCodec,
  validatorsHash: hashCodec,
  nextValidatorsHash: hashCodec,
});

/** A header as the API shows it, with its proposer as an address. */
export function headerJson(header: BlockHeader) {
  return { ...header, proposer: encodeAddress(header.proposer) };
}

/** A block is named by the hash of its header. */
export function hashHeader(header: BlockHeader): Hash {
  return hash('quorate/v1/block', encode(headerCodec, header));
}

/** A block whose header names other validators for the blocks above it is the last block of its epoch. */
export function changesValidators(header: BlockHeader): boolean {
  return header.validatorsHash !== header.nextValidatorsHash;
}

/** A block without its transactions' bodies: what a proposal carries. */
export interface Proposal {
  readonly header: BlockHeader;
  readonly transactionHashes: readonly Hash[];
}

export const proposalCodec = struct<Proposal>({
  header: headerCodec,
  transactionHashes: listOf(hashCodec, limits.maxBlockTransactions),
});
