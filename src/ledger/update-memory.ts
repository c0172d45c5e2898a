import type { EntryPages } from './entry-pages.ts';

/** Branches of one level. */
export interface BranchList {
  readonly refs: number[];
  /** How many of them count. */
  count: number;
}

/**
 * What an update of a tree works with: each block has one, and the next takes its memory. Lists are
 * overwritten, not emptied: an array that is emptied gives its memory away.
 */
export class UpdateMemory {
  /** What is new, before it has its place. */
  readonly staged: EntryPages;
  /** Of one page at a time: staged entries; those of the page as -1, -2 and so on. */
  readonly merged: number[] = [];
  /** By depth: the old branches over one update. */
  readonly way: number[] = [];
  /** New branches by depth. */
  readonly levels: BranchList[] = [];

  #pages = 0;

  constructor(staged: EntryPages) {
    this.staged = staged;
  }

  /** Empties a page of the staged ones: they are used from 1 on, one after the other. */
  beginPage(page: number): void {
    if (page > this.#pages) this.#pages = this.staged.fresh();
    this.staged.heads.reset(page);
  }

  addBranch(ref: number, depth: number): void {
    while (this.levels.length <= depth) this.levels.push({ refs: [], count: 0 });
    const level = this.levels[depth] as BranchList;
    level.refs[level.count++] = ref;
  }

  /** For the next update. */
  clear(): void {
    for (const level of this.levels) level.count = 0;
  }
}
