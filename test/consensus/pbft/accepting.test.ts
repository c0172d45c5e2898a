import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import type { ChainLink } from '../../../src/consensus/engine.ts';
import type { PbftMessage, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { type BlockHeader, toHeight, toView } from '../../../src/ledger/block.ts';
import { Committee, type TestNode } from './harness.ts';

// What a replica votes for, and what it does with a block that it cannot vote for yet.

const options = { blockIntervalMs: 0, viewTimeoutMs: 60_000, viewTimeoutCapMs: 60_000, statusMs: 500 };

/** A committee that makes blocks up to this height, and hears nothing of each other from then on. */
function committeeAt(height: number, more: Partial<Committee['options']> = {}): Committee {
  const committee = new Committee(4, { options: { ...options, ...more } });
  committee.grow(height);
  committee.deliverable = () => false;
  return committee;
}

/** A block of the primary of view 0. */
function blockOn(committee: Committee, parentHash: Hash, height: number, fields: Partial<BlockHeader> = {}) {
  const salt = 1_000 + committee.blocks.size;
  const header = { ...committee.header({ height, parentHash, view: 0, proposer: 0, salt }), ...fields };
  const blockHash = committee.add(header);
  const link: ChainLink = { isLast: false, height: toHeight(height), blockHash, parentHash };
  const proposed = committee.say({
    kind: 'pre-prepare',
    from: 0,
    view: toView(0),
    height: toHeight(height),
    blockHash,
    proposal: { header, transactionHashes: [] },
  });
  return { blockHash, link, proposed };
}

function vote(
  committee: Committee,
  kind: 'prepare' | 'commit',
  { height, blockHash }: ChainLink,
  ...from: readonly number[]
): PbftMessage[] {
  return from.map((each) => committee.say({ kind, from: each, view: toView(0), height, blockHash }));
}

function hear(node: TestNode, ...messages: readonly PbftMessage[]): void {
  for (const message of messages) node.receive(message);
}

const checks = (node: TestNode): number => node.effects.filter(({ type }) => type === 'validate').length;

test('a proposal that names another view, author or set is ground for suspicion at once', () => {
  for (const fields of [
    { view: toView(1) },
    { proposer: 'a'.repeat(64) },
    { validatorsHash: 'b'.repeat(64) },
  ]) {
    const committee = committeeAt(0);
    const node = committee.node(3);
    hear(node, blockOn(committee, node.finalHash(), 1, fields as Partial<BlockHeader>).proposed);
    assert.equal(node.engine?.state.grounds?.reason, 'invalid-proposal');
    assert.deepEqual(node.signed(), []);
  }
});

test('a proposal that waits is let go when its height is final by other ways', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const first = blockOn(committee, node.finalHash(), 1);
  const second = blockOn(committee, first.blockHash, 2);
  hear(node, second.proposed);
  assert.deepEqual([...(node.engine?.state.waiting.keys() ?? [])], [2]);
  const signatures = [0, 1, 2].map((validator) => ({ validator, signature: second.proposed.signature }));
  const place = { view: toView(0), height: toHeight(2), blockHash: second.blockHash };
  const certificate = { engine: 'pbft', phase: 'commit', epoch: toHeight(0), ...place, signatures };
  node.step({ type: 'synced', chain: [first.link, second.link], certificate: certificate as never });
  assert.equal(node.finalHeight(), 2);
  assert.equal(node.engine?.state.waiting.size, 0);
});

test('a proposal that does not fit the block below waits: another block may turn out to be final there', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const wrong = blockOn(committee, node.finalHash(), 1);
  const right = blockOn(committee, node.finalHash(), 1);
  const next = blockOn(committee, right.blockHash, 2);
  hear(node, wrong.proposed, next.proposed);
  assert.deepEqual([...(node.engine?.state.slots.keys() ?? [])], [1]);
  node.step({
    type: 'validated',
    blockHash: right.blockHash,
    result: { verdict: 'valid', chain: [right.link] },
  });
  hear(node, ...vote(committee, 'commit', right.link, 0, 1, 2));
  assert.equal(node.finalHash(), right.blockHash);
  assert.equal(node.engine?.state.slots.get(toHeight(2))?.blockHash, next.blockHash);
});

test('that another block of its height is valid makes an accepted one no better', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  node.judge = () => ({ verdict: 'unavailable', reason: 'test' });
  const mine = blockOn(committee, node.finalHash(), 1);
  const other = blockOn(committee, node.finalHash(), 1);
  hear(node, mine.proposed);
  node.step({
    type: 'validated',
    blockHash: other.blockHash,
    result: { verdict: 'valid', chain: [other.link] },
  });
  assert.equal(node.engine?.state.slots.get(toHeight(1))?.validity, 'unavailable');
  assert.deepEqual(node.signed(), []);
});

test('a block whose chain does not reach down to the final one gets no vote, and is asked for again', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const below = blockOn(committee, node.finalHash(), 1);
  const block = blockOn(committee, below.blockHash, 2);
  hear(node, below.proposed);
  node.effects = [];
  // As when the final block moved past the start of what was executed.
  node.judge = () => ({ verdict: 'valid', chain: [{ ...block.link, parentHash: 'f'.repeat(64) as Hash }] });
  hear(node, block.proposed);
  assert.deepEqual(node.signed(), []);
  assert.equal(checks(node), 1);
  node.judge = () => null;
  node.tick(400, 100);
  assert.equal(checks(node), 1, 'not yet');
  node.tick(200, 100);
  assert.equal(checks(node), 2);
  assert.deepEqual(node.signed(), ['prepare/0/0/2']);
});

test('a block that nobody could supply is asked for every statusMs, and not with every tick', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  node.judge = () => ({ verdict: 'unavailable', reason: 'test' });
  hear(node, blockOn(committee, node.finalHash(), 1).proposed);
  node.effects = [];
  node.tick(5_000, 20);
  assert.ok(checks(node) >= 8 && checks(node) <= 10, `${checks(node)}`);
});

test('what is known to be valid stays so, whatever an older check could not find', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const { blockHash, proposed } = blockOn(committee, node.finalHash(), 1);
  hear(node, proposed);
  node.step({ type: 'validated', blockHash, result: { verdict: 'unavailable', reason: 'test' } });
  assert.equal(node.engine?.state.slots.get(toHeight(1))?.validity, 'valid');
});

test('an invalid block is said to be one', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const { blockHash, proposed } = blockOn(committee, node.finalHash(), 1);
  committee.invalid.add(blockHash);
  hear(node, proposed);
  assert.match(node.engine?.why() ?? '', /the proposed block is invalid/);
  node.tick(2_000, 100);
  assert.equal(checks(node), 1, 'nothing makes it better');
});

test('nothing is looked at on a block that is invalid, unless others show that it is not', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const first = blockOn(committee, node.finalHash(), 1);
  const second = blockOn(committee, first.blockHash, 2);
  committee.invalid.add(first.blockHash);
  hear(node, first.proposed, second.proposed);
  assert.equal(checks(node), 1);
  assert.deepEqual([...(node.engine?.state.slots.keys() ?? [])], [1]);
  const signatures = [0, 1, 2].map((validator) => ({ validator, signature: first.proposed.signature }));
  const place = { view: toView(0), height: toHeight(1), blockHash: first.blockHash };
  const certificate = { engine: 'pbft', phase: 'commit', epoch: toHeight(0), ...place, signatures };
  committee.invalid.clear();
  node.step({ type: 'synced', chain: [first.link], certificate: certificate as never });
  assert.deepEqual(node.signed().slice(-1), ['prepare/0/0/2']);
});

test('Commits that came while a block was checked make it final when it is valid, also when it is early here', () => {
  for (const aheadMs of [0, 20_000]) {
    const committee = committeeAt(0);
    const node = committee.node(3);
    const { blockHash, proposed, link } = blockOn(committee, node.finalHash(), 1);
    node.judge = () => ({ verdict: 'unavailable', reason: 'test' });
    hear(node, proposed, ...vote(committee, 'commit', link, 0, 1, 2));
    assert.equal(node.finalHeight(), 0);
    node.step({
      type: 'validated',
      blockHash,
      result:
        aheadMs === 0 ? { verdict: 'valid', chain: [link] } : { verdict: 'early', chain: [link], aheadMs },
    });
    assert.equal(node.finalHeight(), 1);
  }
});

test('a block that is early gets no vote until its time has come', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  node.aheadMs = 11_000;
  hear(node, blockOn(committee, node.finalHash(), 1).proposed);
  node.tick(600, 100);
  assert.deepEqual(node.signed(), []);
  node.aheadMs = 9_000;
  node.tick(600, 100);
  assert.deepEqual(node.signed(), ['prepare/0/0/1']);
});

test('what was voted for before a restart is voted for to the end, however early it is by this clock', () => {
  for (const index of [0, 3]) {
    const committee = committeeAt(0);
    committee.deliverable = (_, __, { kind }) => kind === 'pre-prepare';
    committee.work();
    committee.run();
    committee.deliverable = () => false;
    const node = committee.node(index);
    const { blockHash, height } = node.engine?.state.slots.get(toHeight(1)) ?? assert.fail();
    node.crash();
    node.aheadMs = 20_000;
    node.restart();
    node.tick(100, 100);
    node.effects = [];
    const others = [0, 1, 2, 3].filter((other) => other !== index);
    hear(
      node,
      ...vote(committee, 'prepare', { isLast: false, height, blockHash, parentHash: blockHash }, ...others),
    );
    assert.deepEqual(node.signed(), ['commit/0/0/1'], `validator ${index}`);
  }
});

test('one that waits for answers after a lost log votes for nothing, valid or not', () => {
  const committee = committeeAt(2);
  const lost = committee.node(3);
  const proposed = blockOn(committee, lost.finalHash(), 3);
  const { chain, certificates } = lost;
  const [blocks, proofs] = [new Map(chain), new Map(certificates)];
  lost.loseDisk();
  for (const [height, blockHash] of blocks) lost.chain.set(height, blockHash);
  lost.certificates = proofs;
  lost.start(false, 'lost');
  assert.equal(lost.engine?.state.guard.name, 'learning');
  lost.effects = [];
  hear(lost, proposed.proposed, ...vote(committee, 'prepare', proposed.link, 0, 1, 2));
  assert.equal(lost.engine.state.slots.get(toHeight(3))?.validity, 'valid');
  assert.deepEqual(lost.signed(), []);
});

test('at a height where it may have voted before its log was lost a replica votes for no tip of a view either', () => {
  const committee = new Committee(4, { options: { ...options, window: 2 } });
  const grow = (height: number): void => {
    for (let round = 0; Math.max(...committee.heights()) < height && round < 2 * height; round++) {
      committee.work();
      committee.run();
    }
  };
  grow(5);
  const lost = committee.node(3);
  lost.loseDisk();
  lost.restart();
  committee.pass(2_500);
  const until = lost.engine?.state.forgottenUpTo ?? assert.fail();
  grow(until + 1);
  committee.pass(2_500);
  committee.deliverable = () => false;
  assert.equal(lost.engine?.state.guard.name, 'off');
  for (const [height, view] of [
    [until, 1],
    [until + 1, 2],
  ] as const) {
    const commit = committee.node(0).certificates.get(toHeight(height));
    const below = committee.node(0).certificates.get(toHeight(height - 1));
    assert.ok(commit?.engine === 'pbft' && below?.engine === 'pbft');
    const { engine: _, ...certificate } = commit;
    const viewChanges = [0, 1, 2].map(
      (from) =>
        committee.say({
          kind: 'view-change',
          from,
          view: toView(view),
          finalHeight: below.height,
          finalCertificate: below,
          highest: { ...certificate, phase: 'prepare' },
        }) as ViewChange,
    );
    lost.effects = [];
    hear(lost, committee.say({ kind: 'new-view', from: view, view: toView(view), viewChanges }));
    assert.equal(lost.engine.state.view, view);
    assert.ok(lost.engine.state.slots.has(toHeight(height)));
    assert.deepEqual(lost.signed(), height > until ? [`prepare/0/${view}/${height}`] : []);
  }
});

test('Prepares of a quorum for another block than the accepted one make no Commit for either', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const mine = blockOn(committee, node.finalHash(), 1);
  const other = blockOn(committee, node.finalHash(), 1);
  hear(node, mine.proposed, ...vote(committee, 'prepare', other.link, 0, 1, 2));
  assert.deepEqual(node.signed(), ['prepare/0/0/1']);
});

test('the highest certificate stays the highest, in memory and on the disk, when a lower one comes later', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const one = blockOn(committee, node.finalHash(), 1);
  const two = blockOn(committee, one.blockHash, 2);
  hear(node, one.proposed, two.proposed);
  hear(node, ...vote(committee, 'prepare', two.link, 0, 1, 2));
  hear(node, ...vote(committee, 'prepare', one.link, 0, 1, 2));
  assert.deepEqual(node.signed(), ['prepare/0/0/1', 'prepare/0/0/2', 'commit/0/0/2', 'commit/0/0/1']);
  assert.equal(node.engine?.state.highest?.height, 2);
  node.crash();
  node.restart();
  assert.equal(node.engine.state.highest?.height, 2);
});

test('no Commit for a block that is not on the disk here, though a quorum prepared it', () => {
  const committee = committeeAt(0, { window: 2 });
  const node = committee.node(3);
  committee.deliverable = () => true;
  node.holdCommits = true;
  for (let round = 0; round < limits.pbftUnstored + 3; round++) {
    committee.work();
    committee.run();
  }
  committee.deliverable = () => false;
  assert.match(node.engine?.why() ?? '', /wait for the disk/);
  const { final } = node.engine?.state ?? assert.fail();
  const block = blockOn(committee, final.blockHash, final.height + 1);
  node.judge = () => ({ verdict: 'valid', chain: [block.link] });
  node.effects = [];
  hear(node, block.proposed, ...vote(committee, 'prepare', block.link, 0, 1, 2));
  assert.deepEqual(node.signed(), []);
  assert.equal(node.engine?.state.highest?.height, block.link.height, 'it is prepared all the same');
});

test('a certificate has exactly a quorum of votes, in the order of the validators, however many came', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const { blockHash, proposed, link } = blockOn(committee, node.finalHash(), 1);
  node.judge = () => ({ verdict: 'unavailable', reason: 'test' });
  hear(
    node,
    proposed,
    ...vote(committee, 'prepare', link, 2, 1, 0),
    ...vote(committee, 'commit', link, 2, 1, 0),
  );
  node.step({ type: 'validated', blockHash, result: { verdict: 'valid', chain: [link] } });
  const { final, highest } = node.engine?.state ?? assert.fail();
  for (const certificate of [final.certificate, highest]) {
    assert.deepEqual(
      certificate?.signatures.map(({ validator }) => validator),
      [0, 1, 2],
    );
  }
});

test('the certificate that a Commit stands for is written with it', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const { proposed, link } = blockOn(committee, node.finalHash(), 1);
  hear(node, proposed, ...vote(committee, 'prepare', link, 0, 1, 2));
  const writes = node.effects.flatMap((effect) => (effect.type === 'persist' ? [effect] : []));
  const commit = writes.find(({ sign }) => sign.some(({ key }) => key === 'commit/0/0/1'));
  assert.ok(commit?.records.some(({ key, value }) => key === 'highest' && value !== null));
});

test('a certificate for a block that nobody could supply makes this replica fetch it, and one for a block under check does not', () => {
  for (const [mine, isSame, asks] of [
    ['unavailable', true, 1],
    ['checking', true, 0],
    ['checking', false, 1],
  ] as const) {
    const committee = committeeAt(0);
    const node = committee.node(3);
    node.sync = () => [];
    const block = blockOn(committee, node.finalHash(), 1);
    const other = blockOn(committee, node.finalHash(), 1);
    const execute = node.execute.bind(node);
    node.judge = () => ({ verdict: 'unavailable', reason: 'test' });
    if (mine === 'checking') node.execute = (effect) => (effect.type === 'validate' ? [] : execute(effect));
    hear(node, block.proposed, ...vote(committee, 'commit', isSame ? block.link : other.link, 0, 1, 2));
    assert.equal(node.effects.filter(({ type }) => type === 'sync').length, asks, `${mine} ${isSame}`);
  }
});

test('blocks that sync brought count for nothing under a certificate of another block', () => {
  const committee = committeeAt(0);
  const node = committee.node(3);
  const block = blockOn(committee, node.finalHash(), 1);
  const other = blockOn(committee, node.finalHash(), 1);
  const signatures = vote(committee, 'commit', other.link, 0, 1, 2).map(({ signature }, validator) => ({
    validator,
    signature,
  }));
  const { height, blockHash } = other.link;
  const certificate = {
    phase: 'commit',
    epoch: toHeight(0),
    view: toView(0),
    height,
    blockHash,
    signatures,
  } as const;
  node.step({
    type: 'synced',
    chain: [block.link],
    certificate: { engine: 'pbft', ...certificate } as never,
  });
  assert.equal(node.engine?.state.valid.size, 0);
  node.step({
    type: 'synced',
    chain: [other.link],
    certificate: { engine: 'pbft', ...certificate, phase: 'prepare' } as never,
  });
  assert.equal(node.finalHeight(), 0);
  node.step({
    type: 'synced',
    chain: [other.link],
    certificate: { engine: 'pbft', ...certificate } as never,
  });
  assert.equal(node.finalHash(), blockHash);
});
