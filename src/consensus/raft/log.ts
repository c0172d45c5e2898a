import { defined, invariant } from '../../base/invariant.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Signature } from '../../crypto/signature.ts';
import { type BlockHeader, hashHeader, type Height, toHeight } from '../../ledger/block.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { BlockName, ValidatorIndex } from '../engine.ts';
import { entryBytes, type Term, type WireEntry } from './message.ts';

/** A block in the log. Its index is its height, its term stands in the header. */
export interface Entry {
  readonly header: BlockHeader;
  readonly blockHash: Hash;
  readonly leader: ValidatorIndex;
  readonly signature: Signature;
  readonly configuration: Uint8Array;
  /**
   * Null after a restart: they are in storage with the block, and are read from there
   * when somebody needs them.
   */
  readonly transactionHashes: readonly Hash[] | null;
  /** Size of the block with its transactions, as far as known. */
  readonly bytes: number;
}

interface LogStart extends BlockName {
  readonly term: Term;
}

/** The end of the hash chain that is in memory: `entries[i]` has height `base.height + 1 + i`. */
export interface Log {
  base: LogStart;
  entries: Entry[];
}

export function lastHeight(log: Log): Height {
  return toHeight(log.base.height + log.entries.length);
}

export function entryAt(log: Log, height: Height): Entry | undefined {
  return log.entries[height - log.base.height - 1];
}

export function hashAt(log: Log, height: Height): Hash | undefined {
  return height === log.base.height ? log.base.blockHash : entryAt(log, height)?.blockHash;
}

export function termAt(log: Log, height: Height): Term | undefined {
  return height === log.base.height ? log.base.term : entryAt(log, height)?.header.view;
}

export function lastHash(log: Log): Hash {
  return defined(hashAt(log, lastHeight(log)), 'the hash of the last block');
}

export function lastTerm(log: Log): Term {
  return defined(termAt(log, lastHeight(log)), 'the term of the last block');
}

/** The last of these blocks that starts a configuration. */
export function newestChange(entries: readonly Entry[]): Entry | undefined {
  return entries.findLast(({ configuration }) => configuration.length > 0);
}

/** The log holds exactly this block at its height. */
export function holds(log: Log, block: BlockName): boolean {
  return hashAt(log, block.height) === block.blockHash;
}

/** The more up-to-date rule of section 5.4.1: the later last term wins, then the longer log. */
export function isUpToDate(log: Log, candidate: { lastTerm: Term; lastHeight: Height }): boolean {
  const own = lastTerm(log);
  return candidate.lastTerm > own || (candidate.lastTerm === own && candidate.lastHeight >= lastHeight(log));
}

export function append(log: Log, entry: Entry): void {
  invariant(entry.header.height === lastHeight(log) + 1, 'an entry goes to the end of the log');
  invariant(entry.header.parentHash === lastHash(log), 'an entry links to the one before');
  invariant(entry.header.view >= lastTerm(log), 'terms never fall along the log');
  log.entries.push(entry);
}

/** Cuts off everything above `height` and returns it. */
export function truncateAfter(log: Log, height: Height): Entry[] {
  invariant(height >= log.base.height, 'the log is not cut below its base');
  return log.entries.splice(height - log.base.height);
}

/** Forgets what is at or below `height`, which becomes the base. */
export function compact(log: Log, height: Height): void {
  if (height <= log.base.height) return;
  const entry = defined(entryAt(log, height), 'the new base');
  log.entries.splice(0, height - log.base.height);
  log.base = { height, blockHash: entry.blockHash, term: entry.header.view };
}

/** First height of the run of entries that share the term of the one at `height`, not below `floor`. */
export function firstOfTerm(log: Log, height: Height, floor: Height): Height {
  const term = termAt(log, height);
  let first = height;
  while (first - 1 >= floor && termAt(log, toHeight(first - 1)) === term) first = toHeight(first - 1);
  return first;
}

/** Last height at or below `height` whose term is at most `term`; the base's when there is none. */
export function lastNotAbove(log: Log, height: Height, term: Term): Height {
  let last = height;
  while (last > log.base.height && (termAt(log, last) ?? 0) > term) last = toHeight(last - 1);
  return last;
}

export function certificateOf(entry: Entry): FinalityCertificate {
  return {
    engine: 'raft',
    term: entry.header.view,
    height: entry.header.height,
    blockHash: entry.blockHash,
    leader: entry.leader,
    signature: entry.signature,
    configuration: entry.configuration,
  };
}

/** The entry as it travels; undefined when its transaction hashes must be read from storage first. */
export function wireOf(entry: Entry): WireEntry | undefined {
  if (entry.transactionHashes === null) return undefined;
  return {
    proposal: { header: entry.header, transactionHashes: entry.transactionHashes },
    leader: entry.leader,
    signature: entry.signature,
    configuration: entry.configuration,
  };
}

/** An entry as it came. */
export function entryOf(wire: WireEntry): Entry {
  const { header, transactionHashes } = wire.proposal;
  return {
    header,
    blockHash: hashHeader(header),
    leader: wire.leader,
    signature: wire.signature,
    configuration: wire.configuration,
    transactionHashes,
    bytes: entryBytes(transactionHashes.length, wire.configuration.length),
  };
}
