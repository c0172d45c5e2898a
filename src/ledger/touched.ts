import type { PublicKey } from '../crypto/signature.ts';
import type { Receipt, RecordEffect } from './receipt.ts';

/**
 * What the transactions of a block touched, as their receipts say it: for the indexes, without an object for
 * each.
 */
export class Touched {
  /** Of one transaction after the other, and where those of each end. */
  readonly #accounts: PublicKey[] = [];
  readonly #ends: number[] = [];
  readonly #failed = new Set<number>();
  /** By the transaction's index: few blocks change records with all of theirs. */
  readonly #records = new Map<number, readonly RecordEffect[]>();

  static by(receipts: readonly Pick<Receipt, 'status' | 'accounts' | 'records'>[]): Touched {
    const touched = new Touched();
    for (const { status, accounts, records } of receipts) {
      for (const { publicKey } of accounts) touched.addAccount(publicKey);
      touched.end({ hasFailed: status === 'failed', records });
    }
    return touched;
  }

  /** Of the transaction that `end` closes. */
  addAccount(publicKey: PublicKey): void {
    this.#accounts.push(publicKey);
  }

  end({
    hasFailed,
    records,
  }: {
    readonly hasFailed: boolean;
    readonly records: readonly RecordEffect[];
  }): void {
    const index = this.#ends.length;
    if (hasFailed) this.#failed.add(index);
    if (records.length > 0) this.#records.set(index, records);
    this.#ends.push(this.#accounts.length);
  }

  /** How many transactions there are. */
  get count(): number {
    return this.#ends.length;
  }

  hasFailed(index: number): boolean {
    return this.#failed.has(index);
  }

  /** `account(at)` from here up to, and without, the next transaction's first are those of this one. */
  firstAccount(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number);
  }

  account(at: number): PublicKey {
    return this.#accounts[at] as PublicKey;
  }

  records(index: number): readonly RecordEffect[] {
    return this.#records.get(index) ?? none;
  }
}

const none: readonly RecordEffect[] = [];
