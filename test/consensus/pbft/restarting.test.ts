import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../../src/base/codec.ts';
import type { ViewChange } from '../../../src/consensus/pbft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { type Certificate, certificateCodec } from '../../../src/ledger/certificate.ts';
import { Committee, type TestNode } from './harness.ts';

// A restarted replica is where it was: what it promised, what it was waiting for, and what its disk keeps for that.

const options = { blockIntervalMs: 0, viewTimeoutMs: 1_000, viewTimeoutCapMs: 8_000 };

/** A committee that makes blocks up to this height, and hears nothing of each other from then on. */
function committeeAt(height: number, more: Partial<Committee['options']> = {}): Committee {
  const committee = new Committee(4, { options: { ...options, ...more } });
  committee.grow(height);
  committee.deliverable = () => false;
  return committee;
}

function again(node: TestNode): void {
  node.crash();
  node.effects = [];
  node.restart();
}

const sentBy = (node: TestNode): string[] =>
  node.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message.kind] : []));
const votes = (node: TestNode): string[] => [...node.records.keys()].filter((key) => key.includes('/'));

test('one that left its view is still leaving it, repeats its ViewChange, and signs nothing new', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  for (const from of [0, 1]) node.receive(committee.viewChange(from, 5));
  again(node);
  const { state } = node.engine ?? assert.fail();
  assert.deepEqual([state.view, state.phase.name, state.attempts], [5, 'changing', 1]);
  assert.equal(state.viewChanges.get(3)?.view, 5);
  node.tick(1_000, 100);
  assert.ok(sentBy(node).includes('view-change'));
  assert.deepEqual(node.signed(), []);
});

test('the back-off survives', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  for (const view of [2, 4, 6]) for (const from of [0, 1]) node.receive(committee.viewChange(from, view));
  assert.equal(node.engine?.state.attempts, 3);
  again(node);
  assert.equal(node.engine.state.attempts, 3);
});

/** The primary of view 1, whose NewView came to the disk, and what follows from it did not. */
function cutOffAtItsNewView(committee: Committee): TestNode {
  const primary = committee.node(1);
  for (const from of [0, 2]) primary.receive(committee.viewChange(from, 1));
  primary.records.delete('accepted-new-view');
  for (const key of votes(primary))
    if (!key.startsWith('new-view') && !key.startsWith('view-')) primary.records.delete(key);
  const position = committee.node(3);
  position.receive(committee.viewChange(0, 1));
  position.receive(committee.viewChange(2, 1));
  primary.records.set('position', position.records.get('position') ?? assert.fail());
  return primary;
}

test('a primary that had signed its NewView and not entered does so, and others get it', () => {
  const committee = committeeAt(1);
  const primary = cutOffAtItsNewView(committee);
  again(primary);
  const { phase, newView } = primary.engine?.state ?? {};
  assert.deepEqual([phase?.name, newView?.view], ['normal', 1]);
  assert.ok(primary.records.has('accepted-new-view'));
  assert.deepEqual(primary.signed(), []);
  committee.deliverable = () => true;
  committee.pass(600);
  assert.deepEqual(
    committee.nodes.map(({ engine }) => engine?.state.newView?.view),
    [1, 1, 1, 1],
  );
});

test('one that may not enter with it any more signs no second one', () => {
  const committee = committeeAt(1);
  const primary = cutOffAtItsNewView(committee);
  // It knew of a certificate beside which those ViewChanges are outdated.
  const certificate = committee.certificateAt(1) ?? assert.fail();
  const height = toHeight(2 + 2 * committee.options.window);
  primary.records.set('highest', encode(certificateCodec, { ...certificate, height }));
  again(primary);
  assert.equal(primary.engine?.state.phase.name, 'changing');
  for (const from of [0, 2, 3]) primary.receive(committee.viewChange(from, 1));
  primary.tick(600, 100);
  assert.deepEqual(primary.signed(), []);
});

test('in a view that starts with a block which nobody could supply yet, it is looked for again, and voted for', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, to, { kind }) => kind !== 'commit' && to !== 3;
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  const highest = committee.node(1).engine?.state.highest ?? assert.fail();
  const node = committee.node(3);
  node.judge = () => ({ verdict: 'unavailable', reason: 'nobody has it' });
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1, { highest }) as ViewChange);
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  node.judge = () => null;
  again(node);
  node.tick(100, 100);
  const asked = node.effects.flatMap((effect) => (effect.type === 'validate' ? [effect] : []));
  assert.deepEqual(
    asked.map(({ height, holders }) => [height, holders]),
    [[2, highest.signatures.map(({ validator }) => validator)]],
  );
  assert.deepEqual(node.signed(), ['prepare/0/1/2']);
});

test('a primary knows what it proposed, so that it can be asked for it, and goes on from there', () => {
  const committee = committeeAt(1);
  const primary = committee.node(0);
  committee.work();
  committee.run();
  again(primary);
  primary.tick(100, 100);
  const asked = primary.effects.flatMap((effect) => (effect.type === 'validate' ? [effect] : []));
  assert.deepEqual(
    asked.map(({ height, proposal }) => [height, proposal?.header.height]),
    [[2, 2]],
  );
  committee.work();
  primary.tick(100, 100);
  const builds = primary.effects.flatMap((effect) => (effect.type === 'build' ? [effect] : []));
  assert.deepEqual([builds[0]?.height, builds[0]?.parentHash], [3, asked[0]?.blockHash]);
});

test('whoever builds next builds on the block that it had voted for', () => {
  const committee = committeeAt(1, { blocksPerPrimary: 1 });
  // Height 2 is the turn of validator 1, and height 3 that of validator 2.
  committee.deliverable = (_, __, { kind }) => kind !== 'commit';
  const next = committee.node(2);
  const execute = next.execute.bind(next);
  next.execute = (effect) => (effect.type === 'build' ? [] : execute(effect));
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  const voted = next.engine?.state.slots.get(toHeight(2))?.blockHash ?? assert.fail();
  again(next);
  next.tick(100, 100);
  committee.work();
  next.tick(100, 100);
  const builds = next.effects.flatMap((effect) => (effect.type === 'build' ? [effect] : []));
  assert.deepEqual(
    builds.map(({ height, parentHash }) => [height, parentHash]),
    [[3, voted]],
  );
});

test('votes of a view below that of the final block on the disk are none of this view', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, __, { kind }) => kind !== 'commit';
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  const node = committee.node(3);
  assert.ok(votes(node).includes('prepare/0/0/2'));
  // Its final block was committed in view 3, and the crash came before that was written.
  const certificate = node.certificates.get(toHeight(1));
  assert.ok(certificate?.engine === 'pbft');
  node.certificates.set(toHeight(1), { ...certificate, view: toView(3) });
  again(node);
  const { state } = node.engine ?? assert.fail();
  assert.deepEqual([state.view, state.phase.name, state.slots.size], [3, 'changing', 0]);
});

test('the disk keeps the votes for the tip of the view though that is stored, and lets go what is past', () => {
  const committee = committeeAt(2);
  const commit = committee.certificateAt(2) ?? assert.fail();
  const node = committee.node(3);
  const highest: Certificate = { ...commit, phase: 'prepare' };
  const finalHeight = toHeight(1);
  const viewChanges = [0, 1, 2].map(
    (from) => committee.viewChange(from, 1, { finalHeight, highest }) as ViewChange,
  );
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  const slot = { view: toView(1), height: toHeight(2), blockHash: commit.blockHash };
  for (const from of [0, 1, 2]) node.receive(committee.say({ kind: 'prepare', from, ...slot }));
  assert.deepEqual(votes(node).toSorted(), ['commit/0/1/2', 'prepare/0/1/2']);
  for (const from of [0, 1]) node.receive(committee.viewChange(from, 2));
  assert.deepEqual(votes(node), ['view-change/0/2']);
});

test('what came to the disk after its view was left goes with the next write: the log does not grow with views that fail', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  node.effects = [];
  node.holdPersists = true;
  for (const view of [1, 2, 3, 4, 5])
    for (const from of [0, 1]) node.receive(committee.viewChange(from, view));
  node.releasePersists();
  assert.deepEqual(sentBy(node), ['view-change']);
  for (const from of [0, 1]) node.receive(committee.viewChange(from, 6));
  assert.deepEqual(votes(node), ['view-change/0/6']);
});

test('what the log holds does not grow with the chain', () => {
  const committee = committeeAt(20);
  for (const node of committee.nodes) {
    assert.ok(node.records.size <= 12, [...node.records.keys()].join(' '));
    assert.ok((node.engine?.state.own.size ?? 0) <= 8);
    assert.equal(node.engine?.state.writes.pending.length, 0);
    assert.equal(node.candidates.size, 0);
  }
});
