import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import type { Input, MemberChange } from '../../../src/consensus/engine.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import { electorsOf } from '../../../src/consensus/raft/vouching.ts';
import type { RaftMessage, WireEntry } from '../../../src/consensus/raft/message.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { childOf, genesisHeader, keyOf, signatureOf } from './world.ts';
import type { Configuration } from '../../../src/ledger/members.ts';

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

test('who leaves as leader, and dies before the others heard that it is out, leaves them a cluster', () => {
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
  cluster.until(
    () => cluster.leader === other,
    'the other holds what ends the joint phase, as the leaver did',
  );
  assert.deepEqual(
    other.state.configuration.map(({ role }) => role),
    ['removed', 'voter'],
  );
});

test('what was seen on a disk in a later term than its own ends no joint phase: others may have decided otherwise', () => {
  const withFifth = (role: Configuration[0]['role']): Configuration =>
    [0, 1, 2, 3, 4].map((index) => ({ key: keyOf(index), role: index === 4 ? role : 'voter' }));
  const made: WireEntry[] = [];
  for (const role of ['learner', 'joining', 'voter'] as const) {
    const parent = made.at(-1)?.proposal.header ?? genesisHeader(4);
    made.push(...entriesOn(parent, [1], { leader: 0, configuration: withFifth(role) }));
  }
  const [learner, joint, end] = made as [WireEntry, WireEntry, WireEntry];
  for (const [seen, held, concluded] of [
    [1, true, true],
    [2, true, false],
    [1, false, false],
  ] as const) {
    const member = new Solo(1, 4);
    member
      .append(0, 1, [learner], 1)
      .sync()
      .give({ type: 'applied', height: toHeight(1) });
    member.sync().append(0, 1, [joint], 2).sync();
    member.give({ type: 'applied', height: toHeight(2) }).sync();
    member.append(seen === 1 ? 0 : 2, seen, [end], 2).sync();
    member.hear('vote', 2, seen, {
      pre: true,
      granted: false,
      commit: genesisOf(4),
      held: held ? nameOfEntry(end) : undefined,
    });
    assert.equal(electorsOf(member.state)[4]?.role, concluded ? 'voter' : 'joining');
    assert.equal(member.state.commit, 2, 'nothing is final by that alone');
  }
});

/** Two members, and a third that is made a voter. That the joint phase is over gets lost on its way to whoever is not the leader. */
function untold(): { cluster: Cluster; id: number; last: number; told: { forget: () => void } } {
  const cluster = Cluster.ledBy(0, { members: 2, spares: 1 });
  const leader = cluster.host(0);
  cluster.host(2).start();
  const learner = ask(leader, 2, 'learner');
  cluster.until(() => code(leader, learner) === 'ok', 'it follows').run(100);
  const last = lastHeight(leader.state.log) + 2;
  const told = cluster.wire.hold(
    ({ message }) => message.kind === 'heartbeat' && message.commit.height >= last,
  );
  const id = ask(leader, 2, 'voter');
  cluster.until(() => leader.state.applied === last, 'the leader has it in force');
  return { cluster, id, last, told };
}

test('a change is answered when a majority of the new voters has it in force, and not when the leader has', () => {
  const { cluster, id, last, told } = untold();
  const leader = cluster.host(0);
  cluster.run(100);
  assert.ok(
    [1, 2].every((index) => cluster.host(index).state.durable === last),
    'both hold it',
  );
  assert.equal(code(leader, id), 'waits', 'and do not know that it is final');
  const next = ask(leader, 3, 'learner');
  cluster.run(1);
  assert.equal(code(leader, next), 'consensus/busy', 'and another one has to wait for that');
  told.forget();
  cluster.until(() => code(leader, id) === 'ok', 'now they do');
  assert.ok([1, 2].some((index) => cluster.host(index).state.applied >= last));
});

test('nobody answers for a leader that loses the lead first: the outcome is unknown', () => {
  const { cluster, id } = untold();
  cluster.wire.cut(0, 1);
  cluster.wire.cut(0, 2);
  cluster.until(() => code(cluster.host(0), id) !== 'waits', 'the end of its leadership');
  assert.equal(code(cluster.host(0), id), 'consensus/change-outcome-unknown');
});

test('those who hold the end of a joint phase go on without the leader that made it final and died before it told', () => {
  for (const restarted of [[], [1], [2], [1, 2]]) {
    const { cluster, told } = untold();
    cluster.run(100);
    cluster.host(0).crash();
    told.forget();
    for (const index of restarted) {
      cluster.host(index).crash();
      cluster.host(index).start();
    }
    const leads = (): boolean => cluster.leader?.state.configuration[2]?.role === 'voter';
    cluster.until(leads, `a leader that has it in force, ${restarted.length} restarted`, 5_000);
    const transaction = cluster.submit('goes on');
    cluster.until(() => cluster.isFinalAt(cluster.host(1), transaction), 'and it works');
  }
});

test('and after a power cut in the middle of their first election: what was on disk in its own term stays known in later ones', () => {
  for (const restarted of [[1], [2], [1, 2]]) {
    const { cluster, told } = untold();
    cluster.run(100);
    const { term } = cluster.host(0).state;
    cluster.host(0).crash();
    told.forget();
    const votes = cluster.wire.hold(({ message }) => message.kind === 'vote' && !message.pre);
    cluster.until(() => votes.held.length > 0, 'a vote, which gets lost', 5_000);
    for (const index of restarted) {
      assert.ok(cluster.host(index).state.durableTerm > term);
      cluster.host(index).crash();
      cluster.host(index).start();
    }
    votes.forget();
    cluster.until(() => cluster.leader !== undefined, `a leader, ${restarted.join()} restarted`, 5_000);
    assert.equal(cluster.leader?.state.configuration[2]?.role, 'voter');
  }
});

test('what was on disk in its own term ends the joint phase, also under the first block of a leader that could not do it', () => {
  const roles = (third: Configuration[0]['role']): Configuration =>
    [0, 1, 2].map((index) => ({ key: keyOf(index), role: index === 2 ? third : 'voter' }));
  const made: WireEntry[] = [];
  for (const role of ['learner', 'joining', 'voter'] as const) {
    const parent = made.at(-1)?.proposal.header ?? genesisHeader(2);
    made.push(...entriesOn(parent, [1], { leader: 0, configuration: roles(role) }));
  }
  const [learner, joint, end] = made as [WireEntry, WireEntry, WireEntry];
  const above = entriesOn(end.proposal.header, [2], { leader: 2 });
  const member = new Solo(1, 2);
  for (const [height, entry] of [learner, joint].entries()) {
    member.append(0, 1, [entry], height + 1).sync();
    member.give({ type: 'applied', height: toHeight(height + 1) }).sync();
  }
  member.append(0, 1, [end], 2).sync().append(2, 2, above, 2).sync();
  const hear = (): void => {
    member.hear('vote', 2, 2, { pre: true, granted: false, commit: genesisOf(2), held: nameOfEntry(end) });
  };
  const { header } = joint.proposal;
  const certificate = {
    engine: 'raft',
    term: header.view,
    ...nameOfEntry(joint),
    leader: 0,
    signature: joint.signature,
    configuration: joint.configuration,
  } as const;
  for (const restarts of [0, 1, 2]) {
    if (restarts > 0) member.restart(header, certificate);
    member.sync();
    hear();
    assert.equal(electorsOf(member.state)[2]?.role, 'voter', `after ${restarts} restarts`);
    assert.equal(member.state.commit, 2, 'nothing is final by that alone');
  }
});

test('who the members are is known after a restart, also when the block that named them left the log', () => {
  const roles: Configuration = [0, 1, 2].map((index) => ({
    key: keyOf(index),
    role: index === 2 ? 'learner' : 'voter',
  }));
  const [change] = entriesOn(genesisHeader(3), [1], { configuration: roles }) as [WireEntry];
  const [above] = entriesOn(change.proposal.header, [1]) as [WireEntry];
  const member = new Solo(1, 3);
  for (const [at, entry] of [change, above].entries()) {
    member.append(0, 1, [entry], at + 1).sync();
    member.give({ type: 'applied', height: toHeight(at + 1) }).sync();
  }
  // The next write lets go of what is stored.
  member.hear('heartbeat', 0, 2).sync();
  assert.deepEqual(
    [...member.records.keys()].filter((key) => key.startsWith('raft/entry/')),
    [],
  );
  member.restart(above.proposal.header);
  assert.deepEqual(member.state.configuration, roles);
  assert.deepEqual(member.one('members').members, roles, 'and told to those who ask');
});

test('nor do they without one whose write of it they do not know of: it is sent when its leader has it on disk', () => {
  const cluster = Cluster.ledBy(0, { members: 2, spares: 1 });
  const leader = cluster.host(0);
  cluster.host(2).start();
  const learner = ask(leader, 2, 'learner');
  cluster.until(() => code(leader, learner) === 'ok', 'it follows').run(100);
  const joint = lastHeight(leader.state.log) + 1;
  ask(leader, 2, 'voter');
  cluster.until(() => leader.state.applied === joint, 'the joint phase');
  leader.stalled = true;
  cluster.run(100);
  assert.equal(lastHeight(leader.state.log), joint + 1, 'its end is in the log');
  assert.ok([1, 2].every((index) => lastHeight(cluster.host(index).state.log) === joint));
  leader.resumeDisk();
  cluster.until(() => cluster.host(2).state.applied === joint + 1, 'and goes out then');
});

test('a leader that is out goes on leading until a majority of the others has that in force, and takes on nothing', () => {
  const cluster = Cluster.ledBy(0);
  const leader = cluster.host(0);
  const last = lastHeight(leader.state.log) + 2;
  const told = cluster.wire.hold(
    ({ message }) => message.kind === 'heartbeat' && message.commit.height >= last,
  );
  const id = ask(leader, 0, 'removed');
  cluster.until(() => leader.state.applied === last, 'it is out');
  const transaction = cluster.submit('not by this one');
  cluster.run(60);
  assert.ok(leader.leads);
  assert.equal(code(leader, id), 'waits');
  assert.equal(lastHeight(leader.state.log), last);
  assert.equal(code(leader, ask(leader, 0, 'learner')), 'consensus/busy');
  told.release();
  cluster.until(() => code(leader, id) === 'ok', 'they know');
  assert.ok(!leader.leads);
  cluster.until(() => cluster.isFinalAt(cluster.host(1), transaction), 'a transferee goes on');
});

const change = (role: MemberChange['role'], ...indexes: number[]): Input<RaftMessage> => ({
  type: 'request',
  id: 1,
  request: { kind: 'members', changes: indexes.map((index) => ({ key: keyOf(index), role })), forced: false },
});
/** Each of these answers a round of heartbeats. */
const answeredBy = (leader: Solo, ...members: number[]): Solo => {
  for (const from of members) leader.hear('heartbeat-answer', from, leader.state.term, { round: 1 });
  return leader;
};
const codes = (member: Solo): string[] =>
  member.all('answer').map(({ result }) => ('code' in result ? result.code : `height ${result.height}`));

test('a leader takes on no change before a block of its own term is committed, also when it has one in its log', () => {
  const leader = new Solo(0, 3).lead().make().sync();
  assert.deepEqual(codes(leader.give(change('removed', 2))), ['consensus/busy']);
  answeredBy(leader.accept(1, 1), 1);
  assert.deepEqual(codes(leader.give(change('removed', 2))), []);
});

test('nor one that needs a member which did not answer it yet: that may be gone since before the election', () => {
  for (const there of [false, true]) {
    const leader = new Solo(0, 3).lead().make().sync().accept(1, 1);
    answeredBy(leader, 1);
    leader.give({ type: 'applied', height: toHeight(1) });
    if (there) answeredBy(leader, 2);
    assert.deepEqual(codes(leader.give(change('removed', 1))), there ? [] : ['consensus/busy']);
    if (there) continue;
    for (let ms = 0; ms < 300; ms += 50) answeredBy(leader.tick(50), 1);
    assert.deepEqual(codes(leader.give(change('removed', 1))), ['consensus/quorum-loss']);
  }
});

test('nor one that needs a member whose connection broke just now, until it answers over another one', () => {
  const leader = new Solo(0, 3).lead().make().sync().accept(1, 1);
  answeredBy(leader, 1, 2).give({ type: 'applied', height: toHeight(1) });
  leader.give({ type: 'lost', validator: 2 });
  assert.deepEqual(codes(leader.give(change('removed', 1))), ['consensus/busy']);
  leader.give({ type: 'connected', validator: 2 });
  assert.deepEqual(codes(leader.give(change('removed', 1))), ['consensus/busy']);
  assert.deepEqual(codes(answeredBy(leader, 2).give(change('removed', 1))), []);
});

test('nor one while a change of an earlier leader is on its way: in its log, or half done', () => {
  const joint: Configuration = [0, 1, 2].map((index) => ({
    key: keyOf(index),
    role: index === 2 ? 'leaving' : 'voter',
  }));
  const started = entriesOn(genesisHeader(3), [1], { leader: 1, configuration: joint });
  const leader = new Solo(0, 3).append(1, 1, started).sync().lead().make().sync().accept(1, 2);
  assert.equal(leader.state.commit, 2);
  assert.deepEqual(codes(leader.give(change('learner', 4))), ['consensus/busy'], 'committed, not applied');
  leader.give({ type: 'applied', height: toHeight(1) });
  leader.give({ type: 'applied', height: toHeight(2) }).sync();
  assert.deepEqual(codes(leader.give(change('learner', 4))), ['consensus/busy'], 'the joint phase');
});

test('a change that makes no sense is explained, forced or not', () => {
  const leader = new Solo(0, 3).lead().make().sync().accept(1, 1);
  assert.deepEqual(codes(leader.give(change('voter', 2))), ['consensus/members']);
  assert.deepEqual(codes(leader.give(change('removed', 9))), ['consensus/members']);
});

test('a learner that has everything and answers no more is not promoted', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const leader = cluster.host(0);
  cluster.host(3).start();
  ask(leader, 3, 'learner');
  cluster.until(() => cluster.settled(), 'it has everything').run(100);
  cluster.host(3).crash();
  cluster.run(cluster.options.electionTimeoutMs + 50);
  assert.equal(code(leader, ask(leader, 3, 'voter')), 'consensus/not-caught-up');
});

test('who is out is told that it is final, and who asked for it too, also when the leader itself is out', () => {
  for (const out of [2, 0]) {
    const cluster = Cluster.ledBy(0);
    const leader = cluster.host(0);
    const id = ask(leader, out, 'removed');
    cluster.until(() => code(leader, id) === 'ok', 'the change');
    const { commit } = leader.state;
    const farewell = cluster.wire.sent.find(
      ({ from, to, message }) =>
        from === 0 && to === 2 && message.kind === 'heartbeat' && message.commit.height === commit,
    );
    assert.ok(farewell !== undefined);
    const handsOver = cluster.wire.sent.some(({ message }) => message.kind === 'timeout-now');
    assert.equal(handsOver, out === 0, 'and a leader that is out hands over');
    cluster.until(() => cluster.host(2).state.configuration[out]?.role === 'removed', 'it knows');
  }
});

test('a change that never got into the log of a leader that lost the lead did not happen, and says so', () => {
  const leader = answeredBy(new Solo(0, 3).lead().make().sync().accept(1, 1), 1);
  leader.give(change('removed', 2));
  const { term } = leader.state;
  leader.hear('heartbeat', 1, term + 1, { commit: genesisOf(3), round: 1 });
  assert.deepEqual(codes(leader), ['consensus/not-leader']);
});

test('the lead is not handed over to who is on its way out, nor to a learner; the change comes to its end', () => {
  const cluster = Cluster.ledBy(0, { members: 4, spares: 1 });
  const leader = cluster.host(0);
  cluster.host(4).start();
  const learner = ask(leader, 4, 'learner');
  cluster.until(() => code(leader, learner) === 'ok', 'a learner').run(100);
  assert.equal(code(leader, leader.ask({ kind: 'transfer', to: 4 })), 'consensus/no-transferee');
  const hold = cluster.wire.hold(({ to, message }) => to === 3 && message.kind === 'append');
  const removal = ask(leader, 3, 'removed');
  cluster.run(1);
  const transfer = leader.ask({ kind: 'transfer', to: 3 });
  cluster.until(() => code(leader, transfer) !== 'waits', 'an answer');
  assert.equal(code(leader, transfer), 'consensus/transfer-failed');
  assert.equal(leader.state.configuration[3]?.role, 'leaving', 'as soon as that is known');
  hold.forget();
  cluster.until(() => code(leader, removal) === 'ok', 'the removal');
  assert.ok(leader.leads);
});

test('a member that leaves is no transferee from the moment when that is in force, and hears of its end', () => {
  const leader = new Solo(0, 4).lead().make().sync().accept(1, 1).accept(2, 1);
  leader.give({ type: 'applied', height: toHeight(1) });
  const makeFinal = (height: number): Solo => {
    leader.make().sync().accept(1, height).accept(2, height);
    return leader.give({ type: 'applied', height: toHeight(height) });
  };
  answeredBy(leader.sync(), 1, 2).give(change('removed', 3));
  leader.make().sync();
  leader.give({ type: 'request', id: 2, request: { kind: 'transfer', to: 3 } });
  assert.deepEqual(codes(leader), []);
  leader
    .accept(1, 2)
    .accept(2, 2)
    .give({ type: 'applied', height: toHeight(2) });
  assert.equal(leader.state.configuration[3]?.role, 'leaving');
  assert.deepEqual(codes(leader), ['consensus/transfer-failed']);
  const farewell = makeFinal(3)
    .all('send')
    .filter(({ to, message }) => to !== 'all' && to.includes(3) && message.kind === 'heartbeat');
  assert.equal(leader.state.configuration[3]?.role, 'removed');
  assert.equal(farewell.length, 1);
});

/** A leader of five that is ready; members 1 to 3 acknowledged its blocks up to these heights, and member 4 says nothing. */
function leading(...acknowledged: readonly [number, number, number]): Solo {
  const leader = new Solo(0, 5).lead().make().sync();
  for (const from of [1, 2]) leader.accept(from, 1);
  leader.give({ type: 'applied', height: toHeight(1) }).sync();
  leader.give({ type: 'work', work: { executable: 9, oldestSince: 0, passedOverSince: null } });
  leader.make('a').make('b').sync();
  for (const [index, height] of acknowledged.entries()) if (height > 0) leader.accept(index + 1, height);
  return leader;
}

const transfer = (to: number | null, id = 1): Input<RaftMessage> => ({
  type: 'request',
  id,
  request: { kind: 'transfer', to },
});
const transfereeOf = ({ state: { role } }: Solo): number | null | undefined =>
  role.kind === 'leader' ? (role.transfer?.to ?? null) : undefined;

suite('the transferee that a leader chooses', () => {
  test('is the voter with the longest log', () => {
    assert.equal(transfereeOf(leading(1, 2, 1).give(transfer(null))), 2);
    assert.equal(transfereeOf(leading(3, 2, 1).give(transfer(null))), 1);
    assert.equal(transfereeOf(leading(1, 1, 2).give(transfer(null))), 3);
  });

  test('is one that answers, if its log is not the longest', () => {
    const leader = leading(1, 2, 0);
    leader.accept(3, 3);
    for (let ms = 0; ms < 300; ms += 50) {
      leader.tick(50);
      leader.accept(1, 1).accept(2, 2);
    }
    assert.equal(transfereeOf(leader.give(transfer(null))), 2);
  });

  test('is no learner, if its log is the longest', () => {
    const configuration: Configuration = [0, 1, 2, 3, 4].map((index) => ({
      key: keyOf(index),
      role: index === 3 ? 'learner' : 'voter',
    }));
    const started = entriesOn(genesisHeader(5), [1], { leader: 1, configuration });
    const leader = new Solo(0, 5).append(1, 1, started, 1).sync();
    leader.give({ type: 'applied', height: toHeight(1) });
    leader.sync().lead().make().sync().accept(3, 2).accept(1, 1);
    assert.equal(transfereeOf(leader.give(transfer(null))), 1);
  });
});

test('one transfer at a time', () => {
  const leader = leading(1, 2, 1).give(transfer(2));
  assert.deepEqual(codes(leader), []);
  assert.deepEqual(codes(leader.give(transfer(1, 2))), ['consensus/busy']);
  assert.equal(transfereeOf(leader), 2);
});

test('a transferee is told to campaign when it has the block, too, that was in the making when the transfer was asked for', () => {
  const leader = leading(3, 3, 3);
  const { role, term: view } = leader.state;
  assert.ok(role.kind === 'leader' && role.making !== null);
  const { parentHash } = role.making;
  assert.deepEqual(leader.give(transfer(2)).sent('timeout-now'), []);
  const parent = defined(leader.state.log.entries.at(-1), 'an entry').header;
  const proposal = childOf(parent, { view, proposer: 0, transactions: [] });
  leader.give({ type: 'built', parentHash, view, proposal });
  const { key } = leader.one('sign').message;
  leader.give({ type: 'signed', key, signature: signatureOf(0, parentHash) });
  assert.deepEqual(leader.sent('timeout-now'), []);
  assert.equal(leader.sync().accept(2, 4).sent('timeout-now').length, 1);
  assert.deepEqual(leader.tick(1).sent('timeout-now'), [], 'once');
});

test('a transfer failed when somebody else than the transferee leads then', () => {
  const leader = leading(3, 3, 3).give(transfer(2));
  const { term } = leader.state;
  leader.receive<'heartbeat'>({ kind: 'heartbeat', from: 1, term: term + 1, commit: genesisOf(5), round: 1 });
  assert.deepEqual(codes(leader), ['consensus/transfer-failed']);
  const other = leading(3, 3, 3).give(transfer(2));
  other.receive<'heartbeat'>({ kind: 'heartbeat', from: 2, term: term + 1, commit: genesisOf(5), round: 1 });
  assert.deepEqual(codes(other), ['height 3']);
});
