import { defined } from '../../base/invariant.ts';
import { claimCount, type Signed } from './named-claims.ts';

/** Who waits for an answer; the first go first. `transactions` are new ones, of clients and members. */
export type Lane = 'messages' | 'blocks' | 'transactions' | 'strangers';

export const lanes: readonly Lane[] = ['messages', 'blocks', 'transactions', 'strangers'];

/** One call of `check` until its answer. */
export interface Call {
  readonly list: readonly Signed[];
  /** Places in the list. */
  readonly wrong: number[];
  /** How many answers it lacks. */
  open: number;
  readonly done: (valid: readonly boolean[]) => void;
}

/** Where an answer goes. */
export interface Waiter {
  readonly call: Call;
  readonly place: number;
  readonly lane: Lane;
  /** A strict no is no answer: then the rule itself is asked. */
  readonly byRule: boolean;
}

/** What is being checked. Most have one waiter, whose place is here. */
export class Pending implements Waiter {
  readonly signed: Signed;
  /** By which rule. */
  readonly strict: boolean;
  readonly call: Call;
  readonly place: number;
  readonly lane: Lane;
  readonly byRule: boolean;
  others: Waiter[] | undefined;
  /** Where it waits: a block or a member may turn out to need what waits further behind. */
  line: Lane;
  state: 'waiting' | 'handed' | 'good';

  constructor(signed: Signed, strict: boolean, { call, place, lane, byRule }: Waiter) {
    this.signed = signed;
    this.strict = strict;
    this.call = call;
    this.place = place;
    this.lane = lane;
    this.byRule = byRule;
    this.others = undefined;
    this.line = lane;
    this.state = 'waiting';
  }

  add(waiter: Waiter): void {
    if (this.others === undefined) this.others = [waiter];
    else this.others.push(waiter);
  }
}

/** What waits in one lane, oldest first. What went on in another one meanwhile is passed over. */
export class Line {
  #queue: Pending[] = [];
  #start = 0;

  add(pending: Pending): void {
    this.#queue.push(pending);
  }

  /**
   * Moves into the batch what there is room for, in claims. Returns the room that is left: none when
   * something waits for more, so that what is small does not pass it for ever.
   */
  take(lane: Lane, room: number, batch: Pending[]): number {
    let left = room;
    while (left > 0 && this.#start < this.#queue.length) {
      const pending = defined(this.#queue[this.#start], 'what is queued');
      if (pending.state === 'waiting' && pending.line === lane) {
        left -= claimCount(pending.signed);
        if (left < 0) break;
        pending.state = 'handed';
        batch.push(pending);
      }
      this.#start += 1;
    }
    // Mostly all of it went, and nothing that went is to be held any longer.
    if (this.#start > 0 && 2 * this.#start >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#start);
      this.#start = 0;
    }
    return Math.max(left, 0);
  }
}
