import { encode } from '../base/codec.ts';
import { invariant } from '../base/invariant.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import { validatorKeysCodec } from '../ledger/validators.ts';
import { type Extent, extentCodec, placeCodec, positionCodec } from './chain-records.ts';
import type { CommitRequest, InstallRequest, StoredBlock } from './chain-requests.ts';
import { checksummedWrite } from './checksummed.ts';
import { keys } from './keys.ts';
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

/**
 * A final block with all that follows from it. `forget` are candidates that are stored, `indexes` its entries
 * there.
 */
export function commitWrites(
  request: CommitRequest,
  found: {
    readonly wasCandidate: boolean;
    readonly forget: readonly Hash[];
    readonly indexes: readonly Write[];
  },
): Write[] {
  const { height, certificate } = request;
  return [
    ...bodyWrites(request, found.wasCandidate),
    checksummedWrite(keys.header(height), request.headerBytes),
    checksummedWrite(keys.receipts(height), request.receiptsBytes),
    ...(certificate === null ? [] : [checksummedWrite(keys.certificate(height), certificate)]),
    ...(request.nextValidators === undefined
      ? []
      : [checksummedWrite(keys.epoch(height), encode(validatorKeysCodec, request.nextValidators))]),
    ...request.transactions.map((transaction, index) =>
      checksummedWrite(keys.transaction(transaction.hash), encode(placeCodec, { height, index })),
    ),
    ...found.indexes,
    ...stateWrites(request.stateChanges),
    ...logWrites(removed(request.forgetRecords)),
    ...forgetCandidateWrites(found.forget),
    finalWrite(request),
  ];
}

function bodyWrites({ height, hash, blockBytes }: CommitRequest, wasCandidate: boolean): Write[] {
  if (wasCandidate) return [checksummedWrite(keys.candidate(hash), null)];
  if (blockBytes !== undefined) return [checksummedWrite(keys.block(hash), blockBytes)];
  invariant(height === 0, `the block of height ${height} is stored or given`);
  return [];
}

/** The body of a final block; its header stays. */
export function pruneWrites(height: Height, hash: Hash): Write[] {
  return [
    checksummedWrite(keys.block(hash), null),
    checksummedWrite(keys.receipts(height), null),
    checksummedWrite(keys.certificate(height), null),
  ];
}

/** What is left of a final block after its body. */
export function forgetHeaderWrites(height: Height): Write[] {
  return [checksummedWrite(keys.header(height), null), checksummedWrite(keys.certificate(height), null)];
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

function stateWrites(changes: CommitRequest['stateChanges']): Write[] {
  return changes.map(({ key, value }) => checksummedWrite(keys.state(key), value));
}

function finalWrite({ height, hash }: { readonly height: Height; readonly hash: Hash }): Write {
  return checksummedWrite(keys.final, encode(positionCodec, { height, hash }));
}
