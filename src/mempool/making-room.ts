import type { Problem } from '../base/problem.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { problems } from './admission.ts';
import type { Entry, Lane } from './lane.ts';
import type { Lanes } from './lanes.ts';
import type { MempoolBounds } from './options.ts';
import { weightOf } from './weight.ts';

/**
 * Of one sender the lower nonces come first: where its balance or its share of the pool is not enough,
 * those behind a gap give way to a lower nonce, the highest first. So what is executable does not depend
 * on the order of arrival, which differs from node to node. Takes them off their lane; or says why that
 * does not help, and all stay. It counts before it takes: thousands may have to go, and to take them and put
 * them back costs much more than to refuse.
 */
export function pushOut(
  lanes: Lanes,
  lane: Lane,
  transaction: Transaction,
  own: {
    readonly balance: bigint;
    /** What it would replace. */
    readonly rival: Entry | undefined;
    readonly bounds: Pick<MempoolBounds, 'perSender' | 'bytesPerSender'>;
  },
): readonly Entry[] | Problem {
  const { balance, rival, bounds } = own;
  const { fee, nonce } = transaction;
  const { entries } = lane;
  let fees = lane.fees + fee - (rival?.transaction.fee ?? 0n);
  let bytes = lane.bytes + weightOf(transaction) - (rival?.weight ?? 0);
  let count = entries.length + (rival === undefined ? 1 : 0);
  // What is executable stays, and so does what comes before it.
  const staying = Math.max(lane.ready, lane.position(nonce + 1));
  let end = entries.length;
  while (fees > balance || bytes > bounds.bytesPerSender || count > bounds.perSender) {
    if (end <= staying) {
      return fees > balance
        ? problems.feesNotPayable(transaction, lane.fees, balance)
        : problems.senderFull(transaction, entries.length, lane.bytes);
    }
    end -= 1;
    const going = entries[end] as Entry;
    fees -= going.transaction.fee;
    bytes -= going.weight;
    count -= 1;
  }
  const pushed: Entry[] = [];
  while (entries.length > end) pushed.push(lane.takeLast());
  if (pushed.length > 0) lanes.place(lane);
  return pushed;
}

/** Undoes `takeLast`. */
export function putBack(lanes: Lanes, taken: readonly Entry[]): void {
  for (const entry of taken.toReversed()) {
    entry.lane.putBack(entry);
    lanes.place(entry.lane);
  }
}

/**
 * Takes what is kept for less than a newcomer (`Lane.lastKeptFor`) off its lanes until the pool is this
 * small. When that is not enough, all stay, and it returns what the cheapest left is kept for.
 */
export function makeRoom(
  lanes: Lanes,
  pool: { readonly size: number; readonly bytes: number },
  most: { readonly size: number; readonly bytes: number },
  worth: bigint,
): Entry[] | bigint {
  const taken: Entry[] = [];
  let { bytes } = pool;
  while (pool.size - taken.length > most.size || bytes > most.bytes) {
    const lane = lanes.cheapest;
    const lowest = lane?.lastWorth ?? worth;
    if (lane === undefined || lowest >= worth) {
      putBack(lanes, taken);
      return lowest;
    }
    const entry = lane.takeLast();
    taken.push(entry);
    bytes -= entry.weight;
    lanes.place(lane);
  }
  return taken;
}
