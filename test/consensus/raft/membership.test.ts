import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberChange } from '../../../src/consensus/engine.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { keyOf } from './world.ts';

// What a leader refuses to change, and what must wait while it changes.

function ask(host: Host, member: number, role: MemberChange['role']): number {
  return host.ask({ kind: 'members', changes: [{ key: keyOf(member), role }], forced: false });
}

function code(host: Host, id: number): string {
  const result = host.answers.get(id);
  if (result === undefined) return 'waits';
  return 'code' in result ? result.code : 'ok';
}

test('a learner that answers and is far behind is not promoted before it has caught up', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const [leader, learner] = [cluster.host(0), cluster.host(3)];
  learner.start();
  ask(leader, 3, 'learner');
  cluster.run(200);
  learner.stalled = true;
  for (let i = 0; i < 30; i++) {
    cluster.submit(`${i}`);
    cluster.run(30);
  }
  assert.ok(leader.state.commit > learner.state.durable + 16);
  assert.equal(code(leader, ask(leader, 3, 'voter')), 'consensus/not-caught-up');
  learner.resumeDisk();
  cluster.until(() => cluster.settled(), 'it catches up');
  const id = ask(leader, 3, 'voter');
  cluster.until(() => code(leader, id) === 'ok', 'the promotion');
});

test('a leader that hands over takes on no change of the members', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const leader = cluster.host(0);
  cluster.wire.hold(({ message }) => message.kind === 'timeout-now');
  leader.ask({ kind: 'transfer', to: 1 });
  assert.equal(code(leader, ask(leader, 3, 'learner')), 'consensus/busy');
  cluster.run(cluster.options.electionTimeoutMs + 100);
  const id = ask(leader, 3, 'learner');
  cluster.until(() => code(leader, id) === 'ok', 'afterwards it does');
});

test('nothing goes above a change of the members before it is in force', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const leader = cluster.host(0);
  leader.storingMs = 200;
  ask(leader, 3, 'learner');
  cluster.run(50);
  const change = lastHeight(leader.state.log);
  assert.ok(leader.state.commit === change && leader.state.applied === change - 1, 'committed, not applied');
  const transaction = cluster.submit('waits');
  cluster.run(100);
  assert.equal(lastHeight(leader.state.log), change);
  cluster.until(() => cluster.isFinalAt(leader, transaction), 'and then it goes on', 1_000);
});

test('who leaves keeps the others waiting if it dies before they heard that it is out, and frees them when it is back', () => {
  const cluster = Cluster.ledBy(0, { members: 2 });
  const [leaver, other] = [cluster.host(0), cluster.host(1)];
  // That the last configuration is committed gets lost on the way.
  const last = lastHeight(leaver.state.log) + 2;
  const hold = cluster.wire.hold(
    ({ to, message }) =>
      to === 1 &&
      (message.kind === 'timeout-now' || (message.kind === 'heartbeat' && message.commit.height >= last)),
  );
  ask(leaver, 0, 'removed');
  cluster.until(() => leaver.state.configuration[0]?.role === 'removed', 'it is out');
  leaver.crash();
  hold.forget();
  cluster.run(3_000);
  assert.equal(cluster.leader, undefined, 'a majority of the old members needs both');
  leaver.start();
  cluster.until(() => cluster.leader === other, 'it tells what is committed');
  assert.deepEqual(
    other.state.configuration.map(({ role }) => role),
    ['removed', 'voter'],
  );
});
