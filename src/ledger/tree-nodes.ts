import { invariant } from '../base/invariant.ts';
import { hashSize } from '../crypto/pair-hash.ts';
import { type Bytes, CellStore, grown, nextRoom } from './cell-store.ts';
import { EntryPages, type PathOf } from './entry-pages.ts';
import { PageHashing } from './page-hashing.ts';
import { type BranchList, UpdateMemory } from './update-memory.ts';
import { bitAt } from './path-range.ts';
import { copyHash, hashBatch, hashWords, pairBatch, pairInput, pairOutput } from './pair-batch.ts';

/**
 * A subtree of one `TreeNodes`: a branch above zero, a page of entries below, and 0 the empty
 * one, whose hash is zero.
 */
export type NodeRef = number;

const firstBranches = 4;

/** The most memory of an update that stays for the next: a full block needs less. */
const keptBytes = 1024 * 1024;

/** How many dead branches are taken apart in the hope of a page before new memory is taken. */
const tries = 16;

/**
 * The memory of all versions of one tree, in a few large pieces: small objects would take five times as much,
 * and the collector would look at each of them. What is there never changes; it counts its holders, and what
 * nobody holds is used again. Taking apart what died is put off until something is wanted, so that dropping a
 * whole version costs nothing at once. An entry may hold the root of a tree of its own in the same memory, as
 * a branch holds its children: so a version of a tree of trees is one root, like any other.
 */
export class TreeNodes {
  readonly #cells = new CellStore((root) => this.drop(root));
  readonly pages: EntryPages;
  /** For one update, or one walk, at a time. */
  readonly hashing: PageHashing;
  /**
   * By branch: its left and its right child; how many branches, versions and running updates hold it; its
   * hash, as words. Each apart: who goes down a tree reads links alone, and those stay near the processor.
   */
  #links = new Int32Array(2 * firstBranches);
  #holders = new Int32Array(firstBranches);
  #hashes = new Int32Array(firstBranches * hashWords);
  #spare: UpdateMemory | undefined;
  #fresh = 1;
  /** Held by nobody; their children still count them. */
  readonly #deadBranches: NodeRef[] = [];
  readonly #deadPages: number[] = [];
  readonly #freeBranches: NodeRef[] = [];
  readonly #freePages: number[] = [];

  constructor(pathOf: PathOf) {
    this.pages = new EntryPages(this.#cells, pathOf);
    this.hashing = new PageHashing(this.pages);
  }

  /** For an update: that of the one before, unless it is under way. What it stages can be copied here. */
  borrow(pathOf: PathOf): UpdateMemory {
    const memory = this.#spare ?? new UpdateMemory(new EntryPages(this.#cells, pathOf));
    this.#spare = undefined;
    return memory;
  }

  giveBack(memory: UpdateMemory): void {
    memory.clear();
    if (memory.staged.memoryBytes <= keptBytes) this.#spare = memory;
  }

  /** Bytes of memory, used or not. */
  get memoryBytes(): number {
    const branches = this.#links.byteLength + this.#holders.byteLength + this.#hashes.byteLength;
    const spare = this.#spare?.staged.memoryBytes ?? 0;
    return branches + this.pages.memoryBytes + this.#cells.memoryBytes + spare;
  }

  /** Left for 0, right for 1. */
  child(branch: NodeRef, bit: number): NodeRef {
    return this.#links[2 * branch + bit] as NodeRef;
  }

  left(branch: NodeRef): NodeRef {
    return this.child(branch, 0);
  }

  right(branch: NodeRef): NodeRef {
    return this.child(branch, 1);
  }

  /** Entries of a page or of the empty subtree. */
  count(ref: NodeRef): number {
    return ref === 0 ? 0 : this.pages.heads.count(-ref);
  }

  /** The page, or the empty subtree, to which a path leads. */
  endOf(root: NodeRef, path: Uint8Array): NodeRef {
    const links = this.#links;
    let ref = root;
    for (let depth = 0; ref > 0; depth++) ref = links[2 * ref + bitAt(path, depth)] as NodeRef;
    return ref;
  }

  /** The same for the first `count` of some places, each on its way down a path of 32 bytes. */
  goDown(places: Int32Array, count: number, paths: Uint8Array): void {
    const links = this.#links;
    let isDown = false;
    for (let depth = 0; !isDown; depth++) {
      isDown = true;
      const byte = depth >>> 3;
      const shift = 7 - (depth & 7);
      for (let i = 0; i < count; i++) {
        const ref = places[i] as NodeRef;
        if (ref <= 0) continue;
        isDown = false;
        const bit = ((paths[i * hashSize + byte] as number) >>> shift) & 1;
        places[i] = links[2 * ref + bit] as NodeRef;
      }
    }
  }

  /** Copies the hash of a subtree to a place of others. */
  copyHash(ref: NodeRef, target: Int32Array, to: number): void {
    if (ref < 0) this.pages.heads.copyHash(-ref, target, to);
    else copyHash(this.#hashes, ref, target, to);
  }

  hashOf(ref: NodeRef): Bytes {
    const hash = new Int32Array(hashWords);
    this.copyHash(ref, hash, 0);
    return new Uint8Array(hash.buffer);
  }

  /** One holder more. */
  hold(ref: NodeRef): NodeRef {
    if (ref < 0) this.pages.heads.addHolders(-ref, 1);
    else if (ref > 0) this.#addHolders(ref, 1);
    return ref;
  }

  /** One holder less. */
  drop(ref: NodeRef): void {
    if (ref === 0) return;
    const left = ref < 0 ? this.pages.heads.addHolders(-ref, -1) : this.#addHolders(ref, -1);
    invariant(left >= 0, 'nobody drops what he does not hold');
    if (left > 0) return;
    if (ref < 0) this.#deadPages.push(-ref);
    else this.#deadBranches.push(ref);
  }

  /**
   * A new branch, held by the caller, that takes over the caller's hold of both children. It has no hash
   * before `hashBranches`.
   */
  branch(left: NodeRef, right: NodeRef): NodeRef {
    const ref = this.#takeBranch();
    this.#links[2 * ref] = left;
    this.#links[2 * ref + 1] = right;
    this.#holders[ref] = 1;
    return ref;
  }

  /** A new page without entries, held by the caller. */
  page(): NodeRef {
    while (this.#cells.isFull && this.#deadPages.length > 0 && this.#freePages.length < tries) {
      this.#freePages.push(this.#takeDeadPage());
    }
    for (let i = 0; i < tries && this.#freePages.length + this.#deadPages.length === 0; i++) {
      const dead = this.#deadBranches.pop();
      if (dead === undefined) break;
      this.#takeApart(dead);
      this.#freeBranches.push(dead);
    }
    const free = this.#freePages.pop();
    const page = free ?? (this.#deadPages.length > 0 ? this.#takeDeadPage() : this.pages.fresh());
    this.pages.heads.reset(page);
    return -page;
  }

  /** Hashes branches whose children are hashed: those of one level. */
  hashBranches({ refs, count: all }: Readonly<BranchList>): void {
    for (let from = 0; from < all; from += pairBatch) {
      const count = Math.min(pairBatch, all - from);
      for (let i = 0; i < count; i++) {
        const ref = refs[from + i] as NodeRef;
        this.copyHash(this.left(ref), pairInput, 2 * i);
        this.copyHash(this.right(ref), pairInput, 2 * i + 1);
      }
      hashBatch(count);
      const hashes = this.#hashes;
      for (let i = 0; i < count; i++) copyHash(pairOutput, i, hashes, refs[from + i] as NodeRef);
    }
  }

  #addHolders(branch: NodeRef, difference: number): number {
    return (this.#holders[branch] = (this.#holders[branch] as number) + difference);
  }

  #takeBranch(): NodeRef {
    const free = this.#freeBranches.pop();
    if (free !== undefined) return free;
    const dead = this.#deadBranches.pop();
    if (dead !== undefined) {
      this.#takeApart(dead);
      return dead;
    }
    const ref = this.#fresh++;
    if (ref === this.#holders.length) {
      const room = nextRoom(ref);
      this.#links = grown(this.#links, Int32Array, 2 * room);
      this.#holders = grown(this.#holders, Int32Array, room);
      this.#hashes = grown(this.#hashes, Int32Array, hashWords * room);
    }
    return ref;
  }

  #takeApart(branch: NodeRef): void {
    this.drop(this.left(branch));
    this.drop(this.right(branch));
  }

  #takeDeadPage(): number {
    const page = this.#deadPages.pop() as number;
    this.pages.clear(page);
    return page;
  }
}
