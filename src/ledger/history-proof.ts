import { Problem } from '../base/problem.ts';
import { equalBytes } from '../base/bytes.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from './block.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Inclusion } from './inclusion.ts';
import { isRecordOperation, type RecordOperation } from './operation.ts';
import type { Receipt, RecordEffect } from './receipt.ts';
import type { Place, RecordEntry, Tombstone } from './state-entry.ts';

/** A transaction that made versions of a record, checked by itself (`verifyInclusion`, or `verifyPlaces`). */
export type HistoryStep = Pick<Inclusion, 'header' | 'transaction' | 'receipt' | 'receiptProof'>;

/** A version of a record, as it is proven. */
export interface ProvenVersion {
  readonly version: number;
  readonly made: Place;
  /** Of its block, in milliseconds since 1970. */
  readonly timestamp: number;
  readonly transactionHash: Hash;
  /** Who sent the transaction. */
  readonly by: PublicKey;
  /** What made it: a put with its value, a delete, or a gift. */
  readonly operation: RecordOperation;
}

/** The newest versions of a record, one behind the other. */
export interface RecordVersions {
  readonly versions: readonly ProvenVersion[];
  /** How many there were before them: 0 where these are all. */
  readonly older: number;
}

/**
 * The versions of a record that these transactions made, from the newest one down, each proven by the entry
 * or the version behind it: an entry of the state and a receipt say where the version before was made, so
 * none can be left out, added or put elsewhere. With `older` 0 they are all that there ever were up to
 * `height`. A problem (`proof/history`) at the first step that is not the next one.
 */
export function followVersions(claim: {
  readonly key: string;
  /** Proven: what the state after the block of `height` holds. */
  readonly entry: RecordEntry | Tombstone | undefined;
  readonly height: Height;
  /** The newest first. Versions of one transaction are all in one step. */
  readonly steps: readonly HistoryStep[];
}): RecordVersions | Problem {
  const { key, entry, steps } = claim;
  const versions: ProvenVersion[] = [];
  let next: (Pick<RecordEffect, 'version'> & { readonly place: Place }) | undefined = entry && {
    version: entry.version,
    place: entry.changed,
  };
  let above = claim.height;
  for (const step of steps) {
    if (next === undefined) return unproven('there are steps before the first version');
    const { header, transaction, receipt, receiptProof } = step;
    if (header.height > above || header.height !== next.place.height) {
      return unproven(`version ${next.version} was made at height ${next.place.height}, in another block`);
    }
    above = header.height;
    if (receiptProof.index !== next.place.transaction) {
      return unproven(
        `version ${next.version} was made by transaction ${next.place.transaction}, and not by this one`,
      );
    }
    while (next?.place.height === header.height && next.place.transaction === receiptProof.index) {
      const { version, place }: NonNullable<typeof next> = next;
      const effect = effectOf(receipt, place.operation);
      const operation = transaction.operations[place.operation];
      const isOfRecord = operation !== undefined && isRecordOperation(operation) && operation.key === key;
      if (effect?.version !== version || !isOfRecord) {
        return unproven(`its transaction did not make version ${version}`);
      }
      if ((effect.previous === undefined) !== (version === 1)) return unproven('the first version is not 1');
      const { timestamp } = header;
      const { sender: by, hash: transactionHash } = transaction;
      versions.push({ version, made: place, timestamp, transactionHash, by, operation });
      next = effect.previous && { version: version - 1, place: effect.previous };
    }
  }
  const [newest] = versions;
  if (entry !== undefined && newest !== undefined && !isMadeBy(entry, newest)) {
    return unproven('the last version is another one');
  }
  return { versions, older: next?.version ?? 0 };
}

function effectOf({ records }: Receipt, operation: number): RecordEffect | undefined {
  return records.find((effect) => effect.operation === operation);
}

/** Checks that the entry in the state is what the operation of the last version made. */
function isMadeBy(entry: RecordEntry | Tombstone, { operation }: ProvenVersion): boolean {
  if (operation.type === 'put') return entry.type === 'record' && equalBytes(entry.value, operation.value);
  return (entry.type === 'tombstone') === (operation.type === 'delete');
}

function unproven(why: string): Problem {
  return new Problem('proof/history', `the history is not proven: ${why}`, {
    remedy: 'Ask another node for it, and believe none that gave this one.',
    details: { why },
  });
}
