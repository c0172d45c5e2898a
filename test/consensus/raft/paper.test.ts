import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHeight } from '../../../src/ledger/block.ts';
import type { MemberChange } from '../../../src/consensus/engine.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import type { RaftMessage, Term, WireEntry } from '../../../src/consensus/raft/message.ts';
import { Cluster } from './cluster.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';

// One test per claim of "In Search of an Understandable Consensus Algorithm (Extended Version)", Ongaro and Ousterhout, 2014.
// Where we differ the title says so. Sections marked "dissertation" are of Ongaro's "Consensus: Bridging Theory and Practice".

const heartbeat = (from: number, term: number, members = 3): Extract<RaftMessage, { kind: 'heartbeat' }> => ({
  kind: 'heartbeat',
  from,
  term: term as Term,
  commit: genesisOf(members),
  round: 1,
});
const voteRequest = (
  from: number,
  term: number,
  more: { lastTerm?: number; lastHeight?: number; members?: number; pre?: boolean } = {},
): Extract<RaftMessage, { kind: 'vote-request' }> => ({
  kind: 'vote-request',
  from,
  term: term as Term,
  pre: more.pre ?? false,
  transfer: false,
  lastHeight: toHeight(more.lastHeight ?? 0),
  lastTerm: (more.lastTerm ?? 0) as Term,
  commit: genesisOf(more.members ?? 3),
});
const at = (entries: readonly WireEntry[], index: number): WireEntry => {
  const entry = entries[index];
  assert.ok(entry !== undefined);
  return entry;
};
/** Puts a candidate into its real campaign (its own vote on disk). */
function campaigning(members = 3): Solo {
  const member = new Solo(0, members);
  while (member.state.role.kind === 'follower') member.tick(50);
  for (let from = 1; from < members; from++) {
    member.hear('vote', from, member.state.term, { pre: true, commit: genesisOf(members) });
  }
  return member;
}

describe('5.1 Raft basics', () => {
  test('"If one server’s current term is smaller than the other’s, then it updates its current term to the larger value."', () => {
    const member = new Solo(0, 3);
    member.receive<'heartbeat'>(heartbeat(1, 4));
    assert.equal(member.state.term, 4);
  });

  test('"If a candidate or leader discovers that its term is out of date, it immediately reverts to follower state."', () => {
    const candidate = campaigning();
    candidate.receive<'heartbeat'>(heartbeat(1, 9));
    assert.equal(candidate.state.role.kind, 'follower');
    const leader = new Solo(0, 3).lead();
    leader.hear('heartbeat-answer', 1, 9, { round: 1 });
    assert.equal(leader.state.role.kind, 'follower');
    assert.equal(leader.state.term, 9);
  });

  test('"If a server receives a request with a stale term number, it rejects the request", and says the newer term', () => {
    const member = new Solo(0, 3);
    member.receive<'heartbeat'>(heartbeat(1, 4));
    member.append(2, 3, entriesOn(genesisHeader(3), [3]));
    assert.equal(member.all('validate').length, 0);
    member.hear('append', 2, 3, { previous: genesisOf(3) });
    assert.deepEqual(
      member.sent('rejected').map(({ term }) => term),
      [4],
    );
    member.receive<'vote-request'>(voteRequest(2, 3));
    assert.deepEqual(
      member.sent('vote').map(({ granted, term }) => [granted, term]),
      [[false, 4]],
    );
  });

  test('a term is on disk before any message of the own vote or log in it', () => {
    const member = campaigning();
    assert.equal(member.sent('vote-request').length, 0);
    member.sync();
    assert.ok(member.sent('vote-request').length > 0);
    member.restart();
    assert.equal(member.state.term, 1);
    assert.equal(member.state.votedFor, 0);
  });
});

describe('5.2 Leader election', () => {
  test('"When servers start up, they begin as followers."', () => {
    assert.equal(new Solo(0, 3).state.role.kind, 'follower');
  });

  test('"A server remains in follower state as long as it receives valid RPCs from a leader or candidate."', () => {
    const member = new Solo(0, 3);
    for (let i = 0; i < 100; i++) {
      member.receive<'heartbeat'>({ ...heartbeat(1, 1), round: i });
      member.tick(100);
      assert.equal(member.state.role.kind, 'follower');
    }
  });

  test('"Leaders send periodic heartbeats … to all followers in order to maintain their authority", the first as soon as they are elected', () => {
    const leader = new Solo(0, 5).lead();
    const beats = (): unknown[] =>
      leader.all('send').flatMap(({ to, message }) => (message.kind === 'heartbeat' ? [to] : []));
    assert.deepEqual(beats(), []);
    leader.tick(0);
    assert.deepEqual(beats(), [[1, 2, 3, 4]]);
    leader.tick(49);
    assert.deepEqual(beats(), []);
    leader.tick(1);
    assert.deepEqual(beats(), [[1, 2, 3, 4]]);
  });

  test('"election timeouts are chosen randomly from a fixed interval": between one and two timeouts, spread out', () => {
    const waits = Array.from({ length: 200 }, (_, seed) => {
      const member = new Solo(0, 3, { seed });
      while (member.state.role.kind === 'follower') member.tick(10);
      return member.now;
    });
    assert.ok(Math.min(...waits) >= 300 && Math.max(...waits) <= 610);
    assert.ok(new Set(waits).size > 20, 'many different ones');
  });

  test('"To begin an election, a follower increments its current term and transitions to candidate state. It then votes for itself and issues RequestVote RPCs in parallel"; we ask by pre-vote first (dissertation, 9.6)', () => {
    const member = new Solo(0, 5);
    while (member.state.role.kind === 'follower') member.tick(50);
    assert.equal(member.state.term, 0, 'a pre-vote changes no term');
    assert.deepEqual(
      member.all('send').flatMap(({ to }) => (to === 'all' ? [] : to)),
      [1, 2, 3, 4],
    );
    for (const from of [1, 2]) {
      member.receive<'vote'>({ kind: 'vote', from, term: 0, pre: true, granted: true, commit: genesisOf(5) });
    }
    assert.equal(member.state.term, 1);
    assert.equal(member.state.votedFor, 0);
    member.sync();
    assert.deepEqual(
      member.all('send').flatMap(({ to }) => (to === 'all' ? [] : to)),
      [1, 2, 3, 4],
    );
  });

  test('"A candidate wins an election if it receives votes from a majority of the servers in the full cluster for the same term."', () => {
    for (const [members, needed] of [
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 2],
      [5, 2],
      [6, 3],
      [7, 3],
    ] as const) {
      const member = campaigning(members);
      member.sync();
      for (let from = 1; from <= needed; from++) {
        assert.notEqual(
          member.state.role.kind,
          'leader',
          `${from - 1} votes of others are not enough for ${members}`,
        );
        member.hear('vote', from, member.state.term, { commit: genesisOf(members) });
      }
      assert.equal(member.state.role.kind, 'leader', `${needed} votes of others are enough for ${members}`);
    }
  });

  test('votes of another term, and a vote counted twice, win nothing', () => {
    const member = campaigning(5);
    member.sync();
    for (const [from, term] of [
      [1, 1],
      [1, 1],
      [2, 0],
      [3, 0],
    ] as const) {
      member.receive<'vote'>({ kind: 'vote', from, term, pre: false, granted: true, commit: genesisOf(5) });
    }
    assert.equal(member.state.role.kind, 'candidate');
  });

  test('"Each server will vote for at most one candidate in a given term, on a first-come-first-served basis"', () => {
    const member = new Solo(0, 3);
    member.receive<'vote-request'>(voteRequest(1, 1)).sync();
    assert.deepEqual(
      member.sent('vote').map(({ granted }) => granted),
      [true],
    );
    member.receive<'vote-request'>(voteRequest(2, 1));
    assert.deepEqual(
      member.sent('vote').map(({ granted }) => granted),
      [false],
    );
  });

  test('"If the leader’s term … is at least as large as the candidate’s current term, then the candidate recognizes the leader as legitimate and returns to follower state."', () => {
    const member = campaigning().sync();
    member.receive<'heartbeat'>(heartbeat(2, member.state.term));
    assert.equal(member.state.role.kind, 'follower');
    assert.equal(member.engine.status().primary, 2);
  });

  test('"If the term in the RPC is smaller than the candidate’s current term, then the candidate rejects the RPC and continues in candidate state."', () => {
    const member = campaigning().sync();
    member.receive<'heartbeat'>(heartbeat(2, 0));
    assert.equal(member.state.role.kind, 'candidate');
  });

  test('"each candidate will time out and start a new election by incrementing its term"', () => {
    const cluster = new Cluster({ members: 4 });
    for (const host of cluster.hosts) host.start();
    cluster.wire.cut(0, 3);
    cluster.wire.cut(1, 2);
    for (const index of [0, 1]) cluster.host(index).state.electionTimer.dueAt = 0;
    cluster.run(100);
    assert.equal(cluster.leaders.size, 0, 'a split vote: two and two');
    assert.equal(cluster.host(0).state.term, 1);
    cluster.wire.heal();
    cluster.until(() => cluster.leader !== undefined, 'a leader of a later term');
    assert.ok(cluster.leader !== undefined && cluster.leader.state.term > 1);
  });
});

describe('5.3 Log replication', () => {
  test('"The leader appends the command to its log as a new entry, then issues AppendEntries RPCs in parallel to each of the other servers"', () => {
    const leader = new Solo(0, 3).lead();
    leader.receive<'accepted'>({ kind: 'accepted', from: 1, term: leader.state.term, block: genesisOf(3) });
    leader.receive<'accepted'>({ kind: 'accepted', from: 2, term: leader.state.term, block: genesisOf(3) });
    leader.effects = [
      {
        type: 'build',
        parentHash: genesisOf(3).blockHash,
        height: toHeight(1),
        view: leader.state.term,
        allowEmpty: true,
      },
    ];
    leader.make();
    assert.deepEqual(
      leader.all('send').flatMap(({ to }) => (to === 'all' ? [] : to)),
      [1, 2],
    );
    assert.equal(leader.writes.length, 1, 'while its own disk writes');
  });

  test('"A log entry is committed once the leader … has replicated it on a majority of the servers. This also commits all preceding entries"', () => {
    const leader = new Solo(0, 3);
    leader.append(1, 1, entriesOn(genesisHeader(3), [1, 1], { leader: 1 })).sync();
    leader.lead().make().sync();
    assert.equal(leader.state.commit, 0);
    leader.accept(2, 3);
    assert.equal(leader.state.commit, 3);
    assert.deepEqual(
      leader.all('commit').map(({ link }) => link.height),
      [1, 2, 3],
      'in log order, once each',
    );
  });

  test('"The leader keeps track of the highest index it knows to be committed, and it includes that index in future AppendEntries RPCs"', () => {
    const leader = new Solo(0, 3).lead().make().sync();
    leader.accept(1, 1);
    assert.equal(leader.sent('heartbeat').at(-1)?.commit.height, 1, 'and tells it at once');
  });

  test('"Once a follower learns that a log entry is committed, it applies the entry to its local state machine (in log order)."', () => {
    const follower = new Solo(1, 3);
    const entries = entriesOn(genesisHeader(3), [1, 1, 1]);
    follower.append(0, 1, entries).sync();
    assert.equal(follower.state.commit, 0);
    follower.receive<'heartbeat'>({ ...heartbeat(0, 1), commit: nameOfEntry(at(entries, 1)) });
    assert.deepEqual(
      follower.all('commit').map(({ link }) => link.height),
      [1, 2],
    );
  });

  test('"When a leader first comes to power, it initializes all nextIndex values to the index just after the last one in its log"', () => {
    const leader = new Solo(0, 3);
    leader.append(1, 1, entriesOn(genesisHeader(3), [1, 1, 1], { leader: 1 })).sync();
    leader.lead();
    assert.deepEqual(
      leader.sent('append').map(({ previous, entries }) => [previous.height, entries.length]),
      [
        [3, 0],
        [3, 0],
      ],
    );
  });

  test('"If the follower does not find an entry in its log with the same index and term, then it refuses the new entries."', () => {
    const follower = new Solo(1, 3);
    const entries = entriesOn(genesisHeader(3), [1, 1, 1]);
    follower.hear('append', 0, 1, { previous: nameOfEntry(at(entries, 1)), entries: entries.slice(2) });
    assert.deepEqual(
      follower.sent('rejected').map(({ previous, next }) => [previous, next]),
      [[2, 1]],
    );
    assert.equal(follower.all('validate').length, 0);
  });

  test('"conflicting entries in follower logs will be overwritten with entries from the leader’s log", in one write with the truncation', () => {
    const follower = new Solo(1, 3);
    follower.append(0, 1, entriesOn(genesisHeader(3), [1, 1, 1])).sync();
    const later = entriesOn(genesisHeader(3), [2], { leader: 2 });
    follower.append(2, 2, later);
    const write = follower.writes.at(-1);
    assert.deepEqual(
      write?.records.map(({ key, value }) => [key.slice(-2), value === null]),
      [
        ['te', false],
        ['02', true],
        ['03', true],
        ['01', false],
      ],
    );
    assert.equal(write?.forget?.length, 3);
    assert.deepEqual(
      follower.state.log.entries.map(({ header }) => header.view),
      [2],
    );
  });

  test('an append that says less than the log holds cuts nothing (5.3: only a conflict deletes)', () => {
    const follower = new Solo(1, 3);
    const entries = entriesOn(genesisHeader(3), [1, 1, 1]);
    follower.append(0, 1, entries).sync();
    follower.append(0, 1, entries.slice(0, 1)).sync();
    assert.equal(follower.state.log.entries.length, 3);
  });

  test('"the follower can include the term of the conflicting entry and the first index it stores for that term": one round trip for each conflicting term', () => {
    const follower = new Solo(1, 3);
    const own = entriesOn(genesisHeader(3), [1, 2, 2, 2]);
    follower.append(0, 2, own).sync();
    const other = entriesOn(genesisHeader(3), [1, 3, 3, 3], { leader: 2 });
    follower.hear('append', 2, 3, { previous: nameOfEntry(at(other, 3)) });
    assert.deepEqual(
      follower.sent('rejected').map(({ conflictTerm, next }) => [conflictTerm, next]),
      [[2, 2]],
    );
  });

  test('"A leader never overwrites or deletes entries in its log" (Leader Append-Only, figure 3)', () => {
    const leader = new Solo(0, 3).lead().make().sync();
    const foreign = entriesOn(genesisHeader(3), [leader.state.term], { leader: 1, text: 'foreign' });
    leader.hear('append', 1, leader.state.term, { previous: genesisOf(3), entries: foreign });
    assert.equal(leader.state.log.entries[0]?.leader, 0);
    assert.equal(leader.all('verdict').length, 1, 'a second leader of the term cannot be, and is told off');
  });

  test('"If followers crash or run slowly, or if network packets are lost, the leader retries AppendEntries RPCs indefinitely"', () => {
    const cluster = Cluster.ledBy(0);
    cluster.host(2).crash();
    const hashes = Array.from({ length: 20 }, (_, index) => cluster.submit(`while away ${index}`));
    cluster.run(20_000);
    cluster.wire.loss = 0.3;
    cluster.host(2).start();
    cluster.until(() => hashes.every((hash) => cluster.isFinalAt(cluster.host(2), hash)), 'everything');
  });

  test('Log Matching (figure 3): here the hash chain itself, so equal names at one height are equal logs below', () => {
    const cluster = Cluster.ledBy(0);
    for (let i = 0; i < 10; i++) cluster.submit(`${i}`);
    cluster.until(() => cluster.settled() && cluster.host(0).state.applied > 3, 'all');
    const [a, b] = [cluster.host(0), cluster.host(1)];
    assert.equal(a.disk.final.hash, b.disk.final.hash);
    for (const [height, { blockHash }] of a.disk.blocks)
      assert.equal(b.disk.blocks.get(height)?.blockHash, blockHash);
  });

  test('a follower acknowledges what is on its disk, and nothing before (figure 2: "before responding to RPCs")', () => {
    const follower = new Solo(1, 3);
    const entries = entriesOn(genesisHeader(3), [1, 1]);
    follower.append(0, 1, entries);
    assert.deepEqual(follower.sent('accepted'), []);
    follower.hear('append', 0, 1, { previous: nameOfEntry(at(entries, 1)) });
    assert.deepEqual(
      follower.sent('accepted').filter(({ block }) => block.height > 0),
      [],
      'nor when it is asked again',
    );
    follower.sync();
    assert.equal(follower.sent('accepted').at(-1)?.block.height, 2);
  });
});

describe('5.4 Safety', () => {
  test('5.4.1 "the voter denies its vote if its own log is more up-to-date than that of the candidate"', () => {
    const cases: [own: number[], candidate: [term: number, height: number], granted: boolean][] = [
      [[1, 1], [1, 2], true],
      [[1, 1], [1, 3], true],
      [[1, 1], [1, 1], false],
      [[1, 1], [2, 1], true],
      [[1, 2], [1, 9], false],
      [[1, 2], [2, 2], true],
      [[1, 2], [2, 1], false],
      [[], [0, 0], true],
    ];
    for (const [own, [lastTerm, lastHeight], granted] of cases) {
      for (const pre of [false, true]) {
        const member = new Solo(0, 3);
        if (own.length > 0) member.append(1, 2, entriesOn(genesisHeader(3), own, { leader: 1 })).sync();
        member.tick(1_000).sync();
        member.receive<'vote-request'>(voteRequest(2, 9, { lastTerm, lastHeight, pre }));
        const votes = [...member.sent('vote'), ...member.sync().sent('vote')].filter(
          (vote) => vote.pre === pre,
        );
        assert.deepEqual(
          votes.map((vote) => vote.granted),
          [granted],
          `${own.join()} against term ${lastTerm}, height ${lastHeight}`,
        );
      }
    }
  });

  test('5.4.2 "Raft never commits log entries from previous terms by counting replicas" (figure 8; also a transcript)', () => {
    const leader = new Solo(0, 3);
    leader.append(1, 1, entriesOn(genesisHeader(3), [1], { leader: 1 })).sync();
    leader.lead();
    leader.accept(2, 1);
    assert.equal(leader.state.commit, 0, 'block 1 is on a majority, and of term 1');
    leader.effects = [
      {
        type: 'build',
        parentHash: nameOfEntry(at(entriesOn(genesisHeader(3), [1], { leader: 1 }), 0)).blockHash,
        height: toHeight(2),
        view: leader.state.term,
        allowEmpty: true,
      },
    ];
    leader.make().sync();
    leader.accept(2, 2);
    assert.equal(leader.state.commit, 2, 'by a block of its own term both are');
  });

  test('5.4.3 Leader Completeness, State Machine Safety, Election Safety: checked after every step of every cluster test, and of the random schedules', () => {
    const cluster = Cluster.ledBy(0);
    cluster.leaders.set(cluster.host(1).state.term, 1);
    assert.throws(() => cluster.run(100), /two leaders of term/, 'the check itself would find it');
  });
});

describe('5.5 Follower and candidate crashes', () => {
  test('"Raft RPCs are idempotent": an append "that includes log entries already present" is answered as before, and takes nothing back', () => {
    const follower = new Solo(1, 3);
    const entries = entriesOn(genesisHeader(3), [1, 1, 1]);
    follower.append(0, 1, entries).sync();
    const sayAgain = (...message: WireEntry[]): number[] => {
      const first = at(message, 0).proposal.header;
      follower.hear('append', 0, 1, {
        previous: { height: toHeight(first.height - 1), blockHash: first.parentHash },
        entries: message,
      });
      assert.deepEqual([follower.all('persist'), follower.all('validate')], [[], []]);
      return follower.sent('accepted').map(({ block }) => block.height);
    };
    assert.deepEqual(sayAgain(...entries), [3]);
    assert.deepEqual(sayAgain(at(entries, 0)), [3], 'a late one too');
    assert.deepEqual(sayAgain(at(entries, 1)), [3]);
  });

  test('a vote request that comes twice is answered twice, and is one vote', () => {
    const member = new Solo(0, 3);
    for (let i = 0; i < 2; i++) {
      member.receive<'vote-request'>(voteRequest(1, 1));
      assert.deepEqual(
        [...member.sent('vote'), ...member.sync().sent('vote')].map(({ granted }) => granted),
        [true],
      );
    }
  });

  test('"If a follower or candidate crashes, then future … RPCs sent to it will fail. Raft handles these failures by retrying": also an acknowledgement that got lost', () => {
    const cluster = Cluster.ledBy(0);
    const lost = cluster.wire.hold(({ from, message }) => from === 2 && message.kind === 'accepted');
    const transaction = cluster.submit('x');
    cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'final').run(20);
    cluster.host(2).crash();
    lost.forget();
    cluster.host(2).start();
    const matched = (): boolean => {
      const { role, log } = cluster.host(0).state;
      return role.kind === 'leader' && role.progress.get(2)?.match === lastHeight(log);
    };
    cluster.until(matched, 'the leader knows what it has', 1_000);
  });
});

describe('5.6 Timing and availability', () => {
  test('"Raft will be able to elect and maintain a steady leader as long as … broadcastTime ≪ electionTimeout"', () => {
    const cluster = Cluster.started({ members: 5 });
    cluster.wire.latencyMs = { min: 1, max: 15 };
    cluster.until(() => cluster.leader !== undefined, 'a leader').run(500);
    const { term } = cluster.leader?.state ?? {};
    cluster.run(20_000);
    assert.equal(cluster.leader?.state.term, term);
  });

  test('safety "must not depend on timing": with messages slower than timeouts nothing that was final changes', () => {
    const cluster = Cluster.ledBy(0);
    const before = cluster.submit('before');
    cluster.until(() => cluster.isFinalAt(cluster.host(0), before), 'final');
    cluster.wire.latencyMs = { min: 200, max: 2_000 };
    cluster.submit('meanwhile');
    cluster.run(20_000);
    cluster.wire.latencyMs = { min: 1, max: 5 };
    const after = cluster.submit('after');
    cluster.until(() => cluster.hosts.every((host) => cluster.isFinalAt(host, after)), 'and it goes on');
    assert.ok(cluster.hosts.every((host) => cluster.isFinalAt(host, before)));
  });
});

describe('6 Cluster membership changes', () => {
  test('"a server disregards RequestVote RPCs received within the minimum election timeout of hearing from a current leader"', () => {
    const member = new Solo(0, 3);
    member.receive<'heartbeat'>(heartbeat(1, 1)).sync();
    member.receive<'vote-request'>(voteRequest(2, 9));
    assert.equal(member.state.term, 1, 'it does not even take the term');
    member.tick(299);
    member.receive<'vote-request'>(voteRequest(2, 9));
    assert.equal(member.state.term, 1);
    member.tick(2);
    member.receive<'vote-request'>(voteRequest(2, 9)).sync();
    assert.deepEqual(
      member.sent('vote').map(({ granted }) => granted),
      [true],
    );
  });

  test('"Agreement (for elections and entry commitment) requires separate majorities from both the old and new configurations."', () => {
    const cluster = Cluster.ledBy(0, { spares: 3 });
    for (const index of [3, 4, 5]) cluster.host(index).start();
    const ask = (role: 'learner' | 'voter', indexes: readonly number[]): void => {
      cluster.host(0).ask({
        kind: 'members',
        changes: indexes.map((index) => ({ key: keyOf(index), role })),
        forced: true,
      });
    };
    ask('learner', [3, 4, 5]);
    cluster.run(200);
    // Six voters: old majority 2 of 3, new majority 4 of 6. With the newcomers down, the old majority alone gets through the first step only.
    for (const index of [3, 4, 5]) cluster.host(index).crash();
    ask('voter', [3, 4, 5]);
    cluster.run(150);
    const joint = cluster.host(0).state.configuration.filter(({ role }) => role === 'joining');
    assert.equal(joint.length, 3, 'the joint configuration was committed under the old one');
    const { commit } = cluster.host(0).state;
    cluster.run(100);
    assert.equal(cluster.host(0).state.commit, commit, 'and ends only with a majority of the new');
    cluster.host(3).start();
    cluster.until(() => cluster.leader?.state.configuration[3]?.role === 'voter', 'four of six');
  });

  test('"Log entries are replicated to all servers in both configurations", and "any server from either configuration may serve as leader"', () => {
    const cluster = Cluster.ledBy(0, { spares: 2 });
    for (const index of [3, 4]) cluster.host(index).start();
    const ask = (changes: readonly MemberChange[]): void =>
      void cluster.host(0).ask({ kind: 'members', changes, forced: true });
    ask([3, 4].map((index) => ({ key: keyOf(index), role: 'learner' })));
    cluster.run(200);
    // The joint phase is entered and not left: what would end it reaches nobody.
    cluster.wire.hold(
      ({ message }) =>
        message.kind === 'append' &&
        message.entries.some(({ proposal }) => proposal.header.height >= joint + 1),
    );
    const joint = lastHeight(cluster.host(0).state.log) + 1;
    ask([
      { key: keyOf(2), role: 'removed' },
      ...[3, 4].map((index) => ({ key: keyOf(index), role: 'voter' as const })),
    ]);
    cluster.run(200);
    const roles = cluster.hosts.map(({ state }) => state.configuration.map(({ role }) => role).join());
    assert.deepEqual([...new Set(roles)], ['voter,voter,leaving,joining,joining'], 'all have it');
    cluster.host(0).crash();
    for (const next of [2, 3]) {
      // It dies before it has a block of its own.
      cluster.host(next).executionMs = 100;
      cluster.elect(next);
      assert.ok(cluster.host(next).leads, `member ${next}`);
      cluster.leader?.crash();
      cluster.host(next).start();
    }
  });

  test('"a server always uses the latest configuration in its log, regardless of whether the entry is committed": we use the latest applied one', () => {
    const cluster = Cluster.ledBy(0);
    cluster.wire.partition([[1, 2]], 3);
    cluster.host(0).ask({ kind: 'members', changes: [{ key: keyOf(2), role: 'removed' }], forced: true });
    cluster.run(50);
    const { log, configuration } = cluster.host(0).state;
    assert.ok((log.entries.at(-1)?.configuration.length ?? 0) > 0, 'it is in the log');
    assert.equal(configuration[2]?.role, 'voter', 'and not in force');
  });

  test('"new servers join the cluster as non-voting members": a voter that was no learner before is refused, unless forced', () => {
    const cluster = Cluster.ledBy(0, { spares: 1 });
    const id = cluster
      .host(0)
      .ask({ kind: 'members', changes: [{ key: keyOf(3), role: 'voter' }], forced: false });
    const result = cluster.host(0).answers.get(id);
    assert.ok(result !== undefined && 'code' in result && result.code === 'consensus/not-caught-up');
  });

  test('"the cluster leader may not be part of the new configuration. In this case, the leader steps down … once it has committed the C-new log entry", and counts itself in no majority of it', () => {
    const cluster = Cluster.ledBy(0);
    cluster.host(0).ask({ kind: 'members', changes: [{ key: keyOf(0), role: 'removed' }], forced: false });
    cluster.until(() => !cluster.host(0).leads, 'it steps down');
    assert.equal(cluster.host(0).state.configuration[0]?.role, 'removed');
    cluster.until(() => cluster.leader !== undefined, 'another leads', 1_000);
    assert.notEqual(cluster.leader?.index, 0);
  });

  test('one change at a time; none before a block of the own term is committed; none that leaves too few voters that answer', () => {
    const cluster = Cluster.ledBy(0);
    const codes = (): string[] =>
      [...cluster.host(0).answers.values()].map((result) => ('code' in result ? result.code : 'ok'));
    const remove = (index: number): void => {
      cluster
        .host(0)
        .ask({ kind: 'members', changes: [{ key: keyOf(index), role: 'removed' }], forced: false });
    };
    cluster.host(2).crash();
    cluster.run(320);
    remove(1);
    assert.deepEqual(codes(), ['consensus/quorum-loss']);
    remove(2);
    remove(2);
    assert.deepEqual(codes(), ['consensus/quorum-loss', 'consensus/busy']);
    cluster.run(100);
    assert.deepEqual(codes(), ['consensus/quorum-loss', 'consensus/busy', 'ok']);
    const fresh = new Solo(0, 3).lead();
    fresh.give({
      type: 'request',
      id: 1,
      request: { kind: 'members', changes: [{ key: keyOf(1), role: 'removed' }], forced: false },
    });
    const { result } = fresh.one('answer');
    assert.ok('code' in result && result.code === 'consensus/busy');
  });

  test('exactly one automatic step ends the joint phase, also when the leader changes in the middle of it', () => {
    const cluster = Cluster.ledBy(0, { members: 5 });
    const hold = cluster.wire.hold(
      ({ from, message }) =>
        from === 0 &&
        message.kind === 'append' &&
        message.entries.some(({ proposal }) => proposal.header.height > 2),
    );
    cluster.host(0).ask({ kind: 'members', changes: [{ key: keyOf(4), role: 'removed' }], forced: false });
    cluster.run(100);
    assert.equal(cluster.host(0).state.configuration[4]?.role, 'leaving');
    cluster.host(0).crash();
    hold.forget();
    cluster.until(
      () => cluster.leader?.state.configuration[4]?.role === 'removed',
      'the next leader ends it',
    );
    const leader = cluster.leader;
    assert.ok(leader !== undefined);
    cluster.run(500);
    const changes = [...leader.disk.blocks.values()].filter(
      ({ proposal: { header } }) => header.validatorsHash !== header.nextValidatorsHash,
    );
    assert.equal(changes.length, 2);
  });
});

describe('7 Log compaction', () => {
  const options = { snapshotEvery: 5, keepBlocks: 1, tail: 1 };

  test('"each server takes snapshots independently, covering just the committed entries", and "may delete all log entries up through the last included index"; a tail stays', () => {
    const cluster = Cluster.ledBy(0, { options: { snapshotEvery: 5, keepBlocks: 3, tail: 3 } });
    for (let i = 0; i < 11; i++) {
      cluster.submit(`${i}`);
      cluster.run(30);
    }
    for (const { state, disk } of cluster.hosts) {
      assert.equal(state.compacted?.snapshot.height, 10);
      assert.equal(state.compacted?.firstBlock, 7);
      assert.equal(Math.min(...disk.blocks.keys()), 7);
      assert.equal(state.log.base.height, state.applied - 3);
    }
  });

  test('"the last included index and term … are preserved to support the consistency check for the first log entry following the snapshot"', () => {
    const cluster = Cluster.ledBy(0, { options: { ...options, tail: 0 } });
    for (let i = 0; i < 6; i++) {
      cluster.submit(`${i}`);
      cluster.run(30);
    }
    const { state } = cluster.host(0);
    assert.equal(state.log.entries.length, 0, 'everything is compacted');
    assert.equal(state.log.base.term, state.term);
    cluster.host(2).crash();
    cluster.host(2).start();
    const transaction = cluster.submit('the first entry after it');
    cluster.until(() => cluster.isFinalAt(cluster.host(2), transaction), 'is appended', 1_000);
  });

  test('"the leader must occasionally send snapshots to followers that lag behind … when the leader has already discarded the next log entry that it needs to send"', () => {
    const cluster = Cluster.ledBy(0, { options });
    cluster.host(2).crash();
    for (let i = 0; i < 12; i++) {
      cluster.submit(`${i}`);
      cluster.run(30);
    }
    cluster.host(2).start();
    cluster.until(() => cluster.host(2).state.counters['snapshots-installed'] === 1, 'the snapshot');
    cluster.until(() => cluster.settled(), 'and the blocks after it');
  });

  test('"If instead the follower receives a snapshot that describes a prefix of its log …, entries following the snapshot are still valid and must be retained."', () => {
    const member = new Solo(1, 3);
    const entries = entriesOn(genesisHeader(3), [1, 1, 1]);
    member.append(0, 1, entries).sync();
    member.hear('snapshot-offer', 0, 1, {
      snapshot: nameOfEntry(at(entries, 1)),
      configuration: new Uint8Array([0, 1, ...new Uint8Array(33)]),
    });
    assert.equal(member.state.log.entries.length, 3);
    assert.equal(member.all('install').length, 0, 'it has those blocks already');
  });

  test('"If … the snapshot will contain new information not already in the recipient’s log … the follower discards its entire log"', () => {
    const cluster = Cluster.ledBy(0, { members: 3, options });
    // Member 2 has entries that never were committed, and misses much of what was.
    cluster.wire.partition([[0], [1], [2]], 3);
    cluster.run(400);
    cluster.wire.partition([[0, 1]], 3);
    cluster.elect(1);
    for (let i = 0; i < 12; i++) {
      cluster.submit(`${i}`);
      cluster.run(30);
    }
    cluster.wire.heal();
    cluster.until(() => cluster.settled(), 'all level');
    assert.equal(cluster.host(2).state.counters['snapshots-installed'], 1);
  });
});

describe('8 Client interaction', () => {
  test('"Raft handles this by having each leader commit a blank no-op entry into the log at the start of its term."', () => {
    const cluster = Cluster.ledBy(0);
    cluster.submit('waits for it');
    cluster.run(100);
    const first = cluster.host(0).disk.blocks.get(1);
    assert.equal(first?.proposal.transactionHashes.length, 0);
    assert.equal(cluster.host(0).disk.blocks.get(2)?.proposal.transactionHashes.length, 1);
  });

  test('"a leader must check whether it has been deposed before processing a read-only request": it exchanges heartbeats with a majority', () => {
    const cluster = Cluster.ledBy(0, { members: 5 });
    cluster.wire.partition([[1, 2, 3, 4]], 5);
    const id = cluster.host(0).ask({ kind: 'read' });
    cluster.until(() => cluster.host(0).answers.has(id), 'an answer');
    const result = cluster.host(0).answers.get(id);
    assert.ok(result !== undefined && 'code' in result && result.code === 'consensus/no-leader');
  });

  test('a read waits for the first block of the leader’s term: before that, it does not know what is committed', () => {
    const leader = new Solo(0, 3).lead();
    leader.give({ type: 'request', id: 1, request: { kind: 'read' } });
    const { round } = leader.state.role.kind === 'leader' ? leader.state.role : { round: 0 };
    leader.hear('heartbeat-answer', 1, leader.state.term, { round });
    assert.equal(leader.all('answer').length, 0);
  });

  test('a read is answered only when its height is applied here', () => {
    const cluster = Cluster.ledBy(0);
    const follower = cluster.host(1);
    const hold = cluster.wire.hold(
      ({ to, message }) => to === 1 && (message.kind === 'append' || message.kind === 'heartbeat'),
    );
    const transaction = cluster.submit('new');
    cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'final at the leader');
    const id = follower.ask({ kind: 'read' });
    cluster.run(40);
    assert.ok(!follower.answers.has(id));
    hold.release();
    cluster.run(60);
    const result = follower.answers.get(id);
    assert.ok(
      result !== undefined && 'height' in result && result.height === follower.disk.final.header.height,
    );
  });
});
