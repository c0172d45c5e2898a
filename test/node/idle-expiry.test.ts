import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { Cluster, raftGenesis, signedTransaction, testGenesis } from './cluster.ts';

// What waits behind a missing nonce comes to its expiry height also on a chain where nothing else happens.

const genesisOf = { pbft: testGenesis(4), raft: raftGenesis(3) };

for (const engine of ['pbft', 'raft'] as const) {
  const genesis = genesisOf[engine];

  const begin = async (): Promise<{ cluster: Cluster; base: number; leader: string }> => {
    const cluster = await Cluster.start(engine === 'pbft' ? 4 : 3, genesis);
    const leads = (): string | undefined =>
      cluster.all.find(({ driver }) => driver.engine.status().primary === driver.validatorIndex)?.name;
    assert.ok(
      cluster.time.runUntil(() => leads() !== undefined, 10_000),
      cluster.why(),
    );
    cluster.time.run(1_000);
    return { cluster, base: Math.max(...cluster.heights()), leader: leads() ?? '' };
  };
  const gapped = (nonce: number, expiryHeight: number, sender = 'alice'): Transaction =>
    signedTransaction(genesis, sender, { nonce, expiryHeight: toHeight(expiryHeight) });
  const nothingWaits = (cluster: Cluster) => (): boolean =>
    cluster.all.every(({ driver }) => driver.mempool.size === 0);

  describe(`an idle chain (${engine})`, () => {
    test('comes to the expiry of what waits, block by block at its pace, and rests again', async () => {
      const { cluster, base } = await begin();
      const from = cluster.time.now;
      cluster.submit('validator-1', gapped(5, base + 3));
      cluster.time.run(1_000);
      assert.ok(!nothingWaits(cluster)(), 'all know of it');
      assert.ok(cluster.time.runUntil(nothingWaits(cluster), 60_000), cluster.why());
      assert.deepEqual(new Set(cluster.heights()), new Set([base + 3]));
      assert.ok(cluster.time.now - from >= 2 * limits.waitingBlockMs, 'no faster than its pace');
      cluster.time.run(60_000);
      assert.deepEqual(new Set(cluster.heights()), new Set([base + 3]), 'and nothing more is made');
    });

    test('makes no more blocks for many that wait than for one', async () => {
      const { cluster, base } = await begin();
      const viewsBefore = new Set(cluster.all.map(({ driver }) => driver.engine.status().view));
      const senders = ['alice', 'bob', 'carol'];
      for (const sender of senders) {
        for (let nonce = 1; nonce < 40; nonce++) cluster.submit('validator-0', gapped(nonce, 900, sender));
      }
      const forMs = 20 * limits.waitingBlockMs;
      cluster.time.run(forMs);
      const made = Math.max(...cluster.heights()) - base;
      assert.ok(made >= 15 && made <= 20, `${made} blocks in ${forMs} ms`);
      const views = new Set(cluster.all.map(({ driver }) => driver.engine.status().view));
      assert.deepEqual(views, viewsBefore, 'and nobody is suspected');
    });

    test('does so although the one that leads forgot what waits', async () => {
      const { cluster, base, leader } = await begin();
      const other = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
      cluster.submit(other, gapped(5, base + 6));
      cluster.time.run(1_000);
      for (const { name } of cluster.all.filter((node) => node.name !== other)) {
        cluster.kill(name);
        await cluster.boot(name);
      }
      assert.ok(cluster.time.runUntil(nothingWaits(cluster), 120_000), cluster.why());
      assert.ok(cluster.heights().every((height) => height >= base + 6));
    });
  });
}
