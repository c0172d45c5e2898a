import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { byzantineQuorum, maxFaulty } from '../../../src/ledger/quorum.ts';
import { Committee } from './harness.ts';

/**
 * One test for each claim of "Practical Byzantine Fault Tolerance" (Castro and Liskov, OSDI 1999) that Quorate keeps, by its section.
 * Where Quorate differs, the title says "differs" and the test shows how; `src/consensus/README.md` says why.
 */
const viewOf = (committee: Committee, index: number): number =>
  committee.node(index).engine?.status().view ?? -1;
const sent = (committee: Committee, index: number, kind: string): number =>
  committee.node(index).effects.filter((effect) => effect.type === 'send' && effect.message.kind === kind)
    .length;

test('section 3: any two quorums of 2f + 1 share a correct replica', () => {
  for (let f = 1; f <= 33; f++) {
    const n = 3 * f + 1;
    assert.equal(byzantineQuorum(n), 2 * f + 1);
    assert.ok(2 * byzantineQuorum(n) - n >= f + 1);
    assert.equal(maxFaulty(n), f);
  }
});

test('section 4.1: the primary of view v is replica v mod n', () => {
  const committee = new Committee(4);
  assert.equal(committee.node(3).engine?.status().primary, 0);
  committee.node(0).crash();
  committee.work();
  committee.pass(5_000);
  assert.equal(viewOf(committee, 3), 1);
  assert.equal(committee.node(3).engine?.status().primary, 1);
});

test('section 4.2: a backup enters the prepare phase only for the view it is in', () => {
  const committee = new Committee(4);
  committee.node(0).tamper = (_, message) =>
    message.kind === 'pre-prepare' ? [{ ...message, view: toView(1), from: 1 }] : [message];
  committee.work();
  committee.run();
  for (const backup of [1, 2, 3]) assert.equal(sent(committee, backup, 'prepare'), 0);
});

test('section 4.2: a backup accepts no second pre-prepare for one view and sequence number', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, __, message) => message.kind !== 'commit' && message.kind !== 'evidence';
  committee.work();
  const first = committee.wire.find(({ message }) => message.kind === 'pre-prepare')?.message;
  assert.ok(first?.kind === 'pre-prepare');
  committee.run();
  committee.node(1).effects = [];
  committee.node(1).receive({ ...first, blockHash: 'f'.repeat(64) as typeof first.blockHash });
  assert.equal(sent(committee, 1, 'prepare'), 0);
});

test('section 4.2: a sequence number above the high watermark is not accepted', () => {
  const committee = new Committee(4, { options: { window: 2 } });
  const above = toHeight(3);
  committee.node(0).tamper = (_, message) =>
    message.kind === 'pre-prepare' ? [{ ...message, height: above }] : [message];
  committee.work();
  committee.run();
  for (const backup of [1, 2, 3]) assert.equal(sent(committee, backup, 'prepare'), 0);
});

test('section 4.2: prepared needs 2f matching prepares besides the own one, commit needs 2f + 1 matching commits', () => {
  const committee = new Committee(4);
  committee.deliverable = (from, to, message) => !(message.kind === 'prepare' && to === 1 && from !== 0);
  committee.work();
  committee.run();
  assert.equal(sent(committee, 1, 'commit'), 0, 'own prepare and the primary’s make two');
  assert.ok(sent(committee, 2, 'commit') > 0);
  assert.equal(
    committee.node(1).finalHeight(),
    1,
    'three commits of others are enough to know that it is final',
  );
});

test('section 4.2 (differs): the primary sends a prepare too, so a certificate is made of prepares alone', () => {
  const committee = new Committee(4);
  committee.work();
  committee.run();
  assert.equal(sent(committee, 0, 'prepare'), 1);
});

test('section 4.3 (differs): every final block with its certificate is a stable checkpoint; there is no other', () => {
  const committee = new Committee(4);
  committee.work();
  committee.run();
  const state = committee.node(0).engine?.state;
  assert.equal(state?.final.certificate?.phase, 'commit');
  assert.equal(state?.tallies.size, 0, 'and nothing below it is kept');
  assert.equal(state?.slots.size, 0);
});

test('section 4.4: a view change carries what was prepared, and the new view proposes it again', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, __, message) => message.kind !== 'commit' || message.view > 0;
  committee.work();
  committee.run();
  const prepared = committee.node(2).engine?.state.highest?.blockHash;
  committee.node(0).crash();
  committee.pass(6_000);
  assert.equal(committee.node(2).chain.get(toHeight(1)), prepared);
});

test('section 4.4 (differs): one certificate, the highest, instead of one for each sequence number', () => {
  const committee = new Committee(4, { options: { blockIntervalMs: 0 } });
  committee.deliverable = (_, __, message) => message.kind !== 'commit' || message.view > 0;
  for (let round = 0; round < 3; round++) {
    committee.work();
    committee.run();
  }
  committee.node(0).crash();
  committee.pass(6_000);
  const newView = committee.node(2).engine?.state.newView;
  assert.ok(newView !== null && newView !== undefined);
  for (const viewChange of newView.viewChanges) assert.equal(viewChange.highest?.height, 3);
  assert.ok(committee.node(2).finalHeight() >= 3, 'and its ancestors came with it');
});

test('section 4.4: a backup that sent a view change accepts nothing of that view but view changes and new-view', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, __, message) => message.kind !== 'new-view';
  committee.node(0).crash();
  committee.work();
  committee.pass(2_600);
  for (const index of [2, 3]) {
    assert.equal(committee.node(index).engine?.state.phase.name, 'changing');
    assert.equal(sent(committee, index, 'prepare'), 0);
  }
});

test('section 4.5.2, first: the timer of the next view starts with 2f + 1 view changes, and is twice as long', () => {
  const committee = new Committee(4, { options: { viewTimeoutMs: 1_000 } });
  committee.node(1).crash();
  committee.deliverable = (from) => from !== 0 || committee.now > 60_000;
  committee.work();
  committee.pass(1_200);
  assert.equal(viewOf(committee, 2), 1, 'the first timeout');
  committee.pass(10_000);
  assert.equal(viewOf(committee, 2), 1, 'two of four never start the next one');
});

test('section 4.5.2, second: f + 1 view changes of others bring a replica into the smallest of their views', () => {
  const committee = new Committee(7);
  const late = committee.node(6);
  for (const [from, view] of [4, 9, 7].entries()) {
    late.receive({
      epoch: toHeight(0),
      kind: 'view-change',
      from,
      view: toView(view),
      finalHeight: toHeight(0),
      finalCertificate: undefined,
      highest: undefined,
      signature: '0'.repeat(128) as never,
    });
  }
  assert.equal(viewOf(committee, 6), 4);
});

test('section 4.5.2, third: f faulty replicas cannot force view changes', () => {
  const committee = new Committee(7);
  for (let round = 0; round < 20; round++) {
    for (const liar of [5, 6]) {
      for (const index of [0, 1, 2, 3, 4]) {
        committee.node(index).receive({
          epoch: toHeight(0),
          kind: 'suspect',
          from: liar,
          view: toView(0),
          reason: 'no-progress',
          height: toHeight(1_000),
          sequence: round + 1,
          signature: '0'.repeat(128) as never,
        });
      }
    }
    committee.work();
    committee.pass(100);
  }
  assert.equal(viewOf(committee, 0), 0);
  assert.equal(committee.node(0).finalHeight(), 20);
});

test('section 4.5.2 (differs): a replica does not leave on its own timer, but with f + 1', () => {
  const committee = new Committee(4);
  committee.node(3).step({
    type: 'work',
    work: { executable: 1, oldestSince: 0, passedOverSince: null },
  });
  committee.pass(30_000);
  assert.equal(viewOf(committee, 3), 0, 'its work reached nobody else');
});

test('section 4.6: what was lost is sent again', () => {
  const committee = new Committee(4);
  let lose = true;
  committee.deliverable = () => !lose;
  committee.work();
  committee.run();
  assert.deepEqual(committee.heights(), [0, 0, 0, 0]);
  lose = false;
  committee.pass(1_900);
  assert.deepEqual(committee.heights(), [1, 1, 1, 1], 'within the first timeout');
  assert.equal(viewOf(committee, 0), 0);
});
