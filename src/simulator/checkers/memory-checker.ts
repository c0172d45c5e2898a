import { promise } from './breach.ts';

/** How deep and how far to look; an engine that is within its bounds is far below. */
const maxVisited = 200_000;

/** How much plain data holds: entries of its maps, sets, arrays and objects, all levels together. */
export function sizeOf(root: unknown): number {
  const seen = new Set<object>();
  const open: unknown[] = [root];
  let entries = 0;
  while (open.length > 0 && seen.size < maxVisited) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    const inner =
      value instanceof Map ? [...value.values()] : value instanceof Set ? [...value] : Object.values(value);
    entries += inner.length;
    for (const item of inner) open.push(item);
  }
  return entries;
}

/**
 * The most entries that a PBFT replica's state may hold: for each validator a bounded buffer, one vote of
 * each kind in each slot of the window and a few views, and a view change; for each height of the window its
 * proposal. Values are small, so entries stand for bytes.
 */
export function pbftBound(options: { validators: number; window: number; transactions: number }): number {
  const { validators, window, transactions } = options;
  const certificate = 5 + validators * 3;
  const viewChange = 8 + 2 * certificate;
  const buffered = validators * 64 * (20 + transactions);
  const tallies = (window + 1) * 10 * (6 + 3 * validators * 3);
  const proposals = (window + 1) * 3 * (40 + transactions);
  const own = (window + 4) * 4 * (validators * viewChange + 20);
  return 2_000 + buffered + tallies + proposals + own + validators * validators * viewChange;
}

/** Checks what a state holds against its bound. */
export function checkSize(node: number, state: unknown, bound: number): number {
  const size = sizeOf(state);
  promise(
    size <= bound,
    'bounds',
    () => `node ${node} holds ${size} entries in its engine; the bound is ${bound}`,
  );
  return size;
}
