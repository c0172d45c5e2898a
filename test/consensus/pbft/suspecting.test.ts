import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PbftMessage, Suspect, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { hash } from '../../../src/crypto/hash.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Committee, sign, type TestNode } from './harness.ts';

// Whom a replica suspects, when it says so, and whose Suspects count.

const options = { blockIntervalMs: 0, viewTimeoutMs: 1_000, viewTimeoutCapMs: 8_000, censorshipMs: 1_000 };

/** A committee that hears nothing of each other. */
function deaf(n = 4): Committee {
  const committee = new Committee(n, { options });
  committee.deliverable = () => false;
  return committee;
}

function hear(node: TestNode, from: number, fields: Partial<Suspect> = {}): void {
  const suspect = node.committee.say({
    kind: 'suspect',
    from,
    view: toView(0),
    reason: 'censorship',
    height: toHeight(1),
    sequence: 1,
    ...fields,
  });
  // Also what is not wanted any more by the time its signature is checked.
  node.step({ type: 'message', message: suspect as never });
}

function change(node: TestNode, from: number, view: number): void {
  const { certificate, height } = node.engine?.state.final ?? assert.fail();
  node.receive(
    node.committee.say({
      kind: 'view-change',
      from,
      view: toView(view),
      finalHeight: height,
      finalCertificate: certificate ?? undefined,
      highest: undefined,
    }),
  );
}

const work = (node: TestNode, executable: number, passedOverSince: number | null = null): void =>
  node.step({ type: 'work', work: { executable, oldestSince: null, passedOverSince } });

/** The Suspects that it posted since its effects were emptied last. */
const posted = (node: TestNode): Suspect[] =>
  node.effects.flatMap((effect) => {
    const message: PbftMessage | null = effect.type === 'post' ? sign(effect.message, node.index) : null;
    return message?.kind === 'suspect' ? [message] : [];
  });

const viewOf = (node: TestNode): number => node.engine?.state.view ?? -1;

test('grounds are said at once, and again every statusMs, each time with a later number', () => {
  const node = deaf().node(3);
  work(node, 1);
  node.effects = [];
  node.tick(980);
  assert.deepEqual(posted(node), [], 'a view has its time');
  node.tick(20);
  assert.equal(posted(node).length, 1);
  node.tick(2_000);
  const all = posted(node);
  assert.equal(all.length, 5);
  assert.deepEqual(
    all.map(({ sequence, height, reason, view }) => [sequence, height, reason, view]),
    [1, 2, 3, 4, 5].map((sequence) => [sequence, 1, 'no-progress', 0]),
  );
});

test('a block that is accepted and not final is unfinished, with or without other work', () => {
  const world = new Committee(4, { options });
  world.deliverable = (_, __, { kind }) => kind === 'pre-prepare';
  world.work();
  world.run();
  world.deliverable = () => false;
  const node = world.node(3);
  work(node, 0);
  node.effects = [];
  node.tick(1_100);
  assert.equal(posted(node)[0]?.reason, 'no-progress');
});

test('so it is where nobody else’s transactions came but with the block', () => {
  const world = new Committee(4, { options });
  world.deliverable = (_, __, { kind }) => kind === 'pre-prepare';
  world.node(0).learn(hash('quorate/v1/transaction', new Uint8Array()));
  world.run();
  world.deliverable = () => false;
  const node = world.node(3);
  assert.equal(node.engine?.state.slots.size, 1);
  node.effects = [];
  // What comes and cannot be executed makes no difference.
  for (let round = 0; round < 4; round++) {
    node.tick(275, 25);
    work(node, 0);
  }
  assert.equal(posted(node)[0]?.reason, 'no-progress');
});

test('where something waits that no block can hold, one that left the view at its turn is suspected, and nobody else', () => {
  for (const [waiting, from, view, isSuspected] of [
    [1, 0, 1, true],
    [0, 0, 1, false],
    [1, 1, 1, false],
    [1, 0, 0, false],
  ] as const) {
    const node = deaf().node(3);
    node.step({ type: 'work', work: { executable: 0, oldestSince: null, passedOverSince: null, waiting } });
    if (view > 0) change(node, from, view);
    node.effects = [];
    node.tick(1_100);
    const expected = isSuspected ? ['no-progress'] : [];
    assert.deepEqual(
      posted(node).map(({ reason }) => reason),
      expected,
      `${waiting} wait, and validator ${from} wants view ${view}`,
    );
    // With its ViewChange that is enough of them.
    assert.equal(viewOf(node), isSuspected ? 1 : 0);
  }
});

const waits = { executable: 0, oldestSince: null, passedOverSince: null, waiting: 1 };

test('whoever came into this view with its ViewChange for it has not left it', () => {
  const committee = deaf();
  const node = committee.node(3);
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1) as ViewChange);
  for (const viewChange of viewChanges) node.receive(viewChange);
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.equal(node.engine?.state.phase.name, 'normal');
  node.step({ type: 'work', work: waits });
  node.effects = [];
  node.tick(5_000);
  assert.deepEqual(posted(node), []);
});

test('with rotation it is whose turn the next height is that must not have left', () => {
  for (const from of [0, 1]) {
    const committee = new Committee(4, { options: { ...options, blocksPerPrimary: 1 } });
    committee.grow(1);
    committee.deliverable = () => false;
    const node = committee.node(3);
    node.step({ type: 'work', work: waits });
    change(node, from, 1);
    node.effects = [];
    node.tick(1_100);
    assert.equal(posted(node).length, from === 1 ? 1 : 0, `validator ${from}`);
  }
});

test('the first grounds stay, and nobody is suspected while the view changes or without a vote', () => {
  const node = deaf().node(3);
  work(node, 1, 0);
  node.tick(1_100);
  const first = node.engine?.state.grounds?.reason;
  node.tick(2_000);
  assert.equal(node.engine?.state.grounds?.reason, first);
  for (const from of [0, 1]) change(node, from, 2);
  node.effects = [];
  assert.equal(node.engine?.state.grounds, null);
  node.tick(5_000);
  assert.deepEqual(posted(node), []);

  const lost = deaf().node(3);
  lost.loseDisk();
  lost.restart();
  work(lost, 1, 0);
  lost.effects = [];
  lost.tick(5_000);
  assert.deepEqual(posted(lost), []);
});

test('a new primary is not suspected of what was passed over before its time', () => {
  const world = new Committee(4, { options: { ...options, viewTimeoutMs: 3_000 } });
  world.node(0).crash();
  world.work();
  for (let turn = 0; turn < 100 && world.node(3).engine?.state.newView == null; turn++) world.pass(100);
  world.deliverable = () => false;
  const node = world.node(3);
  assert.ok(viewOf(node) >= 1);
  work(node, 1, 0);
  node.effects = [];
  const reasons = (): string[] => posted(node).map(({ reason }) => reason);
  node.tick(900);
  assert.ok(!reasons().includes('censorship'));
  node.tick(200);
  assert.ok(reasons().includes('censorship'));
});

test('grounds of another kind than censorship are not taken back when nothing is passed over', () => {
  const node = deaf().node(3);
  work(node, 1);
  node.tick(1_100);
  assert.equal(node.engine?.state.grounds?.reason, 'no-progress');
  work(node, 1, null);
  node.tick(1_000);
  assert.equal(node.engine?.state.grounds?.reason, 'no-progress');
  assert.ok(posted(node).every(({ reason }) => reason === 'no-progress'));
});

test('a final block ends the grounds of no progress, and leaves those of censorship', () => {
  for (const reason of ['no-progress', 'censorship'] as const) {
    const viewTimeoutMs = reason === 'censorship' ? 60_000 : 1_000;
    const world = new Committee(4, { options: { ...options, viewTimeoutMs, viewTimeoutCapMs: 60_000 } });
    const kept: PbftMessage[] = [];
    world.deliverable = (_, to, message) => {
      if (message.kind === 'commit' && to === 3) kept.push(message);
      return message.kind !== 'commit';
    };
    world.work();
    world.run();
    world.deliverable = () => false;
    const node = world.node(3);
    work(node, 1, reason === 'censorship' ? 0 : null);
    node.tick(1_100);
    assert.equal(node.engine?.state.grounds?.reason, reason);
    for (const message of kept) node.receive(message);
    assert.equal(node.finalHeight(), 1);
    assert.equal(node.engine?.state.grounds?.reason, reason === 'censorship' ? reason : undefined);
  }
});

test('Suspects of other views than this one count for nothing in it', () => {
  const node = deaf().node(3);
  hear(node, 0, { view: toView(1) });
  hear(node, 1, { view: toView(2) });
  assert.equal(viewOf(node), 0);
  for (const from of [0, 1]) change(node, from, 4);
  assert.equal(viewOf(node), 4);
  hear(node, 0, { view: toView(3), sequence: 9 });
  assert.equal(node.engine?.state.suspects.has(0), false);
});

test('a Suspect for a height that is final by now counts for nothing, unless it is about more than that', () => {
  const world = new Committee(4, { options });
  world.work();
  world.run();
  world.deliverable = () => false;
  const node = world.node(3);
  assert.equal(node.finalHeight(), 1);
  for (const from of [0, 1]) hear(node, from, { reason: 'no-progress', height: toHeight(1) });
  assert.equal(viewOf(node), 0);
  for (const from of [0, 1])
    hear(node, from, { reason: 'invalid-proposal', height: toHeight(1), sequence: 2 });
  assert.equal(viewOf(node), 1);
});

test('whoever changes to a later view wants to leave this one: together with a Suspect that is enough', () => {
  const node = deaf().node(3);
  hear(node, 0);
  assert.equal(viewOf(node), 0);
  change(node, 1, 5);
  assert.equal(viewOf(node), 1);
});

test('the own ViewChange for a later view is none of the f + 1 others that are joined', () => {
  const node = deaf().node(3);
  for (const from of [0, 1]) change(node, from, 1);
  assert.equal(viewOf(node), 1);
  change(node, 0, 5);
  assert.equal(viewOf(node), 1);
});

test('the f views that liars may have are left on grounds, and the next one has its whole time', () => {
  const node = deaf().node(3);
  for (const from of [0, 1]) hear(node, from);
  assert.equal(viewOf(node), 1, 'at once');
  for (const from of [0, 1]) change(node, from, 1);
  const viewChanges = [0, 1, 2].map((from) =>
    node.committee.say({
      kind: 'view-change',
      from,
      view: toView(1),
      finalHeight: toHeight(0),
      finalCertificate: undefined,
      highest: undefined,
    }),
  );
  node.receive(
    node.committee.say({
      kind: 'new-view',
      from: 1,
      view: toView(1),
      viewChanges: viewChanges as never,
    }),
  );
  assert.equal(node.engine?.state.phase.name, 'normal');
  for (const from of [0, 1]) hear(node, from, { view: toView(1) });
  assert.equal(viewOf(node), 1, 'one failed already, and f is one');
  node.tick(1_900);
  assert.equal(viewOf(node), 1);
  node.tick(200);
  assert.equal(viewOf(node), 2);
});

test('while the view changes the ViewChange is said again every statusMs', () => {
  const node = deaf().node(3);
  for (const from of [0, 1]) change(node, from, 5);
  node.effects = [];
  node.tick(1_700);
  const sent = node.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message] : []));
  assert.deepEqual(
    sent.map((message) => [message.kind, 'view' in message ? message.view : null]),
    [1, 2, 3].map(() => ['view-change', 5]),
  );
});
