import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight } from '../../../src/ledger/block.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import type { MemberChange } from '../../../src/consensus/engine.ts';
import { Cluster } from './cluster.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader, keyOf, type Envelope } from './world.ts';
import type { Configuration } from '../../../src/ledger/members.ts';

// Bugs that other implementations had, each as the schedule that shows it.

const voteRequest = (
  from: number,
  term: number,
  members = 3,
): Extract<RaftMessage, { kind: 'vote-request' }> => ({
  kind: 'vote-request',
  from,
  term: term as RaftMessage['term'],
  pre: false,
  transfer: false,
  lastHeight: toHeight(0),
  lastTerm: 0 as RaftMessage['term'],
  commit: genesisOf(members),
});

test('a vote given twice after a restart: the vote is on disk before it is told, and is remembered', () => {
  const member = new Solo(2, 3);
  member.receive<'vote-request'>(voteRequest(0, 5));
  assert.equal(member.sent('vote').length, 0, 'nothing is told before the disk has it');
  member.sync();
  assert.deepEqual(
    member.sent('vote').map(({ granted }) => granted),
    [true],
  );
  member.restart();
  member.receive<'vote-request'>(voteRequest(1, 5)).sync();
  assert.ok(!member.sent('vote').some(({ granted }) => granted), 'no second vote in term 5');
  member.receive<'vote-request'>(voteRequest(0, 5));
  assert.deepEqual(
    [...member.sent('vote'), ...member.sync().sent('vote')].map(({ granted }) => granted),
    [true],
    'the same vote again is the same vote',
  );
});

test('a vote that was lost with the disk’s cache was never told, so another one may be given', () => {
  const member = new Solo(2, 3);
  member.receive<'vote-request'>(voteRequest(0, 5));
  member.restart();
  member.receive<'vote-request'>(voteRequest(1, 5)).sync();
  assert.deepEqual(
    member.sent('vote').map(({ granted }) => granted),
    [true],
  );
});

test('a leader that counts itself before its own sync: one other disk of three is no majority', () => {
  const cluster = Cluster.ledBy(0);
  const leader = cluster.host(0);
  cluster.host(2).crash();
  leader.stalled = true;
  const { commit } = leader.state;
  cluster.submit('x');
  cluster.run(100);
  assert.equal(cluster.host(1).state.durable, commit + 1, 'the follower has it on disk');
  assert.equal(leader.state.commit, commit, 'and it is not committed');
  leader.resumeDisk();
  cluster.run(50);
  assert.equal(leader.state.commit, commit + 1);
});

test('a stale read after a duplicated read-index answer: the context of an answer is used once', () => {
  const cluster = Cluster.ledBy(0);
  const follower = cluster.host(1);
  const answers: Envelope[] = [];
  const first = follower.ask({ kind: 'read' });
  cluster.run(60);
  answers.push(...cluster.wire.sent.filter(({ message }) => message.kind === 'read-answer'));
  assert.equal(answers.length, 1);
  assert.ok(follower.answers.has(first));
  const transaction = cluster.submit('newer');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'the newer block');
  // The second read is asked, its own answer is held back, and the old answer comes again.
  const hold = cluster.wire.hold(({ message }) => message.kind === 'read-answer');
  const second = follower.ask({ kind: 'read' });
  for (const { message } of answers) follower.receive(message);
  cluster.run(30);
  assert.ok(!follower.answers.has(second), 'the old answer answers nothing');
  hold.release();
  cluster.run(30);
  const result = follower.answers.get(second);
  assert.ok(result !== undefined && 'height' in result && result.height >= cluster.host(0).state.commit);
});

test('a restarted follower does not take an answer to a question of its earlier life', () => {
  const cluster = Cluster.ledBy(0);
  const follower = cluster.host(1);
  const hold = cluster.wire.hold(({ message }) => message.kind === 'read-answer');
  follower.ask({ kind: 'read' });
  cluster.run(30);
  follower.crash();
  follower.start();
  cluster.run(60);
  const id = follower.ask({ kind: 'read' });
  for (const { message } of hold.held) follower.receive(message);
  assert.ok(!follower.answers.has(id), 'serial numbers start anew, the count of starts does not');
});

test('an acknowledgement for a truncated write of an earlier term (ABA) is void', () => {
  const member = new Solo(1, 5);
  const old = entriesOn(genesisHeader(5), [1], { leader: 0, text: 'x' });
  const other = entriesOn(genesisHeader(5), [2], { leader: 2, text: 'y' });
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: genesisOf(5), round: 1 }).sync();
  // X is being written when a new leader replaces it by Y, and X comes back under a third one, with the disk busy all that time.
  member.append(0, 1, old);
  const [writeOfX] = member.writes.splice(0);
  assert.ok(writeOfX !== undefined);
  member.append(2, 2, other);
  member.append(0, 3, old);
  assert.equal(member.state.durable, 0);
  member.confirm(writeOfX);
  assert.equal(
    member.state.durable,
    0,
    'the first write of X says nothing about X now: the write of Y comes after it',
  );
  assert.deepEqual(
    member.sent('accepted').filter(({ block }) => block.height > 0),
    [],
  );
  member.sync();
  assert.deepEqual(member.sent('accepted').at(-1)?.block, nameOfEntry(old[0] as (typeof old)[0]));
  assert.equal(member.state.durable, 1);
});

test('a leader counts an acknowledgement only for the block that it names', () => {
  const leader = new Solo(0, 3).lead().make().sync();
  const foreign = entriesOn(genesisHeader(3), [leader.state.term], { leader: 1, text: 'foreign' });
  leader.hear('accepted', 1, leader.state.term, { block: nameOfEntry(foreign[0] as (typeof foreign)[0]) });
  assert.equal(leader.state.commit, 0);
  leader.accept(1, 1);
  assert.equal(leader.state.commit, 1);
});

test('a partial partition (bridge): who sees only the bridge does not unseat a working leader', () => {
  const cluster = Cluster.ledBy(0);
  const { term } = cluster.host(0).state;
  cluster.wire.cut(0, 2);
  cluster.run(5_000);
  assert.equal(cluster.host(0).state.term, term);
  assert.ok(cluster.host(0).leads);
  const transaction = cluster.submit('goes on');
  cluster.until(() => cluster.isFinalAt(cluster.host(1), transaction), 'progress over the bridge');
});

test('a partial partition: a leader without a majority gives way to the bridge, and there is one stable leader then', () => {
  const cluster = Cluster.ledBy(0, { members: 5 });
  // Everybody can talk with 2 only.
  for (const a of [0, 1, 3, 4]) for (const b of [0, 1, 3, 4]) if (a < b) cluster.wire.cut(a, b);
  cluster.until(() => cluster.leader?.index === 2, 'the bridge leads', 10_000);
  const { term } = cluster.host(2).state;
  cluster.run(5_000);
  assert.equal(cluster.host(2).state.term, term, 'and stays');
  const transaction = cluster.submit('over the bridge');
  cluster.until(() => cluster.isFinalAt(cluster.host(2), transaction), 'progress');
});

test('a member with a higher term that hears a leader frees itself: its answer makes the leader step down once', () => {
  const cluster = Cluster.ledBy(0);
  cluster.host(2).state.term = (cluster.host(2).state.term + 7) as RaftMessage['term'];
  const transaction = cluster.submit('after all');
  cluster.until(() => cluster.isFinalAt(cluster.host(2), transaction), 'the stuck member is back', 5_000);
});

test('a transfer flag that is never cleared: after a failed transfer the leader cuts blocks again', () => {
  const cluster = Cluster.ledBy(0);
  cluster.host(2).crash();
  cluster.host(0).ask({ kind: 'transfer', to: 2 });
  const transaction = cluster.submit('waits');
  cluster.run(200);
  assert.ok(!cluster.isFinalAt(cluster.host(0), transaction), 'no new work while it hands over');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'work again', 1_000);
});

test('a transfer flag does not survive the lead: a leader that lost it and won again cuts blocks', () => {
  const cluster = Cluster.ledBy(0);
  cluster.host(2).crash();
  cluster.host(0).ask({ kind: 'transfer', to: 2 });
  cluster.wire.cut(0, 1);
  cluster.until(() => !cluster.host(0).leads, 'the loss of the lead');
  cluster.wire.heal();
  cluster.elect(0);
  const transaction = cluster.submit('again');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'work again', 1_000);
});

test('a learner counted in the quorum: a leader and two learners commit nothing', () => {
  const cluster = Cluster.ledBy(0, { spares: 2 });
  cluster.host(3).start();
  cluster.host(4).start();
  cluster.host(0).ask({
    kind: 'members',
    changes: [3, 4].map((index) => ({ key: keyOf(index), role: 'learner' })),
    forced: false,
  });
  cluster.run(200);
  assert.equal(cluster.host(3).state.applied, cluster.host(0).state.applied, 'learners follow');
  cluster.host(1).crash();
  cluster.host(2).crash();
  const transaction = cluster.submit('nobody counts');
  cluster.run(250);
  assert.ok(cluster.hosts.every((host) => !cluster.isFinalAt(host, transaction)));
  assert.ok(cluster.host(3).state.durable > cluster.host(0).state.commit, 'although they have it');
});

test('a removed member disrupts by campaigns: one that does not know yet is not heard', () => {
  const cluster = Cluster.ledBy(0);
  const { term } = cluster.host(0).state;
  cluster.wire.partition([[0, 1]], 3);
  cluster.host(0).ask({ kind: 'members', changes: [{ key: keyOf(2), role: 'removed' }], forced: true });
  cluster.until(() => cluster.host(0).state.configuration[2]?.role === 'removed', 'the removal');
  cluster.wire.heal();
  cluster.run(3_000);
  assert.equal(cluster.host(0).state.term, term);
  assert.ok(cluster.host(0).leads);
});

test('a snapshot older than the end of the log is not installed, and cuts nothing', () => {
  const member = new Solo(1, 3);
  const entries = entriesOn(genesisHeader(3), [1, 1, 1], { leader: 0 });
  member.append(0, 1, entries, 2).sync();
  member.hear('snapshot-offer', 0, 1, {
    snapshot: nameOfEntry(entries[1] as (typeof entries)[0]),
    configuration: new Uint8Array([0, 1, ...new Uint8Array(33)]),
  });
  assert.equal(member.all('install').length, 0);
  assert.equal(member.state.log.entries.length, 3);
});

test('two leaders through an unapplied configuration: who has one that is committed and not applied does not campaign', () => {
  const joint: Configuration = [
    { key: keyOf(0), role: 'leaving' },
    { key: keyOf(1), role: 'voter' },
    { key: keyOf(2), role: 'voter' },
  ];
  const member = new Solo(1, 3);
  const change = entriesOn(genesisHeader(3), [1], { leader: 0, configuration: joint });
  member.append(0, 1, change, 1).sync();
  assert.equal(member.state.commit, 1);
  member.tick(5_000).tick(5_000);
  assert.equal(member.state.role.kind, 'follower', 'it waits for its driver');
  member.give({ type: 'applied', height: toHeight(1) });
  member.sync().tick(5_000);
  assert.equal(member.state.role.kind, 'candidate');
});

test('two leaders through an unapplied configuration: the old majority elects nobody while the new one goes on', () => {
  const cluster = Cluster.ledBy(2, { spares: 2 });
  const [slow, leader] = [cluster.host(1), cluster.host(2)];
  for (const index of [3, 4]) cluster.host(index).start();
  const ask = (changes: readonly MemberChange[]): void =>
    void leader.ask({ kind: 'members', changes, forced: true });
  ask([3, 4].map((index) => ({ key: keyOf(index), role: 'learner' })));
  cluster.run(200);
  // Member 1 writes its log and acknowledges it, and its driver stores no block any more; member 0 hears of nothing.
  slow.storingMs = 1_000_000;
  cluster.wire.partition([[1, 2, 3, 4]], 5);
  ask([
    { key: keyOf(0), role: 'removed' },
    { key: keyOf(1), role: 'removed' },
    ...[3, 4].map((index) => ({ key: keyOf(index), role: 'voter' as const })),
  ]);
  const isNew = (index: number): boolean => cluster.host(index).state.configuration[1]?.role === 'removed';
  cluster.until(() => [2, 3, 4].every(isNew), 'the new configuration is in force at its members');
  assert.equal(
    slow.state.configuration[1]?.role,
    'voter',
    'and the old one at member 1, which holds both changes',
  );
  cluster.wire.partition(
    [
      [0, 1],
      [2, 3, 4],
    ],
    5,
  );
  const transaction = cluster.submit('under the new one');
  cluster.run(5_000);
  assert.ok(cluster.isFinalAt(cluster.host(3), transaction));
  assert.deepEqual([...new Set(cluster.leaders.values())], [2], 'nobody else ever led');
});

test('a log with a later configuration is never on disk without the knowledge that the one before is committed', () => {
  const joint: Configuration = [
    { key: keyOf(0), role: 'leaving' },
    { key: keyOf(1), role: 'voter' },
    { key: keyOf(2), role: 'voter' },
  ];
  const after: Configuration = joint.map((member, index) =>
    index === 0 ? { ...member, role: 'removed' } : member,
  );
  const member = new Solo(1, 3);
  const first = entriesOn(genesisHeader(3), [1], { leader: 0, configuration: joint });
  const header = (first[0] as (typeof first)[0]).proposal.header;
  member.append(0, 1, first, 0).sync();
  member.append(0, 1, entriesOn(header, [1], { leader: 0, configuration: after }), 1).sync();
  member.restart();
  assert.equal(member.state.commit, 1);
  member.tick(5_000).tick(5_000);
  assert.equal(
    member.state.role.kind,
    'follower',
    'after a restart it executes and applies the joint one before it campaigns',
  );
});

test('nor when both came in one message, and only the second one is known to be valid', () => {
  const joint: Configuration = [
    { key: keyOf(0), role: 'leaving' },
    { key: keyOf(1), role: 'voter' },
    { key: keyOf(2), role: 'voter' },
  ];
  const after: Configuration = joint.map((member, index) =>
    index === 0 ? { ...member, role: 'removed' } : member,
  );
  const first = entriesOn(genesisHeader(3), [1], { leader: 0, configuration: joint });
  const { header } = (first[0] as (typeof first)[0]).proposal;
  const member = new Solo(1, 3);
  const second = entriesOn(header, [1], { leader: 0, configuration: after });
  member.hear('append', 0, 1, {
    previous: genesisOf(3),
    entries: [...first, ...second],
    commit: toHeight(1),
  });
  const { blockHash } = nameOfEntry(second[0] as (typeof second)[0]);
  member.give({ type: 'validated', blockHash, result: { verdict: 'valid', chain: [] } });
  const [write] = member.writes.splice(-1);
  assert.ok(write !== undefined && write.blocks.length === 2, 'they are one write');
  // Only what this very write holds is on disk when the power goes.
  member.writes = [];
  member.confirm(write).restart();
  assert.equal(member.state.commit, 1);
});

test('a member whose disk was lost does not vote, and does after it was taken out and in again', () => {
  const cluster = Cluster.ledBy(0);
  const lost = cluster.host(2);
  lost.crash();
  lost.wipe();
  lost.start();
  cluster.run(200);
  assert.equal(lost.engine?.status().voting, false);
  cluster.host(1).crash();
  cluster.host(0).crash();
  cluster.host(1).start();
  cluster.run(3_000);
  assert.equal(cluster.leader, undefined, 'two of three run, and one of them may have voted before');
  cluster.host(0).start();
  cluster.until(() => cluster.leader !== undefined, 'a leader');
  const change = (role: 'removed' | 'learner' | 'voter'): void => {
    cluster.leader?.ask({ kind: 'members', changes: [{ key: keyOf(2), role }], forced: false });
    cluster.run(300);
  };
  change('removed');
  change('learner');
  change('voter');
  assert.equal(lost.engine?.status().voting, true);
});
