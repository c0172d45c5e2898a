import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { defined } from '../../../src/base/invariant.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { Cluster, raftGenesis, signedTransaction } from '../cluster.ts';
import { telemetryOf } from '../telemetry.ts';

const key = (index: number) => developmentKeyPair(`validator-${index}`).publicKey;

/** Submits one transaction after the other, each when the one before is final everywhere. */
function submitEach(cluster: Cluster, to: string, from: number, count: number): void {
  for (let nonce = from; nonce < from + count; nonce++) {
    cluster.submit(to, signedTransaction(cluster.genesis, 'alice', { nonce }));
    const isDone = () => cluster.nonces('alice').every((at) => at === nonce + 1);
    assert.ok(cluster.time.runUntil(isDone, 20_000), cluster.why());
  }
}

describe('a node of PBFT', () => {
  test('samples what is final, how long it waited and how late votes come, on its own clock', async () => {
    const cluster = await Cluster.start(4);
    const telemetry = telemetryOf(cluster.node('validator-1'));
    submitEach(cluster, 'validator-1', 0, 3);
    cluster.time.run(limits.sampleMs);
    const { everyMs, samples } = telemetry.samples('minutes');
    assert.equal(everyMs, limits.sampleMs);
    assert.equal(
      samples.reduce((sum, { transactions }) => sum + transactions, 0),
      3,
    );
    const busy = defined(
      samples.find(({ blocks }) => blocks > 0),
      'a sample with blocks',
    );
    assert.ok(busy.blockBytes > 0 && defined(busy.latencyMs.p50, 'a latency') > 0);
    assert.deepEqual(
      busy.votes.map(({ validator }) => validator).toSorted(),
      [0, 1, 2, 3].map(key).toSorted(),
    );
    assert.ok(busy.votes.every(({ ms }) => ms >= 0 && ms < 1_000));
    assert.equal(busy.diskBytes, 1_000);
    assert.equal(telemetry.samples('hours').samples.length, 0);
    cluster.time.run(limits.longSampleMs);
    assert.equal(telemetry.samples('hours').samples[0]?.transactions, 3);

    telemetry.stop();
    const before = telemetry.samples('minutes').samples.length;
    submitEach(cluster, 'validator-1', 3, 1);
    cluster.time.run(10 * limits.sampleMs);
    assert.equal(telemetry.samples('minutes').samples.length, before);
    assert.equal(telemetry.blockVotes().length, 3, 'nothing is heard after it stopped');
  });

  test('tells when the votes for each block came, and who was missing', async () => {
    const cluster = await Cluster.start(4);
    const telemetry = telemetryOf(cluster.node('validator-1'));
    submitEach(cluster, 'validator-1', 0, 1);
    cluster.time.run(1_000);
    cluster.kill('validator-3');
    submitEach(cluster, 'validator-1', 1, 1);
    cluster.time.run(1_000);
    const [first, second] = telemetry.blockVotes();
    assert.deepEqual(
      first?.votes.map(({ validator }) => validator).toSorted(),
      [0, 1, 2, 3].map(key).toSorted(),
    );
    assert.deepEqual(
      second?.votes.map(({ validator }) => validator).toSorted(),
      [0, 1, 2].map(key).toSorted(),
    );
    const { proposer, finalMs, votes } = defined(second, 'a block');
    assert.equal(proposer, key(0));
    assert.ok(defined(finalMs, 'a time') > 0);
    assert.ok(votes.every(({ ms }) => ms !== null && ms >= 0));
  });

  test('keeps the changes of the view, each with its reason in the words of "why"', async () => {
    const cluster = await Cluster.start(4);
    const telemetry = telemetryOf(cluster.node('validator-1'));
    cluster.kill('validator-0');
    submitEach(cluster, 'validator-1', 0, 1);
    const changes = telemetry.viewChanges();
    assert.deepEqual(
      changes.map(({ view, leader }) => [view, leader]),
      [
        [0, key(0)],
        [1, null],
        [1, key(1)],
      ],
    );
    const [started, left, begun] = changes.map(({ reason }) => reason);
    assert.equal(started, 'this node started');
    assert.match(
      left ?? '',
      /^enough validators suspect its primary \(waiting for a proposal of validator 0, 2 of 2 suspect the primary\)$/,
    );
    assert.equal(begun, 'validator 1 began it after block 0');
    cluster.time.run(limits.longSampleMs);
    const sampled = telemetry
      .samples('minutes')
      .samples.reduce((sum, { viewChanges }) => sum + viewChanges, 0);
    assert.equal(sampled, 2);
  });
});

describe('a member of Raft', () => {
  test('keeps the terms and their elections, and the leader when who has a block', async () => {
    const cluster = await Cluster.start(3, raftGenesis(3));
    const watched = cluster.all.map(({ name }) => ({ name, telemetry: telemetryOf(cluster.node(name)) }));
    const leads = () =>
      cluster.all.find(({ driver }) => driver.engine.status().primary === driver.validatorIndex)?.name;
    assert.ok(cluster.time.runUntil(() => leads() !== undefined, 10_000));
    const first = defined(leads(), 'a leader');
    submitEach(cluster, first, 0, 2);
    cluster.time.run(1_000);
    const of = (name: string) =>
      defined(
        watched.find((one) => one.name === name),
        name,
      ).telemetry;
    const block = defined(of(first).blockVotes().at(-1), 'a block');
    assert.equal(block.votes.length, 2, 'both others said that they have it');
    assert.ok(block.votes.every(({ ms }) => ms !== null && ms >= 0));

    cluster.kill(first);
    assert.ok(cluster.time.runUntil(() => leads() !== undefined, 10_000));
    const second = defined(leads(), 'a leader');
    const leader = developmentKeyPair(second).publicKey;
    const reasons = of(second).viewChanges().slice(-3);
    assert.deepEqual(
      reasons.map(({ leader: who, reason }) => [who, reason]),
      [
        [null, 'its leader is heard no more'],
        [null, 'a majority hears no leader'],
        [leader, 'a majority voted for it'],
      ],
    );
    const third = defined(
      cluster.all.find(({ name }) => name !== first && name !== second),
      'a follower',
    );
    assert.ok(cluster.time.runUntil(() => of(third.name).viewChanges().at(-1)?.leader === leader, 5_000));
  });
});
