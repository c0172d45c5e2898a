import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import type { Verified } from '../../../src/consensus/engine.ts';
import { encodeConfiguration, genesisConfiguration } from '../../../src/consensus/raft/configuration.ts';
import { lastHeight } from '../../../src/consensus/raft/log.ts';
import type { WireEntry } from '../../../src/consensus/raft/message.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { entriesOn, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';

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
      chain: [{ ...commit, parentHash: first.proposal.header.parentHash }],
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

test('a crash while blocks of sync are being stored leaves a log without a gap', () => {
  const member = following();
  member.give({
    type: 'synced',
    chain: [{ ...nameOfEntry(at(1)), parentHash: at(1).proposal.header.parentHash }],
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
    member.receive<'snapshot-offer'>({
      kind: 'snapshot-offer',
      from,
      to: 2,
      term,
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
  const member = following().receive<'snapshot-offer'>({
    kind: 'snapshot-offer',
    from: 0,
    to: 2,
    term: 1,
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

test('a snapshot that was made before one that was installed meanwhile is offered to nobody', () => {
  const member = following().receive<'snapshot-offer'>({
    kind: 'snapshot-offer',
    from: 0,
    to: 2,
    term: 1,
    snapshot: nameOfEntry(at(4)),
    configuration: encodeConfiguration(genesisConfiguration(validatorSet([0, 1, 2].map(keyOf)))),
  });
  const { header } = at(4).proposal;
  const { blockHash } = nameOfEntry(at(4));
  member.sync().give({ type: 'installed', header, blockHash, certificate: certificateOf(at(4)) });
  member.give({ type: 'compacted', snapshot: nameOfEntry(at(2)), firstBlock: toHeight(2) });
  assert.deepEqual(member.state.compacted, { snapshot: nameOfEntry(at(4)), firstBlock: 5 });
});
