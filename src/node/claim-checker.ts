import { hash as digest } from 'node:crypto';
import { concat, fromHex } from '../base/bytes.ts';
import { defined } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { SignatureClaim, Verifier } from '../crypto/signature.ts';
import { BoundedMap } from './bounded-map.ts';

/** A claim and a name that stands for exactly it: key, message and signature. */
export interface NamedClaim {
  readonly name: string;
  readonly claim: SignatureClaim;
}

type Waiter = (valid: boolean) => void;

interface Pending {
  readonly named: NamedClaim;
  readonly waiters: Waiter[];
  /** The verifier has it. */
  handed: boolean;
}

/**
 * Checks each claim once: what was found true is remembered, and what is under way is waited for. Strict claims (new transactions)
 * are handed to the verifier a few at a time; the rest wait here, so that one that a block turns out to need is not stuck
 * behind all others.
 */
export class ClaimChecker {
  readonly #verifier: Verifier;
  /** Name to whether the strict rule accepted it too. Only true claims get in, so a liar cannot fill it cheaply. */
  readonly #known = new BoundedMap<string, boolean>(limits.verifiedClaims);
  readonly #strict = new Map<string, Pending>();
  readonly #consensus = new Map<string, Pending>();
  /** Strict claims that are not handed over, oldest first; those that were called for meanwhile are skipped. */
  #queue: Pending[] = [];
  #queueStart = 0;
  #strictHanded = 0;

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

  knows(name: string, strict: boolean): boolean {
    const knownStrictly = this.#known.get(name);
    return knownStrictly === true || (knownStrictly === false && !strict);
  }

  /** One answer per claim, in order; at once when all are known. */
  check(claims: readonly NamedClaim[], strict: boolean, done: (valid: readonly boolean[]) => void): void {
    const valid: boolean[] = claims.map(() => true);
    let open = 1;
    const close = (): void => {
      open -= 1;
      if (open === 0) done(valid);
    };
    const called: Pending[] = [];
    const fresh: Pending[] = [];
    for (const [index, named] of claims.entries()) {
      if (this.knows(named.name, strict)) continue;
      open += 1;
      const wait: Waiter = (answer) => {
        valid[index] = answer;
        close();
      };
      if (strict) this.#checkStrictly(named, wait);
      else this.#checkByConsensus(named, wait, called, fresh);
    }
    if (called.length > 0) this.#handStrict(called, true);
    if (fresh.length > 0) this.#handConsensus(fresh);
    this.#handQueued();
    close();
  }

  #checkStrictly(named: NamedClaim, wait: Waiter): void {
    const pending = this.#strict.get(named.name);
    if (pending !== undefined) {
      pending.waiters.push(wait);
      return;
    }
    const added = { named, waiters: [wait], handed: false };
    this.#strict.set(named.name, added);
    this.#queue.push(added);
  }

  /** A strict yes is a yes of the consensus rule too; only after a strict no does the rule itself have to be asked. */
  #checkByConsensus(named: NamedClaim, wait: Waiter, called: Pending[], fresh: Pending[]): void {
    const strict = this.#strict.get(named.name);
    if (strict === undefined) return this.#addConsensus(named, wait, fresh);
    strict.waiters.push((valid) => {
      if (valid) return wait(true);
      const again: Pending[] = [];
      this.#addConsensus(named, wait, again);
      if (again.length > 0) this.#handConsensus(again);
    });
    if (strict.handed) return;
    strict.handed = true;
    called.push(strict);
  }

  #addConsensus(named: NamedClaim, wait: Waiter, fresh: Pending[]): void {
    const pending = this.#consensus.get(named.name);
    if (pending !== undefined) {
      pending.waiters.push(wait);
      return;
    }
    const added = { named, waiters: [wait], handed: true };
    this.#consensus.set(named.name, added);
    fresh.push(added);
  }

  /** Keeps the verifier busy, and no more. */
  #handQueued(): void {
    const room = limits.strictHanded - this.#strictHanded;
    const batch: Pending[] = [];
    while (batch.length < room && this.#queueStart < this.#queue.length) {
      const pending = defined(this.#queue[this.#queueStart], 'a queued claim');
      this.#queueStart += 1;
      if (pending.handed) continue;
      pending.handed = true;
      batch.push(pending);
    }
    if (this.#queueStart > 1_024 && 2 * this.#queueStart > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueStart);
      this.#queueStart = 0;
    }
    if (batch.length > 0) this.#handStrict(batch, false);
  }

  #handStrict(batch: readonly Pending[], urgent: boolean): void {
    this.#strictHanded += batch.length;
    const claims = batch.map(({ named }) => named.claim);
    this.#verifier.verify(
      claims,
      true,
      (answers) => {
        this.#strictHanded -= batch.length;
        // Before the waiters think about the answers.
        this.#handQueued();
        this.#answer(batch, answers, this.#strict, true);
      },
      urgent,
    );
  }

  #handConsensus(batch: readonly Pending[]): void {
    const claims = batch.map(({ named }) => named.claim);
    this.#verifier.verify(claims, false, (answers) => this.#answer(batch, answers, this.#consensus, false));
  }

  #answer(
    batch: readonly Pending[],
    answers: readonly boolean[],
    underWay: Map<string, Pending>,
    strict: boolean,
  ): void {
    for (const [index, { named, waiters }] of batch.entries()) {
      const valid = defined(answers[index], 'an answer for each claim');
      if (valid) this.#known.set(named.name, strict || this.#known.get(named.name) === true);
      underWay.delete(named.name);
      for (const wait of waiters) wait(valid);
    }
  }
}
