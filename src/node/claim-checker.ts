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

/** Checks each claim once: what was found true is remembered, and what is under way is waited for. */
export class ClaimChecker {
  readonly #verifier: Verifier;
  /** Name to whether the strict rule accepted it too. Only true claims get in, so a liar cannot fill it cheaply. */
  readonly #known = new BoundedMap<string, boolean>(limits.verifiedClaims);
  readonly #underWay = { strict: new Map<string, Waiter[]>(), consensus: new Map<string, Waiter[]>() };

  constructor(verifier: Verifier) {
    this.#verifier = verifier;
  }

  static nameOf(claim: SignatureClaim): string {
    return digest('sha256', concat(fromHex(claim.publicKey), fromHex(claim.signature), claim.message));
  }

  /** Signatures that the verifier has not answered. */
  get load(): number {
    return this.#underWay.strict.size + this.#underWay.consensus.size;
  }

  knows(name: string, strict: boolean): boolean {
    const knownStrictly = this.#known.get(name);
    return knownStrictly === true || (knownStrictly === false && !strict);
  }

  /** One answer per claim, in order; at once when all are known. */
  check(claims: readonly NamedClaim[], strict: boolean, done: (valid: readonly boolean[]) => void): void {
    const valid: boolean[] = claims.map(() => true);
    const underWay = strict ? this.#underWay.strict : this.#underWay.consensus;
    const fresh: NamedClaim[] = [];
    let open = 1;
    const close = (): void => {
      open -= 1;
      if (open === 0) done(valid);
    };
    for (const [index, named] of claims.entries()) {
      if (this.knows(named.name, strict)) continue;
      open += 1;
      const wait: Waiter = (answer) => {
        valid[index] = answer;
        close();
      };
      const waiters = underWay.get(named.name);
      if (waiters !== undefined) {
        waiters.push(wait);
      } else {
        underWay.set(named.name, [wait]);
        fresh.push(named);
      }
    }
    if (fresh.length > 0) this.#verify(fresh, strict, underWay);
    close();
  }

  #verify(fresh: readonly NamedClaim[], strict: boolean, underWay: Map<string, Waiter[]>): void {
    const claims = fresh.map(({ claim }) => claim);
    this.#verifier.verify(claims, strict, (answers) => {
      for (const [index, { name }] of fresh.entries()) {
        const valid = defined(answers[index], 'an answer for each claim');
        if (valid) this.#known.set(name, strict || this.#known.get(name) === true);
        const waiters = defined(underWay.get(name), 'those who wait for a claim');
        underWay.delete(name);
        for (const wait of waiters) wait(valid);
      }
    });
  }
}
