import type { Hash } from '../../crypto/hash.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { PeerId } from '../../network/port.ts';
import type { Clock } from '../process/clock.ts';
import type { ClaimChecker } from './claim-checker.ts';
import type { PeerBudget } from './peer-budget.ts';

interface TransactionVerificationOptions {
  readonly checker: ClaimChecker;
  readonly budget: PeerBudget;
  readonly clock: Clock;
  /** Whose word is taken that the transactions that it brings are signed. Nobody's, unless given. */
  readonly vouches?: ((peer: PeerId) => boolean) | undefined;
}

/** Checks the signatures of transactions, each once, within what their sender may cost. */
export class TransactionVerification {
  readonly #options: TransactionVerificationOptions;

  constructor(options: TransactionVerificationOptions) {
    this.#options = options;
  }

  /**
   * One answer per transaction. `strict` for those of clients, who have to sign as RFC 8032 says: what else
   * some library accepts is refused wherever that is cheaper. Otherwise the rule of blocks, for those that a
   * block needs.
   */
  check(
    transactions: readonly Transaction[],
    strict: boolean,
    done: (valid: readonly boolean[]) => void,
  ): void {
    this.#options.checker.check(transactions, strict ? 'transactions' : 'blocks', done, strict);
  }

  /** The rule of blocks, for transactions that a peer was asked for. */
  fetched(
    peer: PeerId,
    transactions: readonly Transaction[],
    done: (valid: readonly boolean[]) => void,
  ): void {
    if (this.#takesWord(peer, transactions)) return done(transactions.map(() => true));
    this.check(transactions, false, done);
  }

  /**
   * The check of transactions that a peer gossips: to be made once. By the rule of blocks: no peer is to be
   * blamed for what is valid, whichever library it checked it with. Undefined when it has no room for them.
   */
  gossiped(
    peer: PeerId,
    transactions: readonly Transaction[],
  ): ((done: (valid: readonly boolean[]) => void) => void) | undefined {
    if (this.#takesWord(peer, transactions)) return (done) => done(transactions.map(() => true));
    const cost = this.#options.checker.costOf(transactions);
    const now = this.#options.clock.monotonicMs();
    const release = this.#options.budget.take(peer, 'transactions', cost, now);
    if (release === undefined) return undefined;
    const lane = this.#options.budget.isStranger(peer) ? 'strangers' : 'transactions';
    return (done) =>
      this.#options.checker.check(transactions, lane, (valid) => {
        release();
        done(valid);
      });
  }

  /** True where a peer checked them for us, which then counts as if this node had. */
  #takesWord(peer: PeerId, transactions: readonly Transaction[]): boolean {
    if (this.#options.vouches?.(peer) !== true) return false;
    this.#options.checker.take(transactions);
    return true;
  }

  /** It is in the mempool, which remembers now that it was checked. */
  kept(transaction: Transaction): void {
    this.#options.checker.forget(transaction);
  }

  /** A transaction whose signatures are being checked, or were, and nobody has the answer yet. */
  underCheck(hash: Hash): Transaction | undefined {
    return this.#options.checker.transaction(hash);
  }

  /** This node checked the transaction's signatures, or took a member's word that it did. */
  checked(transaction: Transaction): boolean {
    return this.#options.checker.knows(transaction);
  }
}
