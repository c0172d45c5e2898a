import { utf8 } from '../../../src/base/bytes.ts';
import { defined } from '../../../src/base/invariant.ts';
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

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time: what is due first runs first, and what is due together in the order of its making. */
export class Schedule {
  now = 0;
  #events: Event[] = [];
  #order = 0;

  after(ms: number, run: () => void): void {
    const event = { at: this.now + ms, order: this.#order++, run };
    // A binary search keeps thousands of schedules cheap.
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (defined(this.#events[middle], 'an event').at <= event.at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }

  /** Runs everything that is due within the next `ms`. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.#events[0];
      if (next === undefined || next.at > end) break;
      this.#events.shift();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }
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
  readonly #schedule: Schedule;
  readonly #deliver: (envelope: Envelope) => void;

  constructor(schedule: Schedule, seed: number, deliver: (envelope: Envelope) => void) {
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
