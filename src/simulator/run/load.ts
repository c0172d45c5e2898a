import { type Hash, sha256Hex } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { toHeight } from '../../ledger/block.ts';
import type { Condition } from '../../ledger/condition.ts';
import type { NamespaceMode } from '../../ledger/namespace.ts';
import type { Operation } from '../../ledger/operation.ts';
import type { ReservationId } from '../../ledger/reservation-id.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { TransactionBody } from '../../ledger/transaction-body.ts';
import { Chance } from '../world/chance.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import { signed } from '../world/signed.ts';
import type { Plan } from '../plan/plan.ts';
import type { Scheduler, VirtualMs } from '../world/scheduler.ts';
import { senderBalance, type SimulatedChain } from '../plan/simulated-chain.ts';

interface LoadOptions {
  readonly plan: Plan;
  readonly chain: SimulatedChain;
  readonly scheme: SignatureScheme;
  readonly scheduler: Scheduler;
  /** Nodes that clients can reach now. */
  readonly reachable: () => readonly number[];
  readonly submit: (node: number, transaction: Transaction) => void;
  readonly isFinal: (hash: Hash) => boolean;
}

/** The first one is open from the beginning. */
const namespaces = ['park', 'shop', 'vault', 'yard'];

/** A patient client asks somewhere else after this long without finality, from least to most. */
const retryMs: readonly [VirtualMs, VirtualMs] = [1_500, 3_500];

/** Reservations that clients may still settle. */
const rememberedReservations = 12;

/**
 * The clients: they submit valid transactions at random moments to random nodes, and again elsewhere until
 * they see them final, as a wallet does whose node may have crashed or lied.
 */
export class Load {
  /** All transactions that were made so far. */
  readonly transactions = new Map<Hash, Transaction>();
  readonly #options: LoadOptions;
  readonly #chance: Chance;
  readonly #nonces: number[];
  readonly #waiting = new Set<Transaction>();
  /** Made a short while ago; they may not stand in a block yet. */
  readonly #reserved: { readonly id: ReservationId; readonly to: PublicKey }[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#chance = new Chance(options.plan.seed, 'load');
    this.#nonces = Array.from({ length: options.plan.load.senders }, () => 0);
  }

  start(): void {
    const { plan, scheduler } = this.#options;
    const moments = Array.from({ length: plan.load.transactions }, () =>
      this.#chance.between(0, plan.load.untilMs),
    );
    for (const moment of moments.sort((a, b) => a - b)) scheduler.at(moment, () => this.#next());
  }

  /** Submits everything that waits once more, now. */
  resubmit(): void {
    for (const transaction of this.unfinished()) this.#submit(transaction);
  }

  unfinished(): readonly Transaction[] {
    for (const transaction of this.#waiting) {
      if (this.#options.isFinal(transaction.hash)) this.#waiting.delete(transaction);
    }
    return [...this.#waiting];
  }

  #next(): void {
    const transaction = this.#make();
    this.#bring(transaction);
    this.#submit(transaction);
  }

  /** Whoever holds a validator's key tells all nodes at once, and goes on as any client does. */
  govern(transaction: Transaction): void {
    this.#bring(transaction);
    for (const node of this.#options.reachable()) this.#options.submit(node, transaction);
  }

  #bring(transaction: Transaction): void {
    this.transactions.set(transaction.hash, transaction);
    this.#waiting.add(transaction);
    this.#retryLater(transaction);
  }

  #retryLater(transaction: Transaction): void {
    this.#options.scheduler.after(this.#chance.between(...retryMs), () => {
      if (this.#options.isFinal(transaction.hash)) return;
      this.#submit(transaction);
      this.#retryLater(transaction);
    });
  }

  #submit(transaction: Transaction): void {
    const nodes = this.#options.reachable();
    if (nodes.length === 0) return;
    // Now and then to several at once: each must execute once all the same.
    const count = this.#chance.happens(0.2) ? this.#chance.between(1, nodes.length) : 1;
    for (const node of this.#chance.sample(nodes, count)) this.#options.submit(node, transaction);
  }

  #make(): Transaction {
    const { chain, scheme } = this.#options;
    const index = this.#chance.between(0, chain.senderKeys.length - 1);
    const sender = chain.senderKeys[index] as (typeof chain.senderKeys)[number];
    const nonce = this.#nonces[index] as number;
    this.#nonces[index] = nonce + 1;
    const several = this.#chance.happens(0.2);
    const body: TransactionBody = {
      chainId: chain.genesis.chainId,
      sender: sender.publicKey,
      nonce,
      fee: BigInt(this.#chance.between(1, 20)),
      expiryHeight: toHeight(90_000),
      reference: new Uint8Array(),
      conditions: several ? [this.#condition(sender.publicKey)] : [],
      operations: Array.from({ length: several ? this.#chance.between(2, 5) : 1 }, (_, operation) =>
        this.#operation({ sender: sender.publicKey, nonce, operation }),
      ),
      signers: [sender.publicKey],
    };
    return signed(scheme, sender.secretKey, body);
  }

  /** One that may hold. */
  #condition(self: PublicKey): Condition {
    const chance = this.#chance;
    const key = this.#recordKey();
    return chance.pick<Condition>([
      { type: 'record-absent', key },
      { type: 'record-exists', key },
      { type: 'record-version', key, version: chance.between(1, 3) },
      { type: 'record-hash', key, hash: sha256Hex(Uint8Array.of(chance.between(0, 255))) },
      { type: 'balance-at-least', account: self, amount: senderBalance },
      { type: 'height-at-most', height: toHeight(chance.between(1, 40)) },
    ]);
  }

  #recordKey(): string {
    const name = `record-${this.#chance.between(0, 9)}`;
    return this.#chance.happens(0.5) ? name : `${this.#chance.pick(namespaces)}/${name}`;
  }

  /** Everybody claims the same few, and some change what they own. */
  #namespaceOperation(self: PublicKey): Operation {
    const chance = this.#chance;
    const name = chance.pick(namespaces);
    const mode = chance.pick<NamespaceMode>(['open', 'writers', 'writers', 'append-only']);
    const other = chance.pick(this.#options.chain.senderKeys).publicKey;
    const writers = mode === 'open' ? [] : [...new Set([self, other])].toSorted();
    if (chance.happens(0.6)) return { type: 'open-namespace', name, mode, writers };
    return chance.pick<Operation>([
      { type: 'set-namespace', name, owner: undefined, mode, writers },
      { type: 'set-namespace', name, owner: undefined, mode, writers: undefined },
      { type: 'set-namespace', name, owner: other, mode: undefined, writers: undefined },
    ]);
  }

  /** Some end soon, some are past; most are settled by their recipient, now and then once more. */
  #reservationOperation(place: ReservationId): Operation {
    const chance = this.#chance;
    const known = this.#reserved.filter(({ to }) => to === place.sender || chance.happens(0.1));
    if (known.length > 0 && chance.happens(0.6)) {
      const { id } = chance.pick(known);
      const amount = BigInt(chance.between(1, 500));
      return chance.happens(0.7)
        ? { type: 'post', reservation: id, amount }
        : { type: 'void', reservation: id };
    }
    const to = chance.pick(this.#options.chain.senderKeys).publicKey;
    this.#reserved.push({ id: place, to });
    if (this.#reserved.length > rememberedReservations) this.#reserved.shift();
    const expiryHeight = toHeight(chance.between(1, 40));
    return { type: 'reserve', to, amount: BigInt(chance.between(1, 600)), expiryHeight, memo: '' };
  }

  #operation(place: ReservationId): Operation {
    const self = place.sender;
    const chance = this.#chance;
    // Others may own the record, or nobody: such transactions are final and failed.
    const key = this.#recordKey();
    switch (chance.between(0, 10)) {
      case 0:
      case 4:
        return { type: 'put', key, value: Uint8Array.of(chance.between(0, 255)) };
      case 5:
        return this.#namespaceOperation(self);
      case 6:
      case 7:
        return this.#reservationOperation(place);
      case 1:
        return { type: 'delete', key };
      case 2:
        return { type: 'give', key, to: chance.pick(this.#options.chain.senderKeys).publicKey };
      case 3: {
        // Its own key stays enough, so that all that it has under way stays good.
        const other = chance.pick(this.#options.chain.senderKeys).publicKey;
        const keys = [...new Set([self, other])].toSorted();
        return { type: 'set-keys', keys, threshold: 1, force: chance.happens(0.5) };
      }
      default: {
        const to = chance.pick(this.#options.chain.senderKeys).publicKey;
        return { type: 'transfer', to, amount: BigInt(chance.between(1, 1_000)), memo: '' };
      }
    }
  }
}
