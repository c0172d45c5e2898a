import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Input } from '../../../src/consensus/engine.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import type { RaftMessage, Term, WireEntry } from '../../../src/consensus/raft/message.ts';
import type { RaftOptions } from '../../../src/consensus/raft/options.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { hashHeader, type Height, toHeight } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { Cluster } from './cluster.ts';
import { type Body, entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';
import { type Configuration, encodeConfiguration } from '../../../src/ledger/members.ts';

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
  follower.hear('append', 2, 2, {
    previous: { height: toHeight(2), blockHash: hashHeader(second.proposal.header) },
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
  reject(leader, { previous: 1, next: 1, conflictTerm: 0, final: 0 });
  assert.deepEqual(
    leader.all('send').map((send) => [send.message.kind, send.urgent]),
    [['append', undefined]],
  );
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
  follower.hear('append', 0, 1, { previous: genesisOf(3), entries });
  assert.equal(follower.all('validate').length, 4 * options.window + 16 * options.inFlightMessages);
});

test('entries of a later term than their leader, and a second leader of one term, are refused', () => {
  const follower = new Solo(1, 3);
  const [entry] = entriesOn(genesisHeader(3), [7]) as [WireEntry];
  follower.append(0, 1, [entry]);
  assert.equal(follower.state.log.entries.length, 0);
  follower.hear('append', 2, 1, {
    previous: genesisOf(3),
    entries: entriesOn(genesisHeader(3), [1], { leader: 2 }),
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
  assert.equal(cluster.host(2).state.counters['snapshots-installed'], 1);
});

/** What a leader of three says to member 1. */
function append(
  from: number,
  term: number,
  previous: { height: Height; blockHash: Hash },
  entries: readonly WireEntry[] = [],
  commit = 0,
): Body<'append'> {
  return { kind: 'append', from, to: 1, term, previous, entries, commit: toHeight(commit) };
}

const accepted = (member: Solo): number[] => member.sent('accepted').map(({ block }) => block.height);

test('what is only being validated does not match yet: an own rival of it on this disk is neither acknowledged nor committed', () => {
  const own = entriesOn(genesisHeader(3), [1, 1, 1]);
  const others = entriesOn(genesisHeader(3), [2, 2, 2], { leader: 2 });
  const follower = new Solo(1, 3).append(0, 1, own).sync();
  follower.receive<'append'>(append(2, 2, genesisOf(3), others)).sync();
  const top = nameOfEntry(others[2] as WireEntry);
  for (const message of [append(2, 2, top, [], 3), append(2, 2, genesisOf(3), others, 3)]) {
    follower.receive<'append'>(message);
    assert.deepEqual(
      accepted(follower).filter((height) => height > 0),
      [],
    );
    follower.receive<'heartbeat'>({ kind: 'heartbeat', from: 2, term: 2, commit: top, round: 1 });
    assert.deepEqual([follower.state.commit, follower.all('commit')], [0, []]);
    assert.deepEqual(
      follower.state.log.entries.map(({ header }) => header.view),
      [1, 1, 1],
      'and nothing is cut off before there is something to take its place',
    );
  }
  follower.give({ type: 'validated', blockHash: top.blockHash, result: { verdict: 'valid', chain: [] } });
  assert.deepEqual(
    follower.all('commit').map(({ link }) => link.blockHash),
    others.map((entry) => nameOfEntry(entry).blockHash),
  );
});

test('the end of the log stays until what takes its place is valid, whatever becomes final below', () => {
  const own = entriesOn(genesisHeader(3), [1, 1, 1]);
  const first = own[0] as WireEntry;
  const others = entriesOn(first.proposal.header, [2, 2], { leader: 2 });
  const follower = new Solo(1, 3).append(0, 1, own).sync();
  follower.receive<'append'>(append(2, 2, nameOfEntry(first), others, 1)).sync();
  follower.give({ type: 'applied', height: toHeight(1) });
  assert.deepEqual(
    follower.state.log.entries.map(({ header }) => header.view),
    [1, 1, 1],
  );
});

test('what is on disk above what is known to match is not acknowledged', () => {
  const own = entriesOn(genesisHeader(3), [1, 1, 1]);
  const follower = new Solo(1, 3).append(0, 1, own).sync();
  follower.receive<'append'>(append(2, 2, nameOfEntry(own[0] as WireEntry))).sync();
  assert.deepEqual(accepted(follower), [1]);
});

test('a probe is answered while blocks wait for their transactions', () => {
  const follower = new Solo(1, 3);
  follower.receive<'append'>(append(0, 1, genesisOf(3), entriesOn(genesisHeader(3), [1]))).sync();
  follower.receive<'append'>(append(0, 1, genesisOf(3)));
  assert.deepEqual(accepted(follower), [0]);
});

test('an old message about blocks that left memory blames nobody, and what is new in it is taken', () => {
  const follower = new Solo(1, 3, { options: { tail: 0 } });
  const entries = entriesOn(genesisHeader(3), [1, 1, 1]);
  follower.append(0, 1, entries.slice(0, 2), 2).sync();
  for (const height of [1, 2]) follower.give({ type: 'applied', height: toHeight(height) });
  assert.equal(follower.state.log.base.height, 2);
  follower.receive<'append'>(append(0, 1, genesisOf(3), entries, 2));
  assert.deepEqual(follower.all('verdict'), []);
  assert.equal(follower.one('validate').height, 3);
});

test('a leader whose log contradicts a final block changes nothing, and is not accused: it may have been deposed without hearing of it', () => {
  const follower = new Solo(1, 3);
  follower.append(0, 1, entriesOn(genesisHeader(3), [1, 1]), 2).sync();
  const others = entriesOn(genesisHeader(3), [2, 2], { leader: 2 });
  follower.receive<'append'>(append(2, 2, nameOfEntry(others[0] as WireEntry), others.slice(1), 2)).sync();
  follower.receive<'append'>(append(2, 2, nameOfEntry(others[0] as WireEntry), others.slice(1), 2));
  assert.deepEqual(follower.all('validate'), []);
  assert.equal(follower.one('trace').event, 'final-conflict');
  assert.deepEqual(follower.accusations, []);
});

suite('an entry is refused, and nothing after it is looked at', () => {
  const [good] = entriesOn(genesisHeader(3), [1]) as [WireEntry];
  const { header } = good.proposal;
  const members = [0, 1, 2].map((index) => ({ key: keyOf(index), role: 'voter' as const }));
  const configuration: Configuration = [...members, { key: keyOf(3), role: 'learner' }];
  const [change] = entriesOn(genesisHeader(3), [1], { configuration }) as [WireEntry];
  const withHeader = (changes: Partial<typeof header>): WireEntry => ({
    ...good,
    proposal: { ...good.proposal, header: { ...header, ...changes } },
  });
  const unfit: Record<string, [WireEntry, RegExp]> = {
    'that is not at its place': [withHeader({ height: toHeight(2) }), /not at its place/],
    'that does not link': [withHeader({ parentHash: hashHeader(header) }), /does not link/],
    'that another member proposed than it says': [{ ...good, leader: 2 }, /not by its proposer/],
    'that names other members and does not bring them': [
      { ...change, configuration: new Uint8Array() },
      /a configuration is missing/,
    ],
    'whose members are no configuration': [
      { ...change, configuration: change.configuration.slice(1) },
      /a configuration is malformed/,
    ],
    'whose members are not those that its header names': [
      { ...change, configuration: encodeConfiguration(members) },
      /a configuration is not the header’s/,
    ],
    'that brings members although its header names none': [
      { ...good, configuration: change.configuration },
      /a configuration is not the header’s/,
    ],
  };
  for (const [what, [entry, why]] of Object.entries(unfit)) {
    test(what, () => {
      const follower = new Solo(1, 3);
      const next = entriesOn(entry.proposal.header, [1]);
      follower.receive<'append'>(append(0, 1, genesisOf(3), [entry, ...next]));
      assert.match(follower.one('verdict').reason, why);
      assert.deepEqual(follower.all('validate'), []);
    });
  }
});

/** What storage has of the blocks of a leader, final ones with their certificate. */
function loaded(entries: readonly WireEntry[], isFinal = true): Input<RaftMessage> {
  return {
    type: 'loaded',
    blocks: entries.map((entry) => {
      const { height, blockHash } = nameOfEntry(entry);
      const { leader, signature, configuration, proposal } = entry;
      const term = proposal.header.view;
      const certificate: FinalityCertificate = {
        engine: 'raft',
        term,
        height,
        blockHash,
        leader,
        signature,
        configuration,
      };
      return { height, block: { blockHash, proposal, certificate: isFinal ? certificate : null } };
    }),
  };
}

/** A leader of three with six final blocks that left its memory; member 2 has none of them, and storage is asked. */
function leaderOf(
  entries: readonly WireEntry[],
  options: Partial<RaftOptions> = {},
): { leader: Solo; asked: readonly number[] } {
  const leader = new Solo(0, 3, { options: { tail: 0, ...options } });
  leader.append(1, 1, entries, entries.length).sync();
  for (const entry of entries) leader.give({ type: 'applied', height: nameOfEntry(entry).height });
  leader.sync().lead();
  reject(leader, { previous: entries.length, next: 1, conflictTerm: 0, final: 0 });
  return { leader, asked: leader.one('load').blocks.map(({ height }) => height) };
}

suite('blocks that a leader reads from storage for a slow follower', () => {
  const six = entriesOn(genesisHeader(3), [1, 1, 1, 1, 1, 1], { leader: 1 });
  const sentTo2 = (leader: Solo): number[][] =>
    leader
      .sent('append')
      .filter(({ to }) => to === 2)
      .map(({ previous, entries }) => [previous.height, entries.length]);

  test('go out together when there is room for all, and storage is asked once', () => {
    const { leader, asked } = leaderOf(six);
    assert.deepEqual(asked, [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(leader.tick(60).all('load'), [], 'the answer is on its way');
    leader.give(loaded(six));
    assert.deepEqual(sentTo2(leader), [[0, 6]]);
  });

  test('go out in messages of a bounded size, as many as may be on their way', () => {
    const { leader } = leaderOf(six, { appendBytes: 1, inFlightMessages: 2 });
    leader.give(loaded(six));
    assert.deepEqual(sentTo2(leader), [[0, 1]], 'one, to see whether its log fits');
    const later = leader.hear('accepted', 2, leader.state.term, { block: nameOfEntry(six[0] as WireEntry) });
    assert.deepEqual(
      later.one('load').blocks.map(({ height }) => height),
      [2, 3, 4, 5, 6],
    );
    leader.give(loaded(six.slice(1)));
    assert.deepEqual(sentTo2(leader), [
      [1, 1],
      [2, 1],
    ]);
  });

  test('go nowhere when they are not what storage says they are', () => {
    const { leader } = leaderOf(six);
    const other = entriesOn(genesisHeader(3), [1], { leader: 1, text: 'other' });
    const answer = loaded(six) as Extract<Input<RaftMessage>, { type: 'loaded' }>;
    const blocks = answer.blocks.map(({ height, block }) => ({
      height,
      block: block && height === 1 ? { ...block, proposal: (other[0] as WireEntry).proposal } : block,
    }));
    leader.give({ type: 'loaded', blocks });
    assert.deepEqual(sentTo2(leader), []);
    assert.ok(leader.all('trace').some(({ event }) => event === 'storage-mismatch'));
  });

  test('wait when the first of them is here without its certificate: the follower gets it by sync', () => {
    const { leader } = leaderOf(six);
    leader.give(loaded(six, false));
    assert.deepEqual([sentTo2(leader), leader.all('load'), leader.sent('snapshot-offer')], [[], [], []]);
    leader.tick(150);
    leader.hear('heartbeat-answer', 2, leader.state.term, { round: 1 });
    assert.equal(leader.all('load').length, 1, 'and is asked about later');
  });

  test('are of no use any more when the follower turned out to be elsewhere meanwhile', () => {
    const { leader } = leaderOf(six);
    leader.hear('accepted', 2, leader.state.term, { block: nameOfEntry(six[5] as WireEntry) });
    leader.give(loaded(six));
    assert.deepEqual(sentTo2(leader), []);
  });

  test('go out again from where the follower is when some of them arrived there meanwhile', () => {
    const { leader } = leaderOf(six);
    leader.hear('accepted', 2, leader.state.term, { block: nameOfEntry(six[2] as WireEntry) });
    leader.give(loaded(six));
    assert.deepEqual(sentTo2(leader), []);
    assert.deepEqual(
      leader.one('load').blocks.map(({ height }) => height),
      [4, 5, 6],
    );
    leader.give(loaded(six.slice(3)));
    assert.deepEqual(sentTo2(leader), [[3, 3]]);
  });

  test('of another hash do not become the body of an entry', () => {
    const leader = new Solo(0, 3);
    const [entry] = entriesOn(genesisHeader(3), [1], { leader: 1, text: 'x' }) as [WireEntry];
    leader.append(1, 1, [entry]).sync();
    leader.restart();
    leader.sync().lead();
    reject(leader, { previous: 1, next: 1, conflictTerm: 0, final: 0 });
    const [asked] = leader.one('load').blocks;
    assert.equal(asked?.blockHash, nameOfEntry(entry).blockHash);
    const other = entriesOn(genesisHeader(3), [1], { leader: 1, text: 'other' });
    leader.give(loaded(other, false));
    assert.deepEqual(
      leader.state.log.entries.map(({ transactionHashes }) => transactionHashes),
      [null],
    );
    leader.give(loaded([entry], false));
    assert.deepEqual(
      leader.state.log.entries.map(({ transactionHashes }) => transactionHashes),
      [entry.proposal.transactionHashes],
    );
  });
});

test('an acknowledgement counts for what left the leader’s memory, and for nothing that it does not have', () => {
  const six = entriesOn(genesisHeader(3), [1, 1, 1, 1, 1, 1], { leader: 1 });
  const { leader } = leaderOf(six);
  const { role } = leader.state;
  const match = (): number | undefined => (role.kind === 'leader' ? role.progress.get(2)?.match : -1);
  const above = entriesOn((six[5] as WireEntry).proposal.header, [1, 1], { leader: 1 });
  for (const [entry, expected] of [
    [above[1], 0],
    [six[3], 4],
  ] as const) {
    leader.hear('accepted', 2, leader.state.term, { block: nameOfEntry(entry as WireEntry) });
    assert.equal(match(), expected);
  }
});

test('a follower that has less than it acknowledged is found out, and gets everything again', () => {
  const leader = leaderWith([1, 1]);
  const answer = (received: number): Solo =>
    leader
      .tick(50)
      .hear('heartbeat-answer', 2, leader.state.term, { round: 1, received: toHeight(received) });
  leader.accept(2, 3);
  assert.deepEqual(answer(3).sent('append'), [], 'all is well');
  assert.deepEqual(
    answer(0)
      .sent('append')
      .map(({ to, previous }) => [to, previous.height]),
    [[2, 3]],
    'a probe',
  );
  assert.equal(reject(leader, { previous: 3, next: 1, conflictTerm: 0, final: 0 }), 0);
  const { role } = leader.state;
  assert.equal(role.kind === 'leader' && role.progress.get(2)?.match, 0);
});

test('a refusal that comes late, about what was acknowledged since, changes nothing', () => {
  const leader = leaderWith([1, 1]);
  leader.accept(2, 3);
  assert.equal(reject(leader, { previous: 2, next: 1, conflictTerm: 0, final: 0 }), undefined);
  const { role } = leader.state;
  const progress = role.kind === 'leader' ? role.progress.get(2) : undefined;
  assert.deepEqual([progress?.kind, progress?.match], ['stream', 3]);
});

test('a probe that got lost is sent again, also to a member that answers no heartbeat', () => {
  const leader = leaderWith([1]);
  const probes = (): number => leader.sent('append').filter(({ to }) => to === 2).length;
  let sent = 0;
  for (let ms = 0; ms < 700; ms += 50) {
    leader.tick(50);
    sent += probes();
    leader.hear('heartbeat-answer', 1, leader.state.term, { round: 1, received: toHeight(2) });
  }
  assert.ok(sent >= 1 && sent <= 3, `${sent} probes`);
});

test('a connection of somebody who is no member is no matter for a leader', () => {
  const leader = leaderWith([1]);
  for (const validator of [0, 9]) {
    for (const type of ['connected', 'lost'] as const) {
      assert.deepEqual(leader.give({ type, validator }).all('send'), []);
    }
  }
});

test('a follower that was restarted acknowledges what it knows to be committed, also before that is stored', () => {
  const entries = entriesOn(genesisHeader(3), [1, 1], { leader: 1 });
  const follower = new Solo(0, 3).append(1, 1, entries, 2).sync();
  follower.restart();
  follower.sync().hear('append', 1, 1, { previous: genesisOf(3), entries, commit: toHeight(2) });
  assert.deepEqual(
    follower.sent('accepted').map(({ block }) => block.height),
    [2],
  );
});

test('nor does it matter from whom it knows that: what is committed is in the log of whoever leads', () => {
  const entries = entriesOn(genesisHeader(3), [1, 1], { leader: 1 });
  const last = nameOfEntry(entries[1] as WireEntry);
  const follower = new Solo(0, 3).append(1, 1, entries).sync();
  follower
    .receive<'heartbeat'>({ kind: 'heartbeat', from: 2, term: 2, commit: genesisOf(3), round: 1 })
    .sync();
  follower.hear('vote-request', 1, 1, {
    pre: true,
    lastHeight: last.height,
    lastTerm: 1 as Term,
    commit: last,
  });
  const probe = { kind: 'append', from: 2, to: 0, term: 2, entries: [], commit: toHeight(0) } as const;
  follower.receive<'append'>({ ...probe, previous: last });
  assert.deepEqual(
    follower.sent('accepted').map(({ block }) => block.height),
    [2],
  );
});
