import { limits } from '../base/limits.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { feeRate } from './fee-rate.ts';
import type { Entry } from './lane.ts';

type Priced = Pick<Transaction, 'hash' | 'sender' | 'fee' | 'bytes' | 'operations'>;

/** A block that became final, before its transactions leave the pool. */
interface FullBlock {
  /**
   * What the cheapest of its transactions was worth that did not stand there for its age;
   * undefined when there is none.
   */
  readonly least: bigint | undefined;
  /** How many of its transactions are of a sender: seldom asked, so it is counted when it is. */
  readonly countOf: (sender: Transaction['sender']) => number;
  /** It has room for as many of those that waited too long as a correct proposer takes, and holds few. */
  readonly unfair: boolean;
}

/**
 * Of the transactions of a block; `isOld`: the one at a place may stand there for its age. `tooOld` are the
 * oldest ones of those that waited too long before it.
 */
export function fullBlock(
  transactions: readonly Priced[],
  isOld: (place: number) => boolean,
  tooOld: ReadonlySet<Transaction['hash']>,
): FullBlock {
  const worths = worthsOf(transactions);
  let least: bigint | undefined;
  for (let place = 0; place < worths.length; place++) {
    const worth = worths[place] as bigint;
    if ((least === undefined || worth < least) && !isOld(place)) least = worth;
  }
  const taken = tooOld.size === 0 ? 0 : transactions.filter(({ hash }) => tooOld.has(hash)).length;
  return {
    least,
    countOf: counter(transactions),
    unfair: 2 * taken < Math.min(tooOld.size, transactions.length),
  };
}

/** For each the smallest rate of its sender's up to it. */
function worthsOf(transactions: readonly Priced[]): bigint[] {
  const rates = transactions.map(feeRate);
  // Mostly all pay the same.
  if (rates.every((rate) => rate === rates[0])) return rates;
  const lowest = new Map<Transaction['sender'], bigint>();
  for (const [place, { sender }] of transactions.entries()) {
    const rate = rates[place] as bigint;
    const before = lowest.get(sender);
    if (before !== undefined && before < rate) rates[place] = before;
    else lowest.set(sender, rate);
  }
  return rates;
}

function counter(transactions: readonly Pick<Transaction, 'sender'>[]): FullBlock['countOf'] {
  let counts: Map<Transaction['sender'], number> | undefined;
  return (sender) => {
    if (counts === undefined) {
      counts = new Map();
      for (const one of transactions) counts.set(one.sender, (counts.get(one.sender) ?? 0) + 1);
    }
    return counts.get(sender) ?? 0;
  };
}

/**
 * Which entries were passed over by blocks that had no room left. A correct proposer fills a block in the
 * order of `fairOrder`, after those that waited longest. So an entry was passed over when the block holds
 * something that is worth less, although its sender had not had its share; or when it is the oldest of all
 * and older than anything may be. The first costs a liar whose own fees come back to it nothing; the
 * second it cannot get around. Nor does it help to take the oldest one by one, each just before its time: a
 * proposer that leaves out most of the oldest again and again passes over all behind them, too.
 *
 * The time of an entry runs from the first of a row of such blocks: a proposer may not have known of it
 * when it made the first one.
 */
export class PassedOver {
  readonly #senderShare: number;
  #entries: { readonly entry: Entry; readonly since: number; readonly aged: boolean }[] = [];
  /** Unfair blocks, less the fair ones since; and since when they are too many. */
  #unfair = 0;
  #unfairSince: number | null = null;

  constructor(senderShare: number) {
    this.#senderShare = senderShare;
  }

  /**
   * A full block is final, and its transactions have left. `best` comes first by `fairOrder` of what is left,
   * `oldest` is the oldest, when it is too old; each is undefined when there is none.
   */
  full(block: FullBlock, left: { best: Entry | undefined; oldest: Entry | undefined }, now: number): void {
    this.#entries = this.#entries.filter(
      ({ entry, aged }) => entry.since !== null && (aged || this.#isCheaper(block, entry)),
    );
    if (left.oldest === undefined) this.#unfair = 0;
    else
      this.#unfair = Math.min(
        Math.max(this.#unfair + (block.unfair ? 1 : -1), 0),
        2 * limits.mempoolUnfairBlocks,
      );
    if (this.#unfair < limits.mempoolUnfairBlocks) this.#unfairSince = null;
    else this.#unfairSince ??= now;
    if (left.oldest !== undefined) this.#add(left.oldest, now, true);
    if (left.best !== undefined && this.#isCheaper(block, left.best)) this.#add(left.best, now, false);
  }

  /** A block with room is final: whatever was passed over now was passed over by it. */
  roomy(): void {
    this.#unfair = 0;
    this.#unfairSince = null;
  }

  /** Since when; null when there is none. */
  since(): number | null {
    let since = this.#unfairSince;
    for (const { entry, since: from } of this.#entries) {
      if (entry.since !== null && (since === null || from < since)) since = from;
    }
    return since;
  }

  #isCheaper({ least, countOf }: FullBlock, entry: Entry): boolean {
    const { sender } = entry.transaction;
    return least !== undefined && least < entry.worth && countOf(sender) < this.#senderShare;
  }

  #add(entry: Entry, since: number, aged: boolean): void {
    if (this.#entries.some((known) => known.entry === entry && known.aged === aged)) return;
    if (this.#entries.length >= limits.mempoolPassedOver) this.#entries.shift();
    this.#entries.push({ entry, since, aged });
  }
}
