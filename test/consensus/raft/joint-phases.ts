import assert from 'node:assert/strict';
import type { MemberChange } from '../../../src/consensus/engine.ts';
import { indexOf } from '../../../src/consensus/raft/configuration.ts';
import { type Entry, lastHeight, newestChange } from '../../../src/consensus/raft/log.ts';
import { unappliedConfiguration } from '../../../src/consensus/raft/replica.ts';
import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { Faults } from './faults.ts';
import type { Host } from './host.ts';
import type { Promises } from './promises.ts';
import { keyOf } from './world.ts';
import { type Configuration, isJoint, type Member } from '../../../src/ledger/members.ts';

type Ask = (leader: Host, changes: readonly MemberChange[], forced: boolean) => void;

/** The end of a joint phase as one host has it: in its log, not in force. */
interface End {
  readonly entry: Entry;
  readonly joint: Configuration;
}

/**
 * Joint phases that end without their leader. It dies, or is cut off, or stands still, when the block that ends the phase is with some of the
 * others; that it is final gets lost. Then both electorates are left alone, or a part of them, with restarts, lost logs and old leaders in
 * between; and now and then nobody is left but a majority of the new voters, who must find out by themselves.
 */
export class JointPhases {
  readonly #cluster: Cluster;
  readonly #dice: Dice;
  readonly #faults: Faults;
  readonly #promises: Promises;

  constructor(cluster: Cluster, dice: Dice, faults: Faults, promises: Promises) {
    this.#cluster = cluster;
    this.#dice = dice;
    this.#faults = faults;
    this.#promises = promises;
  }

  play(ask: Ask): void {
    const { leader, wire } = this.#cluster;
    const dice = this.#dice;
    if (leader === undefined) return;
    this.#faults.note('joint-phase');
    this.#faults.heal();
    const late = dice.chance(0.2) ? wire.hold(({ message }) => message.kind === 'timeout-now') : undefined;
    if (late !== undefined) leader.ask({ kind: 'transfer', to: null });
    ask(leader, this.#changes(leader), dice.chance(0.8));
    if (!this.#runUntil(300, () => leader.engine === null || isJoint(leader.state.configuration))) return;
    if (leader.engine === null) return;
    const { configurationHeight: joint } = leader.state;
    const deaf = new Set(dice.some(this.#cluster.hosts, dice.of([0, 0.2, 0.5])));
    const told = wire.hold(
      ({ from, message }) =>
        from === leader.index && message.kind === 'heartbeat' && message.commit.height > joint,
    );
    const sent = wire.hold(
      ({ to, message }) =>
        message.kind === 'append' && deaf.has(this.#cluster.host(to)) && message.previous.height >= joint,
    );
    this.#runUntil(200, () => leader.engine === null || endOf(leader) !== undefined);
    this.#cluster.run(dice.chance(0.3) ? dice.soon(1, 10) : 5 + dice.below(60));
    this.#leave(leader);
    if (dice.chance(0.6)) told.forget();
    if (dice.chance(0.7)) sent.forget();
    for (let acts = 1 + dice.below(3); acts > 0; acts--) {
      this.#act(leader);
      this.#cluster.run(dice.soon(10, 700));
    }
    if (dice.chance(0.8)) this.#wayOut();
    told.release();
    sent.release();
    late?.release();
    this.#cluster.run(dice.soon(1, 300));
  }

  #runUntil(ms: number, done: () => boolean): boolean {
    const end = this.#cluster.schedule.now + ms;
    while (!done() && this.#cluster.schedule.now < end) this.#cluster.run(2);
    return done();
  }

  /** Votes come and go, so that there are two electorates. */
  #changes(leader: Host): MemberChange[] {
    const dice = this.#dice;
    const members = leader.state.configuration;
    const roleOf = (key: Member['key']): Member['role'] | undefined =>
      members.find((member) => member.key === key)?.role;
    return this.#cluster.hosts.flatMap(({ index }) => {
      const key = keyOf(index);
      const votes = roleOf(key) === 'voter';
      if (!dice.chance(votes ? 0.4 : 0.8)) return [];
      return [{ key, role: votes ? dice.of(['removed', 'learner'] as const) : ('voter' as const) }];
    });
  }

  #leave(leader: Host): void {
    const dice = this.#dice;
    const how = dice.below(10);
    if (how < 5) this.#faults.crash(leader, dice.of([5, 400, 6_000]));
    else if (how < 7) this.#faults.isolate([leader, ...dice.some(this.#cluster.hosts, 0.25)]);
    else if (how < 9) this.#faults.pause(leader, dice.soon(100, 1_500));
    else this.#faults.lose(leader, dice.soon(10, 600));
  }

  #act(leader: Host): void {
    const dice = this.#dice;
    const faults = this.#faults;
    const { hosts } = this.#cluster;
    const joint = hosts.map(endOf).find((end) => end !== undefined)?.joint;
    const withRoles = (roles: readonly Member['role'][]): Host[] =>
      hosts.filter(({ index }) => {
        const role = joint?.find(({ key }) => key === keyOf(index))?.role;
        return role !== undefined && roles.includes(role);
      });
    const holders = hosts.filter((host) => endOf(host) !== undefined);
    const acts: readonly (readonly [() => void, number])[] = [
      [() => faults.isolate(withRoles(['voter', 'joining'])), 4],
      [() => faults.isolate(withRoles(['voter', 'leaving', 'demoted'])), 3],
      [() => faults.isolate([...withRoles(['joining']), ...dice.some(withRoles(['voter']))]), 3],
      [() => faults.isolate(holders), 2],
      [() => faults.isolate([leader, ...dice.some(hosts)]), 2],
      [() => faults.heal(), 2],
      [
        () => {
          for (const host of dice.some(holders, 0.8)) faults.crash(host, dice.soon(0, 60));
        },
        4,
      ],
      [
        () => {
          for (const host of dice.some(holders, 0.3)) faults.lose(host, dice.soon(0, 60));
        },
        1,
      ],
      [() => faults.holdBack(dice.of(['vote', 'pre-vote', 'vote-request', 'append']), dice.of(hosts)), 3],
      [() => faults.stall(dice.of(hosts), dice.soon(20, 800)), 1],
      [() => faults.start(leader), 1],
    ];
    dice.weighed(acts)?.();
  }

  /**
   * Nobody is left but some of the new voters: a majority of them, and by what their disks had in its own term, and its leader's, the block
   * that ends the phase is committed. Nothing else is needed to go on.
   */
  #wayOut(): void {
    const cluster = this.#cluster;
    const { hosts } = cluster;
    const ends = hosts.flatMap((host) => endOf(host) ?? []);
    const end = ends[this.#dice.below(Math.max(ends.length, 1))];
    if (end === undefined || this.#promises.newestChange?.hash !== end.entry.blockHash) return;
    const left = this.#dice.maybeOf(this.#enough(end));
    if (left === undefined) return;
    this.#faults.note('way-out');
    for (const host of hosts) {
      if (left.includes(host)) this.#faults.nurse(host);
      else this.#faults.crash(host, 12_000);
    }
    this.#faults.calm();
    // No ambush comes in between.
    this.#faults.over = true;
    const leads = (host: Host): boolean => host.leads && !isJoint(host.state.configuration);
    cluster.until(
      () => {
        // Who is no member yet, as far as it knows, hears nobody, and asks all for what is final.
        const ahead = left.toSorted((a, b) => b.disk.final.header.height - a.disk.final.header.height)[0];
        for (const host of left) {
          const isMember = indexOf(host.state.configuration, keyOf(host.index)) !== null;
          if (!isMember && ahead !== undefined) host.syncFrom(ahead.index);
        }
        return left.some(leads);
      },
      'those who hold the end of a joint phase elect a leader and make it final',
      30 * cluster.options.electionTimeoutMs,
    );
    this.#faults.over = false;
    assert.ok(left.every((host) => host.engine !== null));
    for (const host of hosts) if (this.#dice.chance(0.7)) this.#faults.start(host);
  }

  /** Hosts that are enough by the rule, and would not be without it: too few of the old voters, unless the block's leader counts. */
  #enough({ entry, joint }: End): (readonly Host[])[] {
    const able = this.#cluster.hosts.filter(({ index }) => !this.#promises.forgetful.has(index));
    const isMost = (
      roles: readonly Member['role'][],
      yes: (key: Member['key'], index: number) => boolean,
    ): boolean => {
      const voters = [...joint.entries()].filter(([, { role }]) => roles.includes(role));
      return 2 * voters.filter(([index, { key }]) => yes(key, index)).length > voters.length;
    };
    const sets = Array.from({ length: 2 ** able.length }, (_, bits) =>
      able.filter((_host, place) => ((bits >> place) & 1) === 1),
    );
    return sets.filter((hosts) => {
      const isLeft = (key: Member['key']): boolean => hosts.some(({ index }) => keyOf(index) === key);
      const holds = (key: Member['key'], index: number): boolean =>
        index === entry.leader ||
        hosts.some((host) => keyOf(host.index) === key && this.#promises.heldBy(host, entry.blockHash));
      return (
        isMost(newVoters, isLeft) &&
        !isMost(oldVoters, isLeft) &&
        [oldVoters, newVoters].every((roles) => isMost(roles, holds))
      );
    });
  }
}

/** The voters of one of the two electorates. */
const oldVoters: readonly Member['role'][] = ['voter', 'leaving', 'demoted'];
const newVoters: readonly Member['role'][] = ['voter', 'joining'];

/** What ends the joint phase that is in force at a host, when its log has that. */
function endOf(host: Host): End | undefined {
  if (host.engine === null || !isJoint(host.state.configuration)) return undefined;
  const { log, configuration: joint } = host.state;
  const height = unappliedConfiguration(host.state, lastHeight(log));
  const entry = newestChange(log.entries.filter(({ header }) => header.height === height));
  return entry === undefined ? undefined : { entry, joint };
}
