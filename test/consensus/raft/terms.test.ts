import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import { type Input, type MemberChange, type Verified } from '../../../src/consensus/engine.ts';
import { genesisConfiguration } from '../../../src/consensus/raft/configuration.ts';
import { checkInvariants, checkLog } from '../../../src/consensus/raft/invariants.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import type { RaftMessage, WireEntry } from '../../../src/consensus/raft/message.ts';
import { hardStateCodec, stateKey } from '../../../src/consensus/raft/records.ts';
import { decode } from '../../../src/base/codec.ts';
import { unwrap } from '../../../src/base/problem.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { Cluster } from './cluster.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';
import { type Configuration, encodeConfiguration } from '../../../src/ledger/members.ts';

// Whoever holds a block of a term has seen that term: it never campaigns in it, votes in an older one, or says anything in one.

const first = (entries: readonly WireEntry[]): WireEntry => defined(entries[0], 'an entry');
/** A block of term 4 on genesis, and one of term 2 that a leader before it made there. */
const later = first(entriesOn(genesisHeader(3), [4], { leader: 1 }));
const earlier = first(entriesOn(genesisHeader(3), [2], { text: 'deposed' }));
const members: Configuration = genesisConfiguration(validatorSet([0, 1, 2].map(keyOf)));

const certificateOf = (entry: WireEntry): Verified<FinalityCertificate> =>
  ({
    engine: 'raft',
    term: entry.proposal.header.view,
    ...nameOfEntry(entry),
    leader: entry.leader,
    signature: entry.signature,
    configuration: entry.configuration,
  }) as Verified<FinalityCertificate>;

const synced = (entry: WireEntry): Input<RaftMessage> => ({
  type: 'synced',
  chain: [{ isLast: false, ...nameOfEntry(entry), parentHash: entry.proposal.header.parentHash }],
  certificate: certificateOf(entry),
  header: entry.proposal.header,
});

const offered = (entry: WireEntry): Input<RaftMessage> => ({
  type: 'offered',
  header: entry.proposal.header,
  blockHash: nameOfEntry(entry).blockHash,
  certificate: {
    ...certificateOf(entry),
    configuration: encodeConfiguration(members),
  } as Verified<FinalityCertificate>,
  holders: [1],
});

/** Follows member 0 in term 2. */
function following(): Solo {
  const member = new Solo(2, 3);
  return member
    .receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 2, commit: genesisOf(3), round: 1 })
    .sync();
}

const termOnDisk = (member: Solo): number => {
  const bytes = defined(member.records.get(stateKey), 'the state on disk');
  return unwrap(decode(hardStateCodec, bytes, 'state')).term;
};

test('two leaders of one term: who got blocks of that term by sync, and the members that they bring, does not campaign in it', () => {
  const cluster = Cluster.ledBy(0, { spares: 3 });
  const [old, leader, late] = [cluster.host(0), cluster.host(1), cluster.host(2)];
  const newcomers = [3, 4, 5].map((index) => cluster.host(index));
  for (const host of newcomers) host.start();
  // The word to campaign is on its way to 2 when 0 gives up on it; 2 is cut off then.
  const word = cluster.wire.hold(({ to, message }) => to === 2 && message.kind === 'timeout-now');
  old.ask({ kind: 'transfer', to: 2 });
  cluster.until(() => word.held.length > 0, 'the word to the transferee');
  cluster.wire.partition([[0, 1, 3, 4, 5]], 6);
  cluster.until(() => old.state.transfer === null, 'it gives up');
  old.ask({ kind: 'transfer', to: 1 });
  cluster.until(() => leader.leads, 'another transferee');
  assert.equal(leader.state.term, 2);
  const change = (changes: readonly MemberChange[]): void => {
    const id = leader.ask({ kind: 'members', changes, forced: false });
    cluster.until(() => leader.answers.has(id), 'the change');
    assert.ok('height' in defined(leader.answers.get(id), 'its outcome'));
  };
  cluster.until(() => leader.state.commit > 1, 'its first block').run(100);
  change([3, 4, 5].map((index) => ({ key: keyOf(index), role: 'learner' })));
  cluster.until(() => cluster.host(5).state.applied === leader.state.applied, 'they follow').run(100);
  change([
    ...[3, 4, 5].map((index) => ({ key: keyOf(index), role: 'voter' as const })),
    { key: keyOf(0), role: 'removed' },
  ]);
  cluster.run(100);

  late.state.electionTimer.dueAt = 1_000_000;
  for (const index of [3, 4]) {
    cluster.wire.cuts.delete(`2>${index}`);
    cluster.wire.cuts.delete(`${index}>2`);
  }
  cluster.until(() => {
    late.syncFrom(3);
    return late.state.applied === leader.state.applied;
  }, 'it has all of it');
  for (const index of [3, 4]) {
    cluster.host(index).crash();
    cluster.host(index).start();
  }
  // The checks of the cluster find two leaders of a term.
  word.release();
  cluster.run(200);
  assert.ok(late.state.term >= 2);
  assert.ok(leader.leads && leader.state.term === 2, 'nobody is deposed by a word of an older term');
  cluster.wire.heal();
  const transaction = cluster.submit('goes on');
  cluster.until(() => cluster.isFinalAt(late, transaction), 'and goes on');
});

test('a final block of a later term that sync brings makes its holder see that term, on disk before the block is', () => {
  const member = following().give(synced(later));
  assert.equal(member.state.term, 4);
  assert.equal(member.state.votedFor, null);
  const effects = member.effects.map(({ type }) => type);
  assert.ok(effects.indexOf('persist') < effects.indexOf('commit'), 'the driver keeps that order on disk');
  member.sync();
  assert.equal(termOnDisk(member), 4);
});

test('so does a snapshot that sync finds, before it is asked for', () => {
  const member = following().give(offered(later));
  assert.equal(member.state.term, 4);
  const effects = member.effects.map(({ type }) => type);
  assert.ok(effects.indexOf('persist') < effects.indexOf('install'));
  member.sync();
  assert.equal(termOnDisk(member), 4);
  const { header } = later.proposal;
  const { blockHash } = nameOfEntry(later);
  member.give({ type: 'installed', header, blockHash, certificate: certificateOf(later) });
  assert.equal(member.state.log.base.term, 4);
});

test('and one that a leader of a later term offered', () => {
  const member = following();
  member.hear('snapshot-offer', 1, 5, {
    snapshot: nameOfEntry(later),
    configuration: encodeConfiguration(members),
  });
  member.sync();
  assert.equal(termOnDisk(member), 5);
});

test('a start from a final block of a later term than the state on disk is a start in that term, without a vote in it', () => {
  const member = following();
  assert.equal(termOnDisk(member), 2);
  member.restart(later.proposal.header, certificateOf(later));
  assert.equal(member.state.term, 4);
  assert.equal(member.state.votedFor, null);
  member.sync();
  assert.equal(termOnDisk(member), 4);
});

test('a vote of the term on disk is kept, and only that one', () => {
  for (const term of [3, 4]) {
    const member = new Solo(2, 3);
    member.hear('vote-request', 1, term, { commit: genesisOf(3) }).sync();
    member.restart(later.proposal.header, certificateOf(later));
    assert.equal(member.state.term, 4);
    assert.equal(member.state.votedFor, term === 4 ? 1 : null);
  }
});

test('a log whose state is older than its blocks is a start in the term of its last block', () => {
  const member = following();
  member.append(0, 2, [earlier]).sync();
  const state = unwrap(decode(hardStateCodec, defined(member.records.get(stateKey), 'state'), 'state'));
  assert.equal(state.term, 2);
  member.restart(later.proposal.header, certificateOf(later));
  assert.equal(member.state.term, 4);
});

test('a word to campaign from the term before is late, and no campaign follows', () => {
  const member = following().give(synced(later)).sync();
  member.give({ type: 'applied', height: toHeight(1) }).sync();
  member.receive<'timeout-now'>({ kind: 'timeout-now', from: 0, term: 2 }).sync();
  assert.equal(member.state.role.kind, 'follower');
  assert.equal(member.sent('vote-request').length, 0);
  // Its next campaign is in a term that nobody led.
  while (member.state.role.kind === 'follower') member.tick(50);
  assert.deepEqual(
    member.sent('vote-request').map(({ pre, term }) => [pre, term]),
    [[true, 4]],
  );
});

test('it says nothing in the old term any more, and does not accuse a leader that was deposed without hearing of it', () => {
  const member = following().give(synced(later)).sync();
  member.give({ type: 'applied', height: toHeight(1) });
  const said = [...member.sent('accepted')];
  member.append(0, 2, [earlier], 0).sync();
  assert.deepEqual(member.accusations, []);
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 2, commit: genesisOf(3), round: 2 });
  const answers = member.all('send').map(({ message }) => message.term);
  assert.deepEqual([...new Set(answers)], [4], 'it tells the old leader of the new term');
  assert.deepEqual([...said, ...member.sent('accepted')], []);
});

test('a block that was committed in a later term than its own contradicts an honest leader in between: it is not accused', () => {
  // Of term 1, found by a leader of term 3 and committed with its first block; a leader of term 2 knows of neither.
  const found = first(entriesOn(genesisHeader(3), [1], { leader: 1, text: 'found' }));
  const member = following().give(synced(found)).sync();
  member.give({ type: 'applied', height: toHeight(1) }).sync();
  const above = entriesOn(earlier.proposal.header, [2]);
  member.append(0, 2, above).sync();
  member.append(0, 2, [earlier, ...above]).sync();
  assert.deepEqual(member.accusations, []);
  assert.equal(member.state.commit, 1);
  assert.equal(lastHeight(member.state.log), 1);
});

test('that no block is of a later term than its holder is an invariant, of the log’s base too', () => {
  const member = following();
  member.state.log.base = { ...member.state.log.base, term: toView(3) };
  assert.throws(() => checkInvariants(member.engine.replica), /later term/);
  assert.throws(() => checkLog(member.engine.replica), /later term/);
  assert.throws(() => member.engine.step({ type: 'tick', now: member.now }), /later term/, 'in every step');
});

suite('what turns out to be final while a leader that does not know of it replaces it stays', () => {
  const [found] = entriesOn(genesisHeader(3), [1], { leader: 0, text: 'found' }) as [WireEntry];
  const rivals = entriesOn(genesisHeader(3), [2, 2, 2], { leader: 1, text: 'rival' });
  // A leader of term 3 committed the block of term 1. One of term 2 has not heard of it, and its blocks are being checked here.
  const told: Record<string, Input<RaftMessage>> = {
    'a voter tells': {
      type: 'message',
      message: {
        kind: 'vote-request',
        from: 0,
        term: toView(3),
        pre: true,
        transfer: false,
        lastHeight: toHeight(2),
        lastTerm: toView(3),
        commit: nameOfEntry(found),
      } as unknown as Verified<RaftMessage>,
    },
    'sync brings it': synced(found),
    'sync finds a snapshot of it': offered(found),
  };
  for (const [how, input] of Object.entries(told)) {
    test(how, () => {
      const member = new Solo(2, 3);
      member.append(0, 1, [found]).sync();
      const previous = genesisOf(3);
      member.hear('append', 1, 2, { previous, entries: rivals });
      const asked = member.all('validate');
      assert.equal(asked.length, 3);
      member.sync().give(input);
      for (const { blockHash } of asked)
        member.give({ type: 'validated', blockHash, result: { verdict: 'valid', chain: [] } });
      assert.equal(member.state.commit, 1);
      assert.deepEqual(
        member.state.log.entries.map(({ blockHash }) => blockHash),
        [nameOfEntry(found).blockHash],
      );
      assert.deepEqual(member.accusations, []);
    });
  }
});

test('blocks that are on disk are acknowledged in a later term when that is on disk, too', () => {
  const [block] = entriesOn(genesisHeader(3), [1]);
  assert.ok(block !== undefined);
  const member = new Solo(2, 3).append(0, 1, [block]);
  member.hear('append', 1, 2, { previous: nameOfEntry(block) });
  const all = [...member.writes];
  const withBlock = all.findIndex(({ blocks }) => blocks.length > 0);
  for (const write of all.slice(0, withBlock + 1)) member.confirm(write);
  assert.equal(member.state.durable, 1);
  assert.deepEqual(member.sent('accepted'), [], 'a crash now would forget the term');
  const said: number[] = [];
  for (const write of all.slice(withBlock + 1))
    said.push(
      ...member
        .confirm(write)
        .sent('accepted')
        .map(({ term }) => term),
    );
  assert.ok(said.length > 0 && said.every((term) => term === 2));
});

test('a change of the members that came in a later term than its own is held in none, also after a restart', () => {
  const configuration: Configuration = [...members, { key: keyOf(3), role: 'learner' }];
  const [change] = entriesOn(genesisHeader(3), [1], { configuration });
  assert.ok(change !== undefined);
  for (const [term, held] of [
    [1, nameOfEntry(change)],
    [2, null],
  ] as const) {
    const member = new Solo(2, 3).append(1, term, [change]).sync();
    assert.deepEqual(member.state.held, held);
    member.restart();
    assert.deepEqual(member.state.held, held);
  }
});

test('one whose log was lost holds none, whenever that shows: it may have seen a later term before', () => {
  const configuration: Configuration = [...members, { key: keyOf(3), role: 'learner' }];
  const [change] = entriesOn(genesisHeader(3), [1], { configuration });
  assert.ok(change !== undefined);
  const came = new Solo(2, 3);
  came.restart(undefined, undefined, 'lost');
  came.sync().append(1, 1, [change]).sync();
  assert.equal(came.state.held, null, 'the block came after the loss');
  came.restart();
  assert.equal(came.state.held, null, 'and a restart makes nothing of it');

  const copy = new Solo(2, 3).append(1, 1, [change]).sync();
  copy.restart(undefined, undefined, 'lost');
  assert.equal(copy.state.held, null, 'the log is an old one');

  const doubted = new Solo(2, 3).append(1, 1, [change]).sync();
  assert.notEqual(doubted.state.held, null);
  doubted.append(0, 5, entriesOn(change.proposal.header, [4], { leader: 2 }));
  assert.equal(doubted.state.held, null, 'its key was used elsewhere');
});
