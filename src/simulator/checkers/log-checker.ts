import type { LogRecord } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { entryPrefix } from '../../consensus/raft/records.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import { promise } from './breach.ts';
import type { Member } from '../../ledger/members.ts';

/** Where a log ends: what "up-to-date" compares (section 5.4.1). */
interface Tip {
  readonly term: number;
  readonly height: number;
}

interface Block extends Tip {
  readonly parentHash: Hash;
}

interface Write {
  readonly seq: number;
  readonly blocks: readonly Hash[];
  /** Heights whose entries leave the log. */
  readonly removed: readonly number[];
}

type Members = readonly Member[];

/**
 * Who votes: two groups in the phase between two configurations, twice the same one otherwise. Not the
 * engine's own code: that is what is checked.
 */
const electorates: readonly (readonly Member['role'][])[] = [
  ['voter', 'leaving', 'demoted'],
  ['voter', 'joining'],
];

/** How a node takes part in elections. */
interface ElectionPart {
  /** Who votes, as far as it knows. */
  readonly members: Members;
  /** False for one whose log was lost. */
  readonly votes: boolean;
  /** False for one that knows of later members, or lost its log. */
  readonly campaigns: boolean;
}

interface LogCheckerOptions {
  /** The key of each node. */
  readonly keys: readonly PublicKey[];
  /** The members at the beginning. */
  readonly members: Members;
  readonly storedHeight: (node: number) => number;
  /** The final block at a height, as far as anybody called one final. */
  readonly finalHash: (height: number) => Hash | undefined;
}

/**
 * What Raft's safety rests on, held against what the members' disks confirmed:
 *
 * - A follower acknowledges what is on its disk (figure 2).
 * - A final block is on the disks of a majority (section 5.3). An acknowledgement that came early, or was for
 *   another write, shows here.
 * - Nobody who lacks a final block could win an election with the logs as they are (section 5.4, leader
 *   completeness). So what figure 8 forbids shows when the block is called final, and not only when another
 *   one has taken its place.
 *
 * A majority is one of each configuration in force (section 6). A block's own is the newest that a block
 * below it started, and a rival's is the one that it goes by itself.
 */
export class LogChecker {
  readonly #options: LogCheckerOptions;
  /** Lowest first, each with a height from which on it is in force. */
  readonly #configurations: { readonly height: number; readonly members: Members }[];
  /** By node, how it takes part in elections. */
  readonly #parts = new Map<number, ElectionPart>();
  /** By node, the blocks that its disk confirmed. */
  readonly #durable = new Map<number, Set<Hash>>();
  readonly #pending = new Map<number, Write[]>();
  readonly #blocks = new Map<Hash, Block>();

  constructor(options: LogCheckerOptions) {
    this.#options = options;
    this.#configurations = [{ height: 0, members: options.members }];
    for (const node of options.keys.keys()) {
      this.#durable.set(node, new Set());
      this.#parts.set(node, { members: options.members, votes: true, campaigns: true });
    }
  }

  /** A block that somebody built or received. */
  onBlock(blockHash: Hash, { view, height, parentHash }: BlockHeader): void {
    if (!this.#blocks.has(blockHash)) this.#blocks.set(blockHash, { term: view, height, parentHash });
  }

  /** A process begins, with these blocks in the log on its disk. */
  onStart(node: number, blocks: readonly Hash[]): void {
    this.#pending.delete(node);
    this.#durable.set(node, new Set(blocks));
  }

  /** Some node goes by these members from this height on. */
  onConfiguration(height: number, members: Members): void {
    const newest = this.#configurations.findLastIndex((known) => known.height <= height);
    const known = this.#configurations[newest]?.members;
    // One that came with a snapshot has its height.
    if (known === members || JSON.stringify(known) === JSON.stringify(members)) return;
    this.#configurations.splice(newest + 1, 0, { height, members });
  }

  onPart(node: number, part: ElectionPart): void {
    this.#parts.set(node, part);
  }

  /** Its disk is another one. It may have voted, and so it gives no vote. */
  onDiskLost(node: number): void {
    this.#durable.set(node, new Set());
    this.#parts.set(node, { members: [], votes: false, campaigns: false });
  }

  onPersist(node: number, write: Write, forget: readonly Hash[]): void {
    const pending = this.#pending.get(node) ?? [];
    pending.push(write);
    this.#pending.set(node, pending);
    for (const hash of forget) this.#durable.get(node)?.delete(hash);
  }

  onPersisted(node: number, seq: number): void {
    const pending = this.#pending.get(node) ?? [];
    for (let write = pending[0]; write !== undefined && write.seq <= seq; write = pending[0]) {
      pending.shift();
      for (const height of write.removed) this.#remove(node, height);
      for (const hash of write.blocks) this.#durable.get(node)?.add(hash);
    }
  }

  /** An entry left the log on its disk. A final one is stored by then: whoever counted it relies on that. */
  #remove(node: number, height: number): void {
    const durable = this.#durable.get(node);
    for (const hash of durable ?? []) {
      if (this.#blocks.get(hash)?.height !== height) continue;
      durable?.delete(hash);
      promise(
        this.#options.finalHash(height) !== hash || this.#options.storedHeight(node) >= height,
        'protection',
        () => `node ${node} takes block ${height}, which is final, off its disk before it is stored`,
      );
    }
  }

  /** A member tells its leader that it has the log up to this block. */
  onAcknowledged(node: number, height: number, blockHash: Hash): void {
    promise(
      this.#holds(node, height, blockHash),
      'protection',
      () =>
        `node ${node} acknowledges block ${blockHash.slice(0, 8)} at height ${height}, which is not on its disk`,
    );
  }

  onFinal(node: number, height: number, blockHash: Hash): void {
    const nodes = [...this.#durable.keys()];
    const guards = nodes.filter((other) => this.#guards(other, height, blockHash));
    const inForce = this.#inForceFor(height, blockHash);
    promise(
      inForce.some((members) => this.#isQuorum(members, (other) => guards.includes(other))),
      'protection',
      () => `node ${node} calls height ${height} final, which is on the disks of ${guards.join()} only`,
    );
    const rival = nodes.find((other) => !guards.includes(other) && this.#couldLead(other));
    promise(
      rival === undefined,
      'protection',
      () =>
        `node ${node} calls height ${height} final, and node ${rival}, whose log ends without it, could win an election`,
    );
  }

  /**
   * The configurations under which a block may have been committed. A leader that found a change of the
   * members at the end of its log puts its first block on it, and both are committed under the members
   * before: neighbours share a majority. So may several leaders in a row.
   */
  #inForceFor(height: number, blockHash: Hash): readonly Members[] {
    const [before, own] = this.#configurations.filter((known) => known.height < height).slice(-2);
    if (before === undefined) return [];
    if (own === undefined) return [before.members];
    for (let block = this.#blocks.get(blockHash); block !== undefined && block.height > own.height;) {
      const parent = this.#blocks.get(block.parentHash);
      if (parent !== undefined && parent.term >= block.term) return [own.members];
      block = parent;
    }
    return [before.members, own.members];
  }

  #isQuorum(members: Members, yes: (node: number) => boolean): boolean {
    return electorates.every((roles) => {
      const voters = members.filter(({ role }) => roles.includes(role));
      return 2 * voters.filter(({ key }) => yes(this.#options.keys.indexOf(key))).length > voters.length;
    });
  }

  /** It has the block, or helps to elect nobody who lacks it. */
  #guards(node: number, height: number, blockHash: Hash): boolean {
    return this.#holds(node, height, blockHash) || this.#parts.get(node)?.votes === false;
  }

  #holds(node: number, height: number, blockHash: Hash): boolean {
    return this.#durable.get(node)?.has(blockHash) === true || this.#options.storedHeight(node) >= height;
  }

  /** A majority of the members that it goes by, itself among them, has logs that are not more up-to-date. */
  #couldLead(candidate: number): boolean {
    const { members, campaigns } = this.#parts.get(candidate) as ElectionPart;
    const role = members.find(({ key }) => key === this.#options.keys[candidate])?.role;
    if (!campaigns || role === undefined || !electorates.flat().includes(role)) return false;
    const own = this.#tipOf(candidate);
    const votes = (node: number): boolean => this.#parts.get(node)?.votes === true;
    return this.#isQuorum(members, (voter) => votes(voter) && !isAbove(this.#tipOf(voter), own));
  }

  #tipOf(node: number): Tip {
    const height = this.#options.storedHeight(node);
    const base = this.#options.finalHash(height);
    let tip: Tip = { term: (base && this.#blocks.get(base)?.term) ?? 0, height };
    for (const hash of this.#durable.get(node) ?? []) {
      const block = this.#blocks.get(hash);
      if (block !== undefined && block.height > tip.height && this.#ancestorAt(hash, height) === base)
        tip = block;
    }
    return tip;
  }

  /** What was stored meanwhile may have put an end to blocks that the disk confirmed before. */
  #ancestorAt(blockHash: Hash, height: number): Hash | undefined {
    let hash = blockHash;
    for (;;) {
      const block = this.#blocks.get(hash);
      if (block === undefined) return undefined;
      if (block.height === height + 1) return block.parentHash;
      hash = block.parentHash;
    }
  }
}

/** Heights of the entries that these records remove. */
export function removedEntries(records: readonly LogRecord[]): number[] {
  return records
    .filter(({ key, value }) => value === null && key.startsWith(entryPrefix))
    .map(({ key }) => Number(key.slice(entryPrefix.length)));
}

function isAbove(a: Tip, b: Tip): boolean {
  return a.term > b.term || (a.term === b.term && a.height > b.height);
}
