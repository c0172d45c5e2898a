import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, signedTransaction } from './cluster.ts';

test('four nodes make a submitted transaction final, and agree on the state after it', async () => {
  const cluster = await Cluster.start(4);
  cluster.submit('validator-1', signedTransaction(cluster.genesis, 'alice', { nonce: 0 }));
  assert.ok(cluster.time.runUntil(() => cluster.nonces('alice').every((nonce) => nonce === 1), 5_000));
  assert.deepEqual(cluster.heights(), [1, 1, 1, 1]);
  assert.equal(new Set(cluster.all.map(({ driver }) => driver.chain.final.hash)).size, 1);
  assert.deepEqual(cluster.all.map(({ fatal }) => fatal).flat(), []);
});
