import type { BlockHeader } from '../../ledger/block.ts';
import type { Hash } from '../../crypto/hash.ts';
import { promise } from '../breach.ts';

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
}

export interface LogCheckerOptions {
  readonly members: number;
  readonly storedHeight: (node: number) => number;
  /** The final block at a height, as far as anybody called one final. */
  readonly finalHash: (height: number) => Hash | undefined;
}

/**
 * What Raft's safety rests on, held against what the members' disks confirmed:
 * a follower acknowledges what is on its disk (figure 2);
 * a final block is on the disks of a majority (section 5.3): an acknowledgement that came early, or was for another write, shows here;
 * and nobody who lacks a final block could win an election with the logs as they are (section 5.4, leader completeness). So what
 * figure 8 forbids shows when the block is called final, and not only when another one has taken its place.
 */
export class LogChecker {
  private readonly options: LogCheckerOptions;
  private readonly majority: number;
  /** By node, the blocks that its disk confirmed. */
  private readonly durable = new Map<number, Set<Hash>>();
  private readonly pending = new Map<number, Write[]>();
  private readonly blocks = new Map<Hash, Block>();

  constructor(options: LogCheckerOptions) {
    this.options = options;
    this.majority = Math.ceil((options.members + 1) / 2);
    for (let node = 0; node < options.members; node++) this.durable.set(node, new Set());
  }

  /** A block that somebody built or received. */
  onBlock(blockHash: Hash, { view, height, parentHash }: BlockHeader): void {
    if (!this.blocks.has(blockHash)) this.blocks.set(blockHash, { term: view, height, parentHash });
  }

  /** A process begins, with these blocks in the log on its disk. */
  onStart(node: number, blocks: readonly Hash[]): void {
    this.pending.delete(node);
    if (this.durable.has(node)) this.durable.set(node, new Set(blocks));
  }

  onPersist(node: number, seq: number, blocks: readonly Hash[], forget: readonly Hash[]): void {
    const pending = this.pending.get(node) ?? [];
    pending.push({ seq, blocks });
    this.pending.set(node, pending);
    for (const hash of forget) this.durable.get(node)?.delete(hash);
  }

  onPersisted(node: number, seq: number): void {
    const pending = this.pending.get(node) ?? [];
    while (pending[0] !== undefined && pending[0].seq <= seq) {
      for (const hash of pending.shift()?.blocks ?? []) this.durable.get(node)?.add(hash);
    }
  }

  /** A member tells its leader that it has the log up to this block. */
  onAcknowledged(node: number, height: number, blockHash: Hash): void {
    promise(
      this.holds(node, height, blockHash),
      'protection',
      () =>
        `node ${node} acknowledges block ${blockHash.slice(0, 8)} at height ${height}, which is not on its disk`,
    );
  }

  onFinal(node: number, height: number, blockHash: Hash): void {
    const members = [...this.durable.keys()];
    const lacking = members.filter((member) => !this.holds(member, height, blockHash));
    const holders = members.length - lacking.length;
    promise(
      holders >= this.majority,
      'protection',
      () =>
        `node ${node} calls height ${height} final, which is on ${holders} disks; ${this.majority} are needed`,
    );
    const rival = lacking.find((member) => this.couldLead(member));
    promise(
      rival === undefined,
      'protection',
      () =>
        `node ${node} calls height ${height} final, and member ${rival}, whose log ends in a later term without it, could win an election`,
    );
  }

  private holds(member: number, height: number, blockHash: Hash): boolean {
    return this.durable.get(member)?.has(blockHash) === true || this.options.storedHeight(member) >= height;
  }

  /** A majority has logs that are not more up-to-date. */
  private couldLead(candidate: number): boolean {
    const own = this.tipOf(candidate);
    let voters = 0;
    for (const member of this.durable.keys()) if (!isAbove(this.tipOf(member), own)) voters += 1;
    return voters >= this.majority;
  }

  private tipOf(member: number): Tip {
    const height = this.options.storedHeight(member);
    const base = this.options.finalHash(height);
    let tip: Tip = { term: (base && this.blocks.get(base)?.term) ?? 0, height };
    for (const hash of this.durable.get(member) ?? []) {
      const block = this.blocks.get(hash);
      if (block !== undefined && block.height > tip.height && this.ancestorAt(hash, height) === base)
        tip = block;
    }
    return tip;
  }

  /** What was stored meanwhile may have put an end to blocks that the disk confirmed before. */
  private ancestorAt(blockHash: Hash, height: number): Hash | undefined {
    let hash = blockHash;
    for (;;) {
      const block = this.blocks.get(hash);
      if (block === undefined) return undefined;
      if (block.height === height + 1) return block.parentHash;
      hash = block.parentHash;
    }
  }
}

function isAbove(a: Tip, b: Tip): boolean {
  return a.term > b.term || (a.term === b.term && a.height > b.height);
}
