import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../../src/base/codec.ts';
import { contradictionIn } from '../../../src/consensus/pbft/evidence.ts';
import { contradictionCodec } from '../../../src/consensus/pbft/message-codec.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { pbftSamples } from '../../golden/pbft-values.ts';
import { Committee } from './harness.ts';

const evidenceAt = (committee: Committee, index: number): string[] =>
  committee
    .node(index)
    .effects.flatMap((effect) => (effect.type === 'evidence' ? [`${effect.kind} ${effect.accused}`] : []));

/** The primary sends block A to some and block B to the others, each with its own prepare. */
function equivocate(committee: Committee, forB: readonly number[]): void {
  const primary = committee.node(0);
  let other: { blockHash: Hash; proposal: never } | null = null;
  primary.tamper = (to, message) => {
    if (!('height' in message) || message.view !== 0 || !forB.includes(to)) return [message];
    if (message.kind === 'pre-prepare') {
      const header = { ...message.proposal.header, timestamp: message.proposal.header.timestamp + 1_000 };
      const blockHash = committee.add(header);
      committee.contents.set(blockHash, committee.contents.get(message.blockHash) ?? []);
      other = { blockHash, proposal: { header, transactionHashes: [] } as never };
      return [{ ...message, ...other }];
    }
    if (message.kind === 'prepare' && other !== null) return [{ ...message, blockHash: other.blockHash }];
    return [message];
  };
}

test('a primary that proposes two blocks is caught when both are seen, and loses the view', () => {
  const committee = new Committee(4);
  equivocate(committee, [3]);
  committee.work();
  committee.pass(8_000);
  committee.checkAgreement();
  assert.ok(Math.min(...committee.heights()) >= 1);
  const named = new Set([0, 1, 2, 3].flatMap((index) => evidenceAt(committee, index)));
  for (const line of named) assert.match(line, / 0$/, 'only the liar is named');
});

test('two votes of one kind for one place are evidence, once, and only the first counts', () => {
  const committee = new Committee(4);
  committee.node(2).tamper = (_, message) =>
    message.kind === 'prepare' ? [message, { ...message, blockHash: 'e'.repeat(64) as Hash }] : [message];
  committee.work();
  committee.run();
  assert.deepEqual(evidenceAt(committee, 1), ['double-prepare 2']);
  assert.deepEqual(committee.heights(), [1, 1, 1, 1], 'it does not stop the others');
});

test('what stands in a certificate contradicts what its signers told this replica otherwise', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, to) => to !== 3;
  committee.work();
  committee.run();
  const certificate = committee.certificateAt(1) ?? assert.fail();
  const node = committee.node(3);
  const place = { view: certificate.view, height: certificate.height };
  node.receive(committee.say({ kind: 'commit', from: 2, ...place, blockHash: 'e'.repeat(64) as Hash }));
  const at = { finalHeight: certificate.height, finalCertificate: certificate };
  node.receive(committee.say({ kind: 'status', from: 0, view: toView(0), changing: false, ...at }), true);
  assert.deepEqual(evidenceAt(committee, 3), ['double-commit 2']);
});

test('evidence is passed on to those who saw only one side', () => {
  const committee = new Committee(4);
  committee.node(2).tamper = (to, message) =>
    message.kind === 'prepare' && to === 1
      ? [message, { ...message, blockHash: 'e'.repeat(64) as Hash }]
      : [message];
  committee.work();
  committee.run();
  for (const index of [0, 1, 3]) assert.deepEqual(evidenceAt(committee, index), ['double-prepare 2']);
});

test('a commit and a later view change that reports less are evidence, in either order', () => {
  for (const commitFirst of [true, false]) {
    const committee = new Committee(4);
    const observer = committee.node(1);
    const commit = {
      kind: 'commit',
      epoch: toHeight(0),
      from: 3,
      view: toView(0),
      height: toHeight(1),
      blockHash: 'c'.repeat(64) as Hash,
      signature: '1'.repeat(128) as never,
    } as const;
    const change = {
      kind: 'view-change',
      epoch: toHeight(0),
      from: 3,
      view: toView(2),
      finalHeight: toHeight(0),
      finalCertificate: undefined,
      highest: undefined,
      signature: '2'.repeat(128) as never,
    } as const;
    for (const message of commitFirst ? [commit, change] : [change, commit]) observer.receive(message);
    assert.deepEqual(evidenceAt(committee, 1), ['forgotten-commit 3']);
  }
});

test('stored evidence is read as the two messages in it, and anything else as nothing', () => {
  const certificate = {
    phase: 'commit',
    epoch: toHeight(0),
    view: toView(3),
    height: toHeight(5),
    blockHash: 'd'.repeat(64) as Hash,
    signatures: [],
  } as const;
  const values = pbftSamples(certificate);
  const read = (name: string): ReturnType<typeof contradictionIn> => {
    const message = values[name];
    assert.ok(message?.kind === 'evidence');
    return contradictionIn(encode(contradictionCodec, message.proof));
  };
  const votes = read('evidence of two votes');
  assert.deepEqual(
    votes?.messages.map(({ kind, certificate }) => [kind, certificate]),
    [
      ['commit', null],
      ['commit', null],
    ],
  );
  assert.notEqual(votes?.messages[0].blockHash, votes?.messages[1].blockHash);
  const [commit, change] = read('evidence of a forgotten commit')?.messages ?? [];
  assert.equal(commit?.kind, 'commit');
  assert.equal(change?.kind, 'view-change');
  assert.ok(change?.certificate !== null);
  for (const bytes of [[], [1], [9, 9, 9]]) assert.equal(contradictionIn(Uint8Array.from(bytes)), null);
});

test('honest replicas are never accused through crashes and view changes', () => {
  const committee = new Committee(4);
  for (let round = 0; round < 12; round++) {
    const node = committee.node(round % 4);
    node.crash();
    committee.work();
    committee.pass(3_000);
    node.restart();
    committee.pass(1_000);
  }
  for (const index of [0, 1, 2, 3]) assert.deepEqual(evidenceAt(committee, index), []);
});

test('each side of an equivocation gets to see the other proposal: everybody ends with the proof', () => {
  for (const forB of [[3], [2, 3], [1, 2, 3]]) {
    const committee = new Committee(4);
    equivocate(committee, forB);
    committee.work();
    committee.pass(8_000);
    committee.checkAgreement();
    if (forB.length === 3) continue; // It contradicts itself only towards its own disk.
    for (const index of [1, 2, 3]) {
      assert.ok(
        evidenceAt(committee, index).some((line) => line.endsWith(' 0')),
        `replica ${index} can prove that 0 lied to ${forB.join(' and ')}`,
      );
    }
  }
});

test('more than f liars made another block final elsewhere: its certificate convicts all who signed both', () => {
  const committee = new Committee(4);
  committee.work();
  committee.run();
  const node = committee.node(2);
  const before = node.finalHash();
  const own = node.effects.flatMap((effect) =>
    effect.type === 'commit' && effect.certificate?.engine === 'pbft' ? [effect.certificate] : [],
  )[0];
  assert.ok(own !== undefined && own.height === 1);
  const blockHash = 'e'.repeat(64) as Hash;
  const signature = '2'.repeat(128) as never;
  const signatures = [0, 1, 3].map((validator) => ({ validator, signature }));
  const { epoch, view, height, phase } = own;
  const finalCertificate = { phase, epoch, view, height, blockHash, signatures };
  const status = { kind: 'status', epoch, from: 3, view, changing: false, finalHeight: height } as const;
  for (const _ of [1, 2]) node.receive({ ...status, finalCertificate, signature });
  const both = own.signatures.flatMap(({ validator }) => ([0, 1, 3].includes(validator) ? [validator] : []));
  assert.deepEqual(
    evidenceAt(committee, 2),
    both.map((validator) => `double-commit ${validator}`),
    'once each, and nobody else',
  );
  assert.ok(both.length >= 2, 'two quorums of four share at least f + 1');
  assert.equal(node.finalHash(), before, 'what is final here stays final');
});
