import { Mempool } from '../../src/mempool/mempool.ts';
import type { MempoolOptions } from '../../src/mempool/options.ts';
import { Problem } from '../../src/base/problem.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { keyFault } from '../../src/crypto/key-fault.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { type Account, noAccount } from '../../src/ledger/state-entry.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';

export const chainId = 'cc'.repeat(32) as Hash;
/** Keys in the order of their numbers, all of them points of the curve. */
export function sender(index: number): PublicKey {
  for (let more = 0; ; more++) {
    const last = more.toString(16).padStart(4, '0');
    const key = `${index.toString(16).padStart(58, '0')}${last}55` as PublicKey;
    if (keyFault(key) === undefined) return key;
  }
}

export interface Sketch {
  readonly from?: number;
  readonly nonce?: number;
  readonly fee?: number | bigint;
  readonly expiry?: number;
  /** Tells transactions apart that are equal otherwise. */
  readonly memo?: string;
  readonly amount?: bigint;
  readonly chain?: Hash;
  /** Makes it a put with a value of so many bytes. */
  readonly valueBytes?: number;
}

/** A transaction with the signature left zero: the pool gets only what was checked before. */
export function tx(sketch: Sketch): Transaction {
  return assembleTransaction(
    {
      chainId: sketch.chain ?? chainId,
      sender: sender(sketch.from ?? 1),
      nonce: sketch.nonce ?? 0,
      fee: BigInt(sketch.fee ?? 10),
      expiryHeight: toHeight(sketch.expiry ?? 1_000),
      reference: new Uint8Array(),
      conditions: [],
      operations: [
        sketch.valueBytes === undefined
          ? { type: 'transfer', to: sender(999), amount: sketch.amount ?? 1n, memo: sketch.memo ?? '' }
          : { type: 'put', key: 'key', value: new Uint8Array(sketch.valueBytes) },
      ],
      signers: [sender(sketch.from ?? 1)],
    },
    ['00'.repeat(64) as Signature],
  );
}

/** What the transfers among these move. */
export function amountOf(operations: readonly Operation[]): bigint {
  return operations.reduce((sum, one) => sum + (one.type === 'transfer' ? one.amount : 0n), 0n);
}

/** A pool beside a final state that a test can write. */
export class World {
  readonly accounts = new Map<PublicKey, Account>();
  readonly drops: string[] = [];
  readonly pool: Mempool;
  height = 0;
  now = 0;

  constructor(options: Partial<MempoolOptions> = {}) {
    this.pool = new Mempool({
      chainId,
      height: toHeight(0),
      accountOf: this.accountOf,
      dropped: (transaction, reason) => this.drops.push(`${reason} ${name(transaction)}`),
      ...options,
    });
  }

  readonly accountOf = (key: PublicKey): Account =>
    this.accounts.get(key) ?? { ...noAccount, balance: 10n ** 15n };

  /** Adds and returns what came of it: a problem as its code. */
  add(transaction: Transaction): string {
    const result = this.pool.add(transaction, this.now);
    if (result instanceof Problem) return result.code;
    return result === 'known' ? 'known' : 'added';
  }

  addAll(...transactions: Transaction[]): void {
    for (const transaction of transactions) {
      const result = this.add(transaction);
      if (result !== 'added') throw new Error(`not added: ${result}`);
    }
  }

  /** Makes a block of these final: nonces rise, fees are paid, and amounts where the balance allows it. */
  commit(
    transactions: readonly Transaction[],
    { hadRoom = true, feePerOperation = 0n, protocolVersion = 1 } = {},
  ): void {
    for (const { sender, fee, operations } of transactions) {
      const { balance, nonce, keys } = this.accountOf(sender);
      const left = balance > fee ? balance - fee : 0n;
      const amount = amountOf(operations) <= left ? amountOf(operations) : 0n;
      this.accounts.set(sender, { balance: left - amount, nonce: nonce + 1, held: 0n, keys });
    }
    this.height += 1;
    const { accountOf, height, now } = this;
    const next = { feePerOperation, protocolVersion };
    const block = { height: toHeight(height), transactions, accountOf, hadRoom, next, now };
    this.pool.committed(block);
  }

  /** The whole order of the pool on the final state, as names. */
  order(): string[] {
    return [...this.pool.candidates(this.accountOf)].map(name);
  }
}

/** Sender, nonce and fee of a transaction, as `1#0 fee 10`. */
export function name(transaction: Transaction): string {
  return `${Number.parseInt(transaction.sender.slice(0, 58), 16)}#${transaction.nonce} fee ${transaction.fee}`;
}
