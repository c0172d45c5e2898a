import { defined } from '../../../src/base/invariant.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { type BlockHeader, hashHeader, type Proposal, toHeight, toView } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import type { Effect, Input, Verified } from '../../../src/consensus/engine.ts';
import type { LogTrust } from '../../../src/consensus/protocol.ts';
import { RaftEngine } from '../../../src/consensus/raft/engine.ts';
import { checkLog } from '../../../src/consensus/raft/invariants.ts';
import type { RaftMessage, WireEntry } from '../../../src/consensus/raft/message.ts';
import { defaultRaftOptions, type RaftOptions } from '../../../src/consensus/raft/options.ts';
import { chainId, childOf, genesisHeader, hashOf, keyOf, signatureOf } from './world.ts';
import { type Configuration, configurationHash, encodeConfiguration } from '../../../src/ledger/members.ts';

/** A message with its term as a plain number, for tests to write down. */
export type Body<Type extends RaftMessage['kind']> = Omit<
  Extract<RaftMessage, { readonly kind: Type }>,
  'term'
> & {
  readonly term: number;
};
type Of<Type extends Effect<RaftMessage>['type']> = Extract<Effect<RaftMessage>, { readonly type: Type }>;

export const genesisOf = (members: number): { height: ReturnType<typeof toHeight>; blockHash: Hash } => ({
  height: toHeight(0),
  blockHash: hashHeader(genesisHeader(members)),
});

/** Entries on top of a header (or of genesis), one for each term given. */
export function entriesOn(
  parent: BlockHeader,
  terms: readonly number[],
  made: { leader?: number; text?: string; configuration?: Configuration } = {},
): WireEntry[] {
  const entries: WireEntry[] = [];
  let header = parent;
  for (const term of terms) {
    const proposal: Proposal = childOf(header, {
      view: toView(term),
      proposer: made.leader ?? 0,
      transactions: made.text === undefined ? [] : [hashOf(made.text)],
      nextValidatorsHash:
        made.configuration === undefined ? undefined : configurationHash(made.configuration),
    });
    header = proposal.header;
    entries.push({
      proposal,
      leader: made.leader ?? 0,
      signature: signatureOf(0, hashHeader(header)),
      configuration:
        made.configuration === undefined ? new Uint8Array() : encodeConfiguration(made.configuration),
    });
  }
  return entries;
}

export const nameOfEntry = ({
  proposal: { header },
}: WireEntry): { height: BlockHeader['height']; blockHash: Hash } => ({
  height: header.height,
  blockHash: hashHeader(header),
});

/** An entry as a final block that sync brought; by its leader, unless another one signed it. */
export const syncedEntry = (
  entry: WireEntry,
  leader = entry.leader,
): Extract<Input<never>, { readonly type: 'synced' }> => ({
  type: 'synced',
  chain: [{ isLast: false, ...nameOfEntry(entry), parentHash: entry.proposal.header.parentHash }],
  certificate: {
    engine: 'raft',
    term: entry.proposal.header.view,
    ...nameOfEntry(entry),
    leader,
    signature: entry.signature,
    configuration: entry.configuration,
  } as Verified<FinalityCertificate>,
  header: entry.proposal.header,
});

/** What a message of a kind says unless a test says otherwise: of a log and a chain that have only begun. */
function usual(kind: RaftMessage['kind'], { index, members }: Solo): object {
  const genesis = genesisOf(members);
  switch (kind) {
    case 'append':
      return { to: index, previous: genesis, entries: [], commit: toHeight(0) };
    case 'vote-request':
      return {
        pre: false,
        transfer: false,
        lastHeight: toHeight(0),
        lastTerm: toView(0),
        commit: genesis,
      };
    case 'vote':
      return { pre: false, granted: true, commit: genesis };
    case 'heartbeat':
      return { commit: genesis, round: 1 };
    case 'heartbeat-answer':
      return { received: toHeight(0), applied: toHeight(0) };
    case 'snapshot-offer':
      return { to: index };
    case 'accepted':
    case 'rejected':
    case 'timeout-now':
    case 'read-request':
    case 'read-answer':
    case 'snapshot-answer':
      return {};
  }
}

/** One member, driven by hand: the test is its network, disk, driver and clock. */
export class Solo {
  engine: RaftEngine;
  readonly index: number;
  readonly members: number;
  readonly options: RaftOptions;
  now = 0;
  /** What is on disk: writes that were confirmed. */
  records = new Map<string, Uint8Array>();
  #starts = 0;
  /** Effects of the last input. */
  effects: readonly Effect<RaftMessage>[] = [];
  /** Of what it ever accused others. */
  readonly accusations: string[] = [];
  /** Writes that are not confirmed yet. */
  writes: Of<'persist'>[] = [];

  constructor(index: number, members: number, given: { options?: Partial<RaftOptions>; seed?: number } = {}) {
    this.index = index;
    this.members = members;
    this.options = {
      ...defaultRaftOptions,
      heartbeatMs: 50,
      electionTimeoutMs: 300,
      blockIntervalMs: 0,
      ...given.options,
    };
    this.engine = this.#start(given.seed ?? 7, 'whole');
    this.tick(0);
    this.sync();
  }

  #start(
    seed: number,
    log: LogTrust,
    header = genesisHeader(this.members),
    certificate: FinalityCertificate | null = null,
  ): RaftEngine {
    return new RaftEngine(
      {
        epoch: { height: toHeight(0), blockHash: chainId },
        chainId,
        validators: validatorSet(Array.from({ length: this.members }, (_, index) => keyOf(index))),
        self: keyOf(this.index),
        final: { header, hash: hashHeader(header), certificate },
        records: this.records,
        candidates: [],
        log,
        now: this.now,
        seed,
      },
      this.options,
    );
  }

  /** kill -9 and start again: writes that were not confirmed are lost. Nothing was final yet, unless a final block is given. */
  restart(final?: BlockHeader, certificate?: FinalityCertificate, log?: LogTrust): void {
    this.writes = [];
    this.#starts += 1;
    const trust = log ?? (this.records.size > 0 ? 'whole' : 'lost');
    this.engine = this.#start(7 + this.#starts, trust, final, certificate);
    this.tick(0);
  }

  get state(): RaftEngine['replica']['state'] {
    return this.engine.replica.state;
  }

  give(input: Input<RaftMessage>): this {
    this.effects = this.engine.step(input);
    checkLog(this.engine.replica);
    this.writes.push(...this.all('persist'));
    this.accusations.push(...this.all('verdict').map(({ reason }) => reason));
    return this;
  }

  tick(ms: number): this {
    this.now += ms;
    return this.give({ type: 'tick', now: this.now });
  }

  /** The process stands still, and its first tick comes so late. */
  standStill(ms: number): this {
    this.now += ms;
    return this.give({ type: 'tick', now: this.now, lateMs: ms });
  }

  receive<Type extends RaftMessage['kind']>(body: Body<Type>): this {
    const message = { ...body, term: toView(body.term) } as unknown as Verified<RaftMessage>;
    return this.give({ type: 'message', message });
  }

  /** The same with only what matters to a test; the rest is as in `usual`. */
  hear<Kind extends RaftMessage['kind']>(
    kind: Kind,
    from: number,
    term: number,
    rest: Partial<Omit<Body<Kind>, 'kind' | 'from' | 'term'>> = {},
  ): this {
    const message = { ...usual(kind, this), ...rest, kind, from, term } as unknown as Body<Kind>;
    return this.receive<Kind>(message);
  }

  /** Confirms all writes, one by one. Effects are those of all of them. */
  sync(): this {
    const effects: Effect<RaftMessage>[] = [];
    for (let next = this.writes.shift(); next !== undefined; next = this.writes.shift()) {
      this.confirm(next);
      effects.push(...this.effects);
    }
    this.effects = effects;
    return this;
  }

  confirm(write: Of<'persist'>): this {
    for (const { key, value } of write.records) {
      if (value === null) this.records.delete(key);
      else this.records.set(key, value);
    }
    return this.give({ type: 'persisted', seq: write.seq, signed: [] });
  }

  /** Finds everything valid that it was asked to validate. */
  validate(): this {
    const effects: Effect<RaftMessage>[] = [];
    for (const { blockHash } of this.all('validate')) {
      this.give({ type: 'validated', blockHash, result: { verdict: 'valid', chain: [] } });
      effects.push(...this.effects);
    }
    this.effects = effects;
    return this;
  }

  /** Follows a leader with these entries, durably. */
  append(from: number, term: number, entries: readonly WireEntry[], commit = 0): this {
    const first = defined(entries[0], 'an entry').proposal.header;
    return this.hear('append', from, term, {
      previous: { height: toHeight(first.height - 1), blockHash: first.parentHash },
      entries,
      commit: toHeight(commit),
    }).validate();
  }

  /** Wins an election: time passes, everybody grants, and the disk works. */
  lead(): this {
    while (this.state.role.kind === 'follower') this.tick(50);
    const grant = (pre: boolean): void => {
      for (let from = 0; from < this.members; from++) {
        if (from === this.index || this.state.role.kind === 'leader') continue;
        this.hear('vote', from, this.state.term, { pre, commit: genesisOf(this.members) });
      }
    };
    grant(true);
    this.sync();
    grant(false);
    return this;
  }

  /** Answers `build` and `sign` for the block that is in the making. */
  make(text?: string, isFull = false): this {
    const build = this.one('build');
    const parent = this.state.log.entries.at(-1)?.header ?? genesisHeader(this.members);
    const proposal = childOf(parent, {
      view: build.view,
      proposer: this.index,
      transactions: text === undefined ? [] : [hashOf(text)],
      nextValidatorsHash: build.nextValidatorsHash,
    });
    this.give({ type: 'built', parentHash: build.parentHash, view: build.view, proposal, isFull });
    return this.give({
      type: 'signed',
      key: this.one('sign').message.key,
      signature: signatureOf(this.index, build.parentHash),
    });
  }

  /** An acknowledgement of what this leader has at that height. */
  accept(from: number, height: number): this {
    const entry = this.state.log.entries.find(({ header }) => header.height === height);
    return this.hear('accepted', from, this.state.term, {
      block: { height: toHeight(height), blockHash: defined(entry, 'the block').blockHash },
    });
  }

  all<Type extends Effect<RaftMessage>['type']>(type: Type): Of<Type>[] {
    return this.effects.filter((effect): effect is Of<Type> => effect.type === type);
  }

  one<Type extends Effect<RaftMessage>['type']>(type: Type): Of<Type> {
    const found = this.all(type);
    if (found.length !== 1) throw new Error(`${found.length} effects of type ${type} and not one`);
    return defined(found[0], type);
  }

  sent<Type extends RaftMessage['kind']>(type: Type): Extract<RaftMessage, { readonly kind: Type }>[] {
    return this.all('send').flatMap(({ message }) =>
      message.kind === type ? [message as Extract<RaftMessage, { readonly kind: Type }>] : [],
    );
  }
}
