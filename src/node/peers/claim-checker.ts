import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import type { SignatureClaim, Verifier } from '../../crypto/signature.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import { type Call, type Lane, lanes, Line, Pending, type Waiter } from './claim-lines.ts';
import { addClaims, claimCount, type Signed } from './named-claims.ts';

/** What remembers transactions that were found good here: the mempool. */
type Kept = Pick<Mempool, 'knows' | 'sawFinal'>;

const nothingKept: Kept = { knows: () => false, sawFinal: () => false };

/** What goes to the verifier together, with how many claims it has of it at most. */
interface Share {
  readonly lanes: readonly Lane[];
  readonly urgent: boolean;
  readonly most: number;
  /** Claims at the verifier. */
  handed: number;
}

/**
 * Checks each transaction and each claim once: what was found good is remembered, and what is under way is
 * waited for. The verifier gets a few at a time, and the rest wait here in lanes, so that what is urgent is
 * not stuck behind all others, and the verifier never holds more than it has room for.
 */
export class ClaimChecker {
  readonly #verifier: Verifier;
  readonly #kept: Kept;
  /**
   * By hash: true for what was found good, so that a liar cannot fill it cheaply, and what is being checked.
   * That stays until a call has its answer, and whoever asked knows what to do with it.
   */
  readonly #found = new Map<string, Pending | true>();
  #underWay = 0;
  readonly #lines: Readonly<Record<Lane, Line>> = {
    messages: new Line(),
    blocks: new Line(),
    transactions: new Line(),
    strangers: new Line(),
  };
  readonly #shares: readonly Share[] = [
    { lanes: ['messages', 'blocks'], urgent: true, most: limits.consensusHanded, handed: 0 },
    { lanes: ['transactions', 'strangers'], urgent: false, most: limits.patientHanded, handed: 0 },
  ];

  constructor(verifier: Verifier, kept: Kept = nothingKept) {
    this.#verifier = verifier;
    this.#kept = kept;
  }

  /** How many have no answer. */
  get load(): number {
    return this.#underWay;
  }

  knows(signed: Signed): boolean {
    const found = this.#find(signed, true);
    return found === true || (found !== undefined && found.state === 'good');
  }

  /** `mayBeFinal`: what is new here is not, and that costs more to find out. */
  #find(signed: Signed, mayBeFinal: boolean): Pending | true | undefined {
    const found = this.#found.get(signed.hash);
    if (found !== undefined || 'claim' in signed) return found;
    return this.#kept.knows(signed.hash) || (mayBeFinal && this.#kept.sawFinal(signed.hash))
      ? true
      : undefined;
  }

  /** It is remembered elsewhere from now on. */
  forget({ hash }: Signed): void {
    if (this.#found.get(hash) === true) this.#found.delete(hash);
  }

  /** A transaction that is being checked, or whose answer nobody has yet. */
  transaction(hash: string): Transaction | undefined {
    const found = this.#found.get(hash);
    return found === undefined || found === true || 'claim' in found.signed ? undefined : found.signed;
  }

  /** How many claims have to be checked: nothing is, that is known or is being asked of the rule. */
  costOf(list: readonly Signed[]): number {
    let cost = 0;
    for (let index = 0; index < list.length; index++) {
      const signed = list[index] as Signed;
      const found = this.#find(signed, false);
      if (found === undefined || (found !== true && found.strict && found.state !== 'good'))
        cost += claimCount(signed);
    }
    return cost;
  }

  /** Good by the word of somebody whose word is taken. */
  take(list: readonly Signed[]): void {
    for (const { hash } of list) this.#found.set(hash, true);
    this.#forget();
  }

  /**
   * One answer for each, in order; at once when all are known. By the consensus rule, unless `strict`: then
   * also what the rule accepts may be refused, because such a no costs less (`crypto/verify.ts`).
   */
  check(
    list: readonly Signed[],
    lane: Lane,
    done: (valid: readonly boolean[]) => void,
    strict = false,
  ): void {
    const call: Call = { list, wrong: [], open: 1, done };
    for (let place = 0; place < list.length; place++) {
      const signed = list[place] as Signed;
      const found = this.#find(signed, lane === 'blocks');
      if (found === true || found?.state === 'good') continue;
      call.open += 1;
      const waiter = { call, place, lane, byRule: !strict };
      // A strict yes is a yes of the rule too: what is under way is waited for.
      if (found === undefined) this.#add(new Pending(signed, strict, waiter));
      else this.#join(found, waiter);
    }
    // Asked before anything is handed over: a verifier may answer at once.
    if (call.open === 1) return done(list.map(() => true));
    this.#hand();
    this.#close(call);
  }

  #add(pending: Pending): void {
    const { hash } = pending.signed;
    // It may be good by somebody's word meanwhile.
    if (this.#found.get(hash) !== true) this.#found.set(hash, pending);
    this.#underWay += 1;
    this.#lines[pending.line].add(pending);
  }

  #join(pending: Pending, waiter: Waiter): void {
    pending.add(waiter);
    const { lane } = waiter;
    if (pending.state !== 'waiting' || lanes.indexOf(lane) >= lanes.indexOf(pending.line)) return;
    pending.line = lane;
    this.#lines[lane].add(pending);
  }

  /** Keeps the verifier busy, and no more. */
  #hand(): void {
    for (const share of this.#shares) {
      const batch: Pending[] = [];
      let room = share.most - share.handed;
      for (const lane of share.lanes) room = this.#lines[lane].take(lane, room, batch);
      if (batch.length === 0) continue;
      for (const strict of [true, false]) {
        const alike = batch.filter((pending) => pending.strict === strict);
        if (alike.length > 0) this.#give(alike, strict, share);
      }
    }
  }

  #give(batch: readonly Pending[], strict: boolean, share: Share): void {
    const claims: SignatureClaim[] = [];
    for (let index = 0; index < batch.length; index++) addClaims((batch[index] as Pending).signed, claims);
    share.handed += claims.length;
    this.#verifier.verify(
      claims,
      strict,
      (answers) => {
        share.handed -= claims.length;
        // Before the waiters think about the answers.
        this.#hand();
        this.#answer(batch, answers);
      },
      share.urgent,
    );
  }

  /** `answers`: one for each claim. */
  #answer(batch: readonly Pending[], answers: readonly boolean[]): void {
    let next = 0;
    for (let index = 0; index < batch.length; index++) {
      const pending = batch[index] as Pending;
      let valid = true;
      for (let count = claimCount(pending.signed); count > 0; count--) {
        if (!defined(answers[next++], 'an answer for each claim')) valid = false;
      }
      this.#underWay -= 1;
      if (valid) pending.state = 'good';
      else this.#refuse(pending);
      this.#tell(pending, pending, valid);
      if (pending.others === undefined) continue;
      for (const waiter of pending.others) this.#tell(pending, waiter, valid);
    }
    this.#hand();
  }

  /** It is not good, or not strictly so: who goes by the rule waits for the rule's own answer now. */
  #refuse(pending: Pending): void {
    const { signed, strict } = pending;
    if (this.#found.get(signed.hash) === pending) this.#found.delete(signed.hash);
    if (!strict) return;
    let again: Pending | undefined;
    for (const waiter of [pending, ...(pending.others ?? [])]) {
      if (!waiter.byRule) continue;
      if (again === undefined) this.#add((again = new Pending(signed, false, waiter)));
      else this.#join(again, waiter);
    }
  }

  #tell({ strict }: Pending, { call, place, byRule }: Waiter, valid: boolean): void {
    if (!valid && strict && byRule) return;
    if (!valid) call.wrong.push(place);
    this.#close(call);
  }

  /** Answers a call that lacks nothing more. */
  #close(call: Call): void {
    call.open -= 1;
    if (call.open > 0) return;
    const { list, wrong, done } = call;
    const valid = list.map(() => true);
    for (const place of wrong) valid[place] = false;
    for (let place = 0; place < list.length; place++) {
      if (valid[place] === true) this.#found.set((list[place] as Signed).hash, true);
    }
    this.#forget();
    done(valid);
  }

  /** Past its bound, a sixteenth of what was found good goes at once, the oldest first (see `BoundedMap`). */
  #forget(): void {
    let surplus = this.#found.size - this.#underWay - limits.verifiedClaims;
    if (surplus <= 0) return;
    surplus += Math.floor(limits.verifiedClaims / 16);
    for (const [hash, found] of this.#found) {
      if (found !== true) continue;
      this.#found.delete(hash);
      surplus -= 1;
      if (surplus === 0) return;
    }
  }
}
