import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import type { NewView, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { hashHeader, toHeight, toView } from '../../../src/ledger/block.ts';
import type { Certificate } from '../../../src/ledger/certificate.ts';
import { Committee, type TestNode } from './harness.ts';

// Whose ViewChanges count for what, what a primary makes of them, and how a view begins.

const options = { blockIntervalMs: 0, viewTimeoutMs: 1_000, viewTimeoutCapMs: 8_000 };

/** A committee that makes blocks up to this height, and hears nothing of each other from then on. */
function committeeAt(height: number, n = 4): Committee {
  const committee = new Committee(n, { options });
  committee.grow(height);
  assert.equal(Math.min(...committee.heights()), height);
  committee.deliverable = () => false;
  return committee;
}

/** The NewViews that it sent since its effects were emptied last. */
const opened = (node: TestNode): NewView[] =>
  node.effects.flatMap((effect) =>
    effect.type === 'send' && effect.message.kind === 'new-view' ? [effect.message] : [],
  );

const phaseOf = (node: TestNode): { quorumSince?: number | null } =>
  (node.engine?.state.phase ?? {}) as { quorumSince?: number | null };

test('of each validator the ViewChange for the latest view counts, in whatever order they come', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  node.force(committee.viewChange(1, 5));
  node.force(committee.viewChange(1, 3));
  assert.equal(node.engine?.state.viewChanges.get(1)?.view, 5);
  node.force(committee.viewChange(1, 6));
  assert.equal(node.engine.state.viewChanges.get(1)?.view, 6);
});

test('a second ViewChange for one view does not take the place of the first', () => {
  const committee = committeeAt(2);
  const node = committee.node(3);
  node.force(committee.viewChange(1, 5));
  node.force(committee.viewChange(1, 5, { finalHeight: toHeight(1) }));
  assert.equal(node.engine?.state.viewChanges.get(1)?.finalHeight, 2);
});

test('the final block in a ViewChange becomes final here when it is valid here', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  committee.deliverable = (_, to, { kind }) => to !== 3 || kind !== 'commit';
  committee.work();
  committee.run();
  assert.deepEqual(committee.heights(), [2, 2, 2, 1]);
  node.receive(committee.viewChange(1, 1));
  assert.equal(node.finalHeight(), 2);
});

test('the time of a primary runs when a quorum left the views below, wherever it is by now, and once', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  node.receive(committee.viewChange(1, 1));
  node.receive(committee.viewChange(2, 1));
  assert.equal(node.engine?.state.view, 1);
  assert.equal(phaseOf(node).quorumSince, committee.now);
  const since = committee.now;
  node.tick(1_500, 100);
  assert.equal(phaseOf(node).quorumSince, since);
  node.tick(1_000, 100);
  assert.equal(node.engine.state.view, 2, 'two seconds for the second view: the first one failed');

  const other = committeeAt(0);
  const ahead = other.node(3);
  ahead.receive(other.viewChange(1, 1));
  ahead.receive(other.viewChange(2, 2));
  assert.equal(ahead.engine?.state.view, 1);
  assert.notEqual(phaseOf(ahead).quorumSince, null, 'one of them is past this view');
});

test('ViewChanges for views below count for nothing', () => {
  const committee = committeeAt(0, 7);
  const node = committee.node(6);
  for (const from of [0, 1, 2]) node.receive(committee.viewChange(from, 1));
  assert.equal(node.engine?.state.view, 1);
  for (const from of [1, 2, 3]) node.receive(committee.viewChange(from, 2));
  assert.equal(node.engine.state.view, 2);
  // With that of validator 0 for view 1 there would be five.
  assert.equal(phaseOf(node).quorumSince, null);
});

test('a primary opens its view with ViewChanges for exactly this view, once, and with no more than a quorum', () => {
  const committee = committeeAt(0);
  const primary = committee.node(1);
  primary.receive(committee.viewChange(2, 1));
  primary.receive(committee.viewChange(3, 2));
  assert.equal(primary.engine?.state.view, 1);
  primary.tick(600, 100);
  assert.ok(!primary.signed().includes('new-view/0/1'), 'one of three is for another view');
  primary.holdPersists = true;
  primary.receive(committee.viewChange(0, 1));
  primary.tick(600, 100);
  assert.deepEqual(
    primary.signed().filter((key) => key.startsWith('new-view')),
    ['new-view/0/1'],
    'one, however long its write takes',
  );
  primary.releasePersists();
  const [newView] = opened(primary);
  assert.deepEqual(
    newView?.viewChanges.map(({ from }) => from),
    [0, 1, 2],
  );
});

test('a primary that lacks the block of the tip fetches it from those who have it, and begins with it at once', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, to, { kind }) => kind !== 'commit' && to !== 1;
  committee.work();
  committee.run();
  const highest = committee.node(2).engine?.state.highest ?? assert.fail();
  assert.deepEqual([highest.phase, highest.height], ['prepare', 2]);
  committee.deliverable = () => false;
  const primary = committee.node(1);
  primary.effects = [];
  for (const from of [0, 2, 3]) primary.receive(committee.viewChange(from, 1, { highest }));
  const asked = primary.effects.find((effect) => effect.type === 'validate') ?? assert.fail();
  assert.deepEqual(
    [asked.blockHash, asked.holders.toSorted((a, b) => a - b)],
    [highest.blockHash, [0, 2, 3]],
  );
  assert.deepEqual(primary.signed().slice(0, 3), ['view-change/0/1', 'new-view/0/1', 'prepare/0/1/2']);
});

test('it asks for each such block once in statusMs, whoever reports it, and again while it waits', () => {
  const statusMs = 100;
  const committee = new Committee(4, { options: { ...options, statusMs } });
  committee.grow(1);
  committee.deliverable = (_, to, { kind }) => kind !== 'commit' && to !== 1;
  committee.work();
  committee.run();
  const highest = committee.node(2).engine?.state.highest ?? assert.fail();
  committee.deliverable = () => false;
  const primary = committee.node(1);
  primary.judge = () => ({ verdict: 'unavailable', reason: 'nobody has it' });
  primary.effects = [];
  const asked = (): number => primary.effects.filter(({ type }) => type === 'validate').length;
  for (const from of [0, 2, 3]) primary.receive(committee.viewChange(from, 1, { highest }));
  primary.tick(statusMs - 20, 20);
  assert.equal(asked(), 1);
  primary.judge = () => null;
  assert.equal(primary.engine?.state.phase.name, 'changing');
  primary.tick(20, 20);
  assert.ok(asked() > 1);
  assert.equal(primary.engine.state.phase.name, 'normal', 'long before it would begin without the block');
});

test('nobody but its primary opens a view', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  for (const from of [0, 1, 2]) node.receive(committee.viewChange(from, 1));
  node.tick(600, 100);
  assert.deepEqual(node.signed(), ['view-change/0/1']);
});

test('whoever enters a view has its start, its NewView and its highest certificate on disk, and its time begins anew', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, to, { kind }) => kind !== 'commit' && (to !== 3 || kind === 'pre-prepare');
  committee.work();
  committee.run();
  const highest = committee.node(1).engine?.state.highest ?? assert.fail();
  assert.deepEqual([highest.phase, highest.height], ['prepare', 2]);
  committee.deliverable = () => false;
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1, { highest }) as ViewChange);
  const node = committee.node(3);
  node.tick(1_000, 100);
  node.effects = [];
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  const { state } = node.engine ?? assert.fail();
  assert.deepEqual(state.viewBase, { height: 2, blockHash: highest.blockHash });
  assert.deepEqual(state.highest, highest);
  assert.equal(state.viewSince, committee.now);
  assert.notEqual(state.progressTimer.dueAt, null, 'the tip of the view is unfinished');
  const [first] = node.effects.flatMap((effect) => (effect.type === 'persist' ? [effect] : []));
  const written = first?.records.filter(({ value }) => value !== null).map(({ key }) => key);
  assert.deepEqual(written?.toSorted(), ['accepted-new-view', 'highest', 'position']);
  assert.deepEqual(node.signed(), ['prepare/0/1/2']);
  // So that it is asked for where it is.
  const slot = state.slots.get(toHeight(2));
  assert.deepEqual(
    slot?.holders,
    highest.signatures.map(({ validator }) => validator),
  );
});

test('whoever enters a view without the block that it starts with does not report it for its own', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, to, { kind }) => kind !== 'commit' && to !== 3;
  committee.work();
  committee.run();
  const highest = committee.node(1).engine?.state.highest ?? assert.fail();
  committee.deliverable = () => false;
  const node = committee.node(3);
  const before = node.engine?.state.highest;
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1, { highest }) as ViewChange);
  node.judge = () => ({ verdict: 'unavailable', reason: 'nobody has it' });
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.deepEqual(node.engine?.state.viewBase, { height: 2, blockHash: highest.blockHash });
  assert.deepEqual(node.engine?.state.highest, before);
});

test('a view that starts above what is final here makes this replica fetch what it lacks, from those who have it', () => {
  const committee = committeeAt(2);
  const node = committee.node(3);
  node.loseDisk();
  node.sync = () => [];
  node.start(true);
  node.effects = [];
  const viewChanges = [0, 1, 2].map(
    (from) => committee.viewChange(from, 1, { finalHeight: toHeight(from === 2 ? 1 : 2) }) as ViewChange,
  );
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  const asked = node.effects.flatMap((effect) => (effect.type === 'sync' ? [effect] : []));
  assert.ok(asked.some(({ height }) => height === 2));
  assert.deepEqual(node.engine?.state.viewBase.height, 2);
});

test('a start that is further up than anybody votes who is not behind is looked at when sync brought what is below', () => {
  for (const window of [1, 8]) {
    const far = window + limits.pbftUnstored + 1;
    const committee = new Committee(4, { options: { ...options, window } });
    const node = committee.node(3);
    const sync = node.sync.bind(node);
    node.sync = () => [];
    committee.deliverable = (_, to) => to !== 3;
    committee.grow(far);
    committee.deliverable = (_, to, { kind }) => to !== 3 && kind !== 'commit';
    committee.work();
    committee.run();
    const highest = committee.node(1).engine?.state.highest ?? assert.fail();
    assert.equal(highest.height, far + 1);
    committee.deliverable = () => false;
    const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1, { highest }) as ViewChange);
    node.effects = [];
    node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
    node.tick(2 * committee.options.statusMs);
    assert.deepEqual(
      node.effects.filter(({ type }) => type === 'validate'),
      [],
    );
    assert.ok(node.effects.some(({ type }) => type === 'sync'));
    assert.deepEqual(node.signed(), []);
    node.sync = sync;
    // Nothing but blocks.
    committee.deliverable = (_, __, message) => !('kind' in message);
    const finalCertificate = committee.certificateAt(far);
    const place = { view: toView(1), changing: false, finalHeight: toHeight(far), finalCertificate };
    node.receive(committee.say({ kind: 'status', from: 0, ...place }), true);
    node.tick(2 * committee.options.statusMs);
    assert.equal(node.finalHeight(), far);
    assert.deepEqual(node.signed(), [`prepare/0/1/${far + 1}`]);
  }
});

test('a view that one who knew less entered, and nobody else may enter, is left by all', () => {
  const committee = new Committee(4, { options: { ...options, window: 3 } });
  const [liar, one, , three] = committee.nodes as [TestNode, TestNode, TestNode, TestNode];
  const sync = three.sync.bind(three);
  three.sync = () => [];
  committee.grow(3);
  committee.deliverable = (_, to) => to !== 3;
  committee.grow(7);
  assert.deepEqual(committee.heights(), [7, 7, 7, 3]);
  committee.deliverable = () => false;
  for (const from of [0, 1]) three.receive(committee.viewChange(from, 4));
  for (const from of [0, 3]) one.receive(committee.viewChange(from, 4));
  const viewChanges = [0, 1, 3].map((from) => committee.viewChange(from, 4) as ViewChange);
  three.receive(committee.say({ kind: 'new-view', from: 0, view: toView(4), viewChanges }));
  assert.deepEqual(three.engine?.state.phase.name, 'normal', 'beside what it knows nobody is behind');
  three.sync = sync;
  one.crash();
  one.restart();
  assert.equal(one.engine?.state.phase.name, 'changing', 'it has its own change to that view only');
  liar.crash();
  // What they said of it is lost: nothing is delivered yet.
  committee.run();
  committee.deliverable = () => true;
  committee.work();
  committee.pass(60_000);
  assert.ok(Math.min(...committee.heights().slice(1)) > 7, committee.heights().join(' '));
});

test('a primary of a view builds on its start, and nothing before it has reached that', () => {
  const committee = committeeAt(2);
  const primary = committee.node(1);
  primary.loseDisk();
  primary.sync = () => [];
  primary.start(true);
  primary.holdPersists = true;
  for (const from of [0, 2, 3]) primary.receive(committee.viewChange(from, 1));
  primary.releasePersists();
  assert.equal(primary.engine?.state.phase.name, 'normal');
  assert.ok(primary.units.size > 0);
  primary.effects = [];
  committee.work();
  primary.tick(500, 100);
  assert.deepEqual(
    primary.effects.filter(({ type }) => type === 'build'),
    [],
  );
});

test('the tip of a view that is final here gets a vote all the same, and another block at that height none', () => {
  for (const same of [true, false]) {
    const committee = committeeAt(2);
    const node = committee.node(3);
    const own = committee.certificateAt(2) ?? assert.fail();
    const highest: Certificate = {
      ...own,
      phase: 'prepare',
      blockHash: same ? own.blockHash : ('e'.repeat(64) as Certificate['blockHash']),
    };
    const viewChanges = [0, 1, 2].map(
      (from) => committee.viewChange(from, 1, { finalHeight: toHeight(1), highest }) as ViewChange,
    );
    node.effects = [];
    node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
    assert.deepEqual(node.signed(), same ? ['prepare/0/1/2'] : []);
    if (!same) {
      assert.equal(node.engine?.state.slots.size, 0, 'it is not even looked at');
      continue;
    }
    for (const from of [0, 1, 2]) {
      const slot = { view: toView(1), height: toHeight(2), blockHash: own.blockHash };
      node.receive(committee.say({ kind: 'prepare', from, ...slot }));
    }
    assert.deepEqual(node.signed(), ['prepare/0/1/2', 'commit/0/1/2']);
    assert.equal(node.engine?.state.slots.size, 1);
  }
});

test('so does one that is final here for as long as those may be behind who start the view with it', () => {
  const { window } = new Committee(4, { options }).options;
  const committee = committeeAt(window);
  const node = committee.node(3);
  const own = committee.certificateAt(1) ?? assert.fail();
  const highest: Certificate = { ...own, phase: 'prepare' };
  const finalHeight = toHeight(0);
  const viewChanges = [0, 1, 2].map(
    (from) =>
      committee.viewChange(from, 1, { finalHeight, finalCertificate: undefined, highest }) as ViewChange,
  );
  node.effects = [];
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.equal(node.engine?.state.view, 1, 'they are not too far behind to be believed');
  assert.deepEqual(node.signed(), ['prepare/0/1/1']);
});

/** Node 3 enters view 1 with this tip, which the others, final below it, prove. */
function enter(committee: Committee, highest: Certificate): TestNode {
  const node = committee.node(3);
  const finalHeight = toHeight(highest.height - 1);
  const viewChanges = [0, 1, 2].map(
    (from) => committee.viewChange(from, 1, { finalHeight, highest }) as ViewChange,
  );
  node.effects = [];
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.equal(node.engine?.state.view, 1);
  return node;
}

test('a primary that proposes below the start of its view is not heard, also by those who have not got so far', () => {
  const committee = new Committee(4, { options });
  committee.deliverable = (_, to) => to !== 3;
  committee.grow(3);
  committee.deliverable = () => false;
  // Nobody gives it the blocks up to there.
  const late = committee.node(3);
  const execute = late.execute.bind(late);
  late.execute = (effect) => (effect.type === 'sync' ? [] : execute(effect));
  late.judge = () => ({ verdict: 'unavailable', reason: 'nobody has it' });
  const node = enter(committee, { ...(committee.certificateAt(3) ?? assert.fail()), phase: 'prepare' });
  assert.equal(node.finalHeight(), 0);
  const parentHash = hashHeader(committee.genesis);
  for (const height of [1, 2, 3]) {
    const header = committee.header({ height, parentHash, view: 1, proposer: 1, salt: 100 + height });
    const blockHash = hashHeader(header);
    const proposal = { header, transactionHashes: [] };
    const slot = { view: toView(1), height: toHeight(height), blockHash };
    node.force(committee.say({ kind: 'pre-prepare', from: 1, ...slot, proposal }));
    assert.deepEqual([...(node.engine?.state.slots.keys() ?? [])], [3], 'the tip alone is accepted');
  }
});

test('a proposal of a view that comes before its NewView is accepted when that is here', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  for (const from of [0, 2]) node.receive(committee.viewChange(from, 1));
  assert.deepEqual([node.engine?.state.view, node.engine?.state.phase.name], [1, 'changing']);
  const header = committee.header({
    height: 2,
    parentHash: node.finalHash(),
    view: 1,
    proposer: 1,
    salt: 100,
  });
  const blockHash = committee.add(header);
  const slot = { view: toView(1), height: toHeight(2), blockHash };
  const proposal = { header, transactionHashes: [] };
  node.receive(committee.say({ kind: 'pre-prepare', from: 1, ...slot, proposal }));
  node.effects = [];
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1) as ViewChange);
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.deepEqual(node.signed(), ['prepare/0/1/2']);
});

test('so does one that is below the final block here', () => {
  const committee = committeeAt(3);
  const commit = committee.certificateAt(2) ?? assert.fail();
  const node = enter(committee, { ...commit, phase: 'prepare' });
  assert.deepEqual(node.signed(), ['prepare/0/1/2']);
});

test('a tip that becomes final while its view lasts is voted for to the end: others need that', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, to, { kind }) => kind !== 'commit' || to === 0;
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  assert.deepEqual(committee.heights(), [2, 1, 1, 1]);
  const highest = committee.node(3).engine?.state.highest ?? assert.fail();
  const node = enter(committee, highest);
  assert.deepEqual(node.signed(), ['prepare/0/1/2']);
  node.receive(committee.viewChange(0, 3));
  assert.equal(node.finalHeight(), 2);
  const slot = { view: toView(1), height: toHeight(2), blockHash: highest.blockHash };
  for (const from of [0, 1, 2]) node.receive(committee.say({ kind: 'prepare', from, ...slot }));
  assert.deepEqual(node.signed(), ['prepare/0/1/2', 'commit/0/1/2']);
});

test('votes of views that were left count for nothing at the height where a view starts', () => {
  const committee = committeeAt(2);
  const commit = committee.certificateAt(2) ?? assert.fail();
  const node = enter(committee, { ...commit, phase: 'prepare' });
  const slot = { height: toHeight(2), blockHash: commit.blockHash };
  for (const kind of ['prepare', 'commit'] as const)
    node.force(committee.say({ kind, from: 0, view: toView(0), ...slot }));
  assert.deepEqual([...(node.engine?.state.tallies.keys() ?? [])], ['1/2']);
});

test('a new view ends what was accepted in the one before, also when nobody left that first', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, __, { kind }) => kind === 'pre-prepare';
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  const node = committee.node(3);
  assert.deepEqual([...(node.engine?.state.slots.keys() ?? [])], [2]);
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1) as ViewChange);
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.deepEqual([...(node.engine?.state.slots.keys() ?? [])], []);
});

test('what the view changes of a new view prove final becomes final here when it is valid here', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  committee.deliverable = (_, to, { kind }) => to !== 3 || kind !== 'commit';
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  assert.deepEqual(committee.heights(), [2, 2, 2, 1]);
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1) as ViewChange);
  node.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.equal(node.finalHeight(), 2);
});

test('nothing is built on the start of a view before that is known to be valid', () => {
  const committee = committeeAt(1);
  committee.deliverable = (_, to, { kind }) => kind !== 'commit' && to !== 1;
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  const highest = committee.node(3).engine?.state.highest ?? assert.fail();
  assert.equal(highest.height, 2);
  const primary = committee.node(1);
  primary.judge = () => ({ verdict: 'unavailable', reason: 'nobody has it' });
  primary.effects = [];
  for (const from of [0, 2, 3]) primary.receive(committee.viewChange(from, 1, { highest }));
  assert.equal(primary.engine?.state.phase.name, 'changing', 'others may come, whose block it has');
  // A quarter of its time, which is twice that of the view before.
  primary.tick(committee.options.viewTimeoutMs / 2, 10);
  assert.deepEqual(primary.engine?.state.viewBase.height, 2);
  committee.work();
  const builds = (): number => primary.effects.filter(({ type }) => type === 'build').length;
  primary.tick(400, 100);
  assert.equal(builds(), 0);
  primary.judge = () => null;
  primary.tick(400, 100);
  assert.ok(builds() > 0, 'and then it is');
});
