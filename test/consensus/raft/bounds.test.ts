import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Hash } from '../../../src/crypto/hash.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import { Cluster } from './cluster.ts';
import { Solo } from './solo.ts';
import { keyOf } from './world.ts';

test('a slow follower holds a bounded number of messages, and holds up nobody', () => {
  const cluster = Cluster.ledBy(0, { options: { inFlightMessages: 3, appendBytes: 1, tail: 1 } });
  const slow = cluster.host(2);
  slow.diskMs = 400;
  const start = cluster.schedule.now;
  const hashes = Array.from({ length: 80 }, (_, index) => cluster.submit(`${index}`));
  cluster.until(() => hashes.every((hash) => cluster.isFinalAt(cluster.host(0), hash)), 'all final', 2_000);
  assert.ok(cluster.schedule.now - start < 1_500);
  const { role } = cluster.host(0).state;
  assert.ok(role.kind === 'leader' && (role.progress.get(2)?.inFlight.length ?? 9) <= 3);
  slow.diskMs = 2;
  cluster.until(() => hashes.every((hash) => cluster.isFinalAt(slow, hash)), 'the slow one, from storage');
});

test('flow control: with the window full a leader builds nothing more, says so, and goes on when there is room', () => {
  const cluster = Cluster.ledBy(0, { options: { window: 4, electionTimeoutMs: 2_000 } });
  for (const index of [1, 2]) cluster.host(index).diskMs = 1_000;
  for (let i = 0; i < 60; i++) cluster.submit(`${i}`);
  cluster.run(300);
  const { state, engine } = cluster.host(0);
  assert.equal(state.log.entries.at(-1)?.header.height, state.commit + 4);
  assert.equal(engine?.status().accepting, false);
  for (const index of [1, 2]) cluster.host(index).diskMs = 2;
  cluster.until(() => engine?.status().accepting === true && cluster.settled(), 'room');
});

test('flow control: a leader whose own disk is slower than a majority does not pile up blocks that it has not stored', () => {
  const cluster = Cluster.ledBy(0, { options: { window: 4 } });
  const leader = cluster.host(0);
  leader.storingMs = 2_000;
  for (let i = 0; i < 100; i++) cluster.submit(`${i}`);
  cluster.run(500);
  assert.equal(lastHeight(leader.state.log), leader.state.applied + 8);
  assert.equal(leader.state.commit, leader.state.applied + 8, 'all of them are final');
  assert.equal(leader.engine?.status().accepting, false);
  leader.storingMs = 0;
  cluster.until(() => leader.engine?.status().accepting === true && cluster.settled(), 'room');
});

test('more reads than may wait are told to come again', () => {
  const cluster = Cluster.ledBy(0, { options: { pendingReads: 3 } });
  cluster.wire.partition([[1, 2]], 3);
  const ids = Array.from({ length: 5 }, () => cluster.host(0).ask({ kind: 'read' }));
  const codes = ids
    .map((id) => cluster.host(0).answers.get(id))
    .map((result) => (result !== undefined && 'code' in result ? result.code : 'waits'));
  assert.deepEqual(codes, ['waits', 'waits', 'waits', 'consensus/busy', 'consensus/busy']);
});

test('reads are batched: a hundred at once cost a round or two', () => {
  const cluster = Cluster.ledBy(0);
  const before = cluster.host(0).state.counters['read-rounds'] ?? 0;
  const ids = Array.from({ length: 100 }, () => cluster.host(1).ask({ kind: 'read' }));
  cluster.until(() => ids.every((id) => cluster.host(1).answers.has(id)), 'all answered');
  assert.ok((cluster.host(0).state.counters['read-rounds'] ?? 0) - before <= 3);
});

test('lease reads need no round while a majority answers, and stop before another could lead', () => {
  const cluster = Cluster.ledBy(0, { options: { leaseReads: true } });
  const id = cluster.host(0).ask({ kind: 'read', lease: true });
  assert.ok(cluster.host(0).answers.has(id), 'answered in the same step');
  cluster.wire.partition([[1, 2]], 3);
  cluster.run(240);
  const late = cluster.host(0).ask({ kind: 'read', lease: true });
  assert.ok(
    cluster.host(0).leads && !cluster.host(0).answers.has(late),
    'still leading, and without a lease',
  );
});

test('a leader whose machine was suspended has no lease until a round that it sent since is answered', () => {
  const cluster = Cluster.ledBy(0, { options: { leaseReads: true } });
  const leader = cluster.host(0);
  const askByLease = (): number => leader.ask({ kind: 'read', lease: true });
  assert.ok(leader.answers.has(askByLease()), 'it has one');
  // A round is on its way, and was sent who knows how long ago.
  const slow = leader.ask({ kind: 'read' });
  const hold = cluster.wire.hold(({ message }) => message.kind === 'heartbeat');
  leader.give({ type: 'tick', now: leader.state.now, slept: true });
  const first = askByLease();
  assert.equal(leader.answers.has(first), false);
  cluster.until(() => leader.answers.has(slow), 'that round is answered');
  const second = askByLease();
  assert.equal(leader.answers.has(second), false, 'nor by what was sent before');
  hold.release();
  cluster.until(() => leader.answers.has(first) && leader.answers.has(second), 'by the next round');
  assert.ok(leader.answers.has(askByLease()), 'it has one again');
});

test('lease reads are answered by the lease when it was asked for, by a follower too, and refused where there are none', () => {
  const cluster = Cluster.ledBy(0, { options: { leaseReads: true } });
  const rounds = (): number => cluster.host(0).state.counters['read-rounds'] ?? 0;
  const asked = (index: number, lease: boolean) => {
    const id = cluster.host(index).ask({ kind: 'read', lease });
    cluster.until(() => cluster.host(index).answers.has(id), 'an answer');
    return cluster.host(index).answers.get(id);
  };
  const before = rounds();
  for (const index of [0, 1]) assert.ok('height' in (asked(index, true) ?? {}));
  assert.equal(rounds(), before, 'nobody was asked');
  for (const index of [0, 1]) assert.ok('height' in (asked(index, false) ?? {}));
  assert.equal(rounds(), before + 2, 'a read that does not trust clocks asks a majority');

  const without = Cluster.ledBy(0);
  const id = without.host(1).ask({ kind: 'read', lease: true });
  const refused = without.host(1).answers.get(id);
  assert.ok(refused !== undefined && 'code' in refused && refused.code === 'consensus/no-leases');
});

test('lease reads: a restarted voter helps to elect nobody before the leases that it may have granted ended', () => {
  const cluster = Cluster.ledBy(0, { options: { leaseReads: true } });
  cluster.wire.partition([[0], [1, 2]], 3);
  cluster.host(1).crash();
  cluster.host(1).start();
  const { now } = cluster.schedule;
  cluster.host(2).state.electionTimer.dueAt = 0;
  cluster.host(2).state.leaderHeardAt = null;
  cluster.until(() => cluster.leaders.size === 2, 'another leader');
  assert.ok(cluster.schedule.now - now >= cluster.options.electionTimeoutMs);
});

test('a leader that hands over has no lease', () => {
  const cluster = Cluster.ledBy(0, { options: { leaseReads: true } });
  cluster.wire.hold(({ message }) => message.kind === 'timeout-now');
  cluster.host(0).ask({ kind: 'transfer', to: 1 });
  const id = cluster.host(0).ask({ kind: 'read', lease: true });
  assert.ok(!cluster.host(0).answers.has(id));
});

test('nobody is asked in vain: a request ends with an answer, whoever it reaches', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  cluster.host(3).start();
  const follower = cluster.host(1);
  const codes = (index: number): string[] =>
    [...cluster.host(index).answers.values()].map((result) => ('code' in result ? result.code : 'ok'));
  follower.ask({ kind: 'transfer', to: 2 });
  follower.ask({ kind: 'members', changes: [{ key: keyOf(2), role: 'removed' }], forced: false });
  cluster.host(3).ask({ kind: 'read' });
  cluster.host(0).ask({ kind: 'transfer', to: 0 });
  cluster.host(0).ask({ kind: 'transfer', to: 9 });
  assert.deepEqual(codes(1), ['consensus/not-leader', 'consensus/not-leader']);
  assert.deepEqual(codes(3), ['consensus/no-leader']);
  const [outside] = cluster.host(3).answers.values();
  assert.ok(outside !== undefined && 'code' in outside);
  assert.match(outside.message, /no member/);
  assert.deepEqual(codes(0), ['ok', 'consensus/no-transferee']);
});

test('a change that was on its way when the leader lost the lead has an unknown outcome, and says so', () => {
  const cluster = Cluster.ledBy(0);
  cluster.wire.partition([[1, 2]], 3);
  const id = cluster
    .host(0)
    .ask({ kind: 'members', changes: [{ key: keyOf(2), role: 'removed' }], forced: true });
  cluster.until(() => cluster.host(0).answers.has(id), 'an answer');
  const result = cluster.host(0).answers.get(id);
  assert.ok(result !== undefined && 'code' in result && result.code === 'consensus/change-outcome-unknown');
});

suite('whoever waits at a leader is told when it loses the lead', () => {
  /** Runs until that member leads no more; the reasons that it told its driver. */
  const reasonsOf = (cluster: Cluster, index: number): string[] => {
    const reasons: string[] = [];
    cluster.onEffect = (host, effect) => {
      if (host.index === index && effect.type === 'stepped-down') reasons.push(effect.reason);
    };
    cluster.until(() => !cluster.host(index).leads, `the end of ${index}'s lead`).run(500);
    return reasons;
  };

  test('alone in a minority, within two election timeouts', () => {
    const cluster = Cluster.ledBy(0);
    cluster.wire.partition([[0], [1, 2]], 3);
    const begin = cluster.schedule.now;
    assert.deepEqual(reasonsOf(cluster, 0), ['it lost contact with a majority']);
    assert.ok(cluster.schedule.now - begin <= 2 * cluster.options.electionTimeoutMs + 510);
  });

  test('its disk stalls', () => {
    const cluster = Cluster.ledBy(0);
    cluster.host(0).stalled = true;
    cluster.submit('x');
    assert.deepEqual(reasonsOf(cluster, 0), ['its disk stalls']);
  });

  test('somebody has a higher term', () => {
    const leader = new Solo(0, 3);
    leader.lead();
    leader.hear('heartbeat-answer', 1, 9, { round: 1 });
    assert.equal(leader.all('stepped-down').length, 1);
    leader.hear('heartbeat-answer', 1, 10, { round: 1 });
    assert.equal(leader.all('stepped-down').length, 0, 'a follower has nothing to lose');
  });

  test('not when it hands the lead over: the transferee has everything', () => {
    const cluster = Cluster.ledBy(0);
    cluster.host(0).ask({ kind: 'transfer', to: 1 });
    assert.deepEqual(reasonsOf(cluster, 0), []);
  });

  test('not when it is removed and has a transferee', () => {
    const cluster = Cluster.ledBy(0);
    cluster.host(0).ask({ kind: 'members', changes: [{ key: keyOf(0), role: 'removed' }], forced: false });
    assert.deepEqual(reasonsOf(cluster, 0), []);
  });
});

test('an observer follows by sync, across changes of the members, and never votes', () => {
  const cluster = Cluster.ledBy(0, { spares: 2 });
  cluster.host(0).ask({ kind: 'members', changes: [{ key: keyOf(3), role: 'learner' }], forced: false });
  cluster.run(100);
  const observer = cluster.host(4);
  observer.start();
  cluster.submit('x');
  cluster.run(100);
  for (let i = 0; i < 5; i++) {
    observer.syncFrom(0);
    cluster.run(50);
  }
  assert.equal(observer.disk.final.hash, cluster.host(0).disk.final.hash);
  assert.equal(observer.state.configuration[3]?.role, 'learner');
  assert.equal(observer.engine?.status().voting, false);
  observer.crash();
  observer.start();
  assert.equal(observer.state.configuration[3]?.role, 'learner', 'and remembers after a restart');
});

test('a block that is invalid here is refused loudly, and never acknowledged', () => {
  const cluster = Cluster.ledBy(0);
  const follower = cluster.host(2);
  cluster.onEffect = (host, effect) => {
    if (host.index === 2 && effect.type === 'validate' && effect.height === 2)
      follower.invalid.add(effect.blockHash);
  };
  cluster.submit('x');
  cluster.run(300);
  assert.equal(cluster.host(0).state.commit, 2, 'the others agree');
  assert.equal(follower.state.commit, 1);
  assert.match(
    follower.engine?.why() ?? '',
    /block 2 of term 1 is invalid: its roots differ; this node may differ/,
  );
});

test('one voter alone leads at once, reads at once, and commits by its own disk', () => {
  const solo = new Solo(0, 1);
  solo.sync();
  assert.equal(solo.state.role.kind, 'leader');
  const cluster = Cluster.started({ members: 1 });
  const transaction = cluster.submit('x');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'final', 200);
  const id = cluster.host(0).ask({ kind: 'read' });
  assert.ok(cluster.host(0).answers.has(id));
});

test('a link that is slower than heartbeats is not filled with copies of what is on its way', () => {
  const cluster = Cluster.ledBy(0, { options: { electionTimeoutMs: 1_000 } });
  // Heartbeats overtake blocks, of which the link to member 2 carries one message in 500 ms.
  const link = cluster.wire.hold(({ to, message }) => to === 2 && message.kind === 'append');
  const waiting: number[] = [];
  const hashes: Hash[] = [];
  for (let round = 0; round < 20; round++) {
    hashes.push(cluster.submit(`${round}`));
    cluster.run(500);
    waiting.push(link.held.length);
    const envelope = link.held.shift();
    if (envelope !== undefined) cluster.host(2).receive(envelope.message);
  }
  assert.ok(Math.max(...waiting) <= 8, `waiting for the link: ${waiting.join(' ')}`);
  link.release();
  cluster.until(() => hashes.every((hash) => cluster.isFinalAt(cluster.host(2), hash)), 'all final');
});

test('a leader forgets when rounds were sent that no read and no lease can be about any more', () => {
  const cluster = Cluster.ledBy(0).run(10_000);
  const { role } = cluster.host(0).state;
  assert.ok(role.kind === 'leader' && role.round > 100);
  assert.ok(role.roundsSent.length <= 8, `${role.roundsSent.length} rounds`);
});

test('a member with a stalled disk does not pile up answers', () => {
  const cluster = Cluster.ledBy(0);
  cluster.host(2).stalled = true;
  cluster.host(0).ask({ kind: 'transfer', to: 1 });
  cluster.until(() => cluster.leader?.index === 1, 'a term that it cannot write down');
  cluster.submit('x');
  cluster.run(30_000);
  const waiting = cluster.host(2).state.writes.pending.flatMap(({ kept }) => kept.after);
  assert.ok(waiting.length > 0 && waiting.length < 5, `${waiting.length} wait`);
});

test('a member that may not campaign forgets a leader that it does not hear, and refuses what needs one', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const learner = cluster.host(3);
  learner.start();
  cluster.host(0).ask({ kind: 'members', changes: [{ key: keyOf(3), role: 'learner' }], forced: false });
  cluster.run(300);
  assert.equal(learner.engine?.status().primary, 0);
  cluster.wire.partition([[0, 1, 2]], 4);
  const waits = learner.ask({ kind: 'read' });
  cluster.run(2 * cluster.options.electionTimeoutMs);
  assert.equal(learner.engine?.status().primary, null);
  const late = learner.ask({ kind: 'read' });
  for (const id of [waits, late]) {
    const result = learner.answers.get(id);
    assert.ok(result !== undefined && 'code' in result && result.code === 'consensus/no-leader');
  }
  cluster.wire.heal();
  cluster.run(100);
  assert.equal(learner.engine?.status().primary, 0);
});
