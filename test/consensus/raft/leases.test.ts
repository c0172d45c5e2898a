import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { leaseMs } from '../../../src/ledger/lease.ts';
import { Cluster } from './cluster.ts';
import { Dice } from './dice.ts';
import { Promises } from './promises.ts';
import { genesisOf, Solo } from './solo.ts';

// What an engine knows of the time is its last tick, which may be `engineClockMs` old.

const codes = (member: Solo): string[] =>
  member.all('answer').map(({ result }) => ('code' in result ? result.code : `height ${result.height}`));

/** A leader of three that has just sent a heartbeat, which member 1 answered at once. */
function leasing(electionTimeoutMs: number): Solo {
  const heartbeatMs = electionTimeoutMs / 10;
  const leader = new Solo(0, 3, { options: { heartbeatMs, electionTimeoutMs, leaseReads: true } });
  leader
    .lead()
    .make()
    .sync()
    .accept(1, 1)
    .give({ type: 'applied', height: toHeight(1) });
  leader.sync().tick(heartbeatMs);
  const { term, role } = leader.state;
  assert.ok(role.kind === 'leader');
  return leader.hear('heartbeat-answer', 1, term, { round: role.round, received: toHeight(1) });
}

const read = (member: Solo): string[] =>
  codes(member.give({ type: 'request', id: 1, request: { kind: 'read', lease: true } }));

test('a lease that is looked at with an old clock ends before a promise that was noted with one', () => {
  for (const electionTimeoutMs of [30, 60, 100, 300, 1_000]) {
    // The worst ticks. A voter hears the heartbeat just before its clock moves on, so it is free this much too early...
    const voter = new Solo(1, 3, { options: { electionTimeoutMs, leaseReads: true } });
    const old = limits.engineClockMs - 1;
    voter
      .receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: genesisOf(3), round: 1 })
      .sync();
    const sentAt = old;
    const freeAt = electionTimeoutMs;
    voter.tick(freeAt);
    voter.hear('vote-request', 2, 2, {
      lastHeight: toHeight(9),
      lastTerm: voter.state.term,
      commit: genesisOf(3),
    });
    assert.equal(voter.state.votedFor, 2);
    // ...and the leader looks at its lease just before its own does.
    const leader = leasing(electionTimeoutMs);
    const lookedAt = freeAt - old;
    leader.tick(Math.max(0, lookedAt - sentAt));
    const answers = read(leader);
    assert.ok(!answers.some((answer) => answer.startsWith('height')), `stale with ${electionTimeoutMs} ms`);
  }
});

test('a lease holds until then', () => {
  for (const electionTimeoutMs of [300, 1_000]) {
    const leader = leasing(electionTimeoutMs);
    leader.tick(Math.ceil(leaseMs({ electionTimeoutMs })) - 1);
    assert.deepEqual(read(leader), ['height 1']);
  }
});

test('a read that does not say that a lease is enough waits for a round, whatever lease there is', () => {
  const leader = leasing(300);
  assert.deepEqual(read(leader), ['height 1']);
  assert.deepEqual(codes(leader.give({ type: 'request', id: 2, request: { kind: 'read' } })), []);
  const { term, role } = leader.state;
  assert.ok(role.kind === 'leader');
  leader.hear('heartbeat-answer', 1, term, { round: role.round, received: toHeight(1) });
  assert.deepEqual(codes(leader), ['height 1']);
});

test('a chain whose timeouts are too short for a lease gives none', () => {
  assert.deepEqual(read(leasing(100)), ['consensus/no-leases']);
});

test('a leader with a slow clock gives no lease when those with fast ones elected another as soon as they may', () => {
  let [leased, deposed] = [0, 0];
  for (let seed = 1; seed <= 30; seed++) {
    const dice = new Dice(seed);
    const cluster = Cluster.started({ seed, clockRates: [0.87, 1.13, 1.13], options: { leaseReads: true } });
    // Finds a read that misses what another leader decided.
    const promises = new Promises(cluster);
    cluster.elect(0).run(100);
    const [old, ...others] = cluster.hosts;
    assert.ok(old !== undefined);
    cluster.run(dice.below(300));
    for (const { index } of others) {
      cluster.wire.cuts.add(`0>${index}`);
      if (dice.chance(0.5)) cluster.wire.cuts.add(`${index}>0`);
    }
    for (const { state } of others)
      state.electionTimer.dueAt = (state.leaderHeardAt ?? state.now) + cluster.options.electionTimeoutMs;
    cluster.submit('new');
    for (let ms = 0; ms < 500; ms++) {
      cluster.run(1);
      if (!old.leads) continue;
      const answer = old.answers.get(old.ask({ kind: 'read', lease: true }));
      if (answer !== undefined && 'height' in answer) leased += 1;
    }
    if (others.some(({ leads }) => leads) && promises.decided > 1) deposed += 1;
  }
  assert.ok(leased > 3_000 && deposed > 8, `${leased} reads by a lease, ${deposed} later leaders`);
});
