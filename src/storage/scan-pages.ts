import { type KeyRange, keyAfter } from './keys.ts';
import type { Store } from './port.ts';

/** How many entries a scan reads at a time: enough that the cost of starting a scan does not matter. */
const pageEntries = 4_000;

/**
 * Entries of a range as they are stored, in key order, a page at a time. Those of a page may be removed
 * before the next one is asked for.
 */
export async function* scanPages(store: Store, range: KeyRange): AsyncGenerator<[Uint8Array, Uint8Array][]> {
  let { from } = range;
  for (;;) {
    const page = await store.scan({ from, to: range.to, limit: pageEntries });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageEntries) return;
    from = keyAfter(last[0]);
  }
}
