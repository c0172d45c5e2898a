import { limits } from '../base/limits.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import { type Extent, readHeader } from './chain-records.ts';
import { forgetBlockWrites } from './chain-writes.ts';
import { heightIn, keys } from './keys.ts';
import type { Store, Write } from './port.ts';

/**
 * Final blocks below the one that a snapshot came for. Nothing of them is read any more, and there may be
 * millions: so each later batch of final blocks removes some.
 */
export class Leftovers {
  readonly #store: Store;
  /** From a height to before another; what was found when the store was opened may have gaps. */
  readonly #parts: { next: Height; readonly end: Height }[] = [];

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(store: Store, { firstHeader }: Extent): Promise<Leftovers> {
    const leftovers = new Leftovers(store);
    const range = { from: keys.header(toHeight(1)), to: keys.header(firstHeader), limit: 1 };
    const [first] = await store.scan(range);
    if (first !== undefined) leftovers.add(toHeight(heightIn(first[0])), firstHeader);
    // What was removed so far: the next start need not look for the first one there.
    if (firstHeader > 1) void store.compact({ ...range, to: first?.[0] ?? range.to }, 0);
    return leftovers;
  }

  /** What is stored from a height to before another is left over from now on. */
  add(from: Height, end: Height): void {
    this.#parts.push({ next: from, end });
  }

  /** The changes that remove some, for a batch; these count as removed. */
  take(): Write[] {
    const batch: Write[] = [];
    const [part] = this.#parts;
    if (part === undefined) return batch;
    const end = toHeight(Math.min(part.end, part.next + limits.leftoverBlocks));
    for (let height = part.next; height < end; height = toHeight(height + 1)) {
      if (this.#store.get(keys.header(height)) === undefined) continue;
      batch.push(...forgetBlockWrites(height, readHeader(this.#store, height).hash));
    }
    part.next = end;
    if (end === part.end) this.#parts.shift();
    return batch;
  }
}
