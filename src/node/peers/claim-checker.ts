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

type Waiter = (valid: boolean) => void;

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
  isFree(name: string): boolean {
    return this.knows(name) || this.#consensus.has(name);
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
    const valid: boolean[] = claims.map(() => true);
    let open = 1;
    const close = (): void => {
      open -= 1;
      if (open === 0) done(valid);
    };
    for (const [index, named] of claims.entries()) {
      if (this.knows(named.name)) continue;
      open += 1;
      const wait: Waiter = (answer) => {
        valid[index] = answer;
        close();
      };
      if (strict && !this.#consensus.has(named.name)) this.#join(this.#strict, named, lane, wait);
      else this.#checkByConsensus(named, lane, wait);
    }
    this.#hand();
    close();
  }

  /**
   * A strict yes is a yes of the consensus rule too; only after a strict no does the rule itself have to be
   * asked.
   */
  #checkByConsensus(named: NamedClaim, lane: Lane, wait: Waiter): void {
    if (!this.#strict.has(named.name)) return this.#join(this.#consensus, named, lane, wait);
    this.#join(this.#strict, named, lane, (valid) => {
      if (valid) return wait(true);
      this.#join(this.#consensus, named, lane, wait);
      this.#hand();
    });
  }

  #join(underWay: Map<string, Pending>, named: NamedClaim, lane: Lane, wait: Waiter): void {
    const pending = underWay.get(named.name);
    if (pending === undefined) {
      const added = { named, strict: underWay === this.#strict, waiters: [wait], lane, handed: false };
      underWay.set(named.name, added);
      this.#waiting[lane].add(added);
      return;
    }
    pending.waiters.push(wait);
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
    for (const [index, { named, waiters }] of batch.entries()) {
      const valid = defined(answers[index], 'an answer for each claim');
      if (valid) this.#known.set(named.name, true);
      underWay.delete(named.name);
      for (const wait of waiters) wait(valid);
    }
  }
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
