import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { keepForLater } from '../../../src/consensus/pbft/admission.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import type { Replica } from '../../../src/consensus/pbft/replica.ts';
import { zeroHash } from '../../../src/crypto/hash.ts';

const { pbftBufferedHashes: most, pbftBufferedPerValidator: perValidator, maxBlockTransactions } = limits;

const proposal = (from: number, hashes = maxBlockTransactions): PbftMessage =>
  ({ kind: 'pre-prepare', from, proposal: { transactionHashes: Array(hashes).fill(zeroHash) } }) as never;
const vote = (from: number): PbftMessage => ({ kind: 'prepare', from }) as never;

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
  for (let round = 0; round < perValidator - 1; round++) keep(...liars.map((from) => proposal(from)));
  for (const liar of liars) keep(vote(liar));
  assert.deepEqual([kept(2, 'pre-prepare'), kept(2, 'prepare')], [1, 2], 'who has few loses none');
  const all = [2, ...liars].reduce((sum, from) => sum + kept(from, 'pre-prepare'), 0);
  assert.equal(all, Math.floor(most / maxBlockTransactions));
  for (const liar of liars) assert.equal(kept(liar, 'prepare'), 1);
});
