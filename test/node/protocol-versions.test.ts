import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Genesis } from '../../src/ledger/genesis.ts';
import { Cluster, raftGenesis, signedTransaction, testGenesis, type TestNode } from './cluster.ts';
import { deciding } from './chain-changes.ts';

const from = toHeight(8);
const toNext = { type: 'protocol-version', version: 2, height: from } as const;

/** The problem that a node ended with. */
const endOf = ({ fatal }: TestNode): string =>
  fatal.map((error) => (error instanceof Problem ? error.code : String(error))).join();

/** A network whose last node stands for an older program than the others. */
async function mixed(genesis: Genesis) {
  const cluster = new Cluster(genesis);
  const count = genesis.validators.length;
  const old = `validator-${count - 1}`;
  const warnings: Record<string, unknown>[] = [];
  const log = {
    debug: () => {},
    info: () => {},
    warn: (_: string, details?: object) => void warnings.push({ ...details }),
    error: () => {},
  };
  for (let index = 0; index < count - 1; index++) {
    await cluster.boot(`validator-${index}`, { newestProtocolVersion: 2 });
  }
  await cluster.boot(old, { newestProtocolVersion: 1, log });
  let nonce = 0;
  /** Blocks until the others are at this height. */
  const reach = (height: number): void => {
    for (let round = 0; round < 400; round++) {
      const { driver } = cluster.node('validator-0');
      if (driver.chain.final.height >= height) return;
      if (driver.mempool.size === 0)
        cluster.submit('validator-0', signedTransaction(genesis, 'alice', { nonce: nonce++ }));
      cluster.time.run(50);
    }
    assert.fail(cluster.why());
  };
  return { cluster, old, warnings, reach };
}

for (const genesis of [testGenesis(4), raftGenesis(3)]) {
  describe(`a decided protocol version that one program does not know (${genesis.consensus.engine})`, () => {
    test('it says so at once, goes on until the height before, and stops there; a newer one goes on', async () => {
      const { cluster, old, warnings, reach } = await mixed(genesis);
      reach(1);
      const majority = genesis.validators.length - 1;
      for (const one of deciding(genesis, toNext, majority, toHeight(6))) cluster.submit('validator-0', one);
      reach(3);
      cluster.time.run(500);
      const watch = cluster.node(old).driver.versionWatch;
      assert.deepEqual(watch.unknown, { version: 2, height: from, known: 1 });
      assert.equal(warnings.filter(({ code }) => code === 'chain/unknown-version').length, 1);
      assert.deepEqual(cluster.node(old).fatal, []);

      reach(from + 4);
      cluster.time.run(2_000);
      const ended = cluster.node(old);
      assert.equal(endOf(ended), 'chain/unknown-version');
      assert.equal(ended.driver.chain.final.height, from - 1);
      const { header } = cluster.node('validator-0').driver.chain.final;
      assert.equal(header.protocolVersion, 2);
      assert.deepEqual(cluster.node('validator-0').fatal, []);

      cluster.kill(old);
      const again = await cluster.boot(old, { newestProtocolVersion: 1 });
      assert.equal(endOf(again), 'chain/unknown-version', 'it refuses at once');
      assert.equal(again.driver.chain.final.height, from - 1);

      cluster.kill(old);
      const newer = await cluster.boot(old, { newestProtocolVersion: 2 });
      reach(from + 8);
      cluster.time.run(3_000);
      assert.deepEqual(newer.fatal, []);
      assert.ok(newer.driver.chain.final.height >= from + 8, cluster.why());
      const { hash, height } = newer.driver.chain.final;
      assert.equal(cluster.node('validator-0').store.hashAt(height), hash);
    });
  });
}
