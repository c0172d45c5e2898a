import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, raftGenesis, signedTransaction, testGenesis } from './cluster.ts';

for (const [genesis, without] of [
  [testGenesis(4), 'no validator'],
  [raftGenesis(4), 'no member'],
] as const) {
  const { engine } = genesis.consensus;

  test(`${engine}: a node without a vote does not say that those who vote are missing`, async () => {
    const cluster = await Cluster.start(4, genesis);
    const { driver } = await cluster.boot('carol');
    const why = (): string => driver.engine.why();
    cluster.time.run(30_000);
    assert.match(
      why(),
      new RegExp(`: nothing waits; this node is ${without}, and asks others for final blocks$`),
    );

    for (const name of ['validator-0', 'validator-1', 'validator-2']) cluster.kill(name);
    cluster.time.run(10_000);
    cluster.submit('carol', signedTransaction(genesis, 'alice', { nonce: 0 }));
    cluster.time.run(60_000);
    assert.match(
      why(),
      new RegExp(
        `: 1 transaction waits for a block; this node is ${without}, and asks others .* tell what they wait for$`,
      ),
    );
  });
}
