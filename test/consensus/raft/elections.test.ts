import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import { nextBelow, nextFloat, seedRandom } from '../../../src/base/random.ts';
import type { Vote } from '../../../src/consensus/raft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Cluster } from './cluster.ts';
import { type Body, entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';
import type { Configuration } from '../../../src/ledger/members.ts';

// Small rules of elections and transfers, each of which something depends on.

test('a member with a stalled disk does not even ask whether to campaign, and does when the disk is back', () => {
  const member = new Solo(0, 3);
  member.append(1, 1, entriesOn(genesisHeader(3), [1], { leader: 1 }));
  assert.ok(member.writes.length > 0);
  for (let i = 0; i < 20; i++) assert.deepEqual(member.tick(100).sent('vote-request'), []);
  member.sync().tick(100);
  assert.equal(member.state.role.kind, 'candidate');
});

test('a new leader has contact with those that voted, until they had time to answer', () => {
  const leader = new Solo(0, 3).lead();
  assert.equal(leader.engine.status().quorumContact, true);
  leader.tick(leader.options.electionTimeoutMs - 1);
  assert.equal(leader.engine.status().primary, 0);
  leader.tick(1);
  assert.equal(leader.engine.status().primary, null, 'nobody did');
});

test('vote traffic spreads what is committed: a follower that holds the block commits it', () => {
  const entries = entriesOn(genesisHeader(3), [1, 1], { leader: 1 });
  const [first] = entries;
  assert.ok(first !== undefined);
  const vote: Omit<Vote, 'term'> = { from: 2, pre: true, granted: false, commit: nameOfEntry(first) };
  const candidate = new Solo(0, 3).append(1, 1, entries).sync();
  while (candidate.state.role.kind === 'follower') candidate.tick(50);
  candidate.receive<'vote'>({ kind: 'vote', term: 1, ...vote });
  assert.equal(candidate.state.commit, 1);
  const asked = new Solo(0, 3).append(1, 1, entries).sync();
  asked.hear('vote-request', 2, 1, {
    pre: true,
    lastHeight: toHeight(1),
    lastTerm: first.proposal.header.view,
    commit: nameOfEntry(first),
  });
  assert.equal(asked.state.commit, 1);
  const [answered] = asked.sent('vote');
  assert.deepEqual(answered?.commit, nameOfEntry(first), 'and says so');
});

test('vote traffic spreads what is committed: whoever lacks the block asks for it, unless it leads', () => {
  const entries = entriesOn(genesisHeader(3), [1, 1], { leader: 1 });
  const commit = nameOfEntry(defined(entries[1], 'an entry'));
  const asked = (member: Solo): (readonly [number, readonly number[]])[] =>
    member.all('sync').map(({ height, holders }) => [height, holders] as const);
  const candidate = new Solo(0, 3).append(1, 1, entries.slice(0, 1)).sync();
  while (candidate.state.role.kind === 'follower') candidate.tick(50);
  candidate.hear('vote', 2, 1, { pre: true, granted: false, commit });
  assert.deepEqual(asked(candidate), [[2, [2]]]);
  const follower = new Solo(0, 3).hear('vote-request', 2, 1, { pre: true, commit });
  assert.deepEqual(asked(follower), [[2, [2]]]);
  const leader = new Solo(0, 3).lead();
  leader.hear('vote', 2, leader.state.term, { commit });
  assert.deepEqual(asked(leader), []);
});

test('a member of a higher term answers the heartbeat of an old leader, and so deposes it', () => {
  const member = new Solo(1, 3);
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 2, term: 5, commit: genesisOf(3), round: 1 });
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 4, commit: genesisOf(3), round: 9 });
  assert.deepEqual(
    member.sent('heartbeat-answer').map(({ term, round }) => [term, round]),
    [[5, 0]],
  );
  assert.equal(member.engine.status().primary, 2);
});

test('what waits for the disk in the name of an older term is not said any more', () => {
  const member = new Solo(1, 3);
  for (const [from, term] of [
    [0, 3],
    [2, 4],
  ] as const) {
    member.hear('vote-request', from, term, { commit: genesisOf(3) });
  }
  assert.deepEqual(
    member
      .sync()
      .sent('vote')
      .map(({ term, granted }) => [term, granted]),
    [[4, true]],
  );
});

test('a transferee is told to campaign when it has everything, and not before', () => {
  const cluster = Cluster.ledBy(0);
  const hold = cluster.wire.hold(({ to, message }) => to === 2 && message.kind === 'append');
  const transaction = cluster.submit('x');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'final without the transferee');
  cluster.host(0).ask({ kind: 'transfer', to: 2 });
  cluster.run(100);
  assert.ok(!cluster.wire.sent.some(({ message }) => message.kind === 'timeout-now'));
  hold.release();
  cluster.until(() => cluster.leader?.index === 2, 'the transfer', 400);
});

test('with any links gone there is one stable leader as long as some member is linked to a majority', () => {
  let tried = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = seedRandom(seed);
    const members = 3 + 2 * nextBelow(random, 2);
    const cluster = Cluster.ledBy(nextBelow(random, members), { members, seed });
    const links = Array.from({ length: members }, () => members);
    for (let a = 0; a < members; a++) {
      for (let b = a + 1; b < members; b++) {
        if (nextFloat(random) < 0.55) continue;
        // Also links that work in one direction only.
        if (nextFloat(random) < 0.2) cluster.wire.cuts.add(`${a}>${b}`);
        else cluster.wire.cut(a, b);
        for (const end of [a, b]) links[end] = (links[end] ?? 0) - 1;
      }
    }
    if (!links.some((count) => count > members / 2)) continue;
    tried += 1;
    cluster.run(10_000);
    const term = (): number => Math.max(...cluster.hosts.map(({ state }) => state.term));
    const before = term();
    const transaction = cluster.submit(`${seed}`);
    cluster.run(3_000);
    const cuts = [...cluster.wire.cuts].join(' ');
    assert.ok(
      cluster.hosts.some((host) => cluster.isFinalAt(host, transaction)),
      `${seed}: ${cuts}: ${cluster.describe()}`,
    );
    assert.equal(term(), before, `${seed}: ${cuts}`);
  }
  assert.ok(tried > 40);
});

function voteRequest(
  from: number,
  term: number,
  more: Partial<Body<'vote-request'>> = {},
): Body<'vote-request'> {
  return {
    kind: 'vote-request',
    from,
    term,
    pre: false,
    transfer: false,
    lastHeight: toHeight(0),
    lastTerm: toView(0),
    commit: genesisOf(3),
    ...more,
  };
}

test('a leader does not help to replace itself: who asks with a higher term is not heard, unless it was told to', () => {
  const leader = new Solo(0, 3).lead();
  const { term } = leader.state;
  leader.receive<'vote-request'>(voteRequest(2, term, { pre: true }));
  assert.deepEqual(
    leader.sent('vote').map(({ granted }) => granted),
    [false],
  );
  leader.receive<'vote-request'>(voteRequest(2, term + 7));
  assert.deepEqual([leader.state.role.kind, leader.state.term], ['leader', term]);
  leader.receive<'vote-request'>(voteRequest(2, term + 7, { transfer: true }));
  assert.deepEqual([leader.state.role.kind, leader.state.term], ['follower', term + 7]);
});

test('the answer to a pre-vote is in the term of who asked, or it would not count there', () => {
  const member = new Solo(0, 3);
  member.receive<'vote-request'>(voteRequest(2, 7, { pre: true }));
  assert.deepEqual(
    member.sent('vote').map(({ term, granted }) => [term, granted]),
    [[7, true]],
  );
  assert.equal(member.state.term, 0);
  const asker = new Solo(2, 3);
  asker.receive<'heartbeat'>({ kind: 'heartbeat', from: 1, term: 7, commit: genesisOf(3), round: 1 }).sync();
  while (asker.state.role.kind === 'follower') asker.tick(50);
  asker.receive<'vote'>({ kind: 'vote', from: 0, term: 7, pre: true, granted: true, commit: genesisOf(3) });
  assert.equal(asker.state.term, 8, 'it campaigns');
});

test('a node that is no member says nothing when it is asked for a vote', () => {
  const observer = new Solo(5, 3);
  for (const pre of [true, false]) {
    observer.receive<'vote-request'>(voteRequest(2, 1, { pre }));
    assert.deepEqual([...observer.all('send'), ...observer.sync().all('send')], []);
  }
});

test('a candidate that a majority refuses waits as a follower for somebody else to try', () => {
  for (const pre of [true, false]) {
    const member = new Solo(0, 3);
    while (member.state.role.kind === 'follower') member.tick(50);
    const vote = (from: number, granted: boolean): Solo =>
      member.hear('vote', from, member.state.term, {
        pre: member.state.role.kind === 'candidate' && member.state.role.pre,
        granted,
        commit: genesisOf(3),
      });
    if (!pre) vote(1, true).sync();
    vote(1, false);
    assert.equal(member.state.role.kind, 'candidate', 'one of three refuses');
    vote(2, false);
    assert.equal(member.state.role.kind, 'follower');
  }
});

test('who gave its vote waits anew before it campaigns itself (figure 2, rules for followers)', () => {
  const member = new Solo(0, 3).tick(299);
  member.receive<'vote-request'>(voteRequest(1, 1)).sync().tick(299);
  assert.equal(member.state.role.kind, 'follower');
});

test('the own vote counts when the write of its very term is on disk, and not when that of an earlier campaign is', () => {
  const member = new Solo(0, 5);
  while (member.state.role.kind === 'follower') member.tick(50);
  for (const from of [1, 2]) {
    member.receive<'vote'>({ kind: 'vote', from, term: 0, pre: true, granted: true, commit: genesisOf(5) });
  }
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 1, term: 2, commit: genesisOf(5), round: 1 });
  member.receive<'timeout-now'>({ kind: 'timeout-now', from: 1, term: 2 });
  assert.equal(member.state.term, 3);
  const votes = (): number => (member.state.role.kind === 'candidate' ? member.state.role.votes.size : -1);
  const [ofTerm1, ...later] = member.writes.splice(0);
  assert.ok(ofTerm1 !== undefined);
  member.confirm(ofTerm1);
  assert.equal(votes(), 0);
  for (const write of later) member.confirm(write);
  assert.equal(votes(), 1);
});

test('who must not campaign does not when it is told to either; nor does anybody by an old word of that', () => {
  const timeoutNow = (member: Solo, term: number): string =>
    member.receive<'timeout-now'>({ kind: 'timeout-now', from: 1, term }).state.role.kind;
  const follow = (member: Solo, term: number): Solo =>
    member.receive<'heartbeat'>({ kind: 'heartbeat', from: 1, term, commit: genesisOf(3), round: 1 }).sync();
  assert.equal(timeoutNow(follow(new Solo(0, 3), 2), 2), 'candidate', 'as it should');
  assert.equal(timeoutNow(follow(new Solo(0, 3), 2), 1), 'follower', 'late');
  const lost = new Solo(0, 3);
  lost.records.clear();
  lost.restart();
  assert.equal(timeoutNow(follow(lost, 2), 2), 'follower', 'its log was lost');
  const stalled = follow(new Solo(0, 3), 2);
  stalled.append(1, 2, entriesOn(genesisHeader(3), [2], { leader: 1 })).tick(300);
  assert.equal(timeoutNow(stalled, 2), 'follower', 'its disk stalls');
  const leader = new Solo(0, 3).lead();
  assert.equal(timeoutNow(leader, leader.state.term), 'leader');
});

test('an answer that waits for the disk is not replaced by one to somebody else, nor by one of another kind', () => {
  const member = new Solo(0, 4);
  const commit = genesisOf(4);
  member.receive<'vote-request'>(voteRequest(1, 1, { commit }));
  member.receive<'vote-request'>(voteRequest(2, 1, { commit }));
  member.hear('append', 1, 1, { previous: commit });
  const said = member
    .sync()
    .all('send')
    .map(({ to, message }) => [to, message.kind]);
  assert.deepEqual(said, [
    [[1], 'vote'],
    [[2], 'vote'],
    [[1], 'accepted'],
  ]);
});

test('a candidate that learns that it was removed ends its campaign', () => {
  const without = (role: 'leaving' | 'removed'): Configuration =>
    [0, 1, 2].map((index) => ({ key: keyOf(index), role: index === 0 ? role : 'voter' }));
  const first = entriesOn(genesisHeader(3), [1], { leader: 1, configuration: without('leaving') });
  const header = defined(first[0], 'an entry').proposal.header;
  const second = entriesOn(header, [1], { leader: 1, configuration: without('removed') });
  const member = new Solo(0, 3).append(1, 1, first, 1).sync();
  member.give({ type: 'applied', height: toHeight(1) }).sync();
  member.append(1, 1, second, 1).sync();
  while (member.state.role.kind === 'follower') member.tick(50);
  member.hear('vote', 2, 1, { pre: true, commit: nameOfEntry(defined(second[0], 'an entry')) });
  assert.equal(member.state.role.kind, 'candidate');
  member.give({ type: 'applied', height: toHeight(2) });
  assert.equal(member.state.role.kind, 'follower');
});

test('a member hears nobody whose index is nobody’s, nor itself, nor what is for another member', () => {
  const member = new Solo(1, 3);
  const entries = entriesOn(genesisHeader(3), [1]);
  const append = { kind: 'append', term: 1, previous: genesisOf(3), entries, commit: toHeight(0) } as const;
  for (const [from, to] of [
    [3, 1],
    [1, 1],
    [0, 2],
  ] as const) {
    member.receive<'append'>({ ...append, from, to });
    assert.deepEqual([member.state.term, member.effects], [0, []]);
  }
  member.hear('snapshot-offer', 0, 1, {
    to: 2,
    snapshot: nameOfEntry(defined(entries[0], 'an entry')),
    configuration: new Uint8Array(),
  });
  assert.deepEqual([member.state.term, member.effects], [0, []]);
});

test('a vote that is asked for once more is not given sooner: it is on disk first', () => {
  const member = new Solo(0, 3);
  assert.deepEqual(member.receive<'vote-request'>(voteRequest(1, 1)).sent('vote'), []);
  assert.deepEqual(member.receive<'vote-request'>(voteRequest(1, 1)).sent('vote'), []);
  assert.deepEqual(
    member
      .sync()
      .sent('vote')
      .map(({ granted }) => granted),
    [true],
  );
  assert.equal(member.receive<'vote-request'>(voteRequest(1, 1)).sent('vote')[0]?.granted, true);
});

test('why says of a leader that is silent, when this member is ready no more, that an election comes', () => {
  const member = new Solo(1, 3);
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: genesisOf(3), round: 1 }).sync();
  member.tick(member.options.electionTimeoutMs - 1);
  assert.match(member.engine.why(), /nothing waits; member 0 leads, heard \d+ ms ago/);
  assert.equal(member.engine.status().quorumContact, true);
  member.tick(1);
  assert.match(member.engine.why(), /member 0 leads, and is silent for \d+ ms; an election comes unless/);
  assert.equal(member.engine.status().quorumContact, false);
});

test('a leader names the members that it hears nothing of as members', () => {
  const leader = new Solo(0, 5).lead();
  leader.tick(leader.options.electionTimeoutMs - 1);
  const answer = {
    kind: 'heartbeat-answer',
    term: 1,
    round: 1,
    received: toHeight(0),
    applied: toHeight(0),
  } as const;
  for (const from of [1, 2]) leader.receive<'heartbeat-answer'>({ ...answer, from });
  leader.tick(1);
  assert.match(leader.engine.why(), /; member 3 silent for \d+ s, member 4 silent for \d+ s$/);
});

test('who asks for votes names the members that do not answer', () => {
  const member = new Solo(0, 5);
  member.tick(3 * member.options.electionTimeoutMs);
  assert.match(
    member.engine.why(),
    /asked whether to campaign, 1 in favour, not a majority; no answer of member 1, 2, 3, 4$/,
  );
});
