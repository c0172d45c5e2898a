import { limits } from '../../base/limits.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { toHeight } from '../../ledger/block.ts';
import type { Operation } from '../../ledger/operation.ts';
import { proposalId } from '../../ledger/proposal.ts';
import { byzantineQuorum, maxFaulty } from '../../ledger/quorum.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { TransactionBody } from '../../ledger/transaction-body.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import { isHonest, type NodePlan, type Plan } from '../plan/plan.ts';
import type { SimulatedChain } from '../plan/simulated-chain.ts';
import { Chance } from '../world/chance.ts';
import type { SignatureScheme, SimulatedKey } from '../world/fast-signatures.ts';
import { signed } from '../world/signed.ts';

interface GovernanceOptions {
  readonly plan: Plan;
  readonly chain: SimulatedChain;
  readonly scheme: SignatureScheme;
  /** Who decides on the next change, as the chain has it now. */
  readonly validators: () => ValidatorSet;
  /** Hands a transaction to the clients, who bring it until it is final. */
  readonly submit: (transaction: Transaction) => void;
  readonly isFinal: (hash: Hash) => boolean;
}

/**
 * Those who hold the validators' keys, the liars among them: they change the set all the time. Keys are
 * added, removed, replaced, put into another order, and come back after a while. No set has more who may fail
 * than it tolerates.
 */
export class Governance {
  readonly #options: GovernanceOptions;
  readonly #chance: Chance;
  readonly #keys = new Map<PublicKey, SimulatedKey>();
  readonly #faulty: ReadonlySet<PublicKey>;
  readonly #nonces = new Map<PublicKey, number>();
  readonly #before: (readonly PublicKey[])[] = [];
  #open: readonly Transaction[] = [];

  constructor(options: GovernanceOptions) {
    const { plan, chain } = options;
    this.#options = options;
    this.#chance = new Chance(plan.seed, 'governance');
    const faulty = new Set<PublicKey>();
    for (const [index, node] of plan.nodes.entries()) {
      const key = chain.nodeKeys[index] as SimulatedKey;
      // A stranger is nobody's candidate.
      if (node.validator !== null || node.liar === null) this.#keys.set(key.publicKey, key);
      if (mayFail(plan, index)) faulty.add(key.publicKey);
    }
    this.#faulty = faulty;
  }

  /** Proposes another set, and mostly has it approved by just enough; sometimes two sets at once. */
  change(): void {
    this.#open = this.#open.filter(({ hash }) => !this.#options.isFinal(hash));
    if (this.#open.length > 0) return;
    const validators = this.#options.validators();
    this.#before.push(validators.keys);
    const proposers = this.#chance.sample(validators.keys, this.#chance.happens(0.25) ? 2 : 1);
    const made = proposers.flatMap((proposer) => this.#propose(validators, proposer));
    // Approvals of two proposals cross each other.
    for (const approve of this.#shuffled(made)) approve();
  }

  #propose(validators: ValidatorSet, proposer: PublicKey): (() => void)[] {
    const next = this.#draw(validators.keys);
    if (next === null) return [];
    const transaction = this.#transact(proposer, {
      type: 'propose-change',
      change: { type: 'validators', validators: next },
      expiryHeight: toHeight(90_000),
      validatorsHash: validators.hash,
      members: new Uint8Array(),
      replaces: true,
    });
    const proposal = proposalId(transaction.hash, 0);
    const others = this.#shuffled(validators.keys.filter((key) => key !== proposer));
    // Liars first: then just enough are a quorum with all of them.
    if (this.#chance.happens(0.5)) others.sort((a, b) => Number(this.#isLiar(b)) - Number(this.#isLiar(a)));
    const needed = byzantineQuorum(validators.keys.length) - 1;
    const count = this.#chance.happens(0.85) ? needed : this.#chance.between(0, others.length);
    return others
      .slice(0, count)
      .map((key) => () => void this.#transact(key, { type: 'approve-change', proposal }));
  }

  #shuffled<T>(items: readonly T[]): T[] {
    return this.#chance.sample(items, items.length);
  }

  #isLiar(key: PublicKey): boolean {
    return this.#faulty.has(key);
  }

  /** Another set than this one, with no more who may fail than it tolerates; null when none was found. */
  #draw(now: readonly PublicKey[]): readonly PublicKey[] | null {
    for (let tries = 0; tries < 20; tries++) {
      const next = this.#drawOne(now);
      const faulty = next.filter((key) => this.#faulty.has(key)).length;
      const isSame = next.length === now.length && next.every((key, index) => key === now[index]);
      if (next.length > 0 && faulty <= maxFaulty(next.length) && !isSame) return next;
    }
    return null;
  }

  #drawOne(now: readonly PublicKey[]): readonly PublicKey[] {
    const chance = this.#chance;
    const out = [...this.#keys.keys()].filter((key) => !now.includes(key));
    const place = chance.between(0, now.length - 1);
    switch (chance.between(0, 5)) {
      case 0:
      case 1:
        return out.length === 0 ? now : [...now, chance.pick(out)];
      case 2:
        return now.filter((_, index) => index !== place);
      case 3:
        return out.length === 0 ? now : now.map((key, index) => (index === place ? chance.pick(out) : key));
      case 4:
        return this.#shuffled(now);
      default:
        return this.#before.length === 0 ? now : chance.pick(this.#before);
    }
  }

  #transact(sender: PublicKey, operation: Operation): Transaction {
    const { chain, scheme, submit } = this.#options;
    const nonce = this.#nonces.get(sender) ?? 0;
    this.#nonces.set(sender, nonce + 1);
    const body: TransactionBody = {
      chainId: chain.genesis.chainId,
      sender,
      nonce,
      fee: 0n,
      expiryHeight: toHeight(90_000),
      reference: new Uint8Array(),
      conditions: [],
      operations: [operation],
      signers: [sender],
    };
    const { secretKey } = this.#keys.get(sender) as SimulatedKey;
    const transaction = signed(scheme, secretKey, body);
    this.#open = [...this.#open, transaction];
    submit(transaction);
    return transaction;
  }
}

/**
 * True for a liar, for whoever is broken or loses its disk, for a key that has to ask before it votes, since
 * others may have to go on without it meanwhile, and for a clock so wrong that blocks are too early for it,
 * or its own for others.
 */
function mayFail(plan: Plan, index: number): boolean {
  const { validator } = plan.nodes[index] as NodePlan;
  const isLost = plan.faults.some((fault) => fault.kind === 'disk-loss' && fault.node === index);
  const isWrong = plan.clocks?.some(
    ({ node, offsetMs }) => node === index && Math.abs(offsetMs) > limits.maxClockAheadMs,
  );
  const isBroken = plan.broken.some(({ node }) => node === index);
  return (
    !isHonest(plan, index) ||
    isBroken ||
    isLost ||
    isWrong === true ||
    (validator === null && mayAsk(plan, index))
  );
}

/**
 * Of a key that comes later, a node asks the others how far it was unless its machine noted every use for
 * long, by a clock that can be believed. No clock can that jumps, nor where blocks are ahead of it because
 * others jumped.
 */
function mayAsk({ nodes, faults }: Plan, index: number): boolean {
  if (nodes[index]?.noted !== true) return true;
  return faults.some(({ kind }) => kind === 'clocks-jump' || kind === 'clock-jump');
}
