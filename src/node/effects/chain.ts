import { encode } from '../../base/codec.ts';
import { defined, invariant } from '../../base/invariant.ts';
import { blockWeight } from '../../base/limit-relations.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { ChainLink } from '../../consensus/engine.ts';
import { linkOf } from '../../consensus/shared/chain-link.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, hashHeader, headerCodec, type Height } from '../../ledger/block.ts';
import { upcomingParameters } from './upcoming.ts';
import { type Block, checkLink, encodeBlock, transactionBytes } from '../../ledger/block-body.ts';
import { checkRoots, executeBlock, type Execution } from '../../ledger/execution.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import { newestProtocolVersion } from '../../ledger/protocol-version.ts';
import type { State } from '../../ledger/state.ts';

/** The last final block and the state after it. */
export interface FinalBlock {
  readonly height: Height;
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly state: State;
}

/** A whole block above the final one, with its transactions' signatures checked. */
export interface Candidate {
  readonly hash: Hash;
  readonly block: Block;
  /** It is on disk, or on its way there. */
  stored: boolean;
  outcome: Outcome;
  /** What it takes in memory. */
  readonly weight: number;
}

type Outcome =
  | { readonly name: 'unknown' }
  | { readonly name: 'valid'; readonly execution: Execution }
  | { readonly name: 'invalid'; readonly problem: Problem };

/** What is known of a block and its ancestors above the final one. */
type ChainVerdict =
  /** The links from above the final block up to the block, lowest first. Empty for a block that is final. */
  | { readonly verdict: 'valid'; readonly chain: readonly ChainLink[] }
  | { readonly verdict: 'invalid'; readonly problem: Problem }
  /** It stands behind a change of the protocol version to one that this program does not know. */
  | { readonly verdict: 'unknown-version'; readonly version: number }
  /** This block of the chain is not here. */
  | { readonly verdict: 'missing'; readonly hash: Hash }
  /** More blocks of the chain have to be executed than were asked for. */
  | { readonly verdict: 'unfinished' };

/** What a block stands on. */
interface Base {
  readonly header: BlockHeader;
  readonly state: State;
}

interface ChainOptions {
  readonly genesis: Pick<Genesis, 'chainId'>;
  readonly final: FinalBlock;
  /** Blocks of later protocol versions are not executed. The newest that there is unless given. */
  readonly newestProtocolVersion?: number | undefined;
  /** As in `Capabilities`: room for twice as much, for a window and for one that competed. */
  readonly inFlightBytes?: number;
}

/**
 * The final block, and the tree of those that may become final above it. A block is executed at most once, on
 * its parent's state, and each keeps its own: trees share what did not change, so competing blocks cost their
 * differences.
 */
export class Chain {
  readonly #options: ChainOptions;
  readonly #candidates = new Map<Hash, Candidate>();
  /** Blocks on disk that can never become final, found after a restart. */
  #leftovers: Hash[] = [];
  #executed = 0;
  #final: FinalBlock;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#final = shared(options.final);
  }

  /** To be read at once: its state is released when the next block is final. To keep it, share it. */
  get final(): FinalBlock {
    return this.#final;
  }

  get size(): number {
    return this.#candidates.size;
  }

  /** Blocks that were executed here so far, those of others. */
  get executed(): number {
    return this.#executed;
  }

  get(hash: Hash): Candidate | undefined {
    return this.#candidates.get(hash);
  }

  candidates(): IterableIterator<Candidate> {
    return this.#candidates.values();
  }

  /**
   * Keeps a whole block whose transactions' signatures were checked. One at or below the final height is not
   * kept. An execution that comes with it belongs to the chain from then on.
   */
  add(block: Block, options: { stored: boolean; execution?: Execution }): Hash {
    const hash = hashHeader(block.header);
    const known = this.#candidates.get(hash);
    const outcome: Outcome =
      options.execution === undefined ? { name: 'unknown' } : { name: 'valid', execution: options.execution };
    if (known !== undefined) {
      known.stored ||= options.stored;
      if (known.outcome.name === 'unknown') known.outcome = outcome;
    } else if (block.header.height > this.#final.height) {
      const { transactions } = block;
      const weight = blockWeight(transactionBytes(transactions), transactions.length);
      const candidate: Candidate = { hash, block, stored: options.stored, outcome, weight };
      this.#makeRoomFor(candidate);
      this.#candidates.set(hash, candidate);
    } else if (options.stored) {
      this.#leftovers.push(hash);
    }
    return hash;
  }

  /**
   * The state and header that a block with this parent starts from, or undefined when the parent is not here
   * or not valid, or the block would be of an unknown protocol version.
   */
  base(parentHash: Hash): Base | undefined {
    const base = this.#baseOf(parentHash);
    return base === undefined || this.#unknownVersion(base) !== undefined ? undefined : base;
  }

  #baseOf(parentHash: Hash): Base | undefined {
    if (parentHash === this.#final.hash) return this.#final;
    if (this.judge(parentHash).verdict !== 'valid') return undefined;
    const candidate = this.#candidates.get(parentHash);
    return candidate?.outcome.name === 'valid'
      ? { header: candidate.block.header, state: candidate.outcome.execution.state }
      : undefined;
  }

  /** The version of the block on top of this one, when it is not known. */
  #unknownVersion(parent: Base): number | undefined {
    const { protocolVersion } = upcomingParameters(parent);
    const { newestProtocolVersion: newest = newestProtocolVersion } = this.#options;
    return protocolVersion > newest ? protocolVersion : undefined;
  }

  /**
   * Executes what was not executed yet on the way up from the final block to this one, and no more blocks
   * than `most`: each holds up all else for as long as it takes.
   */
  judge(hash: Hash, most = Number.POSITIVE_INFINITY): ChainVerdict {
    if (hash === this.#final.hash) return { verdict: 'valid', chain: [] };
    const path: Candidate[] = [];
    let at = hash;
    while (at !== this.#final.hash) {
      const candidate = this.#candidates.get(at);
      if (candidate === undefined) return { verdict: 'missing', hash: at };
      path.push(candidate);
      if (candidate.block.header.height <= this.#final.height + 1) break;
      at = candidate.block.header.parentHash;
    }
    path.reverse();
    let parent: Base = this.#final;
    let left = most;
    for (const candidate of path) {
      if (candidate.outcome.name === 'unknown' && --left < 0) return { verdict: 'unfinished' };
      const version = this.#unknownVersion(parent);
      if (version !== undefined) return { verdict: 'unknown-version', version };
      const outcome = this.#execute(candidate, parent);
      if (outcome.name === 'invalid') return { verdict: 'invalid', problem: outcome.problem };
      parent = { header: candidate.block.header, state: outcome.execution.state };
    }
    return { verdict: 'valid', chain: path.map(({ block, hash }) => linkOf(block.header, hash)) };
  }

  /**
   * These blocks, each on the one before, are about to be written as final: nothing of them, or of what they
   * rule out, is written otherwise any more. Returns what is stored and can go.
   */
  retire(run: readonly Candidate[]): Hash[] {
    const dead = this.#deadAfter(run);
    const obsolete = [...dead].filter(({ stored }) => stored).map(({ hash }) => hash);
    for (const candidate of [...run, ...dead]) candidate.stored = true;
    return [...this.#leftovers, ...obsolete];
  }

  /**
   * The block is final and stored: it is the base of all new work, and what does not extend it is forgotten.
   */
  advance(next: Candidate, execution: Execution): void {
    const { header } = next.block;
    invariant(header.height === this.#final.height + 1, 'final blocks come in order');
    for (const dead of this.#deadAfter([next])) this.#candidates.delete(dead.hash);
    this.#leftovers = [];
    this.#candidates.delete(next.hash);
    const before = this.#final.state;
    if (before !== execution.state) before.release();
    this.#final = { height: header.height, hash: next.hash, header, state: execution.state };
  }

  /** A snapshot took the place of everything up to its block: what does not stand above it is forgotten. */
  install(final: FinalBlock): void {
    invariant(final.height > this.#final.height, 'a snapshot is of a later block');
    for (const { hash, block } of this.#candidates.values()) {
      const { height, parentHash } = block.header;
      if (height <= final.height || (height === final.height + 1 && parentHash !== final.hash))
        this.#candidates.delete(hash);
    }
    this.#leftovers = [];
    const before = this.#final.state;
    // Blocks that changed nothing have the state of the block before them, up to those that stay here.
    const isKept = [...this.#candidates.values()].some(
      ({ outcome }) => outcome.name === 'valid' && outcome.execution.state === before,
    );
    if (!isKept) before.release();
    this.#final = shared(final);
  }

  /** Forgets blocks that the engine cut off. */
  forget(hashes: readonly Hash[]): void {
    for (const hash of hashes) this.#candidates.delete(hash);
  }

  #execute(candidate: Candidate, parent: Base): Exclude<Outcome, { name: 'unknown' }> {
    if (candidate.outcome.name !== 'unknown') return candidate.outcome;
    this.#executed += 1;
    const outcome = this.#judgeOn(candidate.block, parent);
    candidate.outcome = outcome;
    return outcome;
  }

  #judgeOn(block: Block, parent: Base): Exclude<Outcome, { name: 'unknown' }> {
    const { header, transactions } = block;
    const broken = checkLink(parent.header, header);
    if (broken !== undefined) return { name: 'invalid', problem: broken };
    const { height, timestamp, proposer, validatorsHash } = header;
    const { chainId } = this.#options.genesis;
    const context = { height, timestamp, proposer, chainId, validatorsHash };
    const execution = executeBlock(parent.state, context, transactions);
    if (execution instanceof Problem) return { name: 'invalid', problem: execution };
    const wrong = checkRoots(header, execution);
    return wrong === undefined ? { name: 'valid', execution } : { name: 'invalid', problem: wrong };
  }

  /**
   * What can no longer become final when this run does. Above a gap nobody knows what a block extends: it
   * stays until it is closed.
   */
  #deadAfter(run: readonly Candidate[]): Set<Candidate> {
    const last = defined(run.at(-1), 'the last block of a run');
    const lastHeight = last.block.header.height;
    const dead = new Map<Hash, Candidate>();
    const byHeight = [...this.#candidates.values()].sort(
      (a, b) => a.block.header.height - b.block.header.height,
    );
    for (const candidate of byHeight) {
      if (run.includes(candidate)) continue;
      const { height, parentHash } = candidate.block.header;
      const stays =
        height === lastHeight + 1 ? parentHash === last.hash : height > lastHeight && !dead.has(parentHash);
      if (!stays) dead.set(candidate.hash, candidate);
    }
    return new Set(dead.values());
  }

  /**
   * Forgets the oldest blocks that are not on disk, by number and by what they take: they can be fetched
   * again. Of those that are, engines keep a bounded number.
   */
  #makeRoomFor(candidate: Candidate): void {
    const unstored = [...this.#candidates.values()].filter(({ stored }) => !stored);
    const room = Math.max(limits.candidateBytes, 2 * (this.#options.inFlightBytes ?? 0));
    let count = unstored.length + (candidate.stored ? 0 : 1);
    let weight = candidate.stored ? 0 : candidate.weight;
    for (const other of unstored) weight += other.weight;
    for (const oldest of unstored) {
      if (count <= limits.candidateBlocks && weight <= room) return;
      this.#candidates.delete(oldest.hash);
      count -= 1;
      weight -= oldest.weight;
    }
  }
}

/** With a state of its own, which the chain may release. */
const shared = (final: FinalBlock): FinalBlock => ({ ...final, state: final.state.share() });

export const headerBytes = (header: BlockHeader): Uint8Array => encode(headerCodec, header);
export const blockBytes = (candidate: Candidate): Uint8Array => encodeBlock(candidate.block);
