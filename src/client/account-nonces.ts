import { defined } from '../base/invariant.ts';

/** The nonces of one account, as long as nobody else uses its key. */
export class AccountNonces {
  #next: number | undefined;
  /** Of transactions that no block can hold. In ascending order. */
  #free: number[] = [];

  /** Whether it is known where to go on. */
  get isBegun(): boolean {
    return this.#next !== undefined;
  }

  /** The lowest that no transaction has and that higher ones wait for. */
  get gap(): number | undefined {
    return this.#free[0];
  }

  /** All below are used. */
  beginAt(nonce: number): void {
    this.#next = Math.max(this.#next ?? 0, nonce);
    this.#free = this.#free.filter((one) => one >= nonce);
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
