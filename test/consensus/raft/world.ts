import { utf8 } from '../../../src/base/bytes.ts';
import { nextFloat, type RandomState, seedRandom } from '../../../src/base/random.ts';
import { hash, type Hash, zeroHash } from '../../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../../src/crypto/signature.ts';
import {
  type BlockHeader,
  hashHeader,
  type Height,
  type Proposal,
  toHeight,
  toView,
  type View,
} from '../../../src/ledger/block.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import type { ValidatorIndex } from '../../../src/consensus/engine.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import type { VirtualTime } from '../../support/virtual-time.ts';

/** A hash of a text: names for transactions and roots in tests. */
export const hashOf = (text: string): Hash => hash('quorate/v1/transaction', utf8(text));
export const chainId: Hash = hashOf('raft test chain');
export const keyOf = (member: number): PublicKey => hashOf(`member ${member}`) as string as PublicKey;
export const signatureOf = (member: number, blockHash: Hash): Signature =>
  (hashOf(`${member} signs ${blockHash}`) + hashOf('second half')) as Signature;

export function genesisHeader(members: number): BlockHeader {
  const validators = validatorSet(Array.from({ length: members }, (_, index) => keyOf(index)));
  return {
    height: toHeight(0),
    parentHash: chainId,
    view: toView(0),
    proposer: zeroHash as string as PublicKey,
    timestamp: 0,
    protocolVersion: 1,
    transactionRoot: zeroHash,
    stateRoot: hashOf('genesis state'),
    receiptsRoot: zeroHash,
    validatorsHash: validators.hash,
    nextValidatorsHash: validators.hash,
  };
}

/** Builds what a driver would: a child of `parent`, with roots that depend on its content. */
export function childOf(
  parent: BlockHeader,
  block: {
    view: View;
    proposer: number;
    transactions: readonly Hash[];
    nextValidatorsHash?: Hash | undefined;
  },
): Proposal {
  return {
    header: {
      height: toHeight(parent.height + 1),
      parentHash: hashHeader(parent),
      view: block.view,
      proposer: keyOf(block.proposer),
      timestamp: parent.timestamp + 1,
      protocolVersion: 1,
      transactionRoot: hashOf(block.transactions.join()),
      stateRoot: hashOf(parent.stateRoot + block.transactions.join()),
      receiptsRoot: zeroHash,
      validatorsHash: parent.nextValidatorsHash,
      nextValidatorsHash: block.nextValidatorsHash ?? parent.nextValidatorsHash,
    },
    transactionHashes: block.transactions,
  };
}

export interface Envelope {
  readonly from: ValidatorIndex;
  readonly to: ValidatorIndex;
  readonly message: RaftMessage;
}

/** Delays, loss, duplication, cuts, and envelopes that a test holds back. All from one seed. */
export class Wire {
  readonly random: RandomState;
  latencyMs = { min: 1, max: 5 };
  loss = 0;
  duplication = 0;
  /** Of the envelopes so many come seconds late. */
  lateness = 0;
  readonly cuts = new Set<string>();
  readonly sent: Envelope[] = [];
  #holds: { readonly matches: (envelope: Envelope) => boolean; readonly held: Envelope[] }[] = [];
  readonly #schedule: VirtualTime;
  readonly #deliver: (envelope: Envelope) => void;

  constructor(schedule: VirtualTime, seed: number, deliver: (envelope: Envelope) => void) {
    this.#schedule = schedule;
    this.random = seedRandom(seed);
    this.#deliver = deliver;
  }

  post(envelope: Envelope): void {
    if (this.sent.length < 100_000) this.sent.push(envelope);
    if (this.cuts.has(`${envelope.from}>${envelope.to}`)) return;
    const hold = this.#holds.find(({ matches }) => matches(envelope));
    if (hold !== undefined) {
      hold.held.push(envelope);
      return;
    }
    if (nextFloat(this.random) < this.loss) return;
    const copies = nextFloat(this.random) < this.duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const isLate = this.lateness > 0 && nextFloat(this.random) < this.lateness;
      const { min, max } = isLate ? { min: 200, max: 5_000 } : this.latencyMs;
      this.#schedule.after(min + nextFloat(this.random) * (max - min), () => this.#arrive(envelope));
    }
  }

  #arrive(envelope: Envelope): void {
    if (!this.cuts.has(`${envelope.from}>${envelope.to}`)) this.#deliver(envelope);
  }

  /** Keeps matching envelopes back until `release`; `again` delivers copies without ending it. */
  hold(matches: (envelope: Envelope) => boolean): {
    held: Envelope[];
    release: () => void;
    forget: () => void;
  } {
    const hold = { matches, held: [] as Envelope[] };
    this.#holds.push(hold);
    const end = (): void => {
      this.#holds = this.#holds.filter((other) => other !== hold);
    };
    return {
      held: hold.held,
      release: () => {
        end();
        for (const envelope of hold.held) this.#deliver(envelope);
      },
      forget: end,
    };
  }

  /** Cuts every link between the groups; members of no group are alone. */
  partition(groups: readonly (readonly number[])[], members: number): void {
    this.cuts.clear();
    for (let a = 0; a < members; a++) {
      for (let b = 0; b < members; b++) {
        const together = groups.some((group) => group.includes(a) && group.includes(b));
        if (a !== b && !together) this.cuts.add(`${a}>${b}`);
      }
    }
  }

  cut(a: number, b: number): void {
    this.cuts.add(`${a}>${b}`);
    this.cuts.add(`${b}>${a}`);
  }

  heal(): void {
    this.cuts.clear();
  }
}

export const heightsFrom = (from: number, to: number): Height[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => toHeight(from + index));
