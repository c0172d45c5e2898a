import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PbftMessage, Status } from '../../../src/consensus/pbft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Committee, sign, type TestNode } from './harness.ts';

// What a replica says of itself, when, and what it answers to those who say where they are.

const options = { blockIntervalMs: 0, statusMs: 500, idleStatusMs: 2_000, viewTimeoutMs: 1_000 };

/** Four replicas, each final at this height. */
function committeeAt(height: number): Committee {
  const committee = new Committee(4, { options });
  committee.grow(height);
  assert.deepEqual(committee.heights(), [height, height, height, height]);
  return committee;
}

/** Validator 2 says on its own stream where it is, or where it says it is. */
function hear(node: TestNode, fields: Partial<Status> = {}): void {
  const height = fields.finalHeight ?? node.finalHeight();
  const certificate = node.committee.node(0).certificates.get(height);
  node.effects = [];
  node.receive(
    node.committee.say({
      kind: 'status',
      from: 2,
      view: toView(0),
      changing: false,
      finalHeight: height,
      finalCertificate: certificate?.engine === 'pbft' ? certificate : undefined,
      ...fields,
    }),
    true,
  );
}

/** What it sent to validator 2 alone since its effects were emptied last. */
function answers(node: TestNode): PbftMessage[] {
  return node.effects.flatMap((effect) => {
    if (effect.type !== 'send' && effect.type !== 'post') return [];
    if (effect.to === 'all' || !effect.to.includes(2)) return [];
    return [effect.type === 'send' ? effect.message : sign(effect.message, node.index)];
  });
}

const kinds = (messages: readonly PbftMessage[]): string[] => messages.map(({ kind }) => kind);

/** The Status messages that it posted to all since its effects were emptied last. */
const statuses = (node: TestNode): Status[] =>
  node.effects.flatMap((effect) => {
    if (effect.type !== 'post') return [];
    const message = sign(effect.message, node.index);
    return message.kind === 'status' ? [message] : [];
  });

/** View 1, which all but validator 0 are in. */
function inViewOne(): Committee {
  const committee = committeeAt(1);
  committee.node(0).crash();
  committee.work();
  for (let turn = 0; turn < 100 && Math.min(...committee.heights().slice(1)) < 2; turn++) committee.pass(100);
  assert.equal(committee.node(3).engine?.state.view, 1);
  committee.deliverable = () => false;
  return committee;
}

test('whoever connects is told where this replica is, and nobody else', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  node.effects = [];
  node.step({ type: 'connected', validator: 2 });
  assert.deepEqual(kinds(answers(node)), ['status']);
  assert.equal(statuses(node).length, 1);
});

test('a Status says the view, whether it is open here, and whether its sender is silent for a lost log', () => {
  const committee = committeeAt(1);
  committee.deliverable = () => false;
  const node = committee.node(3);
  node.effects = [];
  node.tick(2_100);
  assert.deepEqual(
    statuses(node).map(({ view, changing, silentUntil }) => [view, changing, silentUntil]),
    [[0, false, undefined]],
  );
  for (const from of [0, 1]) {
    node.receive(committee.viewChange(from, 5));
  }
  node.effects = [];
  node.tick(600);
  assert.deepEqual([statuses(node)[0]?.view, statuses(node)[0]?.changing], [5, true]);
  node.loseDisk();
  node.units.clear();
  node.restart();
  node.effects = [];
  node.tick(4_000);
  assert.notEqual(statuses(node)[0]?.silentUntil, undefined);
  assert.ok(statuses(node).length >= 7, 'often, since it waits for answers');
});

test('one that has nothing to do says where it is every idleStatusMs, and no more often', () => {
  const committee = committeeAt(1);
  committee.deliverable = () => false;
  const node = committee.node(3);
  node.effects = [];
  node.tick(10_000);
  assert.equal(statuses(node).length, 5);
});

test('one that is behind says so every statusMs, and asks those for it who are ahead', () => {
  const committee = committeeAt(2);
  const node = committee.node(3);
  committee.deliverable = () => false;
  node.loseDisk();
  node.units.clear();
  node.start(true);
  hear(node, { finalHeight: toHeight(2) });
  node.effects = [];
  node.tick(4_000);
  assert.ok(statuses(node).length >= 8, `${statuses(node).length}`);
  const asked = node.effects.filter((effect) => effect.type === 'sync');
  assert.ok(asked.length >= 7, `asked ${asked.length} times`);
  assert.deepEqual(asked[0], { type: 'sync', height: 2, holders: [2] });
  // It had been told wrong: validator 2 starts again, and has nothing.
  hear(node, { finalHeight: toHeight(0), finalCertificate: undefined });
  node.effects = [];
  node.tick(4_000);
  assert.ok(!node.effects.some(({ type }) => type === 'sync'));
});

test('a ViewChange tells how far its sender is, too', () => {
  const committee = committeeAt(2);
  const node = committee.node(3);
  committee.deliverable = () => false;
  node.loseDisk();
  node.start(true);
  const certificate = committee.node(0).certificates.get(toHeight(2));
  assert.ok(certificate?.engine === 'pbft');
  node.receive(
    committee.say({
      kind: 'view-change',
      from: 1,
      view: toView(1),
      finalHeight: toHeight(2),
      finalCertificate: certificate,
      highest: undefined,
    }),
  );
  assert.equal(node.engine?.status().highestKnown, 2);
});

test('who is behind in height is shown the final certificate; who is level is not, or the two would never stop', () => {
  const committee = committeeAt(2);
  const node = committee.node(3);
  committee.deliverable = () => false;
  node.tick(600);
  hear(node, { finalHeight: toHeight(1) });
  const [answer, ...more] = answers(node).filter(({ kind }) => kind === 'status');
  assert.ok(answer?.kind === 'status' && answer.finalCertificate?.height === 2);
  assert.deepEqual(more, []);
  node.tick(600);
  hear(node);
  assert.deepEqual(answers(node), []);
});

test('the certificate in a Status makes a block final that is valid here', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  committee.deliverable = (_, to, { kind }) => to !== 3 || kind !== 'commit';
  committee.work();
  committee.run();
  assert.deepEqual(committee.heights(), [2, 2, 2, 1]);
  hear(node, { finalHeight: toHeight(2) });
  assert.equal(node.finalHeight(), 2);
});

test('the own votes go to whoever is not final where they are for, whatever its view, and to nobody else', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  node.holdCommits = true;
  committee.work();
  committee.run();
  // Final here at 2, and voted for at 3.
  committee.deliverable = (_, __, { kind }) => kind !== 'commit';
  committee.work();
  committee.run();
  assert.equal(node.engine?.state.final.height, 2);
  committee.deliverable = () => false;
  const votes = (fields: Partial<Status>): string[] => {
    committee.now += 1_000;
    node.step({ type: 'tick', now: committee.now });
    hear(node, fields);
    return answers(node).flatMap((message) =>
      'height' in message ? [`${message.kind} ${message.height}`] : [],
    );
  };
  const all = ['prepare 2', 'commit 2', 'prepare 3', 'commit 3'];
  assert.deepEqual(votes({ finalHeight: toHeight(1) }), all);
  assert.deepEqual(votes({ finalHeight: toHeight(1), view: toView(7), changing: true }), all);
  assert.deepEqual(votes({ finalHeight: toHeight(2) }), ['prepare 3', 'commit 3']);
  assert.deepEqual(votes({ finalHeight: toHeight(3), finalCertificate: undefined }), []);
});

test('who lacks the view is shown its NewView, who is in it is not', () => {
  const committee = inViewOne();
  const node = committee.node(3);
  const shown = (fields: Partial<Status>): boolean => {
    node.tick(600, 100);
    hear(node, fields);
    return answers(node).some(({ kind }) => kind === 'new-view');
  };
  assert.equal(shown({ view: toView(0) }), true);
  assert.equal(shown({ view: toView(1), changing: true }), true);
  assert.equal(shown({ view: toView(1) }), false);
  assert.equal(shown({ view: toView(2), changing: true }), false);
});

test('while the view changes the own ViewChange goes to whoever says where it is, whatever its view', () => {
  const committee = committeeAt(1);
  const node = committee.node(3);
  committee.deliverable = () => false;
  for (const from of [0, 1]) {
    node.receive(committee.viewChange(from, 5));
  }
  for (const view of [0, 5, 9]) {
    node.tick(600, 100);
    hear(node, { view: toView(view), changing: true });
    assert.deepEqual(kinds(answers(node)), ['view-change'], `to one in view ${view}`);
  }
});

test('what a validator signs shows where it is: an older Status that somebody brings is none of its own', () => {
  const committee = inViewOne();
  const node = committee.node(3);
  const wants = (fields: Pick<Status, 'view' | 'changing'>): boolean => {
    const finalHeight = node.finalHeight();
    const certificate = node.certificates.get(finalHeight);
    const finalCertificate = certificate?.engine === 'pbft' ? certificate : undefined;
    const status = committee.say({ kind: 'status', from: 2, finalHeight, finalCertificate, ...fields });
    return node.engine?.wants(status) ?? false;
  };
  const blockHash = node.finalHash();
  node.receive(committee.say({ kind: 'commit', from: 2, view: toView(3), height: toHeight(4), blockHash }));
  assert.deepEqual(
    [2, 3, 4].map((view) => wants({ view: toView(view), changing: true })),
    [false, false, true],
  );
  assert.equal(wants({ view: toView(3), changing: false }), true);
});

test('the same peer is answered once in half a statusMs, however often it asks', () => {
  const committee = committeeAt(2);
  const node = committee.node(3);
  committee.deliverable = () => false;
  node.tick(600);
  const answered: number[] = [];
  const since = committee.now;
  for (let turn = 0; turn < 50; turn++) {
    hear(node, { finalHeight: toHeight(1) });
    if (answers(node).length > 0) answered.push(committee.now - since);
    node.tick(20);
  }
  assert.deepEqual(answered, [0, 260, 520, 780]);
});

test('why counts no more votes than are needed, and with enough prepares the commits', () => {
  const committee = new Committee(4, { options });
  const [all, slow] = [committee.node(0), committee.node(3)];
  committee.deliverable = (_from, _to, { kind }) => kind !== 'commit';
  slow.holdPersists = true;
  committee.work();
  committee.run();
  assert.match(all.engine?.why() ?? '', /height 1, view 0: 1 of 3 commits/);
  assert.match(slow.engine?.why() ?? '', /height 1, view 0: 0 of 3 commits/, 'three prepares are there');
});
