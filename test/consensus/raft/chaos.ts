import assert from 'node:assert/strict';
import { nextBelow, nextFloat, type RandomState, seedRandom } from '../../../src/base/random.ts';
import type { MemberChange } from '../../../src/consensus/engine.ts';
import { takesPart } from '../../../src/consensus/raft/configuration.ts';
import { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { keyOf } from './world.ts';

export interface ChaosReport {
  readonly steps: number;
  readonly terms: number;
  readonly blocks: number;
  readonly faults: Record<string, number>;
  readonly counters: Record<string, number>;
}

/**
 * One random schedule from a seed, in two acts: faults of all kinds, with safety checked after every step (in `Cluster`); then everything
 * heals, and what was submitted must become final. Each seed has its own mix of faults.
 */
export function chaos(seed: number): ChaosReport {
  const random = seedRandom(seed);
  const pick = (bound: number): number => nextBelow(random, bound);
  const chance = (probability: number): boolean => nextFloat(random) < probability;
  const members = [1, 3, 3, 3, 4, 5, 5][pick(7)] ?? 3;
  const spares = chance(0.3) ? 2 : 0;
  const cluster = Cluster.started({
    members,
    spares,
    seed,
    options: {
      window: 1 + pick(8),
      tail: pick(10),
      inFlightMessages: 1 + pick(4),
      appendBytes: chance(0.5) ? 1 : 2_000,
      leaseReads: chance(0.2),
      snapshotEvery: chance(0.3) ? 5 + pick(20) : 0,
      keepBlocks: pick(10),
    },
  });
  for (const spare of cluster.hosts.slice(members)) spare.start();
  const { wire, hosts } = cluster;
  wire.loss = chance(0.5) ? nextFloat(random) * 0.3 : 0;
  wire.duplication = chance(0.5) ? 0.3 : 0;
  wire.lateness = chance(0.3) ? 0.05 : 0;
  wire.latencyMs = chance(0.3) ? { min: 1, max: 150 } : { min: 1, max: 5 };
  const faults: Record<string, number> = {};
  const act = (name: string): void => {
    faults[name] = (faults[name] ?? 0) + 1;
  };
  const mix = {
    crash: chance(0.7),
    partition: chance(0.7),
    stall: chance(0.3),
    members: chance(0.4),
    transfer: chance(0.4),
    bodies: chance(0.3),
    steer: chance(0.5),
    storing: chance(0.4),
    lose: chance(0.3),
  };
  // Whose log is lost has no vote until it was taken out and in again: the others must be a majority.
  let losses = mix.members ? 0 : Math.ceil(members / 2) - 1;
  const reads: Read[] = [];
  const rounds = 20 + pick(40);
  for (let i = 0; i < rounds; i++) {
    cluster.run(10 + pick(250));
    const host = cluster.host(pick(hosts.length));
    if (mix.steer && chance(0.5)) {
      act('half-done');
      leaveHalfDone(cluster, random, `${seed} half ${i}`);
    }
    if (chance(0.5)) for (let n = pick(6); n > 0; n--) cluster.submit(`${seed} ${i} ${n}`);
    if (mix.crash && chance(0.25)) {
      if (host.engine === null) host.start();
      else {
        host.crash();
        act('crash');
        if (chance(0.5)) host.start();
      }
    }
    if (mix.crash && chance(0.03)) {
      act('crash-all');
      for (const each of hosts) each.crash();
      for (const each of hosts) if (chance(0.8)) each.start();
    }
    if (mix.partition && chance(0.3)) {
      act('partition');
      partition(cluster, random);
    }
    if (mix.partition && chance(0.3)) wire.heal();
    if (mix.stall && chance(0.2)) {
      act('stall');
      if (host.stalled) host.resumeDisk();
      else host.stalled = true;
    }
    if (mix.storing && chance(0.3)) {
      act('storing');
      host.storingMs = chance(0.3) ? 0 : pick(200);
    }
    if (mix.lose && losses > 0 && host.index < members && chance(0.1)) {
      act('lose');
      losses -= 1;
      host.crash();
      host.lose();
      host.start();
    }
    if (mix.bodies && chance(0.2)) {
      act('bodies');
      host.withholdBodies = !host.withholdBodies;
    }
    if (host.engine !== null && chance(0.4)) {
      act('read');
      reads.push({
        host,
        atLeast: newest(cluster),
        id: host.ask({ kind: 'read', lease: cluster.options.leaseReads }),
      });
    }
    if (mix.transfer && chance(0.15)) {
      act('transfer');
      cluster.leader?.ask({ kind: 'transfer', to: chance(0.5) ? null : pick(hosts.length) });
    }
    if (mix.members && chance(0.3)) {
      act('members');
      cluster.leader?.ask({ kind: 'members', changes: changes(cluster, random), forced: chance(0.1) });
    }
  }
  heal(cluster);
  const last = cluster.submit(`${seed} last`);
  cluster.until(
    () => {
      // A real node that is no member, as far as it knows, hears from its peers how far they are, and syncs from whoever is ahead.
      const ahead = hosts.toSorted((a, b) => b.disk.final.header.height - a.disk.final.header.height)[0];
      for (const host of hosts) {
        if (ahead === undefined || ahead === host || takesPart(host.state.configuration, host.state.self))
          continue;
        host.syncFrom(ahead.index);
      }
      return cluster.settled() && cluster.leader !== undefined && cluster.isFinalAt(cluster.leader, last);
    },
    `seed ${seed}: everything final after healing`,
    60_000,
  );
  exactlyOnce(cluster);
  notStale(reads);
  const counters: Record<string, number> = {};
  for (const { engine } of hosts) {
    for (const [name, value] of Object.entries(engine?.status().counters ?? {})) {
      counters[name] = (counters[name] ?? 0) + value;
    }
  }
  return {
    steps: wire.sent.length,
    terms: cluster.leaders.size,
    blocks: cluster.finals.size,
    faults,
    counters,
  };
}

/**
 * Steers toward what rules are for: a leader with one companion gets work that only these two have, and then dies or is cut off;
 * another one is likely to win with the rest.
 */
function leaveHalfDone(cluster: Cluster, random: RandomState, text: string): void {
  const { leader, hosts, wire } = cluster;
  if (leader === undefined) return;
  const companion = nextBelow(random, hosts.length);
  const together = [leader.index, companion];
  const others = [...hosts.keys()].filter((index) => !together.includes(index));
  wire.partition(nextFloat(random) < 0.5 ? [together, others] : [together], hosts.length);
  cluster.submit(text);
  cluster.run(5 + nextBelow(random, 40));
  if (nextFloat(random) < 0.6) leader.crash();
  if (nextFloat(random) < 0.4) cluster.host(companion).crash();
  wire.partition([others], hosts.length);
  cluster.run(nextBelow(random, 700));
  const back = nextFloat(random);
  for (const index of together) if (cluster.host(index).engine === null) cluster.host(index).start();
  // The old pair meets a part of the others, and the newest leader is not always among them.
  if (back < 0.4)
    wire.partition([[...together, ...others.filter(() => nextFloat(random) < 0.5)]], hosts.length);
  else wire.heal();
  cluster.run(nextBelow(random, 500));
}

function partition({ wire, hosts }: Cluster, random: RandomState): void {
  const side = hosts.map(() => nextBelow(random, 2));
  wire.cuts.clear();
  const oneWay = nextFloat(random) < 0.3;
  for (const a of hosts.keys()) {
    for (const b of hosts.keys()) {
      if (side[a] !== side[b] && (!oneWay || side[a] === 0)) wire.cuts.add(`${a}>${b}`);
    }
  }
}

function changes(cluster: Cluster, random: RandomState): MemberChange[] {
  const roles = ['voter', 'learner', 'removed'] as const;
  const count = 1 + nextBelow(random, 2);
  // Often what makes sense: all learners become voters, and as many voters leave.
  const members = cluster.leader?.state.configuration ?? [];
  const learners = members.filter(({ role }) => role === 'learner');
  if (learners.length > 0 && nextFloat(random) < 0.6) {
    const leaving = members
      .filter(({ role }) => role === 'voter')
      .slice(0, nextBelow(random, learners.length + 1));
    return [
      ...learners.map(({ key }) => ({ key, role: 'voter' as const })),
      ...leaving.map(({ key }) => ({ key, role: 'removed' as const })),
    ];
  }
  return Array.from({ length: count }, () => ({
    key: keyOf(nextBelow(random, cluster.hosts.length)),
    role: roles[nextBelow(random, 3)] ?? 'voter',
  }));
}

/** Everything works from now on, for good. */
export function heal(cluster: Cluster): void {
  const { wire } = cluster;
  wire.heal();
  wire.loss = 0;
  wire.duplication = 0;
  wire.lateness = 0;
  wire.latencyMs = { min: 1, max: 5 };
  for (const host of cluster.hosts) {
    host.withholdBodies = false;
    host.storingMs = 0;
    if (host.engine === null) host.start();
    if (host.stalled) host.resumeDisk();
  }
}

/** A linearizable read, and what anybody may have seen when it was asked. */
interface Read {
  readonly host: Host;
  readonly id: number;
  readonly atLeast: number;
}

const newest = ({ hosts }: Cluster): number => Math.max(...hosts.map(({ disk }) => disk.final.header.height));

/** Reads see what anybody had seen before. */
function notStale(reads: readonly Read[]): void {
  for (const { host, id, atLeast } of reads) {
    const answer = host.answers.get(id);
    if (answer === undefined || 'code' in answer) continue;
    assert.ok(
      answer.height >= atLeast,
      `a read at ${host.index} is of ${answer.height}, and ${atLeast} was seen before`,
    );
  }
}

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
