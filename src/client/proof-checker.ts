import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import { type Genesis, trustedBy } from '../ledger/genesis.ts';
import { trustEpochs, type Trusted } from '../ledger/inclusion.ts';
import type { StateKind } from '../ledger/state-reading.ts';
import type { EpochAnswer, EvidenceItem } from './answers.ts';
import type { HttpClient } from './http-client.ts';
import { epochsFromJson } from './inclusion-json.ts';
import {
  verifyContradictionBy,
  type VerifiedHeader,
  verifyHeaderBy,
  type VerifiedReceipt,
  verifyReceiptBy,
} from './verify.ts';
import { type VerifiedState, verifyStateBy } from './verify-state.ts';

/**
 * Checks answers of nodes against one genesis file, one after the other. When a signer is not a known
 * validator, it asks how the validators changed, and keeps only what is proven of the answer.
 */
export class ProofChecker {
  readonly genesis: Genesis;
  readonly #node: Pick<HttpClient, 'epochs'>;
  #trusted: Trusted;
  #epochs: readonly EpochAnswer[] = [];

  constructor(genesis: Genesis, node: Pick<HttpClient, 'epochs'>) {
    this.genesis = genesis;
    this.#node = node;
    this.#trusted = trustedBy(genesis);
  }

  /** The changes of the validators that are known and proven: a proof that is kept needs them beside it. */
  get epochs(): readonly EpochAnswer[] {
    return this.#epochs;
  }

  /** How many validators there are, as far as their changes are known. */
  get validators(): number {
    return (this.#trusted.epochs.at(-1) ?? this.#trusted.epochs[0]).validators.keys.length;
  }

  /**
   * As `verifyHeader`; also a problem of asking for the changes of the validators, which `node` is asked for.
   */
  header(answer: unknown, node = this.#node): Promise<VerifiedHeader | Problem> {
    return this.#check((trusted) => verifyHeaderBy(trusted, answer), node);
  }

  /** As `verifyReceipt`; also a problem of asking for the changes of the validators. */
  receipt(answer: unknown, hash: Hash, node = this.#node): Promise<VerifiedReceipt | Problem> {
    return this.#check((trusted) => verifyReceiptBy(trusted, answer, hash), node);
  }

  /**
   * As `verifyAccount` and its like, of a kind of thing; also a problem of asking for the changes of the
   * validators.
   */
  state<Name, Value>(
    kind: StateKind<Name, Value>,
    answer: unknown,
    name: Name,
    node = this.#node,
  ): Promise<VerifiedState<Value> | Problem> {
    return this.#check((trusted) => verifyStateBy(trusted, kind, answer, name), node);
  }

  /**
   * As `verifyContradiction`; also a problem of asking for the changes of the validators. Undefined where it
   * cannot tell: two view changes contradict each other by more than two signatures show.
   */
  async contradiction(item: EvidenceItem): Promise<string | Problem | undefined> {
    const isVotes = item.contradiction?.messages.every(({ kind }) => kind !== 'view-change') === true;
    return isVotes ? this.#check((trusted) => verifyContradictionBy(trusted, item), this.#node) : undefined;
  }

  async #check<T>(
    verify: (trusted: Trusted) => T | Problem,
    node: Pick<HttpClient, 'epochs'>,
  ): Promise<T | Problem> {
    const verdict = verify(this.#trusted);
    if (!(verdict instanceof Problem) || verdict.code !== 'proof/unknown-validators') return verdict;
    return (await this.#learnEpochs(node)) ?? verify(this.#trusted);
  }

  /** A page at a time: a made-up page fails at once, before many were read. */
  async #learnEpochs(node: Pick<HttpClient, 'epochs'>): Promise<Problem | undefined> {
    for (;;) {
      const page = await node.epochs({ from: toHeight(this.#lastEpoch + 1) });
      if (page instanceof Problem) return page;
      const proofs = epochsFromJson(page.epochs);
      if (proofs instanceof Problem) return proofs;
      const before = this.#lastEpoch;
      const trusted = trustEpochs(this.#trusted, proofs);
      if (trusted instanceof Problem) return trusted;
      this.#trusted = trusted;
      if (this.#lastEpoch === before) return undefined;
      this.#epochs = [...this.#epochs, ...page.epochs.filter(({ header }) => header.height > before)];
    }
  }

  get #lastEpoch(): Height {
    return (this.#trusted.epochs.at(-1) ?? this.#trusted.epochs[0]).epoch;
  }
}
