import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash } from '../../../src/crypto/hash.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { Certificate } from '../../../src/ledger/certificate.ts';
import { Committee, type TestNode } from './harness.ts';

const options = { window: 2, blockIntervalMs: 0, statusMs: 500 };

/** Everything that a node has, its note of what was written with its key as well. */
function copyOf(node: TestNode): () => void {
  const records = new Map(node.records);
  const chain = new Map(node.chain);
  const certificates = new Map(node.certificates);
  const { written } = node;
  return () => {
    node.loseDisk();
    node.records = new Map(records);
    for (const [height, hash] of chain) {
      node.chain.set(height, hash);
      node.lost.delete(height);
    }
    node.certificates = new Map(certificates);
    node.written = written;
  };
}

const guardOf = (node: TestNode): string => node.engine?.state.guard.name ?? 'down';
const noticed = (node: TestNode): readonly unknown[] =>
  node.effects.flatMap((effect) =>
    effect.type === 'trace' && effect.event === 'key-used-elsewhere' ? [effect.data['again']] : [],
  );

/** One of four has a copy of height 3 put back when the others are at 9, and starts with it. */
function withAnOldCopy(): { committee: Committee; node: TestNode } {
  const committee = new Committee(4, { options });
  committee.grow(3);
  const node = committee.node(3);
  const putBack = copyOf(node);
  committee.grow(9);
  putBack();
  node.effects = [];
  node.restart();
  committee.pass(3_000);
  return { committee, node };
}

test('an old copy of all that a node has is noticed by its own signatures, and it votes only above what it may have signed', () => {
  const { committee, node } = withAnOldCopy();
  committee.grow(10);
  assert.deepEqual(noticed(node), [false]);
  assert.match(node.engine?.why() ?? '', /put back from a copy, or another process uses the key \(find such/);
  const { forgottenUpTo } = node.engine?.state ?? { forgottenUpTo: 0 };
  assert.ok(forgottenUpTo >= 9 + 2 * options.window, `silent up to ${forgottenUpTo}`);
  assert.deepEqual(
    node.signed().filter((key) => /^(prepare|commit)/.test(key)),
    [],
  );
  committee.grow(forgottenUpTo + 4);
  committee.pass(3_000);
  assert.equal(guardOf(node), 'off');
  assert.deepEqual(noticed(node), [false]);
});

test('that its key is doubted is on disk: a restart does not have it vote at once', () => {
  const committee = new Committee(4, { options });
  committee.grow(3);
  const node = committee.node(3);
  const putBack = copyOf(node);
  committee.grow(4);
  putBack();
  node.restart();
  committee.deliverable = () => false;
  const certificate = committee.certificateAt(4) ?? assert.fail();
  assert.ok(certificate.signatures.some(({ validator }) => validator === 3));
  const from = 0;
  node.receive(
    committee.say({
      kind: 'status',
      from,
      view: certificate.view,
      changing: false,
      finalHeight: certificate.height,
      finalCertificate: certificate,
    }),
    true,
  );
  assert.equal(guardOf(node), 'learning');
  node.crash();
  node.start(false, 'whole');
  assert.equal(node.engine?.status().voting, false);
});

test('a node that was away, crashed, or lost its log and knows it doubts nothing', () => {
  const committee = new Committee(4, { options });
  committee.grow(4);
  const node = committee.node(2);
  node.holdCommits = true;
  committee.grow(6);
  node.crash();
  committee.grow(12);
  node.holdCommits = false;
  node.restart();
  committee.pass(3_000);
  committee.grow(14);
  node.loseDisk();
  node.restart();
  committee.pass(3_000);
  committee.grow(24);
  committee.pass(3_000);
  assert.equal(guardOf(node), 'off');
  for (const each of [0, 1, 2, 3]) assert.deepEqual(noticed(committee.node(each)), [], `node ${each}`);
});

test('an operator’s word holds also where signatures come up that nobody remembers', () => {
  const committee = new Committee(4, { options });
  committee.grow(3);
  const node = committee.node(3);
  const putBack = copyOf(node);
  committee.grow(9);
  putBack();
  node.start(false, 'vouched');
  committee.pass(3_000);
  committee.grow(12);
  assert.deepEqual([guardOf(node), noticed(node)], ['off', []]);
});

/** Somebody shows a final block that this node's key signed as well. */
function show(committee: Committee, node: TestNode, height: number, other: Partial<Certificate> = {}): void {
  const certificate = committee.node(0).certificates.get(toHeight(height));
  assert.ok(certificate?.engine === 'pbft');
  const [first, ...rest] = certificate.signatures;
  assert.ok(first !== undefined);
  const signatures = [...rest, { ...first, validator: node.index }];
  const finalCertificate = { ...certificate, signatures, ...other };
  node.step({
    type: 'message',
    message: {
      kind: 'status',
      epoch: toHeight(0),
      from: 0,
      view: certificate.view,
      changing: false,
      finalHeight: certificate.height,
      finalCertificate,
      signature: first.signature,
    } as never,
    direct: true,
  });
}

test('its signature above all that it may have forgotten is another process’s', () => {
  const { committee, node } = withAnOldCopy();
  assert.equal(guardOf(node), 'silent');
  const { forgottenUpTo } = node.engine?.state ?? { forgottenUpTo: toHeight(0) };
  // What another process with the key helps to make final, this one hears of later.
  committee.deliverable = (_from, to) => to !== 3;
  committee.grow(forgottenUpTo + 2);
  show(committee, node, forgottenUpTo + 2);
  assert.deepEqual(noticed(node), [false, true]);
});

test('an old copy of one that was silent asks anew: it may have voted above what it was silent for', () => {
  const committee = new Committee(4, { options });
  committee.grow(3);
  const node = committee.node(3);
  node.loseDisk();
  node.restart();
  committee.pass(3_000);
  const { forgottenUpTo } = node.engine?.state ?? { forgottenUpTo: 0 };
  const putBack = copyOf(node);
  committee.grow(forgottenUpTo + 4);
  committee.pass(3_000);
  assert.equal(guardOf(node), 'off');
  putBack();
  node.effects = [];
  committee.deliverable = () => false;
  node.start(false, 'whole');
  assert.equal(guardOf(node), 'silent');
  show(committee, node, forgottenUpTo + 4);
  assert.deepEqual([guardOf(node), noticed(node)], ['learning', [false]]);
});

test('a vote for one block explains no signature for another', () => {
  for (const other of [{}, { blockHash: hash('quorate/v1/chain', new Uint8Array([2])) }]) {
    const committee = new Committee(4, { options });
    committee.grow(3);
    const node = committee.node(3);
    committee.deliverable = (_, to, { kind }) => to !== 3 || (kind !== 'commit' && kind !== 'status');
    committee.grow(4);
    assert.ok(node.finalHeight() === 3 && node.records.has('commit/0/0/4'));
    show(committee, node, 4, other);
    assert.deepEqual(noticed(node), 'blockHash' in other ? [false] : []);
  }
});

test('who is silent after a loss doubts nothing that it may have signed before', () => {
  const committee = new Committee(4, { options });
  committee.grow(6);
  const node = committee.node(3);
  node.loseDisk();
  node.restart();
  committee.pass(3_000);
  assert.equal(guardOf(node), 'silent');
  const { forgottenUpTo } = node.engine?.state ?? { forgottenUpTo: toHeight(0) };
  committee.deliverable = (_from, to) => to !== 3;
  committee.grow(forgottenUpTo);
  for (const height of [forgottenUpTo - 1, forgottenUpTo]) show(committee, node, height);
  assert.deepEqual(noticed(node), []);
});

test('a node knows that it voted in a view that it left, though it wrote over what it signed there', () => {
  const committee = new Committee(4, { options });
  committee.grow(3);
  const node = committee.node(3);
  // The others need its commit for the next block, and it hears none of theirs.
  committee.deliverable = (from, to, message) => message.kind !== 'commit' || (from !== 2 && to !== 3);
  committee.grow(4);
  const certificate = committee.certificateAt(4);
  assert.ok(certificate?.signatures.some(({ validator }) => validator === 3) === true);
  assert.equal(node.finalHeight(), 3);
  committee.deliverable = () => false;
  for (const from of [1, 2]) node.receive(committee.viewChange(from, 1, { finalHeight: toHeight(3) }));
  assert.equal(node.engine?.state.view, 1);
  assert.deepEqual(
    [...node.records.keys()].filter((key) => key.startsWith('commit/')),
    [],
  );
  const finalHeight = toHeight(4);
  const status = { kind: 'status', from: 0, view: toView(0), changing: false, finalHeight } as const;
  node.receive(committee.say({ ...status, finalCertificate: certificate, silentUntil: undefined }), true);
  assert.equal(node.finalHeight(), 4);
  assert.deepEqual(noticed(node), []);
});
