import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, encode } from '../../src/base/codec.ts';
import { defined } from '../../src/base/invariant.ts';
import { unwrap } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { finalityCodec } from '../../src/ledger/certificate.ts';
import { blocksResponseCodec } from '../../src/node/peers/wire.ts';
import { Cluster, signedTransaction, testGenesis, type TestNode } from './cluster.ts';
import {
  ask,
  change,
  genesis,
  leaderOf,
  makeBlocks,
  noFaults,
  pruning,
  pruningCluster,
  rolesAt,
  transfers,
} from './raft-cluster.ts';

// Nodes that no leader talks to, when the blocks that they lack were pruned by everybody.

const snapshotsOf = ({ driver }: TestNode): number =>
  driver.engine.status().counters['snapshots-installed'] ?? 0;

/** All nodes have the state of the highest. */
function level(cluster: Cluster): boolean {
  const height = Math.max(...cluster.heights());
  const roots = new Set(cluster.all.map(({ driver }) => driver.chain.final.state.root));
  return cluster.heights().every((at) => at === height) && roots.size === 1;
}

function becomeLevel(cluster: Cluster): void {
  assert.ok(
    cluster.time.runUntil(() => level(cluster), 30_000),
    cluster.why(),
  );
}

/** Pruned everywhere, with a state that comes in several parts. */
async function largeCluster(): Promise<Cluster> {
  const cluster = await pruningCluster();
  const value = new Uint8Array(4_000).fill(7);
  const puts = Array.from({ length: 200 }, (_, nonce) =>
    signedTransaction(genesis, 'carol', { nonce, operation: { type: 'put', key: `record-${nonce}`, value } }),
  );
  cluster.submit(leaderOf(cluster), ...puts);
  const { publicKey } = developmentKeyPair('carol');
  assert.ok(
    cluster.time.runUntil(
      () => cluster.all.every(({ driver }) => driver.chain.final.state.account(publicKey).nonce === 200),
      20_000,
    ),
    cluster.why(),
  );
  makeBlocks(cluster, 12, 0);
  return cluster;
}

const partsAsked = (cluster: Cluster, by: string): number =>
  cluster.net.requests.filter(({ from, protocol }) => from === by && protocol === 'snapshot').length;

/** How many requests a newcomer needs when nothing goes wrong: the head and the parts. */
async function requestsOfAWholeFetch(): Promise<number> {
  const cluster = await largeCluster();
  await cluster.boot('bob', pruning);
  becomeLevel(cluster);
  return partsAsked(cluster, 'bob');
}

describe('an observer that starts when everybody pruned the first blocks', () => {
  test('starts from a snapshot, follows from there, and does so again after a restart', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 20, 0);
    const observer = await cluster.boot('carol', pruning);
    becomeLevel(cluster);
    assert.equal(snapshotsOf(observer), 1);
    assert.ok(observer.store.firstBlock > 5);
    makeBlocks(cluster, 12, 20);
    assert.equal(snapshotsOf(observer), 1, 'it follows by blocks');

    cluster.kill('carol');
    const again = await cluster.boot('carol', pruning);
    makeBlocks(cluster, 2, 32);
    assert.equal(snapshotsOf(again), 0);
    becomeLevel(cluster);
    noFaults(cluster);
  });

  test('takes part in nothing and disturbs nobody, and can become a member', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 20, 0);
    const term = cluster.node(leaderOf(cluster)).driver.engine.status().view;
    const late = await cluster.boot('validator-3', pruning);
    becomeLevel(cluster);
    assert.equal(cluster.node(leaderOf(cluster)).driver.engine.status().view, term);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'learner')));
    makeBlocks(cluster, 1, 20);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'voter')));
    makeBlocks(cluster, 2, 21);
    assert.equal(late.driver.engine.status().voting, true);
    noFaults(cluster);
  });

  test('learns who the members are by then, also when one that it never heard of signed the block', async () => {
    const cluster = await pruningCluster();
    await cluster.boot('validator-3', pruning);
    makeBlocks(cluster, 2, 0);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'learner')));
    makeBlocks(cluster, 2, 2);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'voter')));
    makeBlocks(cluster, 1, 4);
    const newest = cluster.node('validator-3').driver;
    if (leaderOf(cluster) !== 'validator-3') {
      unwrap(ask(cluster, leaderOf(cluster), { kind: 'transfer', to: newest.validatorIndex ?? null }));
    }
    makeBlocks(cluster, 1, 5);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-0', 'removed')));
    cluster.kill('validator-0');
    makeBlocks(cluster, 20, 6);
    const expected = ['removed', 'voter', 'voter', 'voter'];

    await cluster.boot('carol', pruning);
    becomeLevel(cluster);
    assert.deepEqual(rolesAt(cluster, 'carol'), expected);
    cluster.kill('carol');
    await cluster.boot('carol', pruning);
    assert.deepEqual(rolesAt(cluster, 'carol'), expected);
    makeBlocks(cluster, 2, 26);

    // And so does a member that slept through its own removal.
    await cluster.boot('validator-0', pruning);
    becomeLevel(cluster);
    assert.deepEqual(rolesAt(cluster, 'validator-0'), expected);
    assert.equal(cluster.node('validator-0').driver.validatorIndex, undefined);
    makeBlocks(cluster, 2, 28);
    noFaults(cluster);
  });

  test('gets a snapshot that is younger than the last change of the members, also when nothing happens after it', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 12, 0);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'learner')));
    cluster.time.run(200);
    await cluster.boot('carol', pruning);
    becomeLevel(cluster);
    assert.deepEqual(rolesAt(cluster, 'carol'), ['voter', 'voter', 'voter', 'learner']);
    noFaults(cluster);
  });
});

describe('a snapshot that sync found', () => {
  test('goes on from another peer when the one that gives it dies, without what is here already', async () => {
    const whole = await requestsOfAWholeFetch();
    const cluster = await largeCluster();
    const givers = new Set<string>();
    let given = 0;
    cluster.net.onAnswer = (from, to, protocol, response) => {
      if (to !== 'bob' || protocol !== 'snapshot' || response === null) return response;
      // Whoever gave the first two answers gives nothing any more.
      if (given >= 2 && givers.has(from)) return null;
      if (given++ < 2) givers.add(from);
      return response;
    };
    const observer = await cluster.boot('bob', pruning);
    becomeLevel(cluster);
    assert.equal(snapshotsOf(observer), 1);
    assert.equal(givers.size, 1, 'whoever gave a part is asked for the next one');
    assert.equal(given, whole, 'nothing was fetched twice');
    noFaults(cluster);
  });

  test('goes on after a restart where it was', async () => {
    const whole = await requestsOfAWholeFetch();
    assert.ok(whole >= 4);
    const cluster = await largeCluster();
    const { store } = await cluster.boot('bob', pruning);
    const half = (): boolean => store.snapshot.partCount >= 2;
    assert.ok(cluster.time.runUntil(half, 10_000), cluster.why());
    assert.match(
      cluster.node('bob').driver.engine.why(),
      /a snapshot of height \d+ is being fetched, \d+ % are here/,
    );
    cluster.kill('bob');
    const before = partsAsked(cluster, 'bob');
    const again = await cluster.boot('bob', pruning);
    becomeLevel(cluster);
    assert.equal(snapshotsOf(again), 1);
    assert.ok(partsAsked(cluster, 'bob') - before <= whole - 2);
    noFaults(cluster);
  });

  test('that nobody serves any more is followed by the newest one', async () => {
    const cluster = await largeCluster();
    let slow = true;
    cluster.net.onAnswer = (_from, to, protocol, response) =>
      slow && to === 'bob' && protocol === 'snapshot' ? null : response;
    const observer = await cluster.boot('bob', pruning);
    const before = Math.max(...cluster.heights());
    const members = (): TestNode[] => cluster.all.filter(({ name }) => name !== 'bob');
    for (let nonce = 12; nonce < 30; nonce++) {
      const height = Math.max(...cluster.heights());
      cluster.submit(leaderOf(cluster), ...transfers(1, nonce));
      assert.ok(
        cluster.time.runUntil(
          () => members().every(({ driver }) => driver.chain.final.height > height),
          20_000,
        ),
        cluster.why(),
      );
    }
    assert.equal(snapshotsOf(observer), 0);
    slow = false;
    becomeLevel(cluster);
    assert.ok(observer.store.firstBlock > before);
    noFaults(cluster);
  });

  test('is not taken on the word of one, while others have the blocks', async () => {
    const cluster = await pruningCluster();
    for (const name of ['validator-1', 'validator-2']) {
      cluster.kill(name);
      cluster.time.run(10);
      await cluster.boot(name);
    }
    makeBlocks(cluster, 20, 0);
    // Only the first one prunes.
    assert.ok(cluster.node('validator-0').store.firstBlock > 1);
    assert.equal(cluster.node('validator-1').store.firstBlock, 1);
    const observer = await cluster.boot('carol');
    becomeLevel(cluster);
    assert.equal(snapshotsOf(observer), 0);
    assert.equal(observer.store.firstBlock, 1);
    noFaults(cluster);
  });
});

test('an offer of a snapshot means nothing to a node of a PBFT chain, which fetches blocks from others', async () => {
  const pbft = testGenesis(4);
  const cluster = await Cluster.start(4, pbft);
  cluster.submit('validator-0', signedTransaction(pbft, 'alice', { nonce: 0 }));
  assert.ok(
    cluster.time.runUntil(() => cluster.heights().every((at) => at >= 1), 20_000),
    cluster.why(),
  );
  const { store } = cluster.node('validator-1');
  const header = defined(store.headerAt(store.finalHeight), 'a header');
  const bytes = defined(store.certificateAt(store.finalHeight), 'a certificate');
  const snapshot = { header, certificate: unwrap(decode(finalityCodec, bytes, 'certificate')) };
  let lies = true;
  cluster.net.onAnswer = (_from, to, protocol, response) =>
    lies && to === 'carol' && protocol === 'blocks'
      ? encode(blocksResponseCodec, { blocks: [], headers: [], certificate: undefined, snapshot })
      : response;
  const observer = await cluster.boot('carol');
  cluster.time.run(5_000);
  assert.equal(observer.driver.chain.final.height, 0);
  lies = false;
  becomeLevel(cluster);
  assert.equal(observer.store.firstBlock, 1);
  noFaults(cluster);
});
