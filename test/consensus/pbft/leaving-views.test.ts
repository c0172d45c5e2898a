import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../../src/base/codec.ts';
import { unwrap } from '../../../src/base/problem.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { hardStateCodec } from '../../../src/consensus/pbft/records.ts';
import type { Verified } from '../../../src/consensus/engine.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { Committee, type TestNode } from './harness.ts';

// What a replica takes along when it leaves a view, what it leaves behind, and what of it is on its disk.

/** Joins a later view with the ViewChanges of f + 1 others. */
function join(node: TestNode, view: number, from: readonly number[] = [1, 2]): void {
  for (const validator of from) {
    node.receive(
      node.committee.say({
        kind: 'view-change',
        from: validator,
        view: toView(view),
        finalHeight: toHeight(0),
        finalCertificate: undefined,
        highest: undefined,
      }),
    );
  }
}

function positionOnDisk(node: TestNode): { view: number; changing: boolean } {
  const record = node.records.get('position') ?? assert.fail('no position');
  const { view, changing } = unwrap(decode(hardStateCodec, record, 'position'));
  return { view, changing };
}

/** One of four that lost its log, so that it may not vote, and hears nobody. */
function withoutLog(): { committee: Committee; lost: TestNode } {
  const committee = new Committee(4);
  const lost = committee.node(3);
  lost.loseDisk();
  committee.deliverable = () => false;
  lost.restart();
  assert.equal(lost.engine?.state.guard.name, 'learning');
  lost.effects = [];
  return { committee, lost };
}

test('one that may not vote leaves a view on its disk, and signs no ViewChange', () => {
  const { lost } = withoutLog();
  join(lost, 5);
  assert.equal(lost.engine?.state.view, 5);
  assert.deepEqual(lost.signed(), []);
  assert.deepEqual(positionOnDisk(lost), { view: 5, changing: true });
});

test('it opens no view either, though it is its primary and has a quorum of ViewChanges', () => {
  const { committee, lost } = withoutLog();
  join(lost, 3, [0, 1, 2]);
  committee.pass(2_000);
  assert.equal(lost.engine?.state.view, 3);
  assert.deepEqual(lost.signed(), []);
});

test('for one view one ViewChange is signed, however long its write takes and whatever becomes final meanwhile', () => {
  const committee = new Committee(4);
  const node = committee.node(3);
  const commits: PbftMessage[] = [];
  committee.deliverable = (_, to, message) => {
    if (message.kind === 'commit' && to === 3) commits.push(message);
    return message.kind !== 'commit';
  };
  committee.work();
  committee.run();
  committee.deliverable = () => false;
  node.holdPersists = true;
  node.effects = [];
  join(node, 1);
  committee.pass(2_000);
  for (const message of commits) node.receive(message);
  // Its own Commit is not among them, and the disk has it.
  node.receive(
    committee.say({
      kind: 'commit',
      from: 0,
      view: toView(0),
      height: toHeight(1),
      blockHash: [...committee.blocks.keys()][0] ?? assert.fail(),
    }),
  );
  committee.pass(4_000);
  assert.equal(node.engine?.state.view, 1);
  assert.deepEqual(node.signed(), ['view-change/0/1']);
});

test('with its ViewChange a replica has its signer refuse what is of the views that it left', () => {
  const node = new Committee(4).node(3);
  join(node, 2);
  const [viewChange] = node.effects.flatMap((effect) => (effect.type === 'persist' ? effect.sign : []));
  assert.deepEqual([viewChange?.key, viewChange?.view, viewChange?.floor], ['view-change/0/2', 2, 2]);
});

test('whoever knows a certificate of a view signs no ViewChange for it: nobody could take that', () => {
  const committee = new Committee(7);
  committee.deliverable = (from, to) => from !== 6 && to !== 6;
  committee.node(0).crash();
  committee.work();
  committee.pass(20_000);
  const ahead = committee.node(1);
  const certificate = ahead.certificates.get(ahead.finalHeight());
  assert.ok(certificate?.engine === 'pbft' && certificate.view > 0);
  const late = committee.node(6);
  committee.deliverable = () => false;
  late.effects = [];
  const blockHash = ahead.finalHash();
  const { parentHash } = committee.blocks.get(blockHash) ?? assert.fail();
  late.step({
    type: 'synced',
    chain: [{ isLast: false, height: certificate.height, blockHash, parentHash }],
    certificate: certificate as Verified<FinalityCertificate>,
  });
  assert.equal(late.engine?.state.view, certificate.view);
  committee.pass(10_000);
  assert.ok(!late.signed().includes(`view-change/0/${certificate.view}`));
});

test('nothing of the view that was left stays: neither blocks, nor proposals that wait, nor what its primary did', () => {
  const committee = new Committee(4, { options: { blockIntervalMs: 0 } });
  const node = committee.node(3);
  committee.deliverable = (_, to, { kind, ...rest }) =>
    kind === 'pre-prepare' && to === 3 && 'height' in rest && rest.height !== 2;
  for (let round = 0; round < 3; round++) {
    committee.work();
    committee.run();
  }
  committee.deliverable = () => false;
  assert.deepEqual([...(node.engine?.state.slots.keys() ?? [])], [1]);
  assert.deepEqual([...(node.engine?.state.waiting.keys() ?? [])], [3]);
  join(node, 2);
  const { state } = node.engine ?? assert.fail();
  assert.equal(state.view, 2);
  assert.equal(state.phase.name, 'changing');
  assert.deepEqual([state.slots.size, state.waiting.size], [0, 0]);
  assert.deepEqual([state.newView, state.building, state.grounds, state.caught], [null, null, null, false]);
  assert.equal(state.progressTimer.dueAt, null, 'no primary is waited for yet');
  assert.equal(state.viewBase.height, state.final.height);
});

test('a primary that was caught in one view is not held to be caught when it has another', () => {
  const committee = new Committee(4);
  const node = committee.node(3);
  committee.deliverable = () => false;
  for (const mark of ['1', '2']) {
    node.receive(
      committee.say({
        kind: 'commit',
        from: 0,
        view: toView(0),
        height: toHeight(1),
        blockHash: mark.repeat(64) as Hash,
      }),
    );
  }
  assert.equal(node.engine?.state.view, 1, 'left at once');
  assert.equal(node.engine.state.caught, false);
});

test('a primary that was caught in an old view does not end the view of the next one', () => {
  const committee = new Committee(4);
  const lie = (height: number): void => {
    for (const mark of ['1', '2']) {
      const blockHash = mark.repeat(64) as Hash;
      const commit = {
        kind: 'commit',
        from: 0,
        view: toView(0),
        height: toHeight(height),
        blockHash,
      } as const;
      for (const node of committee.nodes.slice(1)) node.receive(committee.say(commit));
    }
  };
  lie(1);
  committee.pass(300);
  const places = (): string[] =>
    committee.nodes.slice(1).map(({ engine }) => `${engine?.state.view} ${engine?.state.phase.name}`);
  assert.deepEqual(places(), ['1 normal', '1 normal', '1 normal']);
  lie(2);
  committee.pass(5_000);
  assert.deepEqual(places(), ['1 normal', '1 normal', '1 normal']);
});

test('Suspects of the view that was left are gone, and those of the next one count when it is reached', () => {
  const committee = new Committee(4);
  const node = committee.node(3);
  committee.deliverable = () => false;
  const suspect = (from: number, view: number): void =>
    node.receive(
      committee.say({
        kind: 'suspect',
        from,
        view: toView(view),
        reason: 'censorship',
        height: toHeight(1),
        sequence: 1,
      }),
    );
  suspect(0, 0);
  suspect(1, 1);
  join(node, 1);
  assert.deepEqual([...(node.engine?.state.suspects.keys() ?? [])], [1]);
  assert.equal(node.engine?.state.view, 1);
});

test('of what was said of the next view while this one lasted, nothing is lost', () => {
  const committee = new Committee(4);
  const node = committee.node(3);
  const early: PbftMessage[] = [];
  committee.deliverable = (_, to, message) => {
    if (to === 3) early.push(message);
    return to !== 3 && !(message.kind === 'pre-prepare' && message.view === 0);
  };
  committee.work();
  for (let turn = 0; turn < 100 && committee.node(2).finalHeight() === 0; turn++) committee.pass(100);
  committee.deliverable = () => false;
  const of = (...kinds: readonly string[]): PbftMessage[] => early.filter(({ kind }) => kinds.includes(kind));
  assert.equal(node.engine?.state.view, 0);
  node.effects = [];
  for (const message of of('pre-prepare', 'prepare'))
    if (message.kind !== 'pre-prepare' || message.view > 0) node.receive(message);
  assert.deepEqual(node.signed(), []);
  for (const message of of('new-view')) node.receive(message);
  assert.deepEqual(node.signed(), ['prepare/0/1/1', 'commit/0/1/1']);
});

test('a build under way when its view ends is forgotten: it builds again when it has a view again', () => {
  const committee = new Committee(4);
  const primary = committee.node(0);
  const execute = primary.execute.bind(primary);
  primary.execute = (effect) => (effect.type === 'build' ? [] : execute(effect));
  committee.work();
  const builds = (): number[] =>
    primary.effects.flatMap((effect) => (effect.type === 'build' ? [effect.view] : []));
  assert.deepEqual(builds(), [0]);
  join(primary, 4);
  assert.equal(primary.engine?.state.phase.name, 'normal', 'three ViewChanges: it opens view 4');
  assert.deepEqual(builds(), [0, 4]);
});

test('a build that found nothing in the view before says nothing of this one', () => {
  const committee = new Committee(4);
  const primary = committee.node(0);
  committee.deliverable = () => false;
  const execute = primary.execute.bind(primary);
  const builds: number[] = [];
  primary.execute = (effect) => {
    if (effect.type !== 'build') return execute(effect);
    builds.push(effect.view);
    return [{ type: 'built', parentHash: effect.parentHash, view: effect.view, proposal: null }];
  };
  committee.work();
  assert.deepEqual(builds, [0]);
  join(primary, 4);
  assert.deepEqual(builds, [0, 4]);
});

test('who has no vote has no say in when a view ends, and stays in it', () => {
  const suspect = (observer: TestNode): void => {
    for (const from of [0, 3]) {
      const grounds = { view: toView(0), reason: 'censorship', height: toHeight(1), sequence: 1 } as const;
      observer.receive(observer.committee.say({ kind: 'suspect', from, ...grounds }));
    }
  };
  for (const isEnded of [suspect, (observer: TestNode) => join(observer, 1)]) {
    const committee = new Committee(5, { validators: 4 });
    committee.deliverable = () => false;
    const observer = committee.node(4);
    isEnded(observer);
    assert.equal(observer.engine?.state.view, 0);
  }
});
