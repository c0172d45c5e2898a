import { encode } from '../base/codec.ts';
import { invariant } from '../base/invariant.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import type { StateChange } from '../ledger/state-entry.ts';
import { validatorKeysCodec } from '../ledger/validators.ts';
import {
  chainRecord,
  type Extent,
  extentCodec,
  placeBytes,
  positionCodec,
  writePlace,
} from './chain-records.ts';
import type { CommitRequest, InstallRequest, StoredBlock } from './chain-requests.ts';
import { checksummedWrite, reusedLarge, reusedWrite } from './checksummed.ts';
import { keys, writeStateKey, writeTransactionKey } from './keys.ts';
import { logWrites, removed } from './log-table.ts';
import type { Write } from './port.ts';

/** A block that is not final. */
export function candidateWrites({ hash, bytes }: StoredBlock): Write[] {
  return [
    checksummedWrite(keys.block(hash), bytes),
    checksummedWrite(keys.candidate(hash), new Uint8Array()),
  ];
}

export function forgetCandidateWrites(hashes: readonly Hash[]): Write[] {
  return hashes.flatMap((hash) => [
    checksummedWrite(keys.candidate(hash), null),
    checksummedWrite(keys.block(hash), null),
  ]);
}

/** What else a final block's batch needs: candidates that are stored, and its entries in the indexes. */
interface Found {
  readonly wasCandidate: boolean;
  readonly forget: readonly Hash[];
  readonly indexes: Iterable<Write>;
  /** For the first block of all. */
  readonly chainId: Hash | undefined;
}

/**
 * Final blocks with all that follows from them, and what goes with them (`Leftovers`, `IndexSweep`). Made
 * while it is read, as a block has thousands of changes: each may be in the memory of the one before
 * (`Store`).
 */
export function* commitWrites(
  run: readonly { readonly request: CommitRequest; readonly found: Found }[],
  leftovers: readonly Write[],
  swept: readonly Write[],
): Generator<Write> {
  for (const { request, found } of run) {
    yield* blockWrites(request, found);
    const { height, transactions, stateChanges } = request;
    const place = Buffer.allocUnsafe(placeBytes);
    for (let index = 0; index < transactions.length; index++) {
      writePlace(place, height, index);
      yield reusedWrite(writeTransactionKey, (transactions[index] as { hash: Hash }).hash, place);
    }
    for (let index = 0; index < stateChanges.length; index++) {
      const { key, value } = stateChanges.at(index) as StateChange;
      if (value === null) yield checksummedWrite(keys.state(key), null);
      else yield reusedWrite(writeStateKey, key, value);
    }
    yield finalWrite(request);
  }
  yield* leftovers;
  yield* swept;
}

function* blockWrites(request: CommitRequest, found: Found): Generator<Write> {
  const { height, hash, certificate, nextValidators, blockBytes } = request;
  if (found.chainId !== undefined) yield checksummedWrite(keys.chain, chainRecord(found.chainId));
  if (found.wasCandidate) yield checksummedWrite(keys.candidate(hash), null);
  else if (blockBytes !== undefined) yield reusedLarge(keys.block(hash), blockBytes);
  else invariant(height === 0, `the block of height ${height} is stored or given`);
  yield checksummedWrite(keys.header(height), request.headerBytes);
  yield reusedLarge(keys.receipts(height), request.receiptsBytes);
  if (certificate !== null) yield checksummedWrite(keys.certificate(height), certificate);
  if (nextValidators !== undefined) {
    yield checksummedWrite(keys.epoch(height), encode(validatorKeysCodec, nextValidators));
  }
  yield* logWrites(removed(request.forgetRecords));
  yield* forgetCandidateWrites(found.forget);
  yield* found.indexes;
}

/** The body of a final block; its header stays. */
export function pruneWrites(height: Height, hash: Hash): Write[] {
  return [
    checksummedWrite(keys.block(hash), null),
    checksummedWrite(keys.receipts(height), null),
    checksummedWrite(keys.certificate(height), null),
  ];
}

/** All of a final block but the places of its transactions. */
export function forgetBlockWrites(height: Height, hash: Hash): Write[] {
  return [checksummedWrite(keys.header(height), null), ...pruneWrites(height, hash)];
}

/** A final block from elsewhere, and the state after it. `clearing` forgets the fetched snapshot. */
export function installWrites(
  request: InstallRequest,
  found: { readonly forget: readonly Hash[]; readonly clearing: readonly Write[] },
): Write[] {
  const { height } = request;
  return [
    checksummedWrite(keys.header(height), request.headerBytes),
    checksummedWrite(keys.certificate(height), request.certificate),
    ...stateWrites(request.stateChanges),
    ...forgetCandidateWrites(found.forget),
    ...found.clearing,
    finalWrite(request),
  ];
}

export function extentWrite(extent: Extent): Write {
  return checksummedWrite(keys.pruned, encode(extentCodec, extent));
}

function stateWrites(changes: readonly StateChange[]): Write[] {
  return changes.map(({ key, value }) => checksummedWrite(keys.state(key), value));
}

function finalWrite({ height, hash }: { readonly height: Height; readonly hash: Hash }): Write {
  return checksummedWrite(keys.final, encode(positionCodec, { height, hash }));
}
