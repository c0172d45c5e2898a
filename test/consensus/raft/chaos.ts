import assert from 'node:assert/strict';
import { hashHeader } from '../../../src/ledger/block.ts';
import type { MemberChange } from '../../../src/consensus/engine.ts';
import { indexOf, takesPart, withChanges } from '../../../src/consensus/raft/configuration.ts';
import { isAmnesiac } from '../../../src/consensus/raft/replica.ts';
import { Ambushes } from './ambush.ts';
import { Cluster } from './cluster.ts';
import { Dice } from './dice.ts';
import { Faults } from './faults.ts';
import type { Host } from './host.ts';
import { JointPhases } from './joint-phases.ts';
import { Promises } from './promises.ts';
import { keyOf } from './world.ts';

export interface ChaosReport {
  readonly steps: number;
  readonly terms: number;
  readonly blocks: number;
  readonly faults: Record<string, number>;
  readonly counters: Record<string, number>;
}

/**
 * One random schedule from a seed, in two acts: faults of all kinds, with safety checked after every step (`Cluster`, `Promises`); then
 * everything heals, and what was submitted must become final. Each seed has its own mix of faults.
 */
export function chaos(seed: number): ChaosReport {
  const dice = new Dice(seed);
  const members = dice.of([1, 3, 3, 3, 4, 5, 5]);
  const spares = dice.chance(0.5) ? 1 + dice.below(3) : 0;
  const clockSpread = dice.of([0, 0.01, 0.12]);
  const cluster = Cluster.started({
    members,
    spares,
    seed,
    clockRates: Array.from(
      { length: members + spares },
      () => 1 + (clockSpread * (2 * dice.below(101) - 100)) / 100,
    ),
    options: {
      window: 1 + dice.below(8),
      tail: dice.below(10),
      inFlightMessages: 1 + dice.below(4),
      appendBytes: dice.chance(0.5) ? 1 : 2_000,
      leaseReads: dice.chance(0.6),
      snapshotEvery: dice.chance(0.3) ? 5 + dice.below(20) : 0,
      keepBlocks: dice.below(10),
    },
  });
  const promises = new Promises(cluster);
  const faults = new Faults(cluster, dice, promises);
  const story = new Story(cluster, dice, faults, new JointPhases(cluster, dice, faults, promises));
  for (const spare of cluster.hosts.slice(members)) spare.start();
  if (dice.chance(0.3))
    for (const host of dice.some(cluster.hosts, 0.3)) faults.stall(host, dice.of([300, 1_000, 3_000]));
  story.run();
  story.end(promises);
  const counters: Record<string, number> = {};
  for (const { engine } of cluster.hosts) {
    for (const [name, value] of Object.entries(engine?.status().counters ?? {})) {
      counters[name] = (counters[name] ?? 0) + value;
    }
  }
  return {
    steps: cluster.wire.sent.length,
    terms: cluster.leaders.size,
    blocks: cluster.finals.size,
    faults: faults.done,
    counters,
  };
}

class Story {
  readonly #cluster: Cluster;
  readonly #dice: Dice;
  readonly #faults: Faults;
  readonly #ambushes: Ambushes;
  readonly #jointPhases: JointPhases;
  #submitted = 0;

  constructor(cluster: Cluster, dice: Dice, faults: Faults, jointPhases: JointPhases) {
    this.#jointPhases = jointPhases;
    this.#cluster = cluster;
    this.#dice = dice;
    this.#faults = faults;
    this.#ambushes = new Ambushes(cluster, dice, faults);
  }

  run(): void {
    const acts = this.#mix();
    const rounds = 10 + this.#dice.below(40);
    for (let round = 0; round < rounds; round++) {
      this.#cluster.run(this.#dice.soon(1, 500));
      for (let n = 1 + this.#dice.below(2); n > 0; n--) this.#dice.weighed(acts)?.();
      this.#tellTheAbsent();
    }
    this.#ambushes.disarm();
  }

  /** What this schedule is made of. A seed leaves out a good part, so that what is left meets itself more often. */
  #mix(): (readonly [() => void, number])[] {
    const dice = this.#dice;
    const faults = this.#faults;
    const { hosts } = this.#cluster;
    const any = (): Host => dice.of(hosts);
    const rare: readonly (readonly [() => void, number])[] = [
      [() => faults.crash(any()), 3],
      [() => faults.crashAll(), 0.3],
      [() => faults.partition(), 2],
      [() => faults.isolate(dice.some(hosts, 0.4)), 2],
      [() => faults.defect(any(), any()), 2],
      [() => faults.pause(any()), 2],
      [() => faults.stall(any()), 1],
      [() => faults.slowDisk(any()), 1],
      [() => faults.storeLate(any()), 2],
      [() => faults.withhold(any()), 0.5],
      [() => faults.lose(any()), 2],
      [() => faults.weather(), 1],
      [() => faults.holdBack(dice.of(heldKinds), any()), 2],
      [() => this.#transfer(), 2],
      [() => this.#change(), 5],
      [() => this.#leaveHalfDone(), 2],
      [() => this.#succeed(), 3],
      [() => this.#changeSides(), 3],
      [() => this.#comeBack(), 4],
      [() => this.#leaveBehind(), 3],
      [() => this.#coup(), 2],
      [() => this.#hearLate(), 3],
      [() => this.#endJointly(), 2],
      [() => this.#ambushes.arm(), 6],
    ];
    const share = dice.of([0.15, 0.3, 0.6]);
    const plots: readonly (() => void)[] = [
      () => this.#succeed(),
      () => this.#changeSides(),
      () => this.#comeBack(),
      () => this.#leaveBehind(),
      () => this.#hearLate(),
      () => this.#endJointly(),
    ];
    return [
      ...(dice.chance(0.3) ? ([[dice.of(plots), 8]] as const) : rare.filter(() => dice.chance(share))),
      [() => this.#submit(), 3],
      [() => this.#read(), 2],
      [() => faults.heal(), 2],
      [() => faults.release(), 0.5],
      [() => faults.backUp(), 0.7],
      [() => faults.mislead(), 1],
    ];
  }

  #submit(): void {
    for (let n = 1 + this.#dice.below(5); n > 0; n--) this.#cluster.submit(`${(this.#submitted += 1)}`);
  }

  #read(): void {
    this.#faults.note('read');
    for (const host of this.#dice.some(this.#cluster.hosts))
      host.ask({ kind: 'read', lease: this.#cluster.options.leaseReads });
  }

  #leader(): Host | undefined {
    // Also one that was deposed and does not know.
    return this.#dice.maybeOf(this.#cluster.hosts.filter((host) => host.leads));
  }

  #transfer(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    this.#faults.note('transfer');
    const to = this.#dice.chance(0.5) ? null : this.#dice.below(leader.state.configuration.length);
    leader.ask({ kind: 'transfer', to });
  }

  #change(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    this.#ask(leader, this.#changes(leader), this.#dice.chance(0.3));
  }

  #ask(leader: Host, changes: readonly MemberChange[], forced: boolean): void {
    const next = withChanges(leader.state.configuration, changes);
    // Else no majority that remembers might be left: no fault of the engine, which cannot know of a loss that it did not see yet.
    if ('code' in next || !this.#faults.keepsMajority(next)) return;
    this.#faults.note('members');
    this.#faults.asked(leader, next);
    leader.ask({ kind: 'members', changes, forced });
  }

  #changes(leader: Host): MemberChange[] {
    const dice = this.#dice;
    const { hosts } = this.#cluster;
    const members = leader.state.configuration;
    const withRole = (role: string): typeof members => members.filter((member) => member.role === role);
    // Who lost its log is let go, and comes in anew.
    const lost = hosts.find((host) => host.engine !== null && isAmnesiac(host.state));
    if (lost !== undefined && dice.chance(0.5)) {
      const key = keyOf(lost.index);
      const role = members.find((member) => member.key === key)?.role;
      return [{ key, role: role === 'voter' ? dice.of(['removed', 'removed', 'learner']) : 'learner' }];
    }
    const learners = withRole('learner');
    if (learners.length > 0 && dice.chance(0.6)) {
      const leaving = withRole('voter').slice(0, dice.below(learners.length + 1));
      return [
        ...learners.map(({ key }) => ({ key, role: 'voter' as const })),
        ...leaving.map(({ key }) => ({ key, role: dice.of(['removed', 'learner'] as const) })),
      ];
    }
    const out = hosts
      .map(({ index }) => keyOf(index))
      .filter((key) => !takesPart(members, indexOf(members, key)));
    if (out.length > 0 && dice.chance(0.5))
      return dice
        .some(out, 0.8)
        .map((key) => ({ key, role: dice.of(['learner', 'learner', 'voter'] as const) }));
    return dice.some(hosts, 0.4).map(({ index }) => ({
      key: keyOf(index),
      role: dice.of(['voter', 'learner', 'removed'] as const),
    }));
  }

  /** A leader with one companion gets work that only these two have, and then dies or is cut off; another one is likely to win with the rest. */
  #leaveHalfDone(): void {
    const { leader, hosts } = this.#cluster;
    if (leader === undefined) return;
    this.#faults.note('half-done');
    const dice = this.#dice;
    const companion = dice.of(hosts);
    const others = hosts.filter((host) => host !== leader && host !== companion);
    this.#faults.isolate(dice.chance(0.5) ? [leader] : [leader, companion]);
    if (dice.chance(0.5)) this.#change();
    this.#submit();
    this.#cluster.run(dice.soon(5, 60));
    this.#faults.isolate(others);
    if (dice.chance(0.6)) this.#faults.crash(leader);
    if (dice.chance(0.4)) this.#faults.crash(companion);
    this.#cluster.run(dice.below(700));
    // The old pair meets a part of the others, and the newest leader is not always among them.
    if (dice.chance(0.4)) this.#faults.isolate([leader, companion, ...dice.some(others)]);
    else this.#faults.heal();
    this.#cluster.run(dice.below(400));
  }

  /** A transferee is elected behind its leader's back; then somebody who helped it goes over to the old leader, with or without its memory. */
  #succeed(): void {
    const { leader, hosts } = this.#cluster;
    const dice = this.#dice;
    if (leader === undefined) return;
    this.#faults.note('succeed');
    const transferee = dice.maybeOf(hosts.filter((host) => host !== leader && host.engine !== null));
    if (transferee === undefined) return;
    const others = hosts.filter((host) => host !== leader && host !== transferee);
    const term = leader.state.term;
    leader.ask({ kind: 'transfer', to: transferee.state.self ?? 0 });
    for (let i = 0; i < 40 && transferee.engine !== null && transferee.state.term === term; i++)
      this.#cluster.run(1);
    const with_ = dice.some(others, 0.3);
    this.#faults.isolate([leader, ...with_]);
    if (dice.chance(0.3)) this.#change();
    this.#submit();
    this.#cluster.run(dice.soon(5, 150));
    const turncoat = dice.maybeOf(others.filter((host) => !with_.includes(host)));
    if (turncoat === undefined) return;
    this.#turn(turncoat, leader);
    this.#read();
    this.#cluster.run(dice.soon(10, 300));
  }

  /** It goes over to the others, and remembers what it promised, or its disk does, or nothing does. */
  #turn(host: Host, to: Host): void {
    const how = this.#dice.below(4);
    if (how === 0 || how === 1) this.#faults.crash(host, this.#dice.soon(0, 30));
    if (how > 1) this.#faults.lose(host, this.#dice.soon(0, 30));
    this.#faults.defect(host, to);
  }

  /** A leader works on with a majority while the rest asks for votes; then somebody goes over to them. */
  #changeSides(): void {
    const { leader, hosts } = this.#cluster;
    const dice = this.#dice;
    if (leader === undefined) return;
    this.#faults.note('change-sides');
    const others = hosts.filter((host) => host !== leader);
    const faithful = dice.some(others);
    this.#faults.isolate([leader, ...faithful]);
    this.#submit();
    this.#cluster.run(300 + dice.below(400));
    const turncoat = dice.maybeOf(faithful);
    const to = dice.maybeOf(others.filter((host) => !faithful.includes(host)));
    if (turncoat === undefined || to === undefined) return;
    this.#turn(turncoat, to);
    this.#cluster.run(dice.soon(10, 300));
  }

  /** The leader is silent for a while, and somebody campaigns into the void. It comes back, and then what was said meanwhile arrives. */
  #comeBack(): void {
    const { leader, hosts } = this.#cluster;
    const dice = this.#dice;
    if (leader === undefined) return;
    this.#faults.note('come-back');
    const { term } = leader.state;
    const rival = dice.maybeOf(hosts.filter((host) => host !== leader));
    if (rival === undefined) return;
    for (const kind of ['pre-vote', 'vote', 'vote-request', 'heartbeat-answer', 'read-request'] as const)
      if (dice.chance(0.85)) this.#faults.holdBack(kind, rival, 'from', 3_000);
    if (dice.chance(0.8)) this.#faults.muffle(leader);
    else this.#faults.pause(leader, dice.soon(100, 600));
    // Until the rival is alone in a later term, mostly, and others ask, too.
    const end = this.#cluster.schedule.now + 600;
    while (this.#cluster.schedule.now < end && (rival.engine === null || rival.state.term <= term))
      this.#cluster.run(10);
    this.#cluster.run(dice.soon(1, 300));
    if (dice.chance(0.7)) this.#faults.separate(leader, rival);
    else this.#faults.heal();
    this.#cluster.run(dice.soon(1, 150));
    if (dice.chance(0.7)) this.#faults.isolate([this.#cluster.leader ?? leader, ...dice.some(hosts, 0.2)]);
    this.#faults.release();
    this.#cluster.run(dice.soon(10, 200));
  }

  /** The members change without some, who then hear of all at once and die before they have stored it. */
  #leaveBehind(): void {
    const { leader, hosts } = this.#cluster;
    const dice = this.#dice;
    if (leader === undefined) return;
    this.#faults.note('leave-behind');
    const others = hosts.filter((host) => host !== leader);
    const behind = dice.some(others, 0.4);
    for (const host of dice.some(behind, 0.7)) {
      host.storingMs = dice.of([100, 1_000, 3_000]);
      host.unevenMs = dice.of([0, 20, 50]);
    }
    this.#faults.isolate(behind);
    if (dice.chance(0.5)) this.#coup();
    else this.#change();
    this.#cluster.run(dice.soon(20, 250));
    this.#faults.heal();
    this.#cluster.run(dice.soon(2, 120));
    const votes = new Set(
      leader.engine === null
        ? []
        : leader.state.configuration.filter(({ role }) => role === 'voter').map(({ key }) => key),
    );
    this.#faults.isolate(hosts.filter(({ index }) => votes.has(keyOf(index)) || dice.chance(0.1)));
    for (const host of dice.some(behind, 0.7)) this.#faults.crash(host, dice.soon(0, 50));
    this.#submit();
    this.#cluster.run(dice.below(900));
  }

  /**
   * A word to a transferee is late, and the transferee is cut off. Meanwhile another one leads, and changes the members within its term. Of that the transferee
   * gets what is final, from some who came in by it or stayed, with or without their memory of the moment; and then the late word.
   */
  #hearLate(): void {
    const { leader, hosts } = this.#cluster;
    const dice = this.#dice;
    if (leader === undefined) return;
    this.#faults.note('hear-late');
    this.#faults.heal();
    const { term } = leader.state;
    const late = dice.maybeOf(hosts.filter((host) => host !== leader && host.engine !== null));
    if (late === undefined) return;
    const word = this.#cluster.wire.hold(
      ({ to, message }) => to === late.index && message.kind === 'timeout-now',
    );
    leader.ask({ kind: 'transfer', to: late.state.self ?? 0 });
    this.#cluster.run(dice.soon(10, 60));
    this.#faults.isolate([late]);
    const end = this.#cluster.schedule.now + 2_000;
    if (dice.chance(0.3)) this.#faults.crash(leader);
    while (this.#cluster.schedule.now < end && (this.#cluster.leader?.state.term ?? 0) <= term) {
      this.#cluster.run(20);
      if (dice.chance(0.3)) leader.ask({ kind: 'transfer', to: null });
    }
    const { leader: successor } = this.#cluster;
    if (successor === undefined) return word.forget();
    for (let changes = 1 + dice.below(3); changes > 0; changes--) {
      this.#cluster.run(dice.soon(60, 200));
      if (successor.leads) this.#exchange([late, successor]);
    }
    this.#cluster.run(dice.soon(60, 300));
    const friends = dice.some(
      hosts.filter((host) => host !== late && host !== successor),
      0.8,
    );
    this.#faults.isolate([late, ...friends]);
    for (let tries = 0; tries < 8; tries++) {
      for (const friend of friends) late.syncFrom(friend.index);
      this.#cluster.run(8);
    }
    for (const friend of dice.some(friends, 0.4)) this.#faults.crash(friend, 0);
    this.#cluster.run(dice.soon(0, 20));
    word.release();
    this.#cluster.run(dice.soon(10, 200));
  }

  #endJointly(): void {
    this.#jointPhases.play((leader, changes, forced) => this.#ask(leader, changes, forced));
  }

  /** Most voters are sent away at once, or exchanged for others. */
  #coup(): void {
    this.#faults.note('coup');
    this.#exchange([]);
  }

  /** These stay what they are. */
  #exchange(stay: readonly Host[]): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const dice = this.#dice;
    const kept = new Set(stay.map(({ index }) => keyOf(index)));
    const members = leader.state.configuration;
    const changes = [
      ...members
        .filter(({ role, key }) => role === 'voter' && !kept.has(key))
        .filter(() => dice.chance(0.7))
        .map(({ key }) => ({ key, role: dice.of(['removed', 'learner'] as const) })),
      ...this.#cluster.hosts
        .map(({ index }) => keyOf(index))
        .filter((key) => members.find((member) => member.key === key)?.role !== 'voter' && !kept.has(key))
        .filter(() => dice.chance(0.7))
        .map((key) => ({ key, role: dice.of(['voter', 'voter', 'learner'] as const) })),
    ];
    this.#ask(leader, changes, dice.chance(0.7));
  }

  /** A real node that is no member, as far as it knows, hears from its peers how far they are, and syncs from whoever is ahead. */
  #tellTheAbsent(): void {
    const { hosts } = this.#cluster;
    const ahead = hosts.toSorted((a, b) => b.disk.final.header.height - a.disk.final.header.height)[0];
    for (const host of hosts) {
      if (host.engine === null || ahead === undefined || ahead === host) continue;
      if (!takesPart(host.state.configuration, host.state.self) || this.#dice.chance(0.02))
        host.syncFrom(ahead.index);
    }
  }

  end(promises: Promises): void {
    const cluster = this.#cluster;
    this.#faults.end();
    const last = cluster.submit('last');
    cluster.until(
      () => {
        this.#tellTheAbsent();
        return cluster.settled() && cluster.leader !== undefined && cluster.isFinalAt(cluster.leader, last);
      },
      'everything final after healing',
      60_000,
    );
    promises.atTheEnd();
    exactlyOnce(cluster);
    for (const { disk } of cluster.hosts) assert.equal(hashHeader(disk.final.header), disk.final.hash);
  }
}

const heldKinds = [
  'pre-vote-request',
  'pre-vote',
  'vote-request',
  'vote',
  'append',
  'accepted',
  'rejected',
  'heartbeat',
  'heartbeat-answer',
  'timeout-now',
  'read-request',
  'read-answer',
  'snapshot-offer',
] as const;

/** No transaction is final twice, on any host. */
export function exactlyOnce(cluster: Cluster): void {
  for (const host of cluster.hosts) {
    const seen = new Set<string>();
    for (const { proposal } of host.disk.blocks.values()) {
      for (const transaction of proposal.transactionHashes) {
        assert.ok(!seen.has(transaction), `a transaction is final twice on ${host.index}`);
        seen.add(transaction);
      }
    }
  }
}
