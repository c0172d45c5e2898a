import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect, Input } from '../../../src/consensus/engine.ts';
import type { PbftMessage, Suspect } from '../../../src/consensus/pbft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Committee } from './harness.ts';

const viewOf = (committee: Committee, index: number): number =>
  committee.node(index).engine?.status().view ?? -1;
const why = (committee: Committee, index: number): string => committee.node(index).engine?.why() ?? '';

const suspect = (from: number, fields: Partial<Suspect> = {}): Suspect => ({
  kind: 'suspect',
  epoch: toHeight(0),
  from,
  view: toView(0),
  reason: 'no-progress',
  height: toHeight(1),
  sequence: 1,
  signature: '0'.repeat(128) as Suspect['signature'],
  ...fields,
});

const passedOver = (since: number | null): Input<PbftMessage> => ({
  type: 'work',
  work: { executable: 1, oldestSince: 0, passedOverSince: since },
});

const posts = (effects: readonly Effect<PbftMessage>[]): number =>
  effects.filter(({ type }) => type === 'post').length;

/** A committee whose third block waits: only the Suspects that a test sends matter. */
function waiting(): Committee {
  const committee = new Committee(4, { options: { viewTimeoutMs: 60_000, viewTimeoutCapMs: 60_000 } });
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  committee.work();
  return committee;
}

test('an old Suspect that somebody replays does not take the place of a later one', () => {
  const committee = waiting();
  const node = committee.node(3);
  node.receive(suspect(1, { height: toHeight(2), sequence: 7 }));
  for (const old of [suspect(1), suspect(1, { height: toHeight(2), sequence: 6 })]) {
    assert.equal(node.engine?.wants(old), false);
    // Also when its signature is checked all the same.
    node.step({ type: 'message', message: old as never });
  }
  assert.match(why(committee, 3), /1 of 2 suspect/);
  node.receive(suspect(2, { height: toHeight(2) }));
  assert.equal(viewOf(committee, 3), 1, 'two of four want to leave');
});

test('a Suspect ends when its sender takes it back, whatever it was about', () => {
  for (const reason of ['no-progress', 'invalid-proposal', 'censorship'] as const) {
    const committee = waiting();
    const node = committee.node(3);
    node.receive(suspect(1, { reason, height: toHeight(2) }));
    node.receive(suspect(1, { reason: 'withdrawn', height: toHeight(2), sequence: 2 }));
    assert.doesNotMatch(why(committee, 3), /suspect/);
    // Replayed, it does not come back.
    node.receive(suspect(1, { reason, height: toHeight(2) }));
    node.receive(suspect(2, { reason, height: toHeight(2) }));
    assert.equal(viewOf(committee, 3), 0, reason);
  }
});

test('a Suspect that is not repeated ends after a while', () => {
  const committee = waiting();
  const node = committee.node(3);
  node.receive(suspect(1, { reason: 'censorship', height: toHeight(2) }));
  committee.pass(4_000);
  assert.match(why(committee, 3), /1 of 2 suspect/);
  committee.pass(2_000);
  assert.doesNotMatch(why(committee, 3), /suspect/);
  node.receive(suspect(2, { reason: 'censorship', height: toHeight(2) }));
  assert.equal(viewOf(committee, 3), 0);
});

test('a Suspect that is repeated counts for as long as it is', () => {
  const committee = waiting();
  const node = committee.node(3);
  for (let sequence = 1; sequence <= 4; sequence++) {
    node.receive(suspect(1, { reason: 'censorship', height: toHeight(2), sequence }));
    committee.pass(2_000);
    assert.match(why(committee, 3), /1 of 2 suspect/);
  }
});

test('who takes its grounds back says so', () => {
  const committee = new Committee(4, { options: { censorshipMs: 1_000 } });
  const node = committee.node(3);
  node.step(passedOver(0));
  committee.pass(1_200);
  assert.match(why(committee, 0), /idle/);
  assert.match(why(committee, 3), /1 of 2 suspect/);
  assert.equal(committee.node(0).engine?.state.suspects.get(3)?.reason, 'censorship');
  const before = posts(node.effects);
  node.step(passedOver(null));
  committee.pass(100);
  assert.ok(posts(node.effects) > before);
  assert.equal(committee.node(0).engine?.state.suspects.get(3)?.reason, 'withdrawn');
  assert.doesNotMatch(why(committee, 3), /suspect/);
});
