import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unwrap } from '../../src/base/problem.ts';
import { decodeMessage, encodeMessage } from '../../src/consensus/raft/message.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { type LogDetails, silentLog } from '../../src/node/process/log.ts';
import { Cluster } from './cluster.ts';
import { genesis, leaderOf, noneEnded, transfers } from './raft-cluster.ts';

const start = (): Promise<Cluster> => Cluster.start(3, genesis);

const allReach = (cluster: Cluster, nonce: number) => (): boolean =>
  cluster.nonces('alice').every((at) => at === nonce);

describe('three nodes with Raft', () => {
  test('elect a leader, and make what is submitted anywhere final everywhere', async () => {
    const cluster = await start();
    const leader = leaderOf(cluster);
    const follower = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    cluster.submit(follower, ...transfers(20));
    assert.ok(cluster.time.runUntil(allReach(cluster, 20), 10_000), cluster.why());
    assert.equal(new Set(cluster.all.map(({ driver }) => driver.chain.final.state.root)).size, 1);
    noneEnded(cluster);
  });

  test('go on without their leader, which catches up when it starts again', async () => {
    const cluster = await start();
    const leader = leaderOf(cluster);
    cluster.submit(leader, ...transfers(5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 10_000), cluster.why());
    cluster.kill(leader);
    cluster.submit(leaderOf(cluster), ...transfers(5, 5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 10), 20_000), cluster.why());
    await cluster.boot(leader);
    assert.ok(cluster.time.runUntil(allReach(cluster, 10), 20_000), cluster.why());
    noneEnded(cluster);
  });

  test('hear one again that comes back while its old connection still looks alive', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    const { handlers } = cluster.node(leader).driver;
    for (const { name, driver } of cluster.all) {
      if (name === leader) continue;
      // As the network tells it: it gives the dead connection up when the new one has greeted.
      const peer = cluster.net.peer(name);
      assert.equal(handlers.onHello(peer, driver.hello()), undefined);
      handlers.onLost(peer);
      handlers.onConnected(peer);
    }
    cluster.submit(leader, ...transfers(1));
    assert.ok(cluster.time.runUntil(allReach(cluster, 1), 10_000), cluster.why());
    assert.equal(leaderOf(cluster), leader);
  });

  test('go on under a leader whose clock is hours ahead, and after it', async () => {
    const cluster = await start();
    const leader = leaderOf(cluster);
    cluster.node(leader).clock.wallOffsetMs += 3 * 3_600_000;
    cluster.submit(leader, ...transfers(5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 10_000), cluster.why());
    cluster.kill(leader);
    cluster.submit(leaderOf(cluster), ...transfers(5, 5));
    assert.ok(cluster.time.runUntil(allReach(cluster, 10), 20_000), cluster.why());
    noneEnded(cluster);
  });

  test('lose nothing when all are killed at any moment', async () => {
    const cluster = await start();
    const names = cluster.all.map(({ name }) => name);
    leaderOf(cluster);
    cluster.submit('validator-0', ...transfers(30));
    for (const pauseMs of [2, 5, 8, 15, 30, 60]) {
      cluster.time.run(pauseMs);
      const before = Math.max(...cluster.heights());
      for (const name of names) cluster.kill(name);
      for (const name of names) await cluster.boot(name);
      leaderOf(cluster);
      cluster.time.run(2_000);
      assert.ok(Math.max(...cluster.heights()) >= before);
      const [nonce] = cluster.nonces('alice');
      cluster.submit('validator-1', ...transfers(30 - (nonce ?? 0), nonce));
    }
    assert.ok(cluster.time.runUntil(allReach(cluster, 30), 30_000), cluster.why());
    noneEnded(cluster);
  });

  test('serve reads that are not older than what was final anywhere', async () => {
    const cluster = await start();
    const leader = leaderOf(cluster);
    cluster.submit(leader, ...transfers(3));
    assert.ok(cluster.time.runUntil(allReach(cluster, 3), 10_000), cluster.why());
    for (const { driver } of cluster.all) {
      let height: number | undefined;
      driver.request({ kind: 'read' }, (result) => {
        assert.ok('height' in result);
        height = result.height;
      });
      assert.ok(
        cluster.time.runUntil(() => height !== undefined, 5_000),
        cluster.why(),
      );
      assert.ok(
        (height ?? 0) >= Math.max(...cluster.heights()) && driver.chain.final.height >= (height ?? 0),
      );
    }
  });

  test('hand the lead over when asked', async () => {
    const cluster = await start();
    const leader = leaderOf(cluster);
    let answered = false;
    cluster.node(leader).driver.request({ kind: 'transfer', to: null }, (result) => {
      answered = 'height' in result;
    });
    assert.ok(
      cluster.time.runUntil(() => answered, 5_000),
      cluster.why(),
    );
    assert.notEqual(leaderOf(cluster), leader);
  });

  test('are followed by an observer', async () => {
    const cluster = await start();
    cluster.submit(leaderOf(cluster), ...transfers(5));
    await cluster.boot('carol');
    assert.ok(cluster.time.runUntil(allReach(cluster, 5), 20_000), cluster.why());
    noneEnded(cluster);
  });
});

describe('a leader whose signatures do not hold', () => {
  /** The same message, but that nobody signed its blocks. */
  function unsigned(bytes: Uint8Array): Uint8Array {
    const message = unwrap(decodeMessage(bytes));
    if (message.kind !== 'append') return bytes;
    const signature = 'ab'.repeat(64) as Signature;
    return encodeMessage({ ...message, entries: message.entries.map((entry) => ({ ...entry, signature })) });
  }

  test('brings no block into any log, is refused loudly, and goes on once they hold again', async () => {
    const cluster = new Cluster(genesis);
    const refused: (LogDetails | undefined)[] = [];
    const log = { ...silentLog, warn: (_: string, details?: LogDetails) => void refused.push(details) };
    for (const index of [0, 1, 2]) await cluster.boot(`validator-${index}`, { log });
    let broken: string | undefined;
    cluster.net.onSend = (from, _to, bytes) => {
      if (unwrap(decodeMessage(bytes)).kind === 'append') broken ??= from;
      return from === broken ? unsigned(bytes) : bytes;
    };
    const first = leaderOf(cluster);
    const others = cluster.all.filter(({ name }) => name !== first);
    assert.ok(cluster.time.runUntil(() => refused.length >= 2, 10_000));
    assert.equal(broken, first);
    for (const { driver, store } of others) {
      assert.equal(driver.chain.final.height, 0);
      const entries = [...store.logRecords.keys()].filter((key) => key.startsWith('raft/entry/'));
      assert.deepEqual(entries, []);
    }
    assert.ok(
      refused.every((one) => one?.['code'] === 'crypto/signature' && one['peer'] === cluster.net.peer(first)),
    );
    const blamed = cluster.net.penalties.map(({ of, reason }) => `${of} ${reason}`);
    assert.deepEqual([...new Set(blamed)], [`${broken} crypto/signature`]);

    cluster.net.onSend = (_from, _to, bytes) => bytes;
    cluster.submit(first, ...transfers(3));
    assert.ok(cluster.time.runUntil(allReach(cluster, 3), 60_000), cluster.why());
    noneEnded(cluster);
  });
});
