import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import type { Term, WireEntry } from '../../../src/consensus/raft/message.ts';
import { hashHeader, toHeight } from '../../../src/ledger/block.ts';
import { Cluster } from './cluster.ts';
import { entriesOn, genesisOf, Solo } from './solo.ts';
import { genesisHeader } from './world.ts';

// The bounds and the small rules of sending a log.

/** A leader whose log has entries of these terms (by member 1) and then the first block of its own term. */
function leaderWith(terms: readonly number[]): Solo {
  const leader = new Solo(0, 3);
  leader.append(1, terms.at(-1) ?? 0, entriesOn(genesisHeader(3), terms, { leader: 1 })).sync();
  return leader.lead().make().sync();
}

function reject(
  leader: Solo,
  says: { previous: number; next: number; conflictTerm: number; final: number },
): number | undefined {
  leader.receive<'rejected'>({
    kind: 'rejected',
    from: 2,
    term: leader.state.term,
    previous: toHeight(says.previous),
    next: toHeight(says.next),
    conflictTerm: says.conflictTerm as Term,
    final: toHeight(says.final),
  });
  return leader.sent('append').at(-1)?.previous.height;
}

test('a leader that has the conflicting term tries after its own last entry of it: one round trip', () => {
  // The log is 1 1 1 2 2 and the own first block; the follower has four of term 1, and was asked about what is after 5.
  const leader = leaderWith([1, 1, 1, 2, 2]);
  assert.equal(reject(leader, { previous: 5, next: 1, conflictTerm: 1, final: 0 }), 3);
});

test('a leader that lacks the conflicting term tries before the follower’s first entry of it', () => {
  const leader = leaderWith([1, 1, 3, 3]);
  assert.equal(reject(leader, { previous: 4, next: 2, conflictTerm: 2, final: 0 }), 1);
});

test('the search for where logs part never goes below what is final at the follower', () => {
  const leader = leaderWith([1, 1, 1, 2, 2]);
  assert.equal(reject(leader, { previous: 5, next: 1, conflictTerm: 0, final: 3 }), 3);
});

test('an acknowledgement waits for the disk to have its blocks and their term, and for nothing that came after', () => {
  const follower = new Solo(1, 3);
  const [first, second] = entriesOn(genesisHeader(3), [1, 1]) as [WireEntry, WireEntry];
  const accepted = (): number[] => follower.sent('accepted').map(({ block }) => block.height);
  follower.append(0, 1, [first]).append(0, 1, [second]);
  const [term, one, two] = follower.writes.splice(0);
  assert.ok(term !== undefined && one !== undefined && two !== undefined);
  follower.confirm(term);
  assert.deepEqual(accepted(), []);
  follower.confirm(one);
  assert.deepEqual(accepted(), [1]);
  follower.confirm(two);
  assert.deepEqual(accepted(), [2]);
  // Blocks of before under a new leader: on disk, and its term is not.
  follower.receive<'append'>({
    kind: 'append',
    from: 2,
    to: 1,
    term: 2,
    previous: { height: toHeight(2), blockHash: hashHeader(second.proposal.header) },
    entries: [],
    commit: toHeight(0),
  });
  assert.deepEqual(accepted(), []);
  assert.deepEqual(
    follower
      .sync()
      .sent('accepted')
      .map(({ block }) => block.height),
    [2],
  );
});

test('what is on the way to one follower is bounded in bytes, whatever the messages allow', () => {
  const cluster = Cluster.ledBy(0, { options: { inFlightBytes: 1_000, appendBytes: 1, window: 64 } });
  const hold = cluster.wire.hold(({ to, message }) => to === 2 && message.kind === 'append');
  for (let i = 0; i < 40; i++) cluster.submit(`${i}`);
  cluster.run(150);
  const { role } = cluster.host(0).state;
  assert.ok(role.kind === 'leader');
  const bytes = (role.progress.get(2)?.inFlight ?? []).reduce((sum, message) => sum + message.bytes, 0);
  assert.ok(bytes >= 1_000 && bytes < 2_000, `${bytes} bytes`);
  hold.release();
  cluster.until(() => cluster.settled(), 'all of it');
});

test('flow control counts bytes too: past the bound a leader builds nothing more, and says so', () => {
  const cluster = Cluster.ledBy(0, {
    options: { uncommittedBytes: 1_200, window: 64, electionTimeoutMs: 2_000 },
  });
  const { state, engine } = cluster.host(0);
  for (const index of [1, 2]) cluster.host(index).diskMs = 1_000;
  for (let i = 0; i < 60; i++) cluster.submit(`${i}`);
  cluster.run(300);
  assert.equal(lastHeight(state.log), state.commit + 3, 'three blocks of at least 400 bytes');
  assert.equal(engine?.status().accepting, false);
  for (const index of [1, 2]) cluster.host(index).diskMs = 2;
  cluster.until(() => engine?.status().accepting === true && cluster.settled(), 'room');
});

test('heartbeats, votes and reads are urgent, and blocks are not', () => {
  const leader = leaderWith([1]);
  leader.give({ type: 'request', id: 1, request: { kind: 'read' } }).tick(60);
  const urgent = new Set(
    leader.all('send').flatMap((send) => (send.urgent === true ? [send.message.kind] : [])),
  );
  assert.deepEqual([...urgent], ['heartbeat']);
  const sent = leaderWith([1]).all('send');
  assert.ok(!sent.some((send) => send.message.kind === 'append' && send.urgent === true));
  const follower = new Solo(1, 3);
  follower.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: genesisOf(3), round: 1 });
  assert.deepEqual(
    follower.all('send').map((send) => [send.message.kind, send.urgent]),
    [['heartbeat-answer', true]],
  );
});

test('a follower keeps a bounded number of entries that wait for their transactions', () => {
  const options = { window: 2, inFlightMessages: 1 };
  const follower = new Solo(1, 3, { options });
  const entries = entriesOn(
    genesisHeader(3),
    Array.from({ length: 60 }, () => 1),
  );
  follower.receive<'append'>({
    kind: 'append',
    from: 0,
    to: 1,
    term: 1,
    previous: genesisOf(3),
    entries,
    commit: toHeight(0),
  });
  assert.equal(follower.all('validate').length, 4 * options.window + 16 * options.inFlightMessages);
});

test('entries of a later term than their leader, and a second leader of one term, are refused', () => {
  const follower = new Solo(1, 3);
  const [entry] = entriesOn(genesisHeader(3), [7]) as [WireEntry];
  follower.append(0, 1, [entry]);
  assert.equal(follower.state.log.entries.length, 0);
  follower.receive<'append'>({
    kind: 'append',
    from: 2,
    to: 1,
    term: 1,
    previous: genesisOf(3),
    entries: entriesOn(genesisHeader(3), [1], { leader: 2 }),
    commit: toHeight(0),
  });
  assert.equal(follower.all('validate').length, 0);
  assert.equal(follower.engine.status().primary, 0);
  assert.match(follower.one('verdict').reason, /a second leader of term 1/);
});

test('a follower that fetches a snapshot and says nothing more is asked anew what it has', () => {
  const cluster = Cluster.ledBy(0, { options: { snapshotEvery: 5, keepBlocks: 1, tail: 1 } });
  cluster.host(2).crash();
  for (let i = 0; i < 12; i++) {
    cluster.submit(`${i}`);
    cluster.run(30);
  }
  const hold = cluster.wire.hold(({ from, message }) => from === 2 && message.kind === 'snapshot-answer');
  const offers = cluster.wire.hold(({ message }) => message.kind === 'snapshot-offer');
  cluster.host(2).start();
  cluster.until(() => offers.held.length > 0, 'an offer, which gets lost');
  offers.forget();
  hold.forget();
  cluster.until(() => cluster.settled(), 'another offer', 5_000);
  assert.equal(cluster.host(2).state.counters['snapshotsInstalled'], 1);
});
