import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PbftMessage, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { newViewStart } from '../../../src/consensus/pbft/view-change.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { Certificate } from '../../../src/ledger/certificate.ts';
import { Committee } from './harness.ts';

const viewOf = (committee: Committee, index: number): number =>
  committee.node(index).engine?.status().view ?? -1;

const certificate = (
  phase: 'prepare' | 'commit',
  view: number,
  height: number,
  mark: string,
): Certificate => ({
  epoch: toHeight(0),
  phase,
  view: toView(view),
  height: toHeight(height),
  blockHash: mark.repeat(64) as Certificate['blockHash'],
  signatures: [],
});

const viewChange = (
  from: number,
  final: Certificate | undefined,
  highest: Certificate | undefined,
): ViewChange => ({
  epoch: toHeight(0),
  kind: 'view-change',
  from,
  view: toView(9),
  finalHeight: toHeight(final?.height ?? 0),
  finalCertificate: final,
  highest,
  signature: '0'.repeat(128) as ViewChange['signature'],
});

test('a silent primary is replaced after the timeout, and work goes on', () => {
  const committee = new Committee(4);
  committee.node(0).crash();
  committee.work();
  committee.pass(committee.options.viewTimeoutMs - 200);
  assert.equal(viewOf(committee, 1), 0, 'not before the timeout');
  committee.pass(1_000);
  assert.equal(viewOf(committee, 1), 1);
  assert.deepEqual(committee.heights(), [0, 1, 1, 1]);
});

test('one suspicious replica does not end a view, however long it insists', () => {
  const committee = new Committee(4);
  committee.deliverable = (from, to, message) => !(to === 3 && from === 0) || message.kind === 'status';
  committee.node(3).sync = () => [];
  for (let round = 0; round < 100; round++) {
    committee.work();
    committee.pass(200);
  }
  assert.ok(
    committee.node(3).effects.some((effect) => effect.type === 'trace' && effect.event === 'suspect'),
    'it did suspect',
  );
  assert.equal(viewOf(committee, 0), 0);
  assert.equal(committee.node(0).finalHeight(), 100);
});

test('a prepared block survives the view change: the same block is final in the next view', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, __, message) => message.kind !== 'commit';
  committee.work();
  committee.run();
  const prepared = committee.node(1).engine?.state.highest;
  assert.equal(prepared?.height, 1);
  committee.node(0).crash();
  committee.deliverable = (_, __, message) => !(message.kind === 'commit' && message.view === 0);
  committee.pass(6_000);
  assert.equal(committee.node(1).chain.get(toHeight(1)), prepared.blockHash);
  assert.ok(viewOf(committee, 1) >= 1);
});

test('a block prepared at one replica only is carried over when its certificate is reported', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, to, message) =>
    message.kind !== 'commit' && (message.kind !== 'prepare' || to === 2);
  committee.work();
  committee.run();
  const only = committee.node(2).engine?.state.highest;
  assert.equal(only?.height, 1);
  assert.equal(committee.node(1).engine?.state.highest, null);
  committee.node(0).crash();
  committee.deliverable = () => true;
  committee.pass(6_000);
  assert.equal(committee.node(1).chain.get(toHeight(1)), only.blockHash);
});

test('the tip is prepared at its own height, and nothing below it, in the new view', () => {
  const committee = new Committee(4, { options: { blockIntervalMs: 0 } });
  committee.deliverable = (_, __, message) => message.kind !== 'commit';
  for (let round = 0; round < 4; round++) {
    committee.work();
    committee.run();
  }
  assert.equal(committee.node(1).engine?.state.highest?.height, 4);
  committee.node(0).crash();
  committee.deliverable = (_, __, message) => !(message.kind === 'commit' && message.view === 0);
  committee.pass(6_000);
  const prepares = committee
    .node(1)
    .effects.flatMap((effect) =>
      effect.type === 'send' && effect.message.kind === 'prepare' && effect.message.view === 1
        ? [effect.message.height]
        : [],
    );
  assert.equal(prepares[0], 4);
  assert.ok(
    prepares.every((height) => height >= 4),
    prepares.join(' '),
  );
  assert.ok(committee.node(1).finalHeight() >= 4);
});

test('two view changes in a row: the next primary is silent too', () => {
  const committee = new Committee(7);
  committee.node(0).crash();
  committee.node(1).crash();
  committee.work();
  committee.pass(12_000);
  assert.equal(viewOf(committee, 2), 2);
  assert.ok(committee.node(2).finalHeight() >= 1);
});

test('timeouts double with each failed view, are capped, and start again after a final block', () => {
  const committee = new Committee(7, { options: { viewTimeoutMs: 1_000, viewTimeoutCapMs: 3_000 } });
  committee.node(0).crash();
  committee.node(1).crash();
  committee.work();
  committee.pass(3_500);
  assert.equal(viewOf(committee, 2), 2, '1 s for view 0, and 2 s for view 1');
  committee.pass(2_000);
  assert.equal(committee.node(2).engine?.state.attempts, 0);
});

test('f + 1 view changes make the others join the smallest of those views', () => {
  const committee = new Committee(4);
  const behind = committee.node(3);
  const sent = [5, 8].map((view, from): PbftMessage => ({
    ...viewChange(from, undefined, undefined),
    view: toView(view),
  }));
  behind.receive(sent[0] as PbftMessage);
  assert.equal(viewOf(committee, 3), 0, 'one is not enough');
  behind.receive(sent[1] as PbftMessage);
  assert.equal(viewOf(committee, 3), 5);
});

test('a view change of one validator, however high, moves nobody', () => {
  const committee = new Committee(4);
  for (const view of [1, 2, 5, 1_000_000]) {
    committee.node(3).receive({ ...viewChange(1, undefined, undefined), view: toView(view) });
  }
  assert.equal(viewOf(committee, 3), 0);
});

test('a validator counts once, with its latest view change', () => {
  const committee = new Committee(4);
  const primary = committee.node(1);
  for (let times = 0; times < 3; times++) {
    primary.receive({ ...viewChange(2, undefined, undefined), view: toView(1) });
  }
  assert.equal(viewOf(committee, 1), 0);
});

test('a replica that left a view sends nothing of it, and still learns that a block of it is final', () => {
  const committee = new Committee(4);
  const kept: PbftMessage[] = [];
  committee.deliverable = (_, to, message) => {
    if (message.kind !== 'commit') return true;
    if (to === 3) kept.push(message);
    return false;
  };
  committee.work();
  committee.run();
  const left = committee.node(3);
  for (const from of [1, 2]) left.receive({ ...viewChange(from, undefined, undefined), view: toView(1) });
  assert.equal(viewOf(committee, 3), 1);
  left.effects = [];
  for (const message of kept) left.receive(message);
  assert.equal(left.finalHeight(), 1);
  assert.ok(
    !left.effects.some(
      (effect) => effect.type === 'send' && effect.message.kind === 'commit' && effect.message.view === 0,
    ),
  );
});

test('a replica that missed the view change gets the new-view by Status and goes on voting', () => {
  const committee = new Committee(4);
  committee.node(0).crash();
  committee.deliverable = (from, to) => to !== 3 && from !== 3;
  committee.work();
  committee.pass(3_000);
  assert.deepEqual(committee.heights().slice(1), [0, 0, 0], 'two of four do nothing');
  committee.deliverable = (_, to, message) =>
    !(to === 3 && message.kind === 'new-view' && committee.now < 12_000);
  committee.pass(20_000);
  assert.ok(committee.node(3).finalHeight() >= 1);
  assert.equal(committee.node(3).engine?.state.phase.name, 'normal');
});

test('new-view start: the base is the highest proven final height', () => {
  const { base, tip } = newViewStart(
    [
      viewChange(0, certificate('commit', 1, 4, 'a'), undefined),
      viewChange(1, certificate('commit', 2, 6, 'b'), undefined),
      viewChange(2, undefined, undefined),
    ],
    toHeight(0),
  );
  assert.equal(base.height, 6);
  assert.equal(tip, null, 'the highest certificate is the base itself');
});

test('new-view start: the tip is the highest by view first, then by height', () => {
  const { tip } = newViewStart(
    [
      viewChange(0, undefined, certificate('prepare', 1, 9, 'a')),
      viewChange(1, undefined, certificate('prepare', 3, 5, 'b')),
      viewChange(2, undefined, certificate('prepare', 3, 6, 'c')),
    ],
    toHeight(0),
  );
  assert.equal(tip?.blockHash, 'c'.repeat(64));
});

test('new-view start: a commit certificate counts as a certificate of its own rank', () => {
  const { base, tip } = newViewStart(
    [
      viewChange(0, certificate('commit', 5, 7, 'a'), undefined),
      viewChange(1, undefined, certificate('prepare', 4, 9, 'b')),
      viewChange(2, undefined, undefined),
    ],
    toHeight(0),
  );
  assert.equal(base.height, 7);
  assert.equal(tip, null, 'a lower view does not outrank it, though its height is greater');
});

test('a second new-view of one view is not accepted', () => {
  const committee = new Committee(4);
  committee.node(0).crash();
  committee.work();
  committee.pass(4_000);
  const { newView, viewBase } = committee.node(2).engine?.state ?? assert.fail();
  assert.ok(newView !== null);
  committee.node(2).step({
    type: 'message',
    message: {
      ...newView,
      viewChanges: [1, 2, 3].map((from) => ({
        ...viewChange(from, undefined, certificate('prepare', 0, 3, 'd')),
        view: newView.view,
      })),
    } as never,
  });
  assert.deepEqual(committee.node(2).engine?.state.viewBase, viewBase);
});

test('a transaction that is passed over for too long makes replicas suspect the primary of censorship', () => {
  const committee = new Committee(4, { options: { censorshipMs: 1_000 } });
  for (let round = 0; round < 20; round++) {
    committee.work();
    committee.run();
    for (const index of [1, 2, 3]) {
      committee.node(index).step({
        type: 'work',
        work: { executable: 1, oldestSince: 0, passedOverSince: 0 },
      });
    }
    committee.pass(100);
  }
  assert.ok(viewOf(committee, 1) >= 1, 'blocks went final all the time, and the primary was still replaced');
});
