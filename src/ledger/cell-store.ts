/** Bytes that their holder may keep and change. */
export type Bytes = Uint8Array<ArrayBuffer>;

const cellBytes = 48;
const chunkBits = 13;
const chunkCells = 1 << chunkBits;
const chunkMask = chunkCells - 1;
const firstCells = 16;

/**
 * Byte strings in cells of one size, chained when one is not enough. So every cell fits every need, and
 * memory that was used once is never lost to pieces of the wrong size, whatever sizes people write and
 * delete. Each string counts its holders. One may carry a number, which `release` gets when nobody holds the
 * string any more.
 */
export class CellStore {
  readonly #bytes: Uint8Array[] = [new Uint8Array(firstCells * cellBytes)];
  /** The next cell of a chain, used or free; 0 at its end. */
  readonly #next: Int32Array[] = [new Int32Array(firstCells)];
  /** Of the string that starts in a cell. */
  readonly #holders: Int32Array[] = [new Int32Array(firstCells)];
  /** What strings carry, by where they start. */
  readonly #carried = new Map<number, number>();
  readonly #release: (carried: number) => void;
  #firstFree = 0;
  /** The lowest cell that was never used; 0 names none. */
  #fresh = 1;

  constructor(release: (carried: number) => void) {
    this.#release = release;
  }

  get memoryBytes(): number {
    return [...this.#bytes, ...this.#next, ...this.#holders].reduce(
      (sum, { byteLength }) => sum + byteLength,
      0,
    );
  }

  /** No cell can be had without more memory. */
  get isFull(): boolean {
    return this.#firstFree === 0 && !this.#hasFresh;
  }

  /**
   * Copies bytes, at least one, and returns where they start; the caller holds them. They carry a number
   * unless it is 0.
   */
  write(bytes: Uint8Array, carried = 0): number {
    const first = this.#take();
    let last = first;
    for (let room = cellBytes; room < bytes.length; room += cellBytes) {
      const next = this.#take();
      this.#link(last, next);
      last = next;
    }
    this.#link(last, 0);
    for (let cell = first, done = 0; done < bytes.length;) {
      const run = this.#run(cell, bytes.length - done);
      const piece = bytes.subarray(done, done + run * cellBytes);
      (this.#bytes[cell >>> chunkBits] as Uint8Array).set(piece, (cell & chunkMask) * cellBytes);
      done += piece.length;
      if (done < bytes.length) cell = this.#after(cell + run - 1);
    }
    (this.#holders[first >>> chunkBits] as Int32Array)[first & chunkMask] = 1;
    if (carried !== 0) this.#carried.set(first, carried);
    return first;
  }

  /** What the string that starts here carries; 0 for nothing. */
  carriedBy(first: number): number {
    return this.#carried.get(first) ?? 0;
  }

  /** Copies bytes of what starts here, behind the first `skipped`, into `target` from `at` on. */
  read(first: number, length: number, target: Uint8Array, at: number, skipped = 0): void {
    let cell = first;
    let inside = skipped;
    for (; inside >= cellBytes; inside -= cellBytes) cell = this.#after(cell);
    for (let done = 0; done < length; inside = 0) {
      const run = this.#run(cell, inside + length - done);
      const from = (cell & chunkMask) * cellBytes + inside;
      const size = Math.min(run * cellBytes - inside, length - done);
      const bytes = this.#bytes[cell >>> chunkBits] as Uint8Array;
      target.set(bytes.subarray(from, from + size), at + done);
      done += size;
      if (done < length) cell = this.#after(cell + run - 1);
    }
  }

  hold(first: number): void {
    const holders = this.#holders[first >>> chunkBits] as Int32Array;
    holders[first & chunkMask] = (holders[first & chunkMask] as number) + 1;
  }

  drop(first: number): void {
    const holders = this.#holders[first >>> chunkBits] as Int32Array;
    const left = (holders[first & chunkMask] as number) - 1;
    holders[first & chunkMask] = left;
    if (left > 0) return;
    const carried = this.#carried.size === 0 ? undefined : this.#carried.get(first);
    if (carried !== undefined) {
      this.#carried.delete(first);
      this.#release(carried);
    }
    let last = first;
    for (let next = this.#after(last); next !== 0; next = this.#after(last)) last = next;
    this.#link(last, this.#firstFree);
    this.#firstFree = first;
  }

  /**
   * How many cells of a chain lie side by side from this one on, as far as so many bytes go: mostly all. A
   * copy of each cell by itself would take many times as long.
   */
  #run(cell: number, length: number): number {
    const next = this.#next[cell >>> chunkBits] as Int32Array;
    let last = cell & chunkMask;
    const start = last;
    for (let left = length - cellBytes; left > 0 && last < chunkMask; left -= cellBytes) {
      if (next[last] !== cell + (last - start) + 1) break;
      last += 1;
    }
    return last - start + 1;
  }

  get #hasFresh(): boolean {
    return (this.#fresh & chunkMask) < (this.#next[this.#fresh >>> chunkBits]?.length ?? 0);
  }

  #after(cell: number): number {
    return (this.#next[cell >>> chunkBits] as Int32Array)[cell & chunkMask] as number;
  }

  #link(cell: number, next: number): void {
    (this.#next[cell >>> chunkBits] as Int32Array)[cell & chunkMask] = next;
  }

  #take(): number {
    const free = this.#firstFree;
    if (free !== 0) {
      this.#firstFree = this.#after(free);
      return free;
    }
    if (!this.#hasFresh) this.#grow();
    return this.#fresh++;
  }

  #grow(): void {
    growChunk(this.#next, chunkCells, Int32Array);
    growChunk(this.#holders, chunkCells, Int32Array);
    growChunk(this.#bytes, chunkCells * cellBytes, Uint8Array);
  }
}

/** Doubles the first chunk until it has full size, then adds full chunks. So a small store stays small. */
export function growChunk<T extends Int32Array | Uint8Array>(
  chunks: T[],
  whole: number,
  kind: new (length: number) => T,
): void {
  const first = chunks[0] as T;
  if (first.length >= whole) chunks.push(new kind(whole));
  else chunks[0] = grown(first, kind, Math.min(whole, 2 * first.length));
}

/** A copy with more room. */
export function grown<T extends Int32Array | Uint8Array>(
  old: T,
  kind: new (length: number) => T,
  length: number,
): T {
  const larger = new kind(length);
  larger.set(old);
  return larger;
}

/** How many there is room for next: of many a quarter more, because what is never used is memory, too. */
export function nextRoom(room: number): number {
  return room < chunkCells ? 2 * room : room + (room >>> 2);
}
