import type { IneligibleCode } from '../ledger/eligibility.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { Heap } from './heap.ts';
import type { Entry, Lane } from './lane.ts';

/** Whether `a` comes into a block before `b`: the higher worth first, then the one that has waited longer. */
function entryBefore(a: Entry, b: Entry): boolean {
  return isBefore(a.worth, a.stamp, b.worth, b.stamp);
}

/** The same of their worths and stamps. */
export function isBefore(worth: bigint, stamp: number, otherWorth: bigint, otherStamp: number): boolean {
  return worth === otherWorth ? stamp < otherStamp : worth > otherWorth;
}

interface Cursor {
  readonly lane: Lane;
  position: number;
  entry: Entry;
  /** Taken in this round. */
  taken: number;
}

/**
 * The order of blocks. It goes in rounds. In each, the best transaction that may come next is taken again and
 * again (by `entryBefore`; of each sender only the lowest nonce may come next), and a sender that gave
 * `share` of them rests until the next round. So higher fees come first, and however many and however dear
 * the transactions of one sender are, all others have their turn after `share` of them. Where the asker says
 * that it passed one over, those behind it of the same sender have a gap before them, and are left out.
 *
 * Cost: `ready` is a heap by each lane's `next`, and it is not changed. The walk looks only at lanes whose
 * parent in the heap it has used, so n transactions cost about n log n, whatever waits behind them. `nonceOf`
 * may say that more of a lane is used than its marks tell: the lane's remainder is never worth more than its
 * `next`, so it still finds its exact place.
 */
export function* fairOrder(
  ready: Heap<Lane>,
  share: number,
  nonceOf: (lane: Lane) => number,
): Generator<Transaction, void, IneligibleCode | undefined> {
  const laneAt = (position: number): Entry => (ready.at(position) as Lane).next as Entry;
  const frontier = new Heap<number>((a, b) => entryBefore(laneAt(a), laneAt(b)));
  const current = new Heap<Cursor>((a, b) => entryBefore(a.entry, b.entry));
  let resting: Cursor[] = [];
  if (ready.size > 0) frontier.push(0);
  for (;;) {
    for (let best = frontier.peek(); best !== undefined; best = frontier.peek()) {
      const top = current.peek();
      if (top !== undefined && entryBefore(top.entry, laneAt(best))) break;
      frontier.pop();
      for (const child of [2 * best + 1, 2 * best + 2]) if (child < ready.size) frontier.push(child);
      const lane = ready.at(best) as Lane;
      const position = nonceOf(lane) - lane.nonce;
      const entry = position >= 0 && position < lane.ready ? lane.entries[position] : undefined;
      if (entry !== undefined) current.push({ lane, position, entry, taken: 0 });
    }
    const cursor = current.peek();
    if (cursor === undefined) {
      if (resting.length === 0) return;
      for (const rested of resting) current.push(Object.assign(rested, { taken: 0 }));
      resting = [];
      continue;
    }
    if ((yield cursor.entry.transaction) !== undefined) {
      current.pop();
      continue;
    }
    cursor.taken += 1;
    cursor.position += 1;
    const next = cursor.position < cursor.lane.ready ? cursor.lane.entries[cursor.position] : undefined;
    if (next === undefined) {
      current.pop();
    } else {
      cursor.entry = next;
      if (cursor.taken === share) {
        current.pop();
        resting.push(cursor);
      } else {
        current.reorder(0);
      }
    }
  }
}
