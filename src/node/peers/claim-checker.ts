import { hash as digest } from 'node:crypto';
import { concat, fromHex } from '../../base/bytes.ts';
import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import type { SignatureClaim, Verifier } from '../../crypto/signature.ts';
import { BoundedMap } from '../../base/bounded-map.ts';

/** A claim and a name that stands for exactly it: key, message and signature. */
export interface NamedClaim {
  readonly name: string;
  readonly claim: SignatureClaim;
}

/** Who waits for a claim; the first go first. `transactions` are new ones, of clients and members. */
export type Lane = 'messages' | 'blocks' | 'transactions' | 'strangers';

const lanes: readonly Lane[] = ['messages', 'blocks', 'transactions', 'strangers'];

const isUrgent = (lane: Lane): boolean => lane === 'messages' || lane === 'blocks';

/** One call of `check` until its answer. */
interface Call {
  readonly valid: boolean[];
  /** How many answers it lacks. */
  open: number;
  readonly done: (valid: readonly boolean[]) => void;
}

/** Where the answer to a claim goes. */
interface Waiter {
  readonly call: Call;
  readonly index: number;
  readonly lane: Lane;
  /** A strict no is no answer: then the rule itself is asked. */
  readonly byRule: boolean;
}

interface Pending {
  readonly named: NamedClaim;
  /** By which rule. */
  readonly strict: boolean;
  readonly waiters: Waiter[];
  /** Where it waits: a block or a member may turn out to need what waits further behind. */
  lane: Lane;
  /** The verifier has it. */
  handed: boolean;
}

/**
 * Checks each claim once: what was found true is remembered, and what is under way is waited for. The
 * verifier gets a few at a time, and the rest wait here in lanes, so that what is urgent is not stuck behind
 * all others, and the verifier never holds more than it has room for.
 */
export class ClaimChecker {
  readonly #verifier: Verifier;
  /** Names. Only true claims get in, so a liar cannot fill it cheaply. */
  readonly #known = new BoundedMap<string, true>(limits.verifiedClaims);
  readonly #strict = new Map<string, Pending>();
  readonly #consensus = new Map<string, Pending>();
  readonly #waiting: Readonly<Record<Lane, Line>> = {
    messages: new Line(),
    blocks: new Line(),
    transactions: new Line(),
    strangers: new Line(),
  };
  readonly #atVerifier = { urgent: 0, other: 0 };

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  static nameOf(claim: SignatureClaim): string {
    return digest('sha256', concat(fromHex(claim.publicKey), fromHex(claim.signature), claim.message));
  }

  /** Claims that have no answer. */
  get load(): number {
    return this.#strict.size + this.#consensus.size;
  }

  knows(name: string): boolean {
    return this.#known.has(name);
  }

  /** It is known, or the rule's answer is on the way: to ask for it costs nothing. */
  #isFree(name: string): boolean {
    return this.knows(name) || this.#consensus.has(name);
  }

  /** How many of them have to be checked: what is known or under way costs nothing. */
  costOf(claims: readonly NamedClaim[]): number {
    let cost = 0;
    for (const { name } of claims) if (!this.#isFree(name)) cost += 1;
    return cost;
  }

  /** True by the word of somebody whose word is taken. */
  take(names: Iterable<string>): void {
    for (const name of names) this.#known.set(name, true);
  }

  /**
   * One answer per claim, in order; at once when all are known. By the consensus rule, unless `strict`: then
   * also what the rule accepts may be refused, because such a no costs less (`crypto/verify.ts`).
   */
  check(
    claims: readonly NamedClaim[],
    lane: Lane,
    done: (valid: readonly boolean[]) => void,
    strict = false,
  ): void {
    const call: Call = { valid: claims.map(() => true), open: 1, done };
    for (let index = 0; index < claims.length; index++) {
      const named = claims[index] as NamedClaim;
      if (this.knows(named.name)) continue;
      call.open += 1;
      // A strict yes is a yes of the rule too: what is under way is waited for.
      const asked = (strict ? this.#consensus : this.#strict).has(named.name) ? !strict : strict;
      this.#join(asked ? this.#strict : this.#consensus, named, { call, index, lane, byRule: !strict });
    }
    this.#hand();
    close(call);
  }

  #join(underWay: Map<string, Pending>, named: NamedClaim, waiter: Waiter): void {
    const { lane } = waiter;
    const pending = underWay.get(named.name);
    if (pending === undefined) {
      const added = { named, strict: underWay === this.#strict, waiters: [waiter], lane, handed: false };
      underWay.set(named.name, added);
      this.#waiting[lane].add(added);
      return;
    }
    pending.waiters.push(waiter);
    if (pending.handed || lanes.indexOf(lane) >= lanes.indexOf(pending.lane)) return;
    pending.lane = lane;
    this.#waiting[lane].add(pending);
  }

  /** Keeps the verifier busy, and no more. */
  #hand(): void {
    for (const urgent of [true, false]) {
      const at = urgent ? 'urgent' : 'other';
      const most = urgent ? limits.consensusHanded : limits.patientHanded;
      const batch: Pending[] = [];
      for (const lane of lanes) {
        if (isUrgent(lane) === urgent) this.#waiting[lane].take(lane, most - this.#atVerifier[at], batch);
      }
      if (batch.length === 0) continue;
      for (const strict of [true, false]) {
        const alike = batch.filter((pending) => pending.strict === strict);
        if (alike.length > 0) this.#give(alike, strict, at);
      }
    }
  }

  #give(batch: readonly Pending[], strict: boolean, at: 'urgent' | 'other'): void {
    this.#atVerifier[at] += batch.length;
    const claims = batch.map(({ named }) => named.claim);
    this.#verifier.verify(
      claims,
      strict,
      (answers) => {
        this.#atVerifier[at] -= batch.length;
        // Before the waiters think about the answers.
        this.#hand();
        this.#answer(batch, answers, strict);
      },
      at === 'urgent',
    );
  }

  #answer(batch: readonly Pending[], answers: readonly boolean[], strict: boolean): void {
    const underWay = strict ? this.#strict : this.#consensus;
    for (let index = 0; index < batch.length; index++) {
      const { named, waiters } = batch[index] as Pending;
      const valid = defined(answers[index], 'an answer for each claim');
      if (valid) this.#known.set(named.name, true);
      underWay.delete(named.name);
      for (const waiter of waiters) {
        if (!valid && strict && waiter.byRule) this.#join(this.#consensus, named, waiter);
        else {
          waiter.call.valid[waiter.index] = valid;
          close(waiter.call);
        }
      }
    }
    this.#hand();
  }
}

/** Answers a call that lacks nothing more. */
function close(call: Call): void {
  call.open -= 1;
  if (call.open === 0) call.done(call.valid);
}

/**
 * Claims that wait in one lane, oldest first. Those that went on in another one meanwhile are passed over.
 */
class Line {
  #queue: Pending[] = [];
  #start = 0;

  add(pending: Pending): void {
    this.#queue.push(pending);
  }

  /** Takes out until there are `most` in the batch. */
  take(lane: Lane, most: number, batch: Pending[]): void {
    while (batch.length < most && this.#start < this.#queue.length) {
      const pending = defined(this.#queue[this.#start], 'a queued claim');
      this.#start += 1;
      if (pending.handed || pending.lane !== lane) continue;
      pending.handed = true;
      batch.push(pending);
    }
    if (this.#start > 1_024 && 2 * this.#start > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#start);
      this.#start = 0;
    }
  }
}
