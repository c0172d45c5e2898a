/**
 * A binary heap whose first item is the one that `before` puts before all others. `before` must be a strict
 * total order, so that the order of arrival never shows. An owner that must find its items again is told of
 * every move: `moved(item, -1)` when it leaves.
 */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;
  readonly #moved: ((item: T, position: number) => void) | undefined;

  constructor(before: (a: T, b: T) => boolean, moved?: (item: T, position: number) => void) {
    this.#before = before;
    this.#moved = moved;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  /** The item at a position; its children are at `2 p + 1` and `2 p + 2`, and it comes before both. */
  at(position: number): T | undefined {
    return this.#items[position];
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.removeAt(0);
    return first;
  }

  removeAt(position: number): void {
    const removed = this.#items[position];
    const last = this.#items.pop();
    if (removed === undefined || last === undefined) return;
    this.#moved?.(removed, -1);
    if (removed !== last) {
      this.#put(last, position);
      this.reorder(position);
    }
  }

  /** To be called when the item at a position changed its place in the order. */
  reorder(position: number): void {
    const item = this.#items[position];
    if (item !== undefined && !this.#sink(item, position)) this.#rise(item, position);
  }

  #put(item: T, position: number): void {
    this.#items[position] = item;
    this.#moved?.(item, position);
  }

  #rise(item: T, start: number): void {
    let position = start;
    while (position > 0) {
      const parentPosition = (position - 1) >> 1;
      const parent = this.#items[parentPosition] as T;
      if (!this.#before(item, parent)) break;
      this.#put(parent, position);
      position = parentPosition;
    }
    this.#put(item, position);
  }

  #sink(item: T, start: number): boolean {
    const size = this.#items.length;
    let position = start;
    for (;;) {
      let childPosition = 2 * position + 1;
      if (childPosition >= size) break;
      let child = this.#items[childPosition] as T;
      const right = this.#items[childPosition + 1];
      if (childPosition + 1 < size && this.#before(right as T, child)) {
        childPosition += 1;
        child = right as T;
      }
      if (!this.#before(child, item)) break;
      this.#put(child, position);
      position = childPosition;
    }
    this.#put(item, position);
    return position !== start;
  }
}
