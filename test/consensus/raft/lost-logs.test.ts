import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import type { MemberChange, Verified } from '../../../src/consensus/engine.ts';
import { isAmnesiac } from '../../../src/consensus/raft/replica.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo, syncedEntry } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';
import type { Configuration } from '../../../src/ledger/members.ts';

// Members whose directory is gone, under a key that was used.

function change(cluster: Cluster, member: number, role: MemberChange['role']): void {
  const { leader } = cluster;
  assert.ok(leader !== undefined);
  const id = leader.ask({ kind: 'members', changes: [{ key: keyOf(member), role }], forced: false });
  cluster.until(() => leader.answers.has(id), `${member} is ${role}`).run(100);
  assert.ok('height' in (leader.answers.get(id) ?? {}));
}

function lose(host: Host): void {
  host.crash();
  host.lose();
}

/** A cluster of three that a fourth member joined later, as a learner first. */
function joined(): Cluster {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  cluster.host(3).start();
  change(cluster, 3, 'learner');
  change(cluster, 3, 'voter');
  assert.equal(cluster.host(3).engine?.status().voting, true);
  return cluster;
}

const isLevel = (cluster: Cluster, index: number): boolean =>
  cluster.host(index).state.applied === cluster.leader?.state.applied;

test('a member whose log was lost is not trusted again because it was a learner before that', () => {
  const cluster = joined();
  const lost = cluster.host(3);
  lose(lost);
  lost.start();
  cluster.until(
    () => isLevel(cluster, 3),
    'it has all blocks, also those that made it a learner and a voter',
  );
  assert.equal(lost.engine?.status().voting, false);
  change(cluster, 3, 'removed');
  change(cluster, 3, 'learner');
  change(cluster, 3, 'voter');
  cluster.until(() => lost.engine?.status().voting === true, 'it came in anew');
});

test('it is trusted when it came in anew before it was started', () => {
  const cluster = joined();
  const lost = cluster.host(3);
  lose(lost);
  change(cluster, 3, 'removed');
  change(cluster, 3, 'learner');
  lost.start();
  cluster.until(() => isLevel(cluster, 3), 'it has all blocks');
  cluster
    .until(() => {
      const { role } = cluster.leader?.state ?? {};
      return role?.kind === 'leader' && (role.progress.get(3)?.match ?? 0) > 0;
    }, 'the leader knows')
    .run(100);
  change(cluster, 3, 'voter');
  cluster.until(() => lost.engine?.status().voting === true, 'it votes');
  lost.crash();
  lost.start();
  cluster.run(100);
  assert.equal(lost.engine?.status().voting, true, 'and knows that after a restart');
});

test('the leader that once had its acknowledgements finds out that they are void, and offers a snapshot of what was pruned', () => {
  const cluster = Cluster.ledBy(0, { options: { snapshotEvery: 5, keepBlocks: 1, tail: 1 } });
  for (let i = 0; i < 12; i++) {
    cluster.submit(`${i}`);
    cluster.run(30);
  }
  const { term } = cluster.host(0).state;
  lose(cluster.host(2));
  cluster.host(2).start();
  cluster.until(() => isLevel(cluster, 2), 'level again', 5_000);
  assert.equal(cluster.host(2).state.counters['snapshots-installed'], 1);
  assert.equal(cluster.host(0).state.term, term, 'under the same leader');
});

test('one that helped to elect a later leader, and forgot it, decides nothing with the old one: no block, and no read', () => {
  const cluster = Cluster.ledBy(0);
  const [old, transferee, lost] = [cluster.host(0), cluster.host(1), cluster.host(2)];
  cluster.onEffect = (host, effect) => {
    if (host !== transferee || effect.type !== 'send' || effect.message.kind !== 'vote-request') return;
    cluster.wire.partition([[0], [1, 2]], 3);
  };
  old.ask({ kind: 'transfer', to: 1 });
  const newer = cluster.submit('newer');
  cluster.until(
    () => cluster.isFinalAt(transferee, newer),
    'a block of the transferee, with the help of the third',
  );
  lose(lost);
  cluster.wire.partition([[0, 2], [1]], 3);
  lost.start();
  cluster.until(() => lost.state.leaderHeardAt !== null, 'it hears the old leader', 100);
  assert.ok(old.leads && old.state.term < transferee.state.term);
  const read = old.ask({ kind: 'read' });
  // The checks of the cluster find a second block at one height.
  cluster.run(700);
  assert.ok(!('height' in (old.answers.get(read) ?? {})), 'a stale read');
  cluster.wire.cuts.clear();
  cluster.until(() => isLevel(cluster, 2) && isLevel(cluster, 0), 'everybody is level after that');
});

/** Member 2 of three is a learner. */
const without: Configuration = [0, 1, 2].map((index) => ({
  key: keyOf(index),
  role: index === 2 ? 'learner' : 'voter',
}));

/** A fourth is a learner. */
const withSpare: Configuration = [0, 1, 2, 3].map((index) => ({
  key: keyOf(index),
  role: index === 3 ? 'learner' : 'voter',
}));

/** A member of three whose log was lost, that has no block yet. */
function forgetful(): Solo {
  const member = new Solo(2, 3);
  member.records.clear();
  member.restart();
  return member.sync();
}

/** The answer of member 0 to what this one asked, or to what it did not: what was committed then. */
function answerHistory(
  member: Solo,
  height: number | undefined,
  other: { readonly incarnation?: number; readonly serial?: number } = {},
): void {
  const { guard } = member.state;
  assert.ok(guard.name === 'asking');
  const asked = defined(guard.asked, 'a question');
  member.receive<'read-answer'>({
    kind: 'read-answer',
    from: 0,
    term: 1,
    context: {
      incarnation: asked.context.incarnation + (other.incarnation ?? 0),
      serial: asked.context.serial + (other.serial ?? 0),
    },
    height: height === undefined ? undefined : toHeight(height),
  });
}

test('a member whose log was lost gives no vote, whatever it is asked: it may have voted before', () => {
  for (const pre of [true, false]) {
    const member = forgetful();
    member.hear('vote-request', 0, 3, {
      pre,
      lastHeight: toHeight(9),
      lastTerm: toView(2),
      commit: genesisOf(3),
    });
    const votes = [...member.sent('vote'), ...member.sync().sent('vote')];
    assert.deepEqual(
      votes.map(({ granted }) => granted),
      [false],
    );
    assert.equal(member.state.votedFor, null);
  }
});

test('what was committed when it asked must come before it is trusted, also when the next leader knows of less', () => {
  const [first] = entriesOn(genesisHeader(3), [1], { configuration: without });
  const second = entriesOn(defined(first, 'an entry').proposal.header, [1]);
  const chain = [defined(first, 'an entry'), ...second];
  const member = forgetful();
  const beat = (from: number, term: number, height: number): Solo =>
    member
      .hear('heartbeat', from, term, {
        commit: height === 0 ? genesisOf(3) : nameOfEntry(defined(chain[height - 1], 'an entry')),
        round: 1,
      })
      .sync();
  answerHistory(beat(0, 1, 2), 2);
  beat(1, 2, 0);
  member.append(1, 2, chain, 2).sync();
  member.give({ type: 'applied', height: toHeight(1) }).sync();
  assert.equal(member.engine.status().voting, false);
  assert.equal(
    isAmnesiac(member.state),
    true,
    'it is a learner after block 1, which may be from before the loss',
  );
  // What comes while it catches up does not put its trust off.
  const third = entriesOn(defined(second[0], 'an entry').proposal.header, [2], { leader: 1 });
  member.append(1, 2, third, 3).sync();
  member.give({ type: 'applied', height: toHeight(2) });
  assert.equal(isAmnesiac(member.state), false);
});

test('it is trusted at once when a leader answers, and it has everything and is no voter', () => {
  const entry = defined(entriesOn(genesisHeader(3), [1], { configuration: without })[0], 'an entry');
  const member = forgetful();
  member.give(syncedEntry(entry));
  member.give({ type: 'applied', height: toHeight(1) }).sync();
  assert.equal(isAmnesiac(member.state), true, 'it does not know what was committed');
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: nameOfEntry(entry), round: 1 });
  assert.equal(isAmnesiac(member.state), true, 'a word that it did not ask for may be old');
  answerHistory(member, undefined);
  assert.equal(isAmnesiac(member.state), true, 'whoever was asked could not say');
  for (const other of [{ incarnation: 1 }, { serial: 1 }]) {
    answerHistory(member, 1, other);
    assert.equal(
      isAmnesiac(member.state),
      true,
      'it answers what another start asked, or an earlier question',
    );
  }
  answerHistory(member, 1);
  assert.equal(isAmnesiac(member.state), false);
  member.sync().restart(entry.proposal.header);
  assert.equal(isAmnesiac(member.state), false, 'also after a restart');
});

test('a late word of a leader from before it had a vote does not tell what it may have forgotten', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const lost = cluster.host(3);
  lost.start();
  change(cluster, 3, 'learner');
  const late = cluster.wire.hold(({ to, message }) => to === 3 && message.kind === 'heartbeat');
  cluster.run(60);
  late.forget();
  change(cluster, 3, 'voter');
  lose(lost);
  lost.start();
  for (const { message } of late.held) lost.receive(message);
  cluster.until(() => isLevel(cluster, 3), 'it has all blocks');
  assert.equal(lost.engine?.status().voting, false);
});

test('an answer to a question from before the loss answers none from after it', () => {
  const cluster = Cluster.ledBy(0);
  const lost = cluster.host(2);
  const answers = cluster.wire.hold(({ to, message }) => to === 2 && message.kind === 'read-answer');
  for (let i = 0; i < 5; i++) lost.ask({ kind: 'read' });
  cluster.until(() => answers.held.length === 5, 'the leader answers');
  lose(lost);
  const last = cluster.submit('newer');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), last), 'a newer block');
  lost.start();
  cluster.until(() => isLevel(cluster, 2), 'it has all blocks');
  // What it asks now is not heard.
  cluster.wire.hold(({ from, message }) => from === 2 && message.kind === 'read-request');
  const seen = cluster.host(0).state.applied;
  const id = lost.ask({ kind: 'read' });
  answers.release();
  const answer = lost.answers.get(id);
  assert.ok(answer === undefined || 'code' in answer || answer.height >= seen, 'a stale read');
});

test('one whose log was lost does not count among the voters that answer when others are to leave', () => {
  const cluster = Cluster.ledBy(0);
  lose(cluster.host(2));
  cluster.host(2).start();
  cluster.run(300);
  const ask = (member: number): unknown => {
    const changes = [{ key: keyOf(member), role: 'removed' as const }];
    const id = cluster.host(0).ask({ kind: 'members', changes, forced: false });
    cluster.run(300);
    return cluster.host(0).answers.get(id);
  };
  assert.equal((ask(1) as { code?: string }).code, 'consensus/quorum-loss');
  assert.ok('height' in (ask(2) as object), 'it may leave itself');
});

const asksFor = (member: Solo): boolean => {
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: genesisOf(3), round: 1 });
  return member.sent('read-request').length > 0;
};

test('an operator who vouches for a lost log ends the guard, at the first start or at a later one, and for good', () => {
  for (const guarded of [0, 1, 2]) {
    const member = new Solo(2, 3);
    member.records.clear();
    for (let start = 0; start < guarded; start++) {
      member.restart();
      member.sync();
      assert.equal(member.engine.status().voting, false);
    }
    member.restart(undefined, undefined, 'vouched');
    assert.equal(member.engine.status().voting, true, `after ${guarded} starts`);
    member.sync();
    assert.ok(!asksFor(member), 'there is nothing to ask for');
    member.restart();
    assert.equal(member.engine.status().voting, true, 'and no order is needed any more');
    assert.equal(member.sync().tick(700).sent('vote-request').length, 1);
  }
});

test('a log that is older than the last use of its key is a lost one: it keeps the records, and gives no vote', () => {
  const member = new Solo(2, 3);
  const entry = entriesOn(genesisHeader(3), [1]);
  member.append(0, 1, entry).sync();
  const backup = new Map(member.records);
  const { incarnation } = member.state;
  member.restart();
  member.sync();
  member.records = new Map(backup);
  member.restart(undefined, undefined, 'lost');
  assert.equal(member.engine.status().voting, false);
  assert.equal(member.state.log.entries.length, 1);
  assert.ok(member.state.incarnation > incarnation + 2 ** 31, 'its contexts were never used before');
  member.sync();
  assert.ok(asksFor(member), 'what was committed before it is trusted again');
  member.restart();
  assert.equal(member.engine.status().voting, false, 'the first write records that');
});

test('whoever vouches for a log does not make old questions new: its contexts were never used before either', () => {
  const member = new Solo(2, 3);
  const { incarnation } = member.state;
  member.restart(undefined, undefined, 'vouched');
  assert.ok(member.state.incarnation > incarnation + 2 ** 31);
});

test('a start that knows of no use of the key elsewhere takes the log as it is', () => {
  const member = new Solo(2, 3);
  member.restart(undefined, undefined, 'lost');
  member.sync();
  assert.equal(isAmnesiac(member.state), true);
  member.restart(undefined, undefined, 'new');
  assert.equal(isAmnesiac(member.state), true);
});

const onNewMachine = (host: Host): void => {
  lose(host);
  host.start(true);
};

/** Three of which the second lacks what the others made final last, on a chain that runs. */
function running(): { cluster: Cluster; last: Hash } {
  const cluster = Cluster.ledBy(0);
  const grow = (blocks: number): Hash => {
    for (let i = 1; ; i++) {
      const last = cluster.submit(`${i}/${blocks}`);
      cluster.until(() => cluster.isFinalAt(cluster.host(0), last), 'final').run(20);
      if (i === blocks) return last;
    }
  };
  grow(limits.raftBeginning + 1);
  cluster.until(() => isLevel(cluster, 1) && isLevel(cluster, 2), 'all level');
  cluster.wire.partition([[0, 2], [1]], 3);
  return { cluster, last: grow(3) };
}

test('a voter that comes back on another machine without its log elects nobody who lacks what it acknowledged', () => {
  const { cluster, last } = running();
  const [first, behind, restored] = [cluster.host(0), cluster.host(1), cluster.host(2)];
  first.crash();
  onNewMachine(restored);
  cluster.wire.partition([[0], [1, 2]], 3);
  cluster.run(10_000);
  assert.equal(behind.leads, false, 'it would put other blocks in the place of final ones');
  assert.equal(restored.engine?.status().voting, false);
  restored.crash();
  restored.start();
  cluster.run(2_000);
  assert.equal(behind.leads || restored.leads, false, 'nor after a restart');
  assert.match(restored.engine?.why() ?? '', /--assume-first-use/);
  first.start();
  cluster.wire.partition([[0, 1, 2]], 3);
  cluster.until(
    () => [first, behind, restored].every((host) => cluster.isFinalAt(host, last)),
    'all have it',
  );
});

test('a new voter that is started late follows, and votes when its operator says that it is new', () => {
  const { cluster } = running();
  const late = cluster.host(2);
  onNewMachine(late);
  cluster.until(() => isLevel(cluster, 2), 'it follows');
  assert.equal(late.engine?.status().voting, false);
  const solo = new Solo(2, 3);
  solo.records.clear();
  solo.restart(undefined, undefined, 'new');
  assert.equal(solo.sync().engine.status().voting, true, 'nothing is known yet');
  solo.receive<'heartbeat'>(heartbeatAt(limits.raftBeginning + 1)).sync();
  assert.equal(solo.engine.status().voting, false);
  solo.restart(undefined, undefined, 'whole');
  assert.equal(solo.sync().engine.status().voting, false, 'the first word of the chain is on disk');
  solo.restart(undefined, undefined, 'vouched');
  assert.equal(solo.sync().engine.status().voting, true);
  assert.equal(solo.records.has('raft/unproven'), false);
});

const heartbeatAt = (height: number) => ({
  kind: 'heartbeat' as const,
  from: 0,
  term: 1,
  commit: { height: toHeight(height), blockHash: genesisOf(3).blockHash },
  round: 1,
});

test('a voter of a chain that begins votes at once, and stays one when it comes to run', () => {
  const solo = new Solo(2, 3);
  solo.records.clear();
  solo.restart(undefined, undefined, 'new');
  solo.sync();
  // Started twice before anybody was there: still new.
  solo.restart(undefined, undefined, 'new');
  solo.sync().receive<'heartbeat'>(heartbeatAt(limits.raftBeginning)).sync();
  assert.equal(solo.engine.status().voting, true);
  solo.append(0, 1, entriesOn(genesisHeader(3), [1])).sync();
  solo.receive<'heartbeat'>(heartbeatAt(1_000));
  assert.equal(solo.engine.status().voting, true, 'it has a part in the chain, and its log');
});

test('one that learns that the chain runs while it asks whether to campaign does not campaign', () => {
  const solo = new Solo(2, 3);
  solo.records.clear();
  solo.restart(undefined, undefined, 'new');
  solo.sync();
  while (solo.state.role.kind === 'follower') solo.tick(50);
  const { term } = solo.state;
  const { commit } = heartbeatAt(limits.raftBeginning + 1);
  solo.hear('vote', 0, term, { pre: true, granted: true, commit });
  assert.deepEqual([solo.state.role.kind, solo.state.term], ['follower', term]);
  assert.deepEqual(solo.sync().sent('vote-request'), []);
});

test('one that only followed so far is not new because of that, when it was a voter before', () => {
  const solo = new Solo(2, 3);
  solo.records.clear();
  solo.restart(undefined, undefined, 'new');
  solo.sync();
  solo.restart(undefined, undefined, 'whole');
  solo.sync().receive<'heartbeat'>(heartbeatAt(limits.raftBeginning + 1));
  assert.equal(solo.engine.status().voting, false);
});

test('nor does one that was added later, whatever it gets from others first', () => {
  const cluster = joined();
  change(cluster, 2, 'removed');
  const [first, behind, restored] = [cluster.host(0), cluster.host(1), cluster.host(3)];
  cluster.until(() => isLevel(cluster, 1) && isLevel(cluster, 3), 'all level');
  cluster.wire.partition([[0, 3], [1]], 4);
  const last = cluster.submit('acknowledged');
  cluster.until(() => cluster.isFinalAt(first, last), 'final without the second').run(20);
  first.crash();
  onNewMachine(restored);
  cluster.wire.partition([[0], [1, 3]], 4);
  cluster.run(10_000);
  assert.equal(behind.leads, false, 'it would put another block in the place of a final one');
  assert.equal(restored.engine?.status().voting, false);
  first.start();
  cluster.wire.partition([[0, 1, 3]], 4);
  cluster.until(
    () => [first, behind, restored].every((host) => cluster.isFinalAt(host, last)),
    'all have it',
  );
});

/** Asks the leader, member 0, to make a voter of this member, and returns what it says. */
function askForVoter(
  cluster: Cluster,
  member: number,
): { readonly code?: string; readonly message?: string } {
  const changes = [{ key: keyOf(member), role: 'voter' as const }];
  const id = cluster.host(0).ask({ kind: 'members', changes, forced: false });
  cluster.run(100);
  return cluster.host(0).answers.get(id) as { readonly code?: string };
}

test('a newcomer is made a voter when it knows that nothing it signed can be missing, and not before', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const newcomer = cluster.host(3);
  newcomer.start();
  const answers = cluster.wire.hold(({ to, message }) => to === 3 && message.kind === 'read-answer');
  change(cluster, 3, 'learner');
  cluster.until(() => isLevel(cluster, 3), 'it has all blocks').run(100);
  assert.match(newcomer.engine?.why() ?? '', /this learner’s log is new, or was lost: a leader must tell it/);
  const refused = askForVoter(cluster, 3);
  assert.equal(refused.code, 'consensus/not-caught-up');
  assert.match(refused.message ?? '', /has not found out yet/);
  answers.forget();
  cluster.run(400);
  assert.ok('height' in askForVoter(cluster, 3));
  assert.equal(newcomer.engine?.status().voting, true);
});

test('that it has the blocks and was heard lately does not tell its leader that it knows', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  cluster.host(3).start();
  cluster.wire.hold(({ from, message }) => from === 3 && message.kind === 'heartbeat-answer');
  change(cluster, 3, 'learner');
  cluster.until(() => isLevel(cluster, 3), 'it has all blocks');
  const refused = askForVoter(cluster, 3);
  assert.equal(refused.code, 'consensus/not-caught-up');
  assert.match(refused.message ?? '', /has answered no heartbeat/);
});

test('one that was forced in before it knew gives no vote, and says what helps: to be removed and added again', () => {
  const cluster = Cluster.ledBy(0, { spares: 1 });
  const newcomer = cluster.host(3);
  const changes = [{ key: keyOf(3), role: 'voter' as const }];
  const id = cluster.host(0).ask({ kind: 'members', changes, forced: true });
  cluster.until(() => cluster.host(0).answers.has(id), 'it is a voter');
  newcomer.start();
  cluster.run(1_000);
  assert.equal(newcomer.engine?.status().voting, false);
  assert.match(newcomer.engine?.why() ?? '', /must be removed and added again.*--assume-first-use/);
  change(cluster, 3, 'removed');
  change(cluster, 3, 'learner');
  cluster.run(100);
  change(cluster, 3, 'voter');
  assert.equal(newcomer.engine?.status().voting, true);
});

test('blocks that sync brings show a voter of the genesis that the chain runs, also past a change of the members', () => {
  const chain = entriesOn(genesisHeader(3), [1], { configuration: withSpare });
  while (chain.length <= limits.raftBeginning)
    chain.push(...entriesOn(defined(chain.at(-1), 'an entry').proposal.header, [1]));
  const solo = new Solo(2, 3);
  solo.records.clear();
  solo.restart(undefined, undefined, 'new');
  solo.sync();
  for (const entry of [chain[0], chain.at(-1)]) {
    const { proposal, signature, configuration } = defined(entry, 'an entry');
    const from = solo.state.delivered;
    const links = chain.slice(from, proposal.header.height).map((each) => ({
      isLast: false,
      ...nameOfEntry(each),
      parentHash: each.proposal.header.parentHash,
    }));
    const { height } = proposal.header;
    solo.give({
      type: 'synced',
      chain: links,
      certificate: {
        engine: 'raft',
        term: proposal.header.view,
        ...nameOfEntry(defined(entry, 'an entry')),
        leader: 0,
        signature,
        configuration,
      } as Verified<FinalityCertificate>,
      header: proposal.header,
    });
    solo.sync().give({ type: 'applied', height }).sync();
    assert.equal(solo.engine.status().voting, height <= limits.raftBeginning);
  }
  assert.equal(solo.records.has('raft/unproven'), false);
});

test('nobody hands over to it: it could not campaign', () => {
  const leader = new Solo(0, 3).lead().make().sync();
  for (const from of [1, 2]) leader.accept(from, 1);
  const { term } = leader.state;
  leader.hear('heartbeat-answer', 1, term, { round: 0, applied: toHeight(1) });
  leader.hear('heartbeat-answer', 2, term, { round: 1 });
  leader.give({ type: 'request', id: 1, request: { kind: 'transfer', to: null } });
  const [told] = leader.all('send').filter(({ message }) => message.kind === 'timeout-now');
  assert.deepEqual(told?.to, [2]);
});
