import { unwrap } from '../src/base/problem.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { Wallet } from '../src/client/wallet.ts';
import type { Hash } from '../src/crypto/hash.ts';
import type { KeyPair } from '../src/crypto/keys.ts';
import { nativeSigner } from '../src/crypto/native.ts';
import type { Height } from '../src/ledger/block.ts';
import type { Transaction } from '../src/ledger/transaction.ts';
import { fee } from './demo-workload.ts';

/** How often each sender brings what became due. */
const roundMs = 100;
/** Of one sender in one request. */
const batchSize = 200;

interface Lane {
  readonly wallet: Wallet;
  readonly to: KeyPair;
  readonly client: HttpClient;
  next: number;
  /** Signed, and not taken by the node yet, in the order of the nonces. */
  waiting: Transaction[];
  underWay: boolean;
}

/**
 * Honest clients who do not slow down when the nodes do: each has a node of its own, signs this many payments a second, and brings what
 * is due in one request at a time. What is refused or not answered is brought again.
 */
export class SteadyLoad {
  readonly #lanes: readonly Lane[];
  readonly #expiryHeight: Height;
  readonly #perSecond: number;
  #timer: NodeJS.Timeout | undefined;
  #begin = 0;
  #signed = 0;
  /** Requests that were refused or not answered. */
  troubles = 0;

  constructor(options: {
    readonly clients: readonly HttpClient[];
    readonly chainId: Hash;
    readonly senders: readonly KeyPair[];
    readonly perSecond: number;
    readonly expiryHeight: Height;
  }) {
    const { clients, chainId, senders, perSecond, expiryHeight } = options;
    this.#perSecond = perSecond;
    this.#expiryHeight = expiryHeight;
    this.#lanes = senders.flatMap((keyPair, index) => {
      const client = clients[index % clients.length];
      const to = senders[(index + 1) % senders.length];
      if (client === undefined || to === undefined) return [];
      const wallet = new Wallet({ chainId, keyPair, signer: nativeSigner(keyPair.secretKey) });
      return { wallet, to, client, next: 0, waiting: [], underWay: false };
    });
  }

  start(): void {
    this.#begin = performance.now();
    this.#timer = setInterval(() => this.#round(), roundMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What the nodes said that they have taken: by sender its next nonce. */
  taken(): ReadonlyMap<KeyPair['publicKey'], number> {
    return new Map(
      this.#lanes.map(({ wallet, next, waiting }) => [wallet.publicKey, waiting[0]?.nonce ?? next]),
    );
  }

  #round(): void {
    const due = Math.floor(((performance.now() - this.#begin) * this.#perSecond) / 1_000);
    for (; this.#signed < due; this.#signed++) {
      const lane = this.#lanes[this.#signed % this.#lanes.length];
      if (lane === undefined) return;
      const terms = { nonce: lane.next, fee, expiryHeight: this.#expiryHeight };
      lane.waiting.push(unwrap(lane.wallet.transfer(lane.to.publicKey, 1n, terms)));
      lane.next += 1;
    }
    for (const lane of this.#lanes) if (!lane.underWay && lane.waiting.length > 0) void this.#bring(lane);
  }

  async #bring(lane: Lane): Promise<void> {
    lane.underWay = true;
    const answers = await lane.client.submitBatch(lane.waiting.slice(0, batchSize), { deadlineMs: 0 });
    const refused = answers.findIndex(({ status }) => status === 'refused');
    if (refused >= 0) this.troubles += 1;
    lane.waiting.splice(0, refused >= 0 ? refused : answers.length);
    lane.underWay = false;
  }
}
