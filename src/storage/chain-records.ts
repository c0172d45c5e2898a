import { boundedText, type Codec, decode, encode, struct, u16, u32 } from '../base/codec.ts';
import { Problem } from '../base/problem.ts';
import { hashCodec, type Hash } from '../crypto/hash.ts';
import {
  type BlockHeader,
  hashHeader,
  headerCodec,
  type Height,
  heightCodec,
  toHeight,
} from '../ledger/block.ts';
import { keys } from './keys.ts';
import type { Store } from './port.ts';
import { damaged, readChecksummed } from './checksummed.ts';

/**
 * Version of everything under `keys.ts`. Another version is refused, never guessed at. There were stores of
 * 5, which was taken back: the next is 6.
 */
export const formatVersion = 4;
const formatName = 'quorate';

export const chainCodec = struct<{ format: string; version: number; chainId: Hash }>({
  format: boundedText(32),
  version: u16,
  chainId: hashCodec,
});

/** A final block's place and name. */
export interface FinalPosition {
  readonly height: Height;
  readonly hash: Hash;
}

export const positionCodec: Codec<FinalPosition> = struct<FinalPosition>({
  height: heightCodec,
  hash: hashCodec,
});

/** What of the chain is stored. Block 0 always is. */
export interface Extent {
  /** The lowest header above 0. */
  readonly firstHeader: Height;
  /** The lowest block with its body and receipts; never below the lowest header. */
  readonly firstBlock: Height;
}

export const extentCodec: Codec<Extent> = struct<Extent>({
  firstHeader: heightCodec,
  firstBlock: heightCodec,
});

export const wholeChain: Extent = { firstHeader: toHeight(1), firstBlock: toHeight(1) };

/** Where a transaction stands in the chain. */
export interface TransactionPlace {
  readonly height: Height;
  readonly index: number;
}

export const placeCodec: Codec<TransactionPlace> = struct<TransactionPlace>({
  height: heightCodec,
  index: u32,
});

export const placeBytes = 10;

/** Its encoding, over these bytes. */
export function writePlace(target: Buffer, height: Height, index: number): void {
  target.writeUInt32BE(index, target.writeUIntBE(height, 0, 6));
}

/** The header at a height that is final. */
export function readHeader(store: Store, height: Height): { header: BlockHeader; hash: Hash } {
  const what = `header of height ${height}`;
  const bytes = readChecksummed(store, keys.header(height));
  if (bytes === undefined) throw damaged(what, 'is missing');
  const header = decodeOwn(headerCodec, bytes, what);
  if (header.height !== height) throw damaged(what, `says height ${header.height}`);
  return { header, hash: hashHeader(header) };
}

/** The first record of a chain's data. */
export function chainRecord(chainId: Hash): Uint8Array {
  return encode(chainCodec, { format: formatName, version: formatVersion, chainId });
}

/** Throws a problem unless the first record is of this chain, in this format. */
export function checkChain(stored: Uint8Array, chainId: Hash): void {
  const chain = decodeOwn(chainCodec, stored, 'the chain record');
  if (chain.format !== formatName) throw foreign();
  if (chain.version !== formatVersion) {
    throw new Problem(
      'storage/format',
      `the database has format ${chain.version}, this program ${formatVersion}`,
      {
        remedy:
          'Start the version of the program that wrote it. Or, if other nodes have the chain, move the database (db/) away, leave keys/ as it is, and start again: the node fetches the chain, and a validator votes again when that is safe (in Raft mode once it was removed and added again: "quorate members remove KEY", "quorate members add KEY").',
        details: { found: chain.version, expected: formatVersion },
      },
    );
  }
  if (chain.chainId === chainId) return;
  throw new Problem('storage/other-chain', 'the database belongs to another chain', {
    remedy:
      'Start it with the genesis file that it was made with, or give the other chain its own data directory.',
    details: { found: chain.chainId, expected: chainId },
  });
}

/**
 * The final block, last, with up to `checkedHeights` - 1 before it, of which each must be there, whole, and
 * linked to its child.
 */
export function readFinal(store: Store, checkedHeights: number, extent: Extent): readonly FinalPosition[] {
  const bytes = readChecksummed(store, keys.final);
  if (bytes === undefined) throw damaged('the record of the final block', 'is missing');
  const final = decodeOwn(positionCodec, bytes, 'the record of the final block');
  if (store.get(keys.header(toHeight(final.height + 1))) !== undefined) {
    throw damaged(
      'the record of the final block',
      `says height ${final.height}, and there are higher blocks`,
    );
  }
  const found: FinalPosition[] = [];
  let expected = final.hash;
  const start = extent.firstHeader > 1 ? extent.firstHeader : 0;
  const lowest = Math.max(start, final.height - Math.max(checkedHeights, 1) + 1);
  for (let height = final.height; height >= lowest; height = toHeight(height - 1)) {
    const { header, hash } = readHeader(store, height);
    if (hash !== expected) throw damaged(`header of height ${height}`, 'is not the one that its child names');
    if (height >= extent.firstBlock && readChecksummed(store, keys.block(hash)) === undefined) {
      throw damaged(`block ${hash} of height ${height}`, 'is missing');
    }
    found.push({ height, hash });
    expected = header.parentHash;
  }
  return found.toReversed();
}

export function readExtent(store: Store): Extent {
  const bytes = readChecksummed(store, keys.pruned);
  return bytes === undefined ? wholeChain : decodeOwn(extentCodec, bytes, 'the record of what was pruned');
}

/** The value of bytes that this program wrote and whose checksum matches. */
export function decodeOwn<T>(codec: Codec<T>, bytes: Uint8Array, what: string): T {
  const value = decode(codec, bytes, what);
  if (value instanceof Problem) throw damaged(what, 'does not decode', value);
  return value;
}

export function foreign(): Problem {
  return new Problem('storage/foreign', 'the database holds data that is not of this program', {
    remedy: 'Give the node a data directory of its own.',
  });
}
