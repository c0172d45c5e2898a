import { defined } from '../base/invariant.ts';
import { Problem } from '../base/problem.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { EngineName } from '../ledger/engine-names.ts';
import { majority, maxFaulty } from '../ledger/quorum.ts';
import type { Nodes } from './nodes.ts';

/**
 * How many of so many nodes are waited for, and whose nonce counts then, the highest first (0). Each counts
 * what waits in its own mempool. In Raft mode nobody lies, and the highest of a majority counts. Under PBFT
 * it is the middle one of all but f: with four nodes one may be silent and another lie, and what counts lies
 * between what two honest ones say. A nonce that is too high would wait for ever, and all behind it.
 */
const opinionsOf: Readonly<
  Record<EngineName, { readonly enough: (nodes: number) => number; readonly counts: (of: number) => number }>
> = {
  pbft: { enough: (nodes) => nodes - maxFaulty(nodes), counts: (of) => Math.floor((of - 1) / 2) },
  raft: { enough: majority, counts: () => 0 },
};

/**
 * Whether those that are still to come can change nothing: of three, two that say the same are the middle
 * whatever the third says, so it may be silent. Of two both count: one that lags names a nonce that is used.
 */
function isDecided(
  nonces: readonly number[],
  { enough, counts }: { enough: number; counts: number },
): boolean {
  const missing = enough - nonces.length;
  const descending = nonces.toSorted((a, b) => b - a);
  return missing <= 0 || (counts >= missing && descending[counts - missing] === descending[counts]);
}

interface AccountNoncesOptions {
  readonly nodes: Nodes;
  readonly engine: EngineName;
  readonly publicKey: PublicKey;
}

/** The nonces of one account, as long as nobody else uses its key. */
export class AccountNonces {
  readonly #asked: AccountNoncesOptions;
  #next: number | undefined;
  /** Of transactions that no block can hold. In ascending order. */
  #free: number[] = [];

  /** Those of which some node said that another transaction used them. */
  #doubted: number[] = [];

  constructor(asked: AccountNoncesOptions) {
    this.#asked = asked;
  }

  /**
   * Asks for the first nonce that the nodes do not know of: in the beginning, and again when one of them says
   * that a nonce of ours is used. A problem when none answers.
   */
  async begin(deadlineMs = 0): Promise<Problem | undefined> {
    if (this.#next !== undefined && this.#doubted.length === 0) return undefined;
    const doubted = this.#doubted.splice(0);
    const { nodes, publicKey, engine } = this.#asked;
    const { enough, counts } = opinionsOf[engine];
    const waitedFor = enough(nodes.endpoints.length);
    const opinions = await nodes.some(
      (client, signal) => client.account(publicKey, { signal }),
      (answers) =>
        isDecided(
          answers.map(({ pendingNonce }) => pendingNonce),
          { enough: waitedFor, counts: counts(waitedFor) },
        ),
    );
    const one =
      opinions.length > 0
        ? undefined
        : await nodes.ask((client) => client.account(publicKey), { deadlineMs });
    if (one instanceof Problem) {
      this.#doubted.push(...doubted);
      return one;
    }
    const all = one === undefined ? opinions : [one];
    const descending = all.map(({ pendingNonce }) => pendingNonce).sort((a, b) => b - a);
    const first = descending[counts(descending.length)] ?? 0;
    this.#next = Math.max(this.#next ?? 0, first);
    this.#free = [...this.#free, ...doubted].filter((nonce) => nonce >= first).sort((a, b) => a - b);
    return undefined;
  }

  /** One node says that it is used, and may lie. */
  doubt(nonce: number): void {
    this.#doubted.push(nonce);
  }

  /** The lowest that no transaction has and that higher ones wait for. */
  get gap(): number | undefined {
    return this.#free[0];
  }

  /** What the next transaction is to have: one that became free first, so that no gap is left. */
  get next(): number {
    return this.#free[0] ?? defined(this.#next, 'a nonce before anything is signed');
  }

  /** The next one was signed with. */
  use(): void {
    if (this.#free.shift() === undefined) this.#next = this.next + 1;
  }

  giveBack(nonce: number): void {
    this.#free = [...this.#free, nonce].sort((a, b) => a - b);
  }
}
