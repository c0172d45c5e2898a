import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMessage, encodeMessage, type ReadContext } from '../../../src/consensus/raft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Cluster } from './cluster.ts';
import { type Body, entriesOn, genesisOf, Solo } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';

// Reads that would be stale if something old counted for something new.

test('a late heartbeat of an earlier term is answered without its number, and so confirms no read of a later term', () => {
  const cluster = Cluster.ledBy(0).run(1_500);
  const [leader, follower] = [cluster.host(0), cluster.host(1)];
  for (const to of [2, 0]) {
    cluster.leader?.ask({ kind: 'transfer', to });
    cluster.until(() => cluster.leader?.index === to, 'the transfer').run(50);
  }
  const { role, term } = leader.state;
  assert.ok(role.kind === 'leader');
  const round = role.round + 11;
  const old = cluster.wire.sent.find(
    ({ to, message }) =>
      to === 1 && message.kind === 'heartbeat' && message.term < term && message.round === round,
  );
  assert.ok(old !== undefined, 'a heartbeat whose number comes again in the later term');
  // From now on the leader hears everything late, and what it says gets lost.
  const late = cluster.wire.hold(({ to }) => to === 0);
  cluster.run(60);
  follower.receive(old.message);
  cluster.wire.cut(0, 1);
  cluster.wire.cut(0, 2);
  cluster.run(200);
  const [first] = late.held.filter(({ from }) => from === 1);
  assert.ok(first !== undefined);
  leader.receive(first.message);
  cluster.elect(2);
  const newer = cluster.submit('newer');
  cluster.until(() => cluster.isFinalAt(cluster.host(1), newer), 'a block of another leader');
  cluster.until(() => role.round === round - 1, 'the round before');
  assert.ok(leader.leads, 'it does not know that it was deposed');
  const id = leader.ask({ kind: 'read' });
  for (const { from, message } of late.held) {
    if (from === 1 && message.term === term) leader.receive(message);
  }
  assert.ok(!leader.answers.has(id), 'nobody confirmed this round');
});

test('a read context is used once, also by a member that dies before its disk knows that it had started', () => {
  const cluster = Cluster.ledBy(0);
  const [leader, follower] = [cluster.host(0), cluster.host(1)];
  const knowsLeader = (): boolean => follower.engine?.status().primary === 0;
  const answers = cluster.wire.hold(({ message }) => message.kind === 'read-answer');
  follower.crash();
  follower.diskMs = 200;
  follower.start();
  cluster.until(knowsLeader, 'a leader');
  const early = follower.ask({ kind: 'read' });
  cluster.run(30);
  follower.crash();
  const newer = cluster.submit('newer');
  cluster.until(() => cluster.isFinalAt(leader, newer), 'a newer block');
  follower.diskMs = 2;
  follower.start();
  cluster.until(knowsLeader, 'a leader').run(10);
  const id = follower.ask({ kind: 'read' });
  for (const { message } of answers.held) follower.receive(message);
  assert.ok(!follower.answers.has(id), 'an answer of an earlier life');
  const refused = follower.answers.get(early);
  assert.ok(refused !== undefined && 'code' in refused && refused.code === 'consensus/busy');
  answers.release();
  cluster.run(200);
  assert.deepEqual(follower.answers.get(id), { height: leader.state.commit });
});

test('a member that was asked for 2^32 reads since its start goes on asking', () => {
  const cluster = Cluster.ledBy(0);
  const [leader, follower] = [cluster.host(0), cluster.host(1)];
  follower.state.readSerial = 2 ** 32 - 2;
  const asked = [0, 1, 2].map(() => follower.ask({ kind: 'read' }));
  cluster.run(200);
  for (const id of asked) assert.deepEqual(follower.answers.get(id), { height: leader.state.commit });
  const serials = cluster.wire.sent.flatMap(({ message }) =>
    message.kind === 'read-request' ? [message.context.serial] : [],
  );
  assert.deepEqual(new Set(serials), new Set([2 ** 32 - 1, 0, 1]));
  for (const { message } of cluster.wire.sent)
    assert.deepEqual(decodeMessage(encodeMessage(message)), message);
});

test('no lease holds after a transferee was told to campaign, however late it does', () => {
  const cluster = Cluster.ledBy(0, { options: { leaseReads: true } });
  const leader = cluster.host(0);
  const told = cluster.wire.hold(({ message }) => message.kind === 'timeout-now');
  leader.ask({ kind: 'transfer', to: 1 });
  cluster.until(() => told.held.length > 0, 'the transferee is told');
  cluster.run(cluster.options.electionTimeoutMs + 100);
  assert.ok(leader.leads, 'the transfer failed');
  cluster.wire.partition([[1, 2]], 3);
  for (const { message } of told.held) cluster.host(1).receive(message);
  const newer = cluster.submit('newer');
  cluster.until(() => cluster.isFinalAt(cluster.host(1), newer), 'a block of the transferee', 200);
  const id = leader.ask({ kind: 'read', lease: true });
  assert.ok(leader.leads && !leader.answers.has(id), 'a stale read');
});

test('a second answer to a read that has one changes nothing: neither its height nor that it will be answered', () => {
  const cluster = Cluster.ledBy(0);
  const follower = cluster.host(1);
  const hold = cluster.wire.hold(({ message }) => message.kind === 'read-answer');
  follower.storingMs = 100;
  const newer = cluster.submit('newer');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), newer), 'a newer block');
  const id = follower.ask({ kind: 'read' });
  cluster.until(() => hold.held.length > 0, 'the answer');
  const [envelope] = hold.held;
  assert.ok(envelope !== undefined && envelope.message.kind === 'read-answer');
  const { height } = envelope.message;
  follower.receive(envelope.message);
  // The question came twice, and the second time to a leader that had lost the lead.
  follower.receive({ ...envelope.message, height: undefined });
  assert.ok(!follower.answers.has(id), 'it waits for its block');
  cluster.until(() => follower.answers.has(id), 'its block');
  assert.deepEqual(follower.answers.get(id), { height });
});

test('a voter that is left alone waits like others while it hears a leader, which may answer by its lease', () => {
  const cluster = Cluster.ledBy(0, { members: 2, options: { leaseReads: true } });
  const [leader, other] = [cluster.host(0), cluster.host(1)];
  // The leader is slow to store what removes it, and goes on leading under the configuration before.
  leader.storingMs = 200;
  leader.ask({ kind: 'members', changes: [{ key: keyOf(0), role: 'removed' }], forced: true });
  cluster.until(() => other.state.configuration[0]?.role === 'removed', 'the other one is alone');
  cluster.submit('newer');
  cluster.run(25);
  assert.ok(leader.leads);
  const seen = other.disk.final.header.height;
  const id = leader.ask({ kind: 'read', lease: true });
  cluster.until(() => leader.answers.has(id), 'an answer');
  const answer = leader.answers.get(id);
  assert.ok(answer !== undefined && ('code' in answer || answer.height >= seen), 'a stale read');
  cluster.until(() => cluster.leader === other, 'the other one leads');
});

test('a higher term that a voter sees does not end the lease that it granted: it still helps nobody else', () => {
  const voter = new Solo(2, 3, { options: { leaseReads: true } });
  const commit = genesisOf(3);
  voter.tick(100).receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit, round: 1 }).sync();
  // A late answer to a pre-vote that it asked for before there was a leader.
  voter
    .tick(10)
    .receive<'vote'>({ kind: 'vote', from: 1, term: 3, pre: true, granted: false, commit })
    .sync();
  const ask = (): boolean[] => {
    const place = { lastHeight: toHeight(0), lastTerm: toView(0), commit };
    voter
      .receive<'vote-request'>({
        kind: 'vote-request',
        from: 1,
        term: 3,
        pre: false,
        transfer: false,
        ...place,
      })
      .sync();
    return voter.sent('vote').map(({ granted }) => granted);
  };
  assert.deepEqual(ask(), []);
  voter.tick(289);
  assert.deepEqual(ask(), []);
  voter.tick(1);
  assert.deepEqual(ask(), [true]);
});

const beat = (from: number, term: number): Body<'heartbeat'> => ({
  kind: 'heartbeat',
  from,
  term,
  commit: genesisOf(3),
  round: 1,
});
const roundAnswer = (from: number, { term, role }: Solo['state']): Body<'heartbeat-answer'> => ({
  kind: 'heartbeat-answer',
  from,
  term,
  round: role.kind === 'leader' ? role.round : 0,
  received: toHeight(0),
  applied: toHeight(0),
});
const code = (member: Solo): string[] =>
  member.all('answer').map(({ result }) => ('code' in result ? result.code : `height ${result.height}`));

/** A follower of member 0 that asked it for a read, and the context of the question. */
function asking(): { member: Solo; context: ReadContext } {
  const member = new Solo(1, 3).receive<'heartbeat'>(beat(0, 1)).sync();
  member.give({ type: 'request', id: 1, request: { kind: 'read' } });
  const [question] = member.sent('read-request');
  assert.ok(question !== undefined);
  return { member, context: question.context };
}

test('a leader answers no read before a block of its term is committed, however many confirm that it leads', () => {
  const leader = new Solo(0, 3).lead().make().sync();
  leader.give({ type: 'request', id: 1, request: { kind: 'read' } });
  leader.receive<'read-request'>({
    kind: 'read-request',
    from: 1,
    term: leader.state.term,
    context: { incarnation: 1, serial: 1 },
    lease: false,
  });
  const confirm = (): void => {
    leader.tick(50);
    for (const from of [1, 2]) leader.receive<'heartbeat-answer'>(roundAnswer(from, leader.state));
  };
  confirm();
  confirm();
  assert.deepEqual([leader.sent('read-answer'), code(leader)], [[], []]);
  leader.accept(1, 1);
  assert.deepEqual(
    [leader.sent('read-answer'), code(leader)],
    [[], []],
    'nor without a round that begins after the question could be answered',
  );
  leader.receive<'heartbeat-answer'>(roundAnswer(2, leader.state));
  assert.deepEqual(
    leader.sent('read-answer').map(({ height }) => height),
    [1],
  );
  assert.deepEqual(leader.give({ type: 'applied', height: toHeight(1) }).one('answer').result, { height: 1 });
});

test('an answer to a heartbeat of an earlier lead confirms nothing in a later one', () => {
  const leader = new Solo(0, 3).lead().make().sync().accept(1, 1);
  const old = leader.state.term;
  leader.give({ type: 'applied', height: toHeight(1) }).sync();
  leader.receive<'heartbeat'>(beat(1, old + 1)).sync();
  leader.lead().make().sync();
  leader.accept(1, 2).give({ type: 'applied', height: toHeight(2) });
  leader.sync().give({ type: 'request', id: 1, request: { kind: 'read' } });
  for (const from of [1, 2]) {
    leader.receive<'heartbeat-answer'>({ ...roundAnswer(from, leader.state), term: old });
    assert.deepEqual(code(leader), []);
  }
  leader.receive<'heartbeat-answer'>(roundAnswer(1, leader.state));
  assert.deepEqual(code(leader), ['height 2']);
});

test('who is asked and does not lead says so, and who asked is told that there is no leader', () => {
  const context = { incarnation: 1, serial: 1 };
  const other = new Solo(2, 3).receive<'heartbeat'>(beat(0, 1)).sync();
  other.receive<'read-request'>({ kind: 'read-request', from: 1, term: 1, context, lease: false });
  assert.deepEqual(
    other.sent('read-answer').map(({ height }) => height),
    [undefined],
  );
  const { member, context: asked } = asking();
  member.receive<'read-answer'>({ kind: 'read-answer', from: 0, term: 1, context: asked, height: undefined });
  assert.deepEqual(code(member), ['consensus/no-leader']);
});

test('a leader that loses the lead tells the members whose reads wait there', () => {
  const context = { incarnation: 1, serial: 1 };
  const leader = new Solo(0, 3).lead().make().sync().accept(1, 1);
  leader.receive<'read-request'>({
    kind: 'read-request',
    from: 1,
    term: leader.state.term,
    context,
    lease: false,
  });
  leader.receive<'heartbeat'>(beat(2, leader.state.term + 1));
  assert.deepEqual(
    leader.sent('read-answer').map(({ context: of, height }) => [of, height]),
    [[context, undefined]],
  );
});

test('a leader keeps a bounded number of the reads of others, and refuses the rest', () => {
  const leader = new Solo(0, 3, { options: { pendingReads: 2 } }).lead();
  const refused = [1, 2, 3].map((serial) =>
    leader
      .receive<'read-request'>({
        kind: 'read-request',
        from: 1,
        term: leader.state.term,
        context: { incarnation: 1, serial },
        lease: false,
      })
      .sent('read-answer')
      .map(({ height }) => height),
  );
  assert.deepEqual(refused, [[], [], [undefined]]);
});

test('a read that the leader never answers ends in time; one whose leader is gone ends when it is missed', () => {
  const { member } = asking();
  for (let ms = 0; ms < 550; ms += 50) {
    member.receive<'heartbeat'>(beat(0, 1)).tick(50);
    assert.deepEqual(code(member), []);
  }
  member.receive<'heartbeat'>(beat(0, 1)).tick(50);
  assert.deepEqual(code(member), ['consensus/read-timeout']);
  const other = asking().member;
  while (other.state.role.kind === 'follower') {
    assert.deepEqual(code(other), []);
    other.tick(10);
  }
  assert.deepEqual(code(other), ['consensus/no-leader']);
});

test('a read whose height is known needs no leader any more, only its block', () => {
  const { member, context } = asking();
  member.append(0, 1, entriesOn(genesisHeader(3), [1]), 1).sync();
  member.receive<'read-answer'>({ kind: 'read-answer', from: 0, term: 1, context, height: toHeight(1) });
  while (member.state.role.kind === 'follower') member.tick(50);
  assert.deepEqual(code(member), []);
  member.give({ type: 'applied', height: toHeight(1) });
  assert.deepEqual(code(member), ['height 1']);
});

test('a voter grants no lease before its first start is on disk: after a crash it would not know of it', () => {
  const cluster = new Cluster({ options: { leaseReads: true } });
  const [old, other, voter] = [cluster.host(0), cluster.host(1), cluster.host(2)];
  voter.stalled = true;
  for (const host of cluster.hosts) host.start();
  cluster.elect(0);
  const first = cluster.submit('first');
  cluster.until(() => cluster.isFinalAt(old, first), 'a block');
  cluster.wire.partition([[0, 2], [1]], 3);
  cluster.run(305);
  voter.crash();
  voter.stalled = false;
  cluster.wire.partition([[0], [1, 2]], 3);
  voter.start();
  other.state.electionTimer.dueAt = 0;
  const newer = cluster.submit('newer');
  for (let ms = 0; ms < 170; ms++) {
    cluster.run(1);
    if (!cluster.isFinalAt(other, newer)) continue;
    const seen = other.disk.final.header.height;
    const answer = old.answers.get(old.ask({ kind: 'read', lease: true }));
    assert.ok(answer === undefined || 'code' in answer || answer.height >= seen, 'a stale read');
  }
});
