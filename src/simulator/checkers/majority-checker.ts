import type { Hash } from '../../crypto/hash.ts';
import { promise } from '../breach.ts';

/**
 * What makes a block final in Raft (section 5.3): it is on the disks of a majority. Whoever calls one final that is on fewer
 * can lose it: a leader that counts itself too early, a follower that acknowledges what it has not written, or an
 * acknowledgement that was for another write.
 */
export class MajorityChecker {
  private readonly majority: number;
  /** By node, the blocks that its disk confirmed. */
  private readonly durable = new Map<number, Set<Hash>>();
  private readonly pending = new Map<number, { readonly seq: number; readonly blocks: readonly Hash[] }[]>();
  private readonly storedHeight: (node: number) => number;

  constructor(options: { members: number; storedHeight: (node: number) => number }) {
    this.majority = Math.ceil((options.members + 1) / 2);
    this.storedHeight = options.storedHeight;
    for (let node = 0; node < options.members; node++) this.durable.set(node, new Set());
  }

  /** A process begins, with these blocks above its final one on its disk. */
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

  onFinal(node: number, height: number, blockHash: Hash): void {
    let holders = 0;
    for (const [member, blocks] of this.durable) {
      if (blocks.has(blockHash) || this.storedHeight(member) >= height) holders += 1;
    }
    promise(
      holders >= this.majority,
      'protection',
      () =>
        `node ${node} calls height ${height} final, which is on ${holders} disks; ${this.majority} are needed`,
    );
  }
}
