import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight } from '../../../src/ledger/block.ts';
import { Cluster } from './cluster.ts';
import { Solo } from './solo.ts';

// A process that stood still (SIGSTOP, a machine with too much to do) reads what came meanwhile before it takes a silence for one.

const timeout = 300;

/** A member that heard its leader, 1, just now. */
const follower = (): Solo => new Solo(0, 3).hear('heartbeat', 1, 1).sync();

/** For how long it ticks in time until this holds, ms. */
function msUntil(member: Solo, holds: () => boolean): number {
  const begin = member.now;
  while (!holds() && member.now < begin + 10_000) member.tick(20);
  return member.now - begin;
}

test('a follower that stood still does not campaign before it read what its leader said', () => {
  for (const ms of [400, 700, 5_000]) {
    const member = follower().standStill(ms);
    assert.deepEqual(member.sent('vote-request'), []);
    assert.equal(member.engine.status().primary, 1, 'it goes on to answer in the name of its leader');
    member.hear('heartbeat', 1, 1);
    assert.ok(msUntil(member, () => member.state.role.kind !== 'follower') >= timeout);
  }
});

test('nor does it help another against its leader', () => {
  const asked = (member: Solo): boolean[] =>
    member
      .hear('vote-request', 2, 1, { pre: true })
      .sent('vote')
      .map(({ granted }) => granted);
  const member = follower().tick(timeout - 20);
  assert.deepEqual(asked(member), [false], 'nor otherwise');
  member.standStill(40);
  assert.deepEqual(asked(member), [false]);
  member.tick(40);
  assert.equal(member.state.role.kind, 'follower', 'its own time is not over');
  assert.deepEqual(asked(member), [true], 'the leader is silent now');
});

test('a leader that is silent is replaced: by one that stood still within a timeout more', () => {
  for (const ms of [400, 700, 5_000]) {
    const member = follower().standStill(ms);
    const took = msUntil(member, () => member.state.role.kind === 'candidate');
    // Its timer may have had some time left, too.
    assert.ok(took <= timeout + 20 || took + ms <= 2 * timeout + 20, `${took} ms after ${ms}`);
  }
});

test('and by one that is always late, too', () => {
  for (const ms of [60, 100, 180, 250, 400, 1_000]) {
    const member = follower();
    const begin = member.now;
    while (member.state.role.kind === 'follower' && member.now < begin + 60_000) member.standStill(ms);
    assert.ok(member.now - begin <= 3 * timeout + 2 * ms, `${member.now - begin} ms in steps of ${ms}`);
  }
});

test('a leader that stood still reads the answers of the others before it steps down', () => {
  const leads = (member: Solo): boolean => member.state.role.kind === 'leader';
  const leader = new Solo(0, 3).lead().sync();
  leader.standStill(1_000);
  assert.ok(leads(leader));
  leader.hear('heartbeat-answer', 1, leader.state.term, { round: 1 });
  assert.equal(
    msUntil(leader, () => !leads(leader)),
    timeout,
    'an answer counts as ever',
  );

  leader.lead();
  leader.standStill(1_000);
  assert.equal(
    msUntil(leader, () => !leads(leader)),
    timeout,
    'without one',
  );

  const late = new Solo(0, 3).lead().sync();
  const begin = late.now;
  while (leads(late) && late.now < begin + 60_000) late.standStill(100);
  assert.ok(late.now - begin <= 2 * timeout + 100, 'one that is always late');
});

test('what its disk finished while it stood still waits, too', () => {
  const leader = new Solo(0, 3).lead().make();
  assert.ok(leader.writes.length > 0);
  leader.standStill(1_000);
  leader.hear('heartbeat-answer', 1, leader.state.term, { round: 1 });
  assert.equal(leader.state.role.kind, 'leader');
  leader.sync().tick(timeout - 20);
  assert.equal(leader.state.role.kind, 'leader');
});

test('a lease ends by the clock, however long the leader stood still', () => {
  const leader = new Solo(0, 3, {
    options: { heartbeatMs: 50, electionTimeoutMs: 1_000, leaseReads: true },
  });
  const read = (): number =>
    leader.give({ type: 'request', id: 1, request: { kind: 'read', lease: true } }).all('answer').length;
  leader.lead().make().sync().accept(1, 1);
  leader
    .give({ type: 'applied', height: toHeight(1) })
    .sync()
    .tick(50);
  const { role, term } = leader.state;
  assert.ok(role.kind === 'leader');
  leader.hear('heartbeat-answer', 1, term, { round: role.round, received: toHeight(1) });
  assert.equal(read(), 1, 'it has one');
  for (const ms of [700, 800, 5_000]) {
    leader.standStill(ms);
    assert.equal(leader.state.role.kind, 'leader');
    assert.equal(read(), 0, `after ${ms} ms`);
    leader.hear('heartbeat-answer', 1, term, { round: role.round - 1, received: toHeight(1) });
  }
});

test('all stand still, as on a machine with too much to do: whoever wakes up first, the leader leads on in its term', () => {
  const orders = [0, 1, 2].flatMap((a) => [1, 2].map((step) => [a, (a + step) % 3, (a + 2 * step) % 3]));
  for (const order of orders) {
    for (const apartMs of [0, 5, 100]) {
      const cluster = Cluster.ledBy(0);
      const { term } = cluster.host(0).state;
      for (const host of cluster.hosts) host.pause();
      cluster.run(1_000);
      for (const index of order) {
        cluster.host(index).resume();
        cluster.run(apartMs);
      }
      cluster.run(1_000);
      assert.ok(cluster.host(0).leads);
      assert.deepEqual(
        cluster.hosts.map(({ state }) => state.term),
        [term, term, term],
        `${order.join()}, ${apartMs} ms apart`,
      );
    }
  }
});

test('a follower that stood still asks nobody for a vote, and its clients hear of no election', () => {
  const cluster = Cluster.ledBy(0);
  const asked: number[] = [];
  cluster.onEffect = (host, effect) => {
    if (effect.type === 'send' && effect.message.kind === 'vote-request') asked.push(host.index);
  };
  const member = cluster.host(1);
  const hold = cluster.wire.hold(({ message }) => message.kind === 'read-answer');
  const read = member.ask({ kind: 'read' });
  cluster.run(50);
  member.pause();
  hold.release();
  cluster.run(250);
  member.resume();
  cluster.until(() => member.answers.has(read), 'an answer');
  cluster.run(500);
  assert.ok('height' in (member.answers.get(read) ?? {}));
  assert.deepEqual(asked, []);
});
