import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import { Cluster, signedTransaction } from '../cluster.ts';

function assertAgreement(cluster: Cluster): void {
  const finals = cluster.all.map(({ driver }) => driver.chain.final);
  const lowest = Math.min(...finals.map(({ height }) => height));
  for (const { store } of cluster.all) {
    assert.equal(store.hashAt(lowest as never), cluster.all[0]?.store.hashAt(lowest as never));
  }
  assert.deepEqual(
    cluster.all.flatMap(({ fatal }) => fatal),
    [],
  );
}

function transfers(cluster: Cluster, count: number, from = 0) {
  return Array.from({ length: count }, (_, index) =>
    signedTransaction(cluster.genesis, 'alice', { nonce: from + index }),
  );
}

const allReach = (cluster: Cluster, nonce: number) => (): boolean =>
  cluster.nonces('alice').every((at) => at === nonce);

describe('four nodes', () => {
  test('make a submitted transaction final, and agree on the state after it', async () => {
    const cluster = await Cluster.start(4);
    cluster.submit('validator-1', ...transfers(cluster, 1));
    assert.ok(cluster.time.runUntil(allReach(cluster, 1), 5_000));
    assert.deepEqual(cluster.heights(), [1, 1, 1, 1]);
    assert.equal(new Set(cluster.all.map(({ driver }) => driver.chain.final.state.root)).size, 1);
    assertAgreement(cluster);
  });

  test('go on when the last block is ahead of all clocks, in the same view, and say so', async () => {
    const cluster = await Cluster.start(4);
    for (const { clock } of cluster.all) clock.wallOffsetMs += 300_000;
    cluster.submit('validator-1', ...transfers(cluster, 1));
    assert.ok(cluster.time.runUntil(allReach(cluster, 1), 5_000));
    for (const { clock } of cluster.all) clock.wallOffsetMs -= 300_000;
    const ahead = cluster.all[0]?.driver.chain.final.header.timestamp ?? 0;
    for (const nonce of [1, 2, 3]) {
      cluster.submit('validator-2', ...transfers(cluster, 1, nonce));
      assert.ok(cluster.time.runUntil(allReach(cluster, nonce + 1), 1_000), cluster.why());
    }
    for (const { driver } of cluster.all) {
      assert.equal(driver.engine.status().view, 0);
      assert.equal(driver.chain.final.header.timestamp, ahead + 3);
      assert.match(driver.clockWatch.sentences().join(), /clock of this node is (?:300|29\d)\.\d s behind/);
    }
    assertAgreement(cluster);
  });

  test('go on with one whose clock is an hour behind, and it follows and says why it does not vote', async () => {
    const cluster = await Cluster.start(4);
    const behind = cluster.all[3] ?? assert.fail();
    behind.clock.wallOffsetMs -= 3_600_000;
    cluster.submit('validator-1', ...transfers(cluster, 1));
    assert.ok(cluster.time.runUntil(allReach(cluster, 1), 2_000), cluster.why());
    assert.match(behind.driver.engine.why(), /not voting: .*ahead of this node's clock/);
    cluster.time.run(20_000);
    assert.ok(cluster.all.every(({ driver }) => driver.engine.status().view === 0));
  });

  test('build no block while there is nothing to do', async () => {
    const cluster = await Cluster.start(4);
    cluster.time.run(10_000);
    assert.deepEqual(cluster.heights(), [0, 0, 0, 0]);
    assertAgreement(cluster);
  });

  test('gossip a transaction before a block names it, however many gather for one frame', async () => {
    const cluster = await Cluster.start(4);
    const primary = 'validator-0';
    const gossiped = (hash: string): boolean =>
      cluster.net.published.some(({ from, topic, bytes }) => {
        const sent = sentBy.get(hash) ?? assert.fail();
        return (
          from === primary && topic === 'transactions' && Buffer.from(bytes).includes(Buffer.from(sent.bytes))
        );
      });
    const sent = transfers(cluster, 60);
    const sentBy = new Map(sent.map((transaction) => [transaction.hash as string, transaction]));
    const named = new Set<string>();
    cluster.net.onSend = (from, _to, bytes) => {
      for (const hash of sentBy.keys()) {
        if (from !== primary || named.has(hash) || !Buffer.from(bytes).includes(hash, 0, 'hex')) continue;
        named.add(hash);
        assert.ok(gossiped(hash), 'a block names what nobody else has');
      }
      return bytes;
    };
    cluster.submit('validator-0', ...sent.slice(0, 20));
    for (const transaction of sent.slice(20)) {
      cluster.time.run(1);
      cluster.submit('validator-0', transaction);
    }
    assert.ok(cluster.time.runUntil(allReach(cluster, 60), 5_000), cluster.why());
    assert.equal(named.size, 60);
    assertAgreement(cluster);
  });

  test('make hundreds of transactions final, and check each signature once per node', async () => {
    const cluster = await Cluster.start(4);
    const sent = transfers(cluster, 300);
    for (const [index, transaction] of sent.entries()) cluster.submit(`validator-${index % 4}`, transaction);
    assert.ok(cluster.time.runUntil(allReach(cluster, 300), 20_000));
    assertAgreement(cluster);
    for (const [name, claims] of cluster.checkedClaims) {
      const ofAlice = claims.filter(({ publicKey }) => publicKey === alice);
      assert.equal(ofAlice.length, 300, `${name} checked ${ofAlice.length} signatures of 300 transactions`);
    }
  });

  test('go on when one of them is down, and that one catches up after a restart and votes again', async () => {
    const cluster = await Cluster.start(4);
    cluster.submit('validator-0', ...transfers(cluster, 5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 5_000));
    cluster.kill('validator-3');
    for (let nonce = 5; nonce < 25; nonce += 5) {
      cluster.submit('validator-0', ...transfers(cluster, 5, nonce));
      assert.ok(cluster.time.runUntil(allReach(cluster, nonce + 5), 10_000));
    }
    const laggard = await cluster.boot('validator-3');
    assert.ok(cluster.time.runUntil(allReach(cluster, 25), 10_000));
    assert.ok((laggard.driver.counters()['blocks-synced'] ?? 0) > 0);
    assert.equal(laggard.driver.engine.status().voting, true);

    cluster.kill('validator-2');
    cluster.submit('validator-0', ...transfers(cluster, 5, 25));
    assert.ok(cluster.time.runUntil(allReach(cluster, 30), 10_000), 'its vote is needed now');
    assertAgreement(cluster);
  });

  test('lose nothing when all of them are killed at any moment under load', async () => {
    const cluster = await Cluster.start(4);
    const names = cluster.all.map(({ name }) => name);
    cluster.submit('validator-0', ...transfers(cluster, 40));
    for (const pauseMs of [3, 6, 9, 12, 15, 25, 40, 60]) {
      cluster.time.run(pauseMs);
      const before = Math.max(...cluster.heights());
      for (const name of names) cluster.kill(name);
      for (const name of names) await cluster.boot(name);
      cluster.time.run(1_000);
      assert.ok(Math.max(...cluster.heights()) >= before);
      const [nonce] = cluster.nonces('alice');
      cluster.submit('validator-1', ...transfers(cluster, 40 - (nonce ?? 0), nonce));
    }
    assert.ok(cluster.time.runUntil(allReach(cluster, 40), 30_000), cluster.why());
    assertAgreement(cluster);
  });

  test('replace a primary that is gone', async () => {
    const cluster = await Cluster.start(4);
    cluster.kill('validator-0');
    cluster.submit('validator-2', ...transfers(cluster, 3));
    assert.ok(cluster.time.runUntil(allReach(cluster, 3), 20_000), cluster.why());
    assertAgreement(cluster);
  });
});

describe('bodies and proposals', () => {
  test('a replica that missed the gossip fetches what a proposal names', async () => {
    const cluster = await Cluster.start(4);
    cluster.net.onGossip = (_from, to, topic) => topic !== 'transactions' || to !== 'validator-2';
    cluster.submit('validator-0', ...transfers(cluster, 10));
    assert.ok(cluster.time.runUntil(allReach(cluster, 10), 10_000), cluster.why());
    assert.ok((cluster.node('validator-2').driver.counters()['transactions-fetched'] ?? 0) > 0);
    assertAgreement(cluster);
  });

  test('a transaction submitted where the primary never hears of it is gossiped again until it does', async () => {
    const cluster = await Cluster.start(4);
    cluster.net.onGossip = () => false;
    cluster.submit('validator-3', ...transfers(cluster, 1));
    cluster.time.run(1_000);
    assert.deepEqual(cluster.nonces('alice'), [0, 0, 0, 0]);
    cluster.net.onGossip = () => true;
    assert.ok(cluster.time.runUntil(allReach(cluster, 1), 10_000), cluster.why());
  });

  test('two validators without a link reach each other through the others', async () => {
    const cluster = await Cluster.start(4);
    cluster.net.cut('validator-0', 'validator-1');
    cluster.kill('validator-3');
    // Three of four are left: nothing is final without the votes of both.
    cluster.submit('validator-2', ...transfers(cluster, 3));
    assert.ok(cluster.time.runUntil(allReach(cluster, 3), 30_000), cluster.why());
    assert.ok(cluster.all.some(({ driver }) => (driver.counters()['messages-relayed'] ?? 0) > 0));
    assertAgreement(cluster);
  });

  test('a validator whose clock is an hour behind does not vote, and follows', async () => {
    const cluster = await Cluster.start(4);
    cluster.node('validator-3').clock.wallOffsetMs -= 3_600_000;
    cluster.submit('validator-0', ...transfers(cluster, 3));
    assert.ok(cluster.time.runUntil(allReach(cluster, 3), 10_000), cluster.why());
    assertAgreement(cluster);
  });
});

describe('an observer', () => {
  test('learns of new blocks and follows, also when it starts late', async () => {
    const cluster = await Cluster.start(4);
    cluster.submit('validator-0', ...transfers(cluster, 5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 5_000));
    const observer = await cluster.boot('carol');
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 5_000));
    assert.equal(observer.driver.validatorIndex, undefined);
    cluster.submit('carol', ...transfers(cluster, 1, 5));
    assert.ok(
      cluster.time.runUntil(allReach(cluster, 6), 5_000),
      'a transaction submitted to it becomes final',
    );
    assertAgreement(cluster);
  });

  test('asks the first peer that it meets, and need not wait for a block', async () => {
    const cluster = await Cluster.start(4);
    cluster.submit('validator-0', ...transfers(cluster, 5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 5_000));
    await cluster.boot('carol');
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 100));
  });

  test('misses an announcement, and asks by itself', async () => {
    const cluster = await Cluster.start(4);
    await cluster.boot('carol');
    cluster.net.onGossip = (_from, to) => to !== 'carol';
    cluster.submit('validator-0', ...transfers(cluster, 5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 5_000));
  });
});

describe('what a node cannot go on from', () => {
  test('a failed write stops it at once, and nothing is given to the engine any more', async () => {
    const cluster = await Cluster.start(4);
    const node = cluster.node('validator-2');
    cluster.failDisk('validator-2');
    cluster.submit('validator-0', ...transfers(cluster, 3));
    const others = (): boolean =>
      cluster.all
        .filter((other) => other !== node)
        .every(({ driver }) => driver.chain.final.state.account(alice).nonce === 3);
    assert.ok(cluster.time.runUntil(others, 10_000), 'the others go on');
    assert.equal(node.fatal.length, 1);
    assert.equal(node.driver.chain.final.height, 0);
    const { counters } = node.driver.engine.status();
    cluster.time.run(5_000);
    assert.deepEqual(node.driver.engine.status().counters, counters);
  });
});

const alice: PublicKey = developmentKeyPair('alice').publicKey;
