import assert from 'node:assert/strict';
import { defined } from '../../../src/base/invariant.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import type { Effect, Input } from '../../../src/consensus/engine.ts';
import { indexOf, takesPart } from '../../../src/consensus/raft/configuration.ts';
import { hashAt, lastHeight } from '../../../src/consensus/raft/log.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import { defaultRaftOptions, type RaftOptions } from '../../../src/consensus/raft/options.ts';
import { Host, type Surroundings } from './host.ts';
import { VirtualTime } from '../../support/virtual-time.ts';
import { hashOf, keyOf, Wire } from './world.ts';

export interface ClusterSetup {
  readonly members?: number;
  /** Hosts beyond the genesis members, to be added later. */
  readonly spares?: number;
  readonly seed?: number;
  /** How fast the clock of each host runs: 1 is as fast as time. */
  readonly clockRates?: readonly number[];
  readonly options?: Partial<RaftOptions>;
}

/** Time as one host has it. */
class OwnClock {
  readonly #schedule: VirtualTime;
  readonly #rate: number;

  constructor(schedule: VirtualTime, rate: number) {
    this.#schedule = schedule;
    this.#rate = rate;
  }

  get now(): number {
    return this.#schedule.now * this.#rate;
  }

  after(ms: number, run: () => void): void {
    this.#schedule.after(ms / this.#rate, run);
  }
}

/** A whole Raft cluster in memory, on virtual time, with the promises of figure 3 checked after every step. */
export class Cluster {
  readonly schedule = new VirtualTime();
  readonly hosts: Host[];
  readonly wire: Wire;
  readonly options: RaftOptions;
  readonly members: number;
  /** Who led which term: at most one each (election safety). */
  readonly leaders = new Map<number, number>();
  /** What is final, whoever said so first (state machine safety), and in which term somebody first knew. */
  readonly finals = new Map<number, { readonly hash: Hash; readonly term: number }>();
  readonly #transactions: Hash[] = [];
  onEffect: (host: Host, effect: Effect<RaftMessage>) => void = () => {};
  onStart: (host: Host) => void = () => {};
  onLost: (host: Host) => void = () => {};
  onStep: (host: Host, input: Input<RaftMessage>, effects: readonly Effect<RaftMessage>[]) => void = () => {};

  constructor(setup: ClusterSetup = {}) {
    this.members = setup.members ?? 3;
    const seed = setup.seed ?? 1;
    this.options = {
      ...defaultRaftOptions,
      heartbeatMs: 50,
      electionTimeoutMs: 300,
      blockIntervalMs: 10,
      ...setup.options,
    };
    this.wire = new Wire(this.schedule, seed, ({ from, to, message }) => {
      void from;
      this.hosts[to]?.receive(message);
    });
    const world: Surroundings = {
      schedule: this.schedule,
      options: this.options,
      genesisMembers: this.members,
      post: (from, to, message) => this.wire.post({ from, to, message }),
      reach: (from, to) => {
        const host = this.hosts[to];
        const cut = this.wire.cuts.has(`${from}>${to}`) || this.wire.cuts.has(`${to}>${from}`);
        return cut || host?.engine === null ? undefined : host;
      },
      hostOf: (key) => this.hosts.findIndex(({ index }) => keyOf(index) === key),
      indexes: () => this.hosts.map(({ index }) => index),
      transactions: () => this.#transactions,
      started: (host) => this.onStart(host),
      lost: (host) => this.onLost(host),
      afterStep: (host, input, effects) => this.#check(host, input, effects),
      seedFor: (index, starts) => seed * 1_000 + index * 100 + starts,
    };
    this.hosts = Array.from({ length: this.members + (setup.spares ?? 0) }, (_, index) => {
      const rate = setup.clockRates?.[index] ?? 1;
      return new Host(index, { ...world, schedule: new OwnClock(this.schedule, rate) });
    });
  }

  static started(setup: ClusterSetup = {}): Cluster {
    const cluster = new Cluster(setup);
    for (const host of cluster.hosts.slice(0, cluster.members)) host.start();
    return cluster;
  }

  /** Starts a cluster and waits until the wanted member leads (others are kept from campaigning meanwhile). */
  static ledBy(leader: number, setup: ClusterSetup = {}): Cluster {
    return Cluster.started(setup).elect(leader).run(100);
  }

  /** Makes one member the leader: its timer ends at once, and those of the others later. */
  elect(index: number): this {
    const wanted = this.host(index);
    if (wanted.leads) return this;
    for (const { engine } of this.hosts) {
      if (engine !== null) engine.replica.state.electionTimer.dueAt = this.schedule.now + 1_000_000;
    }
    const start = wanted.state.term;
    this.until(() => {
      const { state } = wanted;
      if (state.role.kind !== 'leader' && !(state.role.kind === 'candidate' && !state.role.pre))
        state.electionTimer.dueAt = 0;
      return state.role.kind === 'leader' && state.term > start;
    }, `the election of ${index}`);
    for (const { engine } of this.hosts) {
      if (engine === null) continue;
      engine.replica.state.electionTimer.dueAt =
        this.schedule.now + this.options.electionTimeoutMs * (1 + index / 10);
    }
    return this;
  }

  host(index: number): Host {
    return defined(this.hosts[index], `host ${index}`);
  }

  get leader(): Host | undefined {
    // The one of the highest term: a deposed one may not know yet.
    return this.hosts.filter((host) => host.leads).sort((a, b) => b.state.term - a.state.term)[0];
  }

  run(ms: number): this {
    this.schedule.run(ms);
    return this;
  }

  until(done: () => boolean, what: string, ms = 20_000): this {
    const end = this.schedule.now + ms;
    while (!done()) {
      assert.ok(this.schedule.now < end, `${what} within ${ms} ms; ${this.describe()}`);
      this.schedule.run(5);
    }
    return this;
  }

  /** Gives a transaction to every mempool. */
  submit(text: string): Hash {
    const hash = hashOf(text);
    this.#transactions.push(hash);
    return hash;
  }

  isFinalAt(host: Host, transaction: Hash): boolean {
    return [...host.disk.blocks.values()].some(({ proposal }) =>
      proposal.transactionHashes.includes(transaction),
    );
  }

  /** Every running member has everything. */
  settled(): boolean {
    const running = this.hosts.filter(({ engine }) => engine !== null);
    const { leader } = this;
    if (leader === undefined) return false;
    const { height } = leader.disk.final.header;
    return (
      running
        .filter(({ index }) =>
          takesPart(leader.state.configuration, indexOf(leader.state.configuration, keyOf(index)) ?? -1),
        )
        .every((host) => host.disk.final.header.height === height && host.state.log.base.height <= height) &&
      height === lastHeight(leader.state.log)
    );
  }

  describe(): string {
    return this.hosts
      .map((host) => (host.engine === null ? `${host.index}: down` : `${host.index}: ${host.engine.why()}`))
      .join('; ');
  }

  /** Figure 3 of the paper, after every step of every member. */
  #check(host: Host, input: Input<RaftMessage>, effects: readonly Effect<RaftMessage>[]): void {
    const { state } = host;
    this.onStep(host, input, effects);
    if (state.role.kind === 'leader') {
      const known = this.leaders.get(state.term);
      if (known === undefined) {
        this.leaders.set(state.term, host.index);
        // Leader completeness: what was committed in earlier terms is in its log.
        for (const [height, { hash, term }] of this.finals) {
          if (term >= state.term || height < state.log.base.height) continue;
          assert.equal(
            hashAt(state.log, height as typeof state.commit),
            hash,
            `leader ${host.index} of term ${state.term} lacks ${height}`,
          );
        }
      } else assert.equal(known, host.index, `two leaders of term ${state.term}`);
    }
    for (const effect of effects) {
      if (effect.type === 'commit') {
        const { height, blockHash } = effect.link;
        const known = this.finals.get(height);
        if (known === undefined) this.finals.set(height, { hash: blockHash, term: state.term });
        else assert.equal(known.hash, blockHash, `two final blocks at ${height}`);
      }
      this.onEffect(host, effect);
    }
  }
}
