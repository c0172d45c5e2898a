import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import { Committee, type TestNode } from './harness.ts';

// A process that stood still (SIGSTOP, a machine with too much to do) reads what came meanwhile before it suspects anybody.

const timeout = 1_000;
const options = { blockIntervalMs: 0, viewTimeoutMs: timeout, viewTimeoutCapMs: 8_000, censorshipMs: 3_000 };

/** Replica 3 of four, which heard of one transaction just now, and hears nobody. */
function waiting(): TestNode {
  const committee = new Committee(4, { options });
  committee.deliverable = (_, to) => to !== 3;
  committee.work();
  committee.run();
  return committee.node(3);
}

const suspects = (node: TestNode): boolean => (node.engine?.state.grounds ?? null) !== null;
const viewOf = (node: TestNode): number => node.engine?.state.view ?? -1;

/** For how long it ticks in time until this holds, ms. */
function msUntil(node: TestNode, holds: () => boolean): number {
  const begin = node.committee.now;
  while (!holds() && node.committee.now < begin + 60_000) node.tick(20);
  return node.committee.now - begin;
}

/** The others’ ViewChanges for view 1, of which one is made so that a quorum is there. */
function change(node: TestNode): PbftMessage[] {
  const changes = [0, 1, 2].map((from) => node.committee.viewChange(from, 1, { finalHeight: toHeight(0) }));
  for (const viewChange of changes) node.receive(viewChange);
  assert.equal(node.engine?.state.phase.name, 'changing');
  return changes;
}

test('a validator that stood still suspects nobody before it read what the others said', () => {
  for (const ms of [1_100, 5_000, 60_000]) {
    const node = waiting();
    const missed = node.committee.nodes.flatMap(({ engine }) => [...(engine?.state.own.values() ?? [])]);
    node.standStill(ms);
    assert.equal(suspects(node), false);
    for (const message of missed) node.receive(message);
    assert.equal(node.finalHeight(), 1);
    node.tick(3 * timeout);
    assert.equal(suspects(node), false);
  }
});

test('when they said nothing it does, within the time of a view more', () => {
  for (const ms of [1_100, 5_000, 60_000]) {
    const node = waiting();
    node.standStill(ms);
    const took = msUntil(node, () => suspects(node));
    assert.ok(took > 0 && took <= timeout + 20, `${took} ms after ${ms}`);
  }
});

test('one that is always late suspects a silent primary, too', () => {
  for (const ms of [60, 250, 1_000, 3_000]) {
    const node = waiting();
    const begin = node.committee.now;
    while (!suspects(node) && node.committee.now < begin + 60_000) node.standStill(ms);
    assert.ok(node.committee.now - begin <= 2 * timeout + 2 * ms, `${node.committee.now - begin} of ${ms}`);
  }
});

test('nor does it take a primary for a censor', () => {
  const node = waiting();
  const passedOver = { executable: 1, oldestSince: 0, passedOverSince: node.committee.now };
  node.step({ type: 'work', work: passedOver });
  node.standStill(3_500);
  assert.equal(suspects(node), false);
  node.step({ type: 'work', work: { executable: 0, oldestSince: null, passedOverSince: null } });
  node.tick(timeout + 100);
  assert.equal(suspects(node), false);
});

test('while the view changes it does not go on alone before it read whether that view began', () => {
  for (const ms of [2_100, 10_000]) {
    const node = waiting();
    const viewChanges = change(node) as Extract<PbftMessage, { kind: 'view-change' }>[];
    node.standStill(ms);
    assert.equal(viewOf(node), 1);
    node.receive(node.committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
    assert.equal(node.engine?.state.phase.name, 'normal', 'it did');
  }
  for (const ms of [2_100, 10_000]) {
    const node = waiting();
    change(node);
    node.standStill(ms);
    const took = msUntil(node, () => viewOf(node) !== 1);
    assert.ok(took > 0 && took <= timeout + 20, `it did not: ${took} ms after ${ms}`);
  }
});
