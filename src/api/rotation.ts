/**
 * Things that wait in lanes, one lane for each client: lanes have turns, so that a long one
 * does not hold up the others.
 */
export class Rotation<T> {
  /** The lane whose turn it is comes first. None is empty. */
  readonly #lanes = new Map<string, T[]>();

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  push(lane: string, item: T): void {
    const there = this.#lanes.get(lane);
    if (there === undefined) this.#lanes.set(lane, [item]);
    else there.push(item);
  }

  /**
   * The first that `wants` names of the next lane that `admits` lets through; its lane is
   * the last one from then on.
   */
  take(
    admits: (lane: string) => boolean = () => true,
    wants: (item: T) => boolean = () => true,
  ): T | undefined {
    for (const [lane, items] of this.#lanes) {
      const at = admits(lane) ? items.findIndex(wants) : -1;
      if (at < 0) continue;
      const [item] = items.splice(at, 1);
      this.#lanes.delete(lane);
      if (items.length > 0) this.#lanes.set(lane, items);
      return item;
    }
    return undefined;
  }

  /** The last one of the longest lane, if more than this many wait there. */
  takeFromLongest(moreThan: number): T | undefined {
    let longest: readonly [lane: string, items: T[]] | undefined;
    for (const entry of this.#lanes) {
      if (entry[1].length > (longest?.[1].length ?? moreThan)) longest = entry;
    }
    const last = longest?.[1].at(-1);
    if (longest !== undefined && last !== undefined) this.remove(longest[0], last);
    return last;
  }

  /** Takes out one that waits no more. */
  remove(lane: string, item: T): void {
    const items = this.#lanes.get(lane);
    const place = items?.indexOf(item) ?? -1;
    if (items === undefined || place < 0) return;
    items.splice(place, 1);
    if (items.length === 0) this.#lanes.delete(lane);
  }
}
