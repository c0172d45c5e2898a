import { boundedBytes, type Codec, decode, listOf, optional, struct } from '../base/codec.ts';
import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { equalBytes } from '../base/bytes.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type BlockHeader, headerCodec, type Height } from './block.ts';
import type { Hash } from '../crypto/hash.ts';
import { merkleProofCodec, type MerkleProof, verifyMerkleProof } from './merkle.ts';
import { isRecordOperation, type RecordOperation } from './operation.ts';
import { hashReceipt, type Receipt, receiptCodec, type RecordEffect } from './receipt.ts';
import { type RecordProof, proveRecord, recordProofCodec, verifyRecordProof } from './record-proof.ts';
import type { State } from './state.ts';
import { decodeRecord, type Place, type RecordEntry, recordCodec, type Tombstone } from './state-entry.ts';
import { type Transaction, transactionCodec } from './transaction.ts';

/** A transaction that made versions of a record: with its receipt under the header of its block. */
export interface HistoryStep {
  readonly header: BlockHeader;
  readonly transaction: Transaction;
  /** Names the transaction by its hash, and says what it did. */
  readonly receipt: Receipt;
  /** The receipt under `header.receiptsRoot`; its index is the transaction's in the block. */
  readonly receiptProof: MerkleProof;
}

/**
 * All that shows every version that a record ever had, back to the first one: what the state holds of it, and
 * each transaction that made versions of it, the newest first. An entry of the state and a receipt say where
 * the version before was made, so none can be left out, added or put elsewhere.
 */
export interface HistoryProof {
  /** Of the block whose state was read. */
  readonly header: BlockHeader;
  /** The entry's bytes; undefined where the record was never written. */
  readonly entry: Uint8Array | undefined;
  readonly entryProof: RecordProof;
  readonly steps: readonly HistoryStep[];
}

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

export const historyProofCodec: Codec<HistoryProof> = struct<HistoryProof>({
  header: headerCodec,
  entry: optional(boundedBytes(limits.recordEntryBytes, 'record entry')),
  entryProof: recordProofCodec,
  steps: listOf(
    struct<HistoryStep>({
      header: headerCodec,
      transaction: transactionCodec,
      receipt: receiptCodec,
      receiptProof: merkleProofCodec,
    }),
    limits.historyProofSteps,
  ),
});

/**
 * Makes the proof, from the state after a block and the transactions that `stepAt` finds by their place. A
 * problem when it takes more of them than one proof holds.
 */
export function proveHistory(options: {
  readonly key: string;
  readonly header: BlockHeader;
  readonly state: State;
  readonly stepAt: (place: Place) => HistoryStep;
}): HistoryProof | Problem {
  const { key, header, state, stepAt } = options;
  const { entry, proof: entryProof } = proveRecord(state, key);
  const steps: HistoryStep[] = [];
  for (let place = entry === null ? undefined : decodeRecord(entry).changed; place !== undefined;) {
    if (steps.length === limits.historyProofSteps) return tooLong();
    const step = stepAt(place);
    const { transaction: index } = place;
    const { height } = step.header;
    steps.push(step);
    // Versions of one transaction are all in one step.
    while (place?.height === height && place.transaction === index) {
      const { operation }: Place = place;
      place = defined(effectOf(step.receipt, operation), 'the effect of an operation').previous;
    }
  }
  return { header, entry: entry ?? undefined, entryProof, steps };
}

/**
 * The versions of a record, newest first, each proven: all that there ever were up to the block of
 * `proof.header`. A problem (`proof/history`) at the first thing that does not hold. Believes nothing but
 * `isFinal`, which says whether a header is that of a final block: by its certificate, or by a chain of
 * headers below one. Every header of the proof is asked for.
 */
export function verifyHistory(claim: {
  readonly key: string;
  readonly proof: HistoryProof;
  readonly isFinal: (header: BlockHeader) => boolean;
}): readonly ProvenVersion[] | Problem {
  const { key, proof, isFinal } = claim;
  const { header, entryProof, steps } = proof;
  const entry = proof.entry ?? null;
  if (!isFinal(header)) return unproven('the block of the state is not final');
  if (!verifyRecordProof({ root: header.stateRoot, key, entry, proof: entryProof })) {
    return unproven('the state does not hold the entry');
  }
  const last = entry === null ? undefined : decode(recordCodec, entry, 'entry of a record');
  if (last instanceof Problem) return unproven('the entry is that of no record');
  const found = followVersions({ key, entry: last, height: header.height, steps, isFinal });
  if (found instanceof Problem) return found;
  const { versions, older } = found;
  return older === 0 ? versions : unproven(`version ${older} and those before it are not there`);
}

/**
 * The versions that these transactions made, from the newest one down, each proven by the entry or the
 * version behind it. A problem (`proof/history`) at the first step that is not the next one.
 */
export function followVersions(claim: {
  readonly key: string;
  /** Proven: what the state after the block of `height` holds. */
  readonly entry: RecordEntry | Tombstone | undefined;
  readonly height: Height;
  readonly steps: readonly HistoryStep[];
  /** As in `verifyHistory`, for the headers of the steps. */
  readonly isFinal: (header: BlockHeader) => boolean;
}): RecordVersions | Problem {
  const { key, entry, steps, isFinal } = claim;
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
    const wrong = checkStep(step, next.place.transaction, isFinal);
    if (wrong !== undefined) return unproven(`version ${next.version}: ${wrong}`);
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

/** What is wrong with a step by itself; undefined when it is proven. */
function checkStep(
  { header, transaction, receipt, receiptProof }: HistoryStep,
  index: number,
  isFinal: (header: BlockHeader) => boolean,
): string | undefined {
  if (!isFinal(header)) return 'its block is not final';
  if (receiptProof.index !== index) return 'its receipt stands at another place';
  if (!verifyMerkleProof(header.receiptsRoot, hashReceipt(receipt), receiptProof)) {
    return 'its receipt is not under the root of its block';
  }
  return receipt.transactionHash === transaction.hash ? undefined : 'its receipt is of another transaction';
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

function tooLong(): Problem {
  const most = limits.historyProofSteps;
  return new Problem('proof/history', `more than ${most} transactions made versions of the record`, {
    remedy: 'Follow the chain itself, block by block: one proof does not hold so many.',
    details: { most },
  });
}
