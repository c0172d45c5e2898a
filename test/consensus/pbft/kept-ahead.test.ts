import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { keepForLater } from '../../../src/consensus/pbft/admission.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import type { Replica } from '../../../src/consensus/pbft/replica.ts';
import { zeroHash } from '../../../src/crypto/hash.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Committee } from './harness.ts';

const { pbftBufferedHashes: most, pbftBufferedPerValidator: perValidator, maxBlockTransactions } = limits;

let lastHeight = 0;
const place = () => ({ view: 1, height: ++lastHeight, blockHash: zeroHash });
const proposal = (from: number, hashes = maxBlockTransactions): PbftMessage =>
  ({
    kind: 'pre-prepare',
    from,
    ...place(),
    proposal: { transactionHashes: Array(hashes).fill(zeroHash) },
  }) as never;
const vote = (from: number): PbftMessage => ({ kind: 'prepare', from, ...place() }) as never;

function scene() {
  const ahead = new Map<number, PbftMessage[]>();
  const replica = { state: { ahead } } as unknown as Replica;
  const keep = (...messages: readonly PbftMessage[]): void => {
    for (const message of messages) keepForLater(replica, message);
  };
  const kept = (from: number, kind: PbftMessage['kind']): number =>
    (ahead.get(from) ?? []).filter((message) => message.kind === kind).length;
  return { keep, kept };
}

test('of each validator a number of messages is kept, and its oldest give way', () => {
  const { keep, kept } = scene();
  keep(proposal(1), ...Array.from({ length: perValidator }, () => vote(1)));
  assert.deepEqual([kept(1, 'pre-prepare'), kept(1, 'prepare')], [0, perValidator]);
});

test('proposals are kept by their hashes: when all have too many, whoever has the most loses its oldest, and no vote', () => {
  const { keep, kept } = scene();
  keep(vote(2), proposal(2), vote(2));
  const liars = [3, 4, 5];
  // A vote that is older than all of its proposals stays, too.
  for (const liar of liars) keep(vote(liar));
  for (let round = 0; round < perValidator - 1; round++) keep(...liars.map((from) => proposal(from)));
  assert.deepEqual([kept(2, 'pre-prepare'), kept(2, 'prepare')], [1, 2], 'who has few loses none');
  const all = [2, ...liars].reduce((sum, from) => sum + kept(from, 'pre-prepare'), 0);
  assert.equal(all, Math.floor(most / maxBlockTransactions));
  for (const liar of liars) assert.equal(kept(liar, 'prepare'), 1);
});

test('one that is sent again, by whoever, makes nothing give way; another of the same place is another', () => {
  const { keep, kept } = scene();
  const [first, second] = [vote(1), vote(1)];
  keep(proposal(1), first);
  for (let times = 0; times < 2 * perValidator; times++)
    keep(structuredClone(first), structuredClone(second));
  assert.deepEqual([kept(1, 'pre-prepare'), kept(1, 'prepare')], [1, 2]);
  keep({ ...first, blockHash: 'aa'.repeat(32) } as never, { ...first, kind: 'commit' } as never);
  assert.deepEqual([kept(1, 'prepare'), kept(1, 'commit')], [3, 1]);
});

test('what is not due yet stays when its time has come for something else', () => {
  const committee = new Committee(4);
  committee.deliverable = () => false;
  const node = committee.node(3);
  const vote = (view: number): PbftMessage =>
    committee.say({ kind: 'prepare', from: 0, view: toView(view), height: toHeight(1), blockHash: zeroHash });
  for (const view of [1, 2]) node.receive(vote(view));
  for (const from of [0, 1]) node.receive(committee.viewChange(from, 1));
  const { state } = node.engine ?? assert.fail();
  assert.deepEqual([state.view, state.ahead.get(0)], [1, [vote(2)]]);
});
