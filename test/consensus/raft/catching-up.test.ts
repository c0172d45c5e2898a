import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import type { Input, Verified } from '../../../src/consensus/engine.ts';
import { genesisConfiguration } from '../../../src/consensus/raft/configuration.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import type { RaftMessage, WireEntry } from '../../../src/consensus/raft/message.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { type BlockHeader, toHeight, toView } from '../../../src/ledger/block.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';
import { type Configuration, encodeConfiguration } from '../../../src/ledger/members.ts';

// A member that gets blocks by sync or a snapshot, and what must wait for them.

const chain = entriesOn(genesisHeader(3), [1, 1, 1, 1, 1, 1, 1]);
const at = (height: number): WireEntry => defined(chain[height - 1], 'an entry');
const certificateOf = (entry: WireEntry): FinalityCertificate => ({
  engine: 'raft',
  term: entry.proposal.header.view,
  ...nameOfEntry(entry),
  leader: 0,
  signature: entry.signature,
  configuration: entry.configuration,
});

/** A member that knows its leader. */
function following(): Solo {
  const member = new Solo(2, 3);
  const commit = nameOfEntry(at(3));
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit, round: 1 });
  return member.sync();
}

test('what stands above blocks of sync is written and acknowledged when they are stored, and not before', () => {
  const member = following();
  member.give({
    type: 'synced',
    chain: [1, 2, 3].map(at).map((entry) => ({
      isLast: false,
      ...nameOfEntry(entry),
      parentHash: entry.proposal.header.parentHash,
    })),
    certificate: certificateOf(at(3)) as Verified<FinalityCertificate>,
    header: at(3).proposal.header,
  });
  assert.equal(member.all('commit').length, 3);
  member
    .sync()
    .append(0, 1, [at(4)], 3)
    .sync();
  const accepted = (): number[] => member.sent('accepted').map(({ block }) => block.height);
  assert.deepEqual(
    accepted().filter((height) => height > 0),
    [],
    'the log on this disk ends at 0',
  );
  assert.ok(![...member.records.keys()].some((key) => key.startsWith('raft/entry/')));
  member.tick(10_000).tick(10_000);
  assert.equal(member.state.role.kind, 'follower', 'nor does it campaign with them');
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: nameOfEntry(at(3)), round: 2 });
  for (const height of [1, 2, 3]) member.give({ type: 'applied', height: toHeight(height) });
  member.append(0, 1, [at(4)], 3).sync();
  assert.equal(accepted().at(-1), 4);
});

test('blocks of sync take the place of durable ones: what was on disk says nothing about what came instead', () => {
  const member = new Solo(2, 3);
  const lost = entriesOn(genesisHeader(3), [1], { leader: 1, text: 'lost' });
  member.append(1, 1, lost).sync();
  assert.equal(member.state.durable, 1);
  const others = entriesOn(genesisHeader(3), [2, 2]);
  const first = defined(others[0], 'an entry');
  const commit = nameOfEntry(first);
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 2, commit, round: 1 }).sync();
  member
    .give({
      type: 'synced',
      chain: [{ isLast: false, ...commit, parentHash: first.proposal.header.parentHash }],
      certificate: certificateOf(first) as Verified<FinalityCertificate>,
      header: first.proposal.header,
    })
    .sync();
  member.append(0, 2, others, 1);
  assert.deepEqual(
    member.sent('accepted').filter(({ block }) => block.height > 0),
    [],
    'nothing of this chain is on the disk yet',
  );
  member.give({ type: 'applied', height: toHeight(1) });
  assert.deepEqual(member.sent('accepted')[0]?.block, commit);
});

/** Heights of the entries that a restart would find now. */
const recorded = (member: Solo): number[] =>
  [...member.records.keys()]
    .filter((key) => key.startsWith('raft/entry/'))
    .map((key) => Number(key.slice('raft/entry/'.length)));

const syncOf = (heights: readonly number[]): Input<RaftMessage> => {
  const last = at(defined(heights.at(-1), 'a height'));
  return {
    type: 'synced',
    chain: heights.map(at).map((entry) => ({
      isLast: false,
      ...nameOfEntry(entry),
      parentHash: entry.proposal.header.parentHash,
    })),
    certificate: certificateOf(last) as Verified<FinalityCertificate>,
    header: last.proposal.header,
  };
};

test('what was acknowledged stays on disk until it is stored, whatever sync brings above it', () => {
  for (const known of [0, 1, 2]) {
    const member = new Solo(2, 3);
    // Blocks 1 and 2 are acknowledged, and as many known to be final; the driver has stored none of them.
    member.append(0, 1, [at(1), at(2)], known).sync();
    assert.equal(member.sent('accepted').at(-1)?.block.height, 2);
    member.give(syncOf([1, 2, 3, 4, 5].filter((height) => height > known))).sync();
    assert.equal(member.state.delivered, 5);
    member.tick(50).sync();
    assert.deepEqual(recorded(member), [1, 2], 'whoever is counted has the very block on disk');
    for (const height of [1, 2, 3]) member.give({ type: 'applied', height: toHeight(height) });
    member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 2, commit: genesisOf(3), round: 1 });
    member.sync();
    assert.deepEqual(recorded(member), [], 'what is stored needs no record');
    const crashed = new Solo(2, 3);
    crashed.append(0, 1, [at(1), at(2)], known).sync();
    crashed.give(syncOf([1, 2, 3, 4, 5].filter((height) => height > known))).sync();
    crashed.restart();
    assert.equal(lastHeight(crashed.state.log), 2, 'nor does a crash take it away');
  }
});

test('what sync contradicts goes at once, and what it confirms below stays until it is stored', () => {
  const other = entriesOn(at(2).proposal.header, [1, 1], { text: 'never committed' });
  const member = new Solo(2, 3);
  member.append(0, 1, [at(1), at(2), ...other], 1).sync();
  assert.deepEqual(recorded(member), [1, 2, 3, 4]);
  member.give(syncOf([2, 3])).sync();
  assert.deepEqual(recorded(member), [1, 2]);
});

test('a crash while blocks of sync are being stored leaves a log without a gap', () => {
  const member = following();
  member.give({
    type: 'synced',
    chain: [{ isLast: false, ...nameOfEntry(at(1)), parentHash: at(1).proposal.header.parentHash }],
    certificate: certificateOf(at(1)) as Verified<FinalityCertificate>,
    header: at(1).proposal.header,
  });
  member
    .sync()
    .append(0, 1, [at(2), at(3)], 3)
    .sync();
  member.restart();
  assert.equal(member.state.log.base.height, 0);
});

test('while a snapshot is being fetched another one is not begun: the first may be final in a moment', () => {
  const members = genesisConfiguration(validatorSet([0, 1, 2].map(keyOf)));
  const offer = (member: Solo, height: number, from: number, term: number): Solo =>
    member.hear('snapshot-offer', from, term, {
      snapshot: nameOfEntry(at(height)),
      configuration: encodeConfiguration(members),
    });
  const member = offer(following(), 4, 0, 1);
  assert.equal(member.one('install').snapshot.height, 4);
  member.sync();
  offer(member, 6, 1, 2);
  assert.equal(member.all('install').length, 0);
  assert.deepEqual(
    member.sent('snapshot-answer').map(({ height, state }) => [height, state]),
    [[4, 'receiving']],
  );
  const { header } = at(4).proposal;
  member.give({
    type: 'installed',
    header,
    blockHash: nameOfEntry(at(4)).blockHash,
    certificate: certificateOf(at(4)),
  });
  assert.equal(member.state.applied, 4);
  assert.equal(member.state.install, null);
  offer(member.sync(), 6, 1, 2);
  assert.equal(member.one('install').snapshot.height, 6);
  member.give({ type: 'install-failed', height: toHeight(6), reason: 'nobody has it' });
  offer(member.sync(), 5, 1, 2);
  assert.equal(member.one('install').snapshot.height, 5, 'after a failure the next offer is taken');
});

test('a log that reached the snapshot’s block while it was fetched keeps what stands above it', () => {
  const member = following().hear('snapshot-offer', 0, 1, {
    snapshot: nameOfEntry(at(4)),
    configuration: encodeConfiguration(genesisConfiguration(validatorSet([0, 1, 2].map(keyOf)))),
  });
  member.sync().append(0, 1, [1, 2, 3, 4, 5, 6].map(at), 5).sync();
  assert.deepEqual(member.all('commit'), [], 'the driver is about to replace the whole state');
  const { header } = at(4).proposal;
  const { blockHash } = nameOfEntry(at(4));
  member.give({ type: 'installed', header, blockHash, certificate: certificateOf(at(4)) });
  assert.deepEqual(
    member.all('commit').map(({ link }) => link.height),
    [5],
  );
  assert.equal(member.state.durable, 6);
  assert.deepEqual(
    member.state.log.entries.map((entry) => entry.header.height),
    [5, 6],
  );
  // What was replaced by the snapshot's state leaves the disk, or a restart would find a gap behind it.
  member
    .give({ type: 'applied', height: toHeight(5) })
    .append(0, 1, [at(7)], 6)
    .sync();
  assert.deepEqual(
    [...member.records.keys()]
      .filter((key) => key.startsWith('raft/entry/'))
      .map((key) => Number(key.slice(-3))),
    [6, 7],
  );
  member.restart(at(6).proposal.header);
  assert.equal(lastHeight(member.state.log), 7);
});

test('a snapshot that is installed is acknowledged at once, and what sync brought before it is forgotten', () => {
  const member = following()
    .give(synced([change]))
    .sync();
  assert.equal(member.state.arriving.length, 1, 'its members are not in force before it is stored');
  offer(member, 4).sync();
  const { header } = at(4).proposal;
  const { blockHash } = nameOfEntry(at(4));
  member.give({ type: 'installed', header, blockHash, certificate: certificateOf(at(4)) });
  assert.deepEqual(
    member.sent('accepted').map(({ block }) => block.height),
    [4],
  );
  assert.deepEqual(member.state.arriving, []);
});

test('a snapshot that was made before one that was installed meanwhile is offered to nobody', () => {
  const member = following().hear('snapshot-offer', 0, 1, {
    snapshot: nameOfEntry(at(4)),
    configuration: encodeConfiguration(genesisConfiguration(validatorSet([0, 1, 2].map(keyOf)))),
  });
  const { header } = at(4).proposal;
  const { blockHash } = nameOfEntry(at(4));
  member.sync().give({ type: 'installed', header, blockHash, certificate: certificateOf(at(4)) });
  member.give({ type: 'compacted', snapshot: nameOfEntry(at(2)), firstBlock: toHeight(2) });
  assert.deepEqual(member.state.compacted, { snapshot: nameOfEntry(at(4)), firstBlock: 5 });
});

/** Final blocks that sync brought, in order. */
function synced(
  entries: readonly WireEntry[],
  more: { configuration?: Uint8Array; header?: BlockHeader } = {},
): Extract<Input<never>, { readonly type: 'synced' }> {
  const last = defined(entries.at(-1), 'an entry');
  const certificate = certificateOf(last);
  return {
    type: 'synced',
    chain: entries.map((entry) => ({
      isLast: false,
      ...nameOfEntry(entry),
      parentHash: entry.proposal.header.parentHash,
    })),
    certificate: {
      ...certificate,
      ...(more.configuration === undefined ? {} : { configuration: more.configuration }),
    } as Verified<FinalityCertificate>,
    header: more.header ?? last.proposal.header,
  };
}

function offer(member: Solo, height: number, from = 0, term = 1): Solo {
  return member.hear('snapshot-offer', from, term, {
    snapshot: nameOfEntry(at(height)),
    configuration: encodeConfiguration(genesisConfiguration(validatorSet([0, 1, 2].map(keyOf)))),
  });
}

function applied(member: Solo, ...heights: number[]): Solo {
  for (const height of heights) member.give({ type: 'applied', height: toHeight(height) });
  return member;
}

const recordsOf = (member: Solo): number[] =>
  [...member.records.keys()]
    .filter((key) => key.startsWith('raft/entry/'))
    .map((key) => Number(key.slice(-3)));

const withLearner: Configuration = [
  ...genesisConfiguration(validatorSet([0, 1, 2].map(keyOf))),
  { key: keyOf(3), role: 'learner' },
];
/** A block that makes member 3 a learner, and one above it. */
const [change, above] = ((): [WireEntry, WireEntry] => {
  const [first] = entriesOn(genesisHeader(3), [1], { configuration: withLearner });
  const [second] = entriesOn(defined(first, 'an entry').proposal.header, [1]);
  return [defined(first, 'an entry'), defined(second, 'an entry')];
})();

test('each final block of sync is delivered once, with the proof of the last for the last only', () => {
  const member = following().give(synced([at(1), at(2), at(3)]));
  const given = member.all('commit').map(({ link, certificate }) => [link.height, certificate?.height]);
  assert.deepEqual(given, [
    [1, undefined],
    [2, undefined],
    [3, 3],
  ]);
  member.give(synced([at(2), at(3), at(4)]));
  assert.deepEqual(
    member.all('commit').map(({ link }) => link.height),
    [4],
  );
});

test('blocks of sync that the log holds are final there: it stays as it is, and hands them out itself', () => {
  const member = new Solo(2, 3).append(0, 1, [1, 2, 3].map(at)).sync();
  member.give(synced([at(1), at(2)]));
  assert.deepEqual(
    member.all('commit').map(({ link, certificate }) => [link.height, certificate?.height]),
    [
      [1, 1],
      [2, 2],
    ],
  );
  assert.deepEqual(
    [member.all('persist'), member.state.log.base.height, lastHeight(member.state.log)],
    [[], 0, 3],
  );
});

test('a write that is on its way when sync replaces its blocks says nothing about what came instead (ABA)', () => {
  const member = new Solo(2, 3);
  const lost = entriesOn(genesisHeader(3), [1, 1, 1, 1], { leader: 1, text: 'lost' });
  member.append(1, 1, lost);
  member.give(synced([at(1), at(2), at(3)]));
  member.sync();
  assert.equal(member.state.durable, 0);
  assert.deepEqual(recordsOf(member), [], 'and nothing of them stays on the disk');
  applied(member, 1, 2, 3);
  member.append(1, 1, [at(4)], 3).sync();
  member.append(1, 1, [at(5)], 3).sync();
  assert.deepEqual(recordsOf(member), [4, 5], 'what is removed once is not removed again');
});

test('blocks that are being validated when sync replaces what they stand on are forgotten', () => {
  const member = new Solo(2, 3);
  const lost = entriesOn(genesisHeader(3), [1, 1, 1], { leader: 1, text: 'lost' });
  member.hear('append', 1, 1, { previous: genesisOf(3), entries: lost });
  member.give(synced([at(1)])).sync();
  applied(member, 1);
  const { blockHash } = nameOfEntry(defined(lost[2], 'an entry'));
  member.give({ type: 'validated', blockHash, result: { verdict: 'valid', chain: [] } });
  assert.deepEqual([lastHeight(member.state.log), member.state.executed], [1, 1]);
});

test('sync brings nothing that is final here already, nor what leaves a gap, nor what a snapshot is about to replace', () => {
  const unchanged = (member: Solo, input: Input<never>): void => {
    const before = structuredClone({ ...member.state, highestKnown: 0 });
    member.give(input);
    assert.deepEqual(member.all('commit'), []);
    assert.deepEqual(structuredClone({ ...member.state, highestKnown: 0 }), before);
  };
  const full = new Solo(2, 3, { options: { tail: 0 } });
  applied(full.append(0, 1, [1, 2, 3].map(at), 3).sync(), 1, 2, 3).sync();
  unchanged(full, synced([at(1), at(2)]));
  unchanged(full, synced([at(1), at(2), at(3)]));
  unchanged(full, synced([at(5), at(6)]));
  const fetching = offer(following(), 4).sync();
  unchanged(fetching, synced([at(1), at(2), at(3)]));
});

test('of sync the members are taken that a header names, after those in force, and no others', () => {
  const ignored = (input: Input<never>, why: RegExp): void => {
    const member = following().give(input);
    assert.equal(member.all('commit').length, 0);
    const told = member.all('trace').find(({ event }) => event === 'sync-ignored');
    assert.match(String(told?.data['why']), why);
  };
  ignored(synced([change, above]), /crosses a change/);
  ignored(synced([change], { configuration: new Uint8Array() }), /names no members/);
  const others = encodeConfiguration(withLearner.slice(0, 3));
  ignored(synced([change], { configuration: others }), /names other members/);
  const member = following().give(synced([change]));
  assert.equal(member.all('commit').length, 1);
  member.sync();
  assert.equal(member.give(synced([above])).all('commit').length, 0, 'not while that is half way in');
  member.tick(1_000);
  assert.equal(member.state.role.kind, 'follower', 'nor does it campaign');
  applied(member, 1).sync();
  assert.deepEqual(member.state.configuration, withLearner);
  assert.equal(member.give(synced([above])).all('commit').length, 1);
});

test('what is known to be committed and not executed yet comes from the log, before anything of sync', () => {
  const member = new Solo(2, 3).append(0, 1, [at(1), at(2)], 1).sync();
  member.restart();
  const { blockHash } = member.one('validate');
  member.sync();
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: nameOfEntry(at(2)), round: 1 });
  assert.equal(member.state.commit, 2);
  member.give(synced([1, 2, 3].map(at)));
  assert.deepEqual(member.all('commit'), []);
  member.give({ type: 'validated', blockHash, result: { verdict: 'valid', chain: [] } });
  assert.deepEqual(
    member.all('commit').map(({ link }) => link.height),
    [1, 2],
  );
  assert.equal(member.give(synced([1, 2, 3].map(at))).all('commit').length, 1);
});

test('a candidate to whom sync shows what others committed gives up', () => {
  const member = new Solo(2, 3);
  while (member.state.role.kind === 'follower') member.tick(50);
  member.give(synced([at(1)]));
  assert.equal(member.state.role.kind, 'follower');
  assert.equal(member.all('commit').length, 1);
});

test('a snapshot from before what left memory is not installed, and its leader goes on from the log', () => {
  const member = new Solo(2, 3, { options: { tail: 0 } });
  applied(member.append(0, 1, [1, 2, 3].map(at), 3).sync(), 1, 2, 3).sync();
  offer(member, 2);
  assert.deepEqual(member.all('install'), []);
  assert.equal(member.sent('snapshot-answer')[0]?.state, 'failed');
  assert.deepEqual(
    member.sent('accepted').map(({ block }) => block.height),
    [3],
  );
});

test('a snapshot of a leader of an old term is not installed', () => {
  const member = following();
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 1, term: 2, commit: nameOfEntry(at(3)), round: 1 });
  assert.deepEqual(offer(member.sync(), 4, 0, 1).effects, []);
});

test('a member that fetches a snapshot does not campaign', () => {
  const member = offer(following(), 4).sync();
  for (let i = 0; i < 10; i++) member.tick(200).sync();
  assert.equal(member.state.role.kind, 'follower');
  member.give({ type: 'install-failed', height: toHeight(4), reason: 'nobody has it' }).tick(700);
  assert.equal(member.state.role.kind, 'candidate');
});

test('one snapshot at a time is made, and the next one when it is due', () => {
  const member = new Solo(2, 3, { options: { snapshotEvery: 2, keepBlocks: 1 } });
  member.append(0, 1, [1, 2, 3, 4, 5].map(at), 5).sync();
  applied(member, 1);
  assert.deepEqual(member.all('compact'), []);
  assert.deepEqual(applied(member, 2).one('compact'), { type: 'compact', height: 2, keepFrom: 1 });
  for (const height of [3, 4, 5]) assert.deepEqual(applied(member, height).all('compact'), []);
  member.give({ type: 'compacted', snapshot: nameOfEntry(at(2)), firstBlock: toHeight(1) });
  assert.deepEqual(member.one('compact'), { type: 'compact', height: 5, keepFrom: 4 });
  member.give({ type: 'compacted', snapshot: nameOfEntry(at(5)), firstBlock: toHeight(4) });
  assert.deepEqual(member.all('compact'), []);
});

test('a snapshot that only a change of the members calls for deletes no block', () => {
  const member = new Solo(2, 3, { options: { snapshotEvery: 100, keepBlocks: 1 } });
  member.give({ type: 'compacted', snapshot: genesisOf(3), firstBlock: toHeight(1) });
  applied(member.append(0, 1, [change, above], 2).sync(), 1);
  assert.deepEqual(member.one('compact'), { type: 'compact', height: 1, keepFrom: 1 });
});

suite('a leader that offers a snapshot to a follower whose next block was pruned', () => {
  /** Blocks 1 to 5 are final there, a snapshot is of this height, and member 2 lacks everything. */
  function offering(height: number, entries: readonly WireEntry[] = [1, 2, 3, 4, 5].map(at)): Solo {
    const leader = new Solo(1, 3, { options: { tail: 0 } });
    leader.append(0, 1, entries, entries.length).sync();
    for (const entry of entries) leader.give({ type: 'applied', height: nameOfEntry(entry).height });
    const snapshot = nameOfEntry(defined(entries[height - 1], 'an entry'));
    leader.give({ type: 'compacted', snapshot, firstBlock: toHeight(height) });
    leader.sync().lead();
    leader.receive<'rejected'>({
      kind: 'rejected',
      from: 2,
      term: leader.state.term,
      previous: toHeight(entries.length),
      next: toHeight(1),
      conflictTerm: toView(0),
      final: toHeight(0),
    });
    const blocks = leader.one('load').blocks.map(({ height: asked }) => ({ height: asked, block: null }));
    return leader.give({ type: 'loaded', blocks });
  }

  const says = (leader: Solo, state: 'receiving' | 'failed'): Solo =>
    leader.receive<'snapshot-answer'>({
      kind: 'snapshot-answer',
      from: 2,
      term: leader.state.term,
      height: toHeight(4),
      state,
    });

  /** Time passes, and everybody answers heartbeats. What is done for member 2 besides. */
  function pass(leader: Solo, ms: number): string[] {
    const sent: string[] = [];
    const note = (): void => {
      for (const { to, message } of leader.all('send')) {
        if (to !== 'all' && to.includes(2) && message.kind !== 'heartbeat') sent.push(message.kind);
      }
      sent.push(...leader.all('load').map(({ type }) => type));
    };
    for (let passed = 0; passed < ms; passed += 50) {
      leader.tick(50);
      note();
      for (const from of [0, 2]) {
        leader.hear('heartbeat-answer', from, leader.state.term, {
          round: 1,
          received: toHeight(from === 0 ? 5 : 0),
        });
        note();
      }
    }
    return sent;
  }

  test('waits as long as that one says that it receives, and finds out anew when it says nothing', () => {
    const leader = offering(4);
    assert.equal(leader.sent('snapshot-offer')[0]?.snapshot.height, 4);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(pass(leader, 1_000), []);
      says(leader, 'receiving');
    }
    assert.deepEqual(pass(leader, 1_400), []);
    assert.deepEqual(pass(leader, 200), ['load'], 'it begins with what that one lacks');
  });

  test('finds out anew when that one says that it failed', () => {
    const leader = says(offering(4), 'failed');
    const blocks = leader.one('load').blocks.map(({ height }) => ({ height, block: null }));
    assert.equal(leader.give({ type: 'loaded', blocks }).sent('snapshot-offer').length, 1);
  });

  test('goes on with blocks when that one has the snapshot’s, and not at an older acknowledgement', () => {
    const leader = offering(4);
    const accept = (height: number): string[] =>
      leader
        .hear('accepted', 2, leader.state.term, { block: nameOfEntry(at(height)) })
        .all('load')
        .map(({ blocks }) => blocks.map(({ height: asked }) => asked).join());
    assert.deepEqual(accept(2), []);
    assert.deepEqual(accept(4), ['5']);
  });

  test('has none to offer while its own is from before the last change of the members', () => {
    const [third] = entriesOn(above.proposal.header, [1]);
    const [fourth] = entriesOn(defined(third, 'an entry').proposal.header, [1], {
      configuration: withLearner.slice(0, 3),
    });
    const entries = [change, above, defined(third, 'an entry'), defined(fourth, 'an entry')];
    const leader = offering(2, entries);
    assert.deepEqual([leader.sent('snapshot-offer'), leader.all('load')], [[], []]);
    assert.ok(!pass(leader, 100).includes('snapshot-offer'));
    assert.equal(offering(4, entries).sent('snapshot-offer').length, 1);
  });
});

suite('a restart', () => {
  /** A member that stored three entries, none of them final. */
  const stored = (): Solo => new Solo(2, 3).append(0, 1, [1, 2, 3].map(at)).sync();
  const key = (member: Solo, height: number): string =>
    defined(
      [...member.records.keys()].find((name) => name === `raft/entry/${String(height).padStart(15, '0')}`),
      'a record',
    );
  const damage = { code: 'storage/consensus-log' };

  test('with an entry missing in the middle of the log is refused: what was promised there is unknown', () => {
    const member = stored();
    member.records.delete(key(member, 2));
    assert.throws(() => member.restart(), damage);
  });

  test('with an entry that does not link to the one before is refused', () => {
    const member = stored();
    const other = new Solo(2, 3)
      .append(0, 1, entriesOn(genesisHeader(3), [1, 1, 1], { text: 'other' }))
      .sync();
    member.records.set(key(member, 2), defined(other.records.get(key(other, 2)), 'a record'));
    assert.throws(() => member.restart(), damage);
  });

  test('after a block that nobody knows the members of is refused', () => {
    const member = stored();
    assert.throws(() => member.restart(above.proposal.header), damage);
  });

  test('on a final block that took the place of what the log held leaves that out, and removes it', () => {
    const member = stored();
    const [first] = entriesOn(genesisHeader(3), [1], { text: 'other' });
    member.restart(defined(first, 'an entry').proposal.header);
    assert.equal(lastHeight(member.state.log), 1);
    member.sync();
    assert.deepEqual(recordsOf(member), []);
  });

  test('on the block that starts a configuration knows it from the entry or the certificate, tells it, and writes it down', () => {
    for (const source of ['entry', 'certificate'] as const) {
      const member = new Solo(2, 3);
      if (source === 'entry') member.append(0, 1, [change, above], 1).sync();
      else
        member
          .receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: genesisOf(3), round: 1 })
          .sync();
      member.restart(change.proposal.header, source === 'certificate' ? certificateOf(change) : undefined);
      assert.deepEqual(member.state.configuration, withLearner);
      assert.equal(member.one('members').members.length, 4);
      member.sync();
      const records = [...member.records.keys()].filter((name) => name.startsWith('raft/configuration/'));
      assert.equal(records.length, 1);
      if (source === 'certificate') member.restart(above.proposal.header);
      else member.restart(change.proposal.header);
      assert.deepEqual(member.state.configuration, withLearner, 'from the record');
    }
    const plain = new Solo(2, 3);
    plain.restart();
    assert.deepEqual(plain.all('members'), []);
  });
});
