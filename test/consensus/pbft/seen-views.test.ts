import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../../src/base/codec.ts';
import { defined } from '../../../src/base/invariant.ts';
import { unwrap } from '../../../src/base/problem.ts';
import { hardStateCodec } from '../../../src/consensus/pbft/records.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import type { Input, Verified } from '../../../src/consensus/engine.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import { Committee, type TestNode } from './harness.ts';

// Whoever holds a certificate of a view has reached that view, on disk first: it says nothing in an earlier one.

/** Seven validators; number 6 hears nobody while the others finish a block in a later view. */
function behind(): { committee: Committee; late: TestNode; synced: Input<PbftMessage>; view: number } {
  const committee = new Committee(7);
  committee.deliverable = (from, to) => from !== 6 && to !== 6;
  committee.node(0).crash();
  committee.work();
  committee.pass(20_000);
  const ahead = committee.node(1);
  const height = ahead.finalHeight();
  const certificate = defined(ahead.certificates.get(height), 'a certificate');
  assert.ok(height === 1 && certificate.engine === 'pbft' && certificate.view > 0);
  const blockHash = ahead.finalHash();
  const { parentHash } = defined(committee.blocks.get(blockHash), 'a block');
  const late = committee.node(6);
  late.effects = [];
  const synced: Input<PbftMessage> = {
    type: 'synced',
    chain: [{ isLast: false, height, blockHash, parentHash }],
    certificate: certificate as Verified<FinalityCertificate>,
  };
  return { committee, late, synced, view: certificate.view };
}

test('a final block of a later view that sync brings makes its holder leave the views before, on disk before the block is', () => {
  const { late, synced, view } = behind();
  assert.ok((late.engine?.status().view ?? 0) < view);
  late.step(synced);
  assert.equal(late.engine?.status().view, view);
  const kinds = late.effects.map(({ type }) => type);
  assert.ok(kinds.includes('persist') && kinds.includes('commit'));
  assert.ok(kinds.indexOf('persist') < kinds.indexOf('commit'));
  const position = defined(late.records.get('position'), 'its position');
  assert.equal(unwrap(decode(hardStateCodec, position, 'position')).view, view);
  late.crash();
  late.restart();
  assert.equal(late.engine?.status().view, view);
});

test('so does a start from such a block, also when the log that told the view was lost', () => {
  const { late, synced, view } = behind();
  late.step(synced);
  late.crash();
  late.records = new Map();
  late.restart();
  assert.equal(late.engine?.status().view, view);
});

test('who holds a final block of a view enters it, however old the ViewChanges are that began it', () => {
  const window = 2;
  const committee = new Committee(4, { options: { window, blockIntervalMs: 0 } });
  committee.grow(3);
  let newView: PbftMessage | undefined;
  committee.deliverable = (from, to, message) => {
    if (message.kind === 'new-view') newView = message;
    return from !== 3 && to !== 3;
  };
  for (const from of [0, 1, 2]) {
    const viewChange = committee.viewChange(from, 1);
    for (const to of [0, 1, 2]) committee.node(to).receive(viewChange);
  }
  committee.run();
  committee.grow(3 + 4 * window);
  const ahead = committee.node(0);
  const certificate = defined(ahead.certificates.get(ahead.finalHeight()), 'a certificate');
  assert.ok(certificate.engine === 'pbft');
  assert.equal(certificate.view, 1, 'the block is of that view itself, and of no later one');
  committee.deliverable = () => true;
  const late = committee.node(3);
  for (const input of late.syncFrom(0)) late.step(input);
  assert.equal(late.finalHeight(), ahead.finalHeight());
  assert.deepEqual([late.engine?.state.view, late.engine?.state.phase.name], [1, 'changing']);
  late.receive(defined(newView, 'the one that began it'));
  assert.deepEqual([late.engine?.state.view, late.engine?.state.phase.name], [1, 'normal']);
});
