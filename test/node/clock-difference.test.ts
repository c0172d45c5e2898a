import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, signedTransaction } from './cluster.ts';
import { genesis as raftGenesis, leaderOf, makeBlocks } from './raft-cluster.ts';

test('what a node fetched says nothing of its clock, however old it is, and the next block does', async () => {
  const cluster = await Cluster.start(4);
  const { time, genesis } = cluster;
  let nonce = 0;
  const pay = (): void => {
    cluster.submit('validator-0', signedTransaction(genesis, 'alice', { nonce: nonce++ }));
    const isFinal = (): boolean => cluster.nonces('alice').every((at) => at === nonce);
    assert.ok(time.runUntil(isFinal, 10_000), cluster.why());
  };
  cluster.kill('validator-3');
  pay();
  pay();
  time.run(60_000);
  const { driver } = await cluster.boot('validator-3');
  assert.ok(
    time.runUntil(() => cluster.nonces('alice').every((at) => at === nonce), 10_000),
    cluster.why(),
  );
  time.run(100);
  assert.equal(driver.clockWatch.differenceMs(), undefined);
  assert.deepEqual(driver.clockWatch.sentences(), []);
  pay();
  assert.ok((driver.clockWatch.differenceMs() ?? Infinity) < 1_000);
});

test('nor does what a leader sends to a follower that was away', async () => {
  const cluster = await Cluster.start(3, raftGenesis);
  const follower = cluster.all.find(({ name }) => name !== leaderOf(cluster))?.name ?? '';
  cluster.kill(follower);
  makeBlocks(cluster, 3, 0);
  cluster.time.run(60_000);
  const { driver } = await cluster.boot(follower);
  const isLevel = (): boolean => new Set(cluster.heights()).size === 1;
  assert.ok(cluster.time.runUntil(isLevel, 10_000), cluster.why());
  cluster.time.run(1_000);
  assert.deepEqual(driver.clockWatch.sentences(), []);
  assert.ok((driver.clockWatch.differenceMs() ?? 0) < 1_000);
});
