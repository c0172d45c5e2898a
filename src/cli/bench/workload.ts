import { unwrap } from '../../base/problem.ts';
import { nextBelow, type RandomState, seedRandom } from '../../base/random.ts';
import { Wallet } from '../../client/wallet.ts';
import type { Hash } from '../../crypto/hash.ts';
import { nativeSigner } from '../../crypto/native.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { Height } from '../../ledger/block.ts';
import type { Operation } from '../../ledger/operation.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { Accounts } from './accounts.ts';
import type { Mix } from './mix.ts';

interface WorkloadOptions {
  readonly chainId: Hash;
  /** Senders are a multiple of the lanes. */
  readonly accounts: Accounts;
  readonly lanes: number;
  readonly mix: Mix;
  /** Bytes of a record's value. */
  readonly payload: number;
  readonly operationsPerTransaction: number;
  readonly expiryHeight: Height;
}

/** A sender with its place in its own list. */
interface Author {
  readonly wallet: Wallet;
  nonce: number;
  records: number;
  /** Numbers of its records that are there, the oldest first. */
  readonly live: number[];
}

/**
 * Signs transactions for lanes, each with senders of its own: of sender i is lane i modulo their count. Run
 * in the order of each lane, all of them are applied.
 */
export class Workload {
  readonly lanes: number;
  readonly #options: WorkloadOptions;
  readonly #authors: readonly Author[];
  readonly #everybody: readonly PublicKey[];
  readonly #random: RandomState = seedRandom(1);
  /** By lane: how many senders had their turn; and what was signed, and not brought to anybody. */
  readonly #turns: number[];
  readonly #left: Transaction[][];

  constructor(options: WorkloadOptions) {
    const { chainId, accounts, lanes } = options;
    this.lanes = lanes;
    this.#options = options;
    this.#authors = accounts.senders.map((keyPair) => ({
      wallet: new Wallet({ chainId, keyPair, signer: nativeSigner(keyPair.secretKey) }),
      nonce: 0,
      records: 0,
      live: [],
    }));
    this.#everybody = [...accounts.senders.map(({ publicKey }) => publicKey), ...accounts.others];
    this.#turns = Array.from({ length: lanes }, () => 0);
    this.#left = Array.from({ length: lanes }, () => []);
  }

  /** The next `count`, and a few more, so that each lane has as many: number i is for lane i modulo lanes. */
  take(count: number): Transaction[] {
    const each = Math.ceil(count / this.lanes);
    const queues = this.#left.map((left, lane) => {
      const own = left.splice(0, each);
      while (own.length < each) own.push(this.#signOne(lane));
      return own;
    });
    return Array.from(
      { length: each * this.lanes },
      (_, index) => queues[index % this.lanes]?.[Math.floor(index / this.lanes)] as Transaction,
    );
  }

  /** What was taken and not brought to anybody, by its number: each lane's end. It comes first next time. */
  giveBack(transactions: readonly (readonly [index: number, transaction: Transaction])[]): void {
    const back = this.#left.map((): Transaction[] => []);
    for (const [index, transaction] of transactions) back[index % this.lanes]?.push(transaction);
    for (const [lane, own] of back.entries()) this.#left[lane]?.unshift(...own);
  }

  #signOne(lane: number): Transaction {
    const { operationsPerTransaction, expiryHeight } = this.#options;
    const turn = this.#turns[lane] ?? 0;
    this.#turns[lane] = turn + 1;
    const own = this.#authors.length / this.lanes;
    const author = this.#authors[(turn % own) * this.lanes + lane] as Author;
    const operations = Array.from({ length: operationsPerTransaction }, () => this.#operation(author));
    const terms = { nonce: author.nonce++, fee: BigInt(operationsPerTransaction), expiryHeight };
    return unwrap(author.wallet.build({ operations }, terms));
  }

  #operation(author: Author): Operation {
    const { mix } = this.#options;
    const kind = mix[nextBelow(this.#random, mix.length)];
    const [oldest] = author.live;
    if (kind === 'transfer') {
      const to = this.#everybody[nextBelow(this.#random, this.#everybody.length)] as PublicKey;
      return { type: 'transfer', to, amount: 1n, memo: '' };
    }
    if (kind === 'delete' && oldest !== undefined) {
      author.live.shift();
      return { type: 'delete', key: keyOf(author, oldest) };
    }
    // What is to be written again or deleted has to be there first.
    if (kind === 'update' && oldest !== undefined) return this.#put(author, oldest);
    author.live.push(author.records);
    return this.#put(author, author.records++);
  }

  #put(author: Author, record: number): Operation {
    const value = new Uint8Array(this.#options.payload);
    for (let at = 0; at < value.length; at++) value[at] = nextBelow(this.#random, 256);
    return { type: 'put', key: keyOf(author, record), value };
  }
}

function keyOf({ wallet }: Author, record: number): string {
  return `bench-${wallet.publicKey.slice(0, 16)}-${record}`;
}
