import { invariant } from '../base/invariant.ts';
import { type Bytes, CellStore, growChunk } from './cell-store.ts';
import { EntryPages, hashWords, type PathOf } from './entry-pages.ts';
import { PageHashing } from './page-hashing.ts';
import { type BranchList, UpdateMemory } from './update-memory.ts';
import { hashBatch, pairBatch, pairInput, pairOutput } from './pair-batch.ts';

/**
 * A subtree of one `TreeNodes`: a branch above zero, a page of entries below, and 0 the empty
 * one, whose hash is zero.
 */
export type NodeRef = number;

/** A branch: its hash, left and right child, and how many branches, versions and running updates hold it. */
const branchWords = 11;
const leftWord = 8;
const rightWord = 9;
const holdersWord = 10;

const chunkBits = 13;
const chunkBranches = 1 << chunkBits;
const chunkMask = chunkBranches - 1;

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
  readonly #branches: Int32Array[] = [new Int32Array(4 * branchWords)];
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
    const branches = this.#branches.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const spare = this.#spare?.staged.memoryBytes ?? 0;
    return branches + this.pages.memoryBytes + this.#cells.memoryBytes + spare;
  }

  left(branch: NodeRef): NodeRef {
    return this.#word(branch, leftWord);
  }

  right(branch: NodeRef): NodeRef {
    return this.#word(branch, rightWord);
  }

  /** Entries of a page or of the empty subtree. */
  count(ref: NodeRef): number {
    return ref === 0 ? 0 : this.pages.count(-ref);
  }

  /** Copies the hash of a subtree, as words. */
  copyHash(ref: NodeRef, target: Int32Array, at: number): void {
    if (ref < 0) return this.pages.pageHash(-ref, target, at);
    const words = this.#branches[ref >>> chunkBits] as Int32Array;
    const from = (ref & chunkMask) * branchWords;
    for (let word = 0; word < hashWords; word++) target[at + word] = words[from + word] as number;
  }

  hashOf(ref: NodeRef): Bytes {
    const words = new Int32Array(hashWords);
    this.copyHash(ref, words, 0);
    return new Uint8Array(words.buffer);
  }

  /** One holder more. */
  hold(ref: NodeRef): NodeRef {
    if (ref < 0) this.pages.addHolders(-ref, 1);
    else if (ref > 0) this.#addHolders(ref, 1);
    return ref;
  }

  /** One holder less. */
  drop(ref: NodeRef): void {
    if (ref === 0) return;
    const left = ref < 0 ? this.pages.addHolders(-ref, -1) : this.#addHolders(ref, -1);
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
    const words = this.#branches[ref >>> chunkBits] as Int32Array;
    const at = (ref & chunkMask) * branchWords;
    words[at + leftWord] = left;
    words[at + rightWord] = right;
    words[at + holdersWord] = 1;
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
    this.pages.reset(page);
    return -page;
  }

  /** Hashes branches whose children are hashed: those of one level. */
  hashBranches({ refs, count: all }: Readonly<BranchList>): void {
    for (let from = 0; from < all; from += pairBatch) {
      const count = Math.min(pairBatch, all - from);
      for (let i = 0; i < count; i++) {
        const ref = refs[from + i] as NodeRef;
        this.copyHash(this.#word(ref, leftWord), pairInput, 2 * i * hashWords);
        this.copyHash(this.#word(ref, rightWord), pairInput, (2 * i + 1) * hashWords);
      }
      hashBatch(count);
      for (let i = 0; i < count; i++) {
        const ref = refs[from + i] as NodeRef;
        const words = this.#branches[ref >>> chunkBits] as Int32Array;
        const [at, hash] = [(ref & chunkMask) * branchWords, i * hashWords];
        for (let word = 0; word < hashWords; word++) words[at + word] = pairOutput[hash + word] as number;
      }
    }
  }

  #word(branch: NodeRef, word: number): number {
    return (this.#branches[branch >>> chunkBits] as Int32Array)[
      (branch & chunkMask) * branchWords + word
    ] as number;
  }

  #addHolders(branch: NodeRef, difference: number): number {
    const words = this.#branches[branch >>> chunkBits] as Int32Array;
    const at = (branch & chunkMask) * branchWords + holdersWord;
    return (words[at] = (words[at] as number) + difference);
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
    if ((ref & chunkMask) * branchWords >= (this.#branches[ref >>> chunkBits]?.length ?? 0)) {
      growChunk(this.#branches, chunkBranches * branchWords, (length) => new Int32Array(length));
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
