import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextBelow, nextFloat, seedRandom } from '../../src/base/random.ts';
import type { EngineRequest } from '../../src/consensus/engine.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';
import { protocolOf } from '../../src/node/core/protocol.ts';
import { Cluster, signedTransaction } from './cluster.ts';
import { ask, change, genesis, leaderOf, makeBlocks, transfers } from './raft-cluster.ts';

// Whole nodes whose members change while they are killed and started, their links are cut, and their disks are slow.
// More of them: SEEDS=1..1000 node --test test/node/members-schedules.test.ts
const [from = 1, to = 40] = (process.env['SEEDS'] ?? '1..40').split('..').map(Number);
const names = [0, 1, 2, 3, 4].map((index) => `validator-${index}`);

class Schedule {
  readonly cluster = new Cluster(genesis);
  readonly #random;
  readonly #options;
  readonly #finals = new Map<number, string>();
  #cuts: (readonly [string, string])[] = [];
  #nonce = 0;

  constructor(seed: number) {
    this.#random = seedRandom(seed);
    this.#options = this.#chance(0.6)
      ? { protocol: protocolOf(genesis, { snapshotEvery: 5, keepBlocks: this.#below(4) }) }
      : {};
  }

  #chance(probability: number): boolean {
    return nextFloat(this.#random) < probability;
  }

  #below(bound: number): number {
    return nextBelow(this.#random, bound);
  }

  #pick<T>(list: readonly T[]): T {
    const picked = list[this.#below(list.length)];
    assert.ok(picked !== undefined);
    return picked;
  }

  async boot(name: string): Promise<void> {
    const { driver } = await this.cluster.boot(name, this.#options);
    driver.listeners.final.add(({ hash, block }) => {
      const { height } = block.header;
      assert.equal(this.#finals.get(height) ?? hash, hash, `two final blocks at ${height}`);
      this.#finals.set(height, hash);
    });
  }

  /** Others see it go before it can come back. */
  #kill(name: string): void {
    this.cluster.kill(name);
    this.cluster.time.run(2);
  }

  async round(): Promise<void> {
    const { time, nodes } = this.cluster;
    time.run(10 + this.#below(250));
    const name = this.#pick(names);
    for (let count = this.#below(4); count > 0 && nodes.size > 0; count--) {
      this.#submit(this.#nonce);
      this.#nonce += 1;
    }
    if (this.#chance(0.25)) {
      const ran = nodes.has(name);
      if (ran) this.#kill(name);
      if (!ran || this.#chance(0.5)) await this.boot(name);
    }
    if (this.#chance(0.05)) {
      for (const each of nodes.keys()) this.#kill(each);
      for (const each of names) if (this.#chance(0.8)) await this.boot(each);
    }
    if (this.#chance(0.3)) this.cluster.diskMs.set(name, this.#chance(0.4) ? 0 : this.#below(120));
    if (this.#chance(0.2)) this.#cut(name, this.#pick(names));
    if (this.#chance(0.15)) this.#mend();
    this.#operate();
    this.#checkWhole();
  }

  #submit(nonce: number): void {
    const { bytes } = signedTransaction(genesis, 'alice', { nonce });
    this.#pick(this.cluster.all).driver.submit([decodeTransaction(bytes)], () => {});
  }

  #cut(name: string, other: string): void {
    const isCut = this.#cuts.some((ends) => ends.includes(name) && ends.includes(other));
    if (other === name || isCut) return;
    this.#cuts.push([name, other]);
    this.cluster.net.cut(name, other);
    this.cluster.time.run(2);
  }

  #mend(): void {
    for (const [a, b] of this.#cuts) this.cluster.net.mend(a, b);
    this.#cuts = [];
  }

  #operate(): void {
    const leader = this.cluster.all.find(
      ({ driver }) =>
        driver.validatorIndex !== undefined && driver.engine.status().primary === driver.validatorIndex,
    );
    const requests: EngineRequest[] = [];
    if (this.#chance(0.35)) {
      const role = this.#pick(['voter', 'learner', 'removed'] as const);
      requests.push(change(this.#pick(names), role, this.#chance(0.1)));
    }
    if (this.#chance(0.1)) requests.push({ kind: 'transfer', to: null });
    for (const request of requests) leader?.driver.request(request, () => {});
  }

  #checkWhole(): void {
    for (const { name, fatal } of this.cluster.all) assert.deepEqual(fatal.map(String), [], name);
  }

  /** From now on everything works: what was submitted becomes final on every node, members or not. */
  async heal(): Promise<void> {
    const { cluster } = this;
    cluster.diskMs.clear();
    this.#mend();
    for (const name of names) if (!cluster.nodes.has(name)) await this.boot(name);
    const isLevel = (): boolean =>
      new Set(cluster.heights()).size === 1 &&
      cluster.nonces('alice').every((nonce) => nonce === this.#nonce);
    for (let tries = 0; tries < 40 && !isLevel(); tries++) {
      for (let nonce = Math.min(...cluster.nonces('alice')); nonce < this.#nonce; nonce++)
        this.#submit(nonce);
      cluster.time.runUntil(isLevel, 3_000);
    }
    this.#checkWhole();
    assert.ok(isLevel(), `heights ${cluster.heights().join()}\n${cluster.why()}`);
  }
}

test(`random schedules ${from} to ${to} of whole nodes end with everybody level`, async () => {
  for (let seed = from; seed <= to; seed++) {
    try {
      const schedule = new Schedule(seed);
      for (const name of names) await schedule.boot(name);
      for (let round = 0; round < 60; round++) await schedule.round();
      await schedule.heal();
    } catch (cause) {
      throw new Error(`seed ${seed} fails: SEEDS=${seed}..${seed} replays it`, { cause });
    }
  }
});

test('a learner that was removed while nobody could tell it finds out, although it may not ask for votes', async () => {
  const cluster = await Cluster.start(3, genesis);
  const learner = await cluster.boot('validator-3');
  makeBlocks(cluster, 1, 0);
  assert.ok('height' in ask(cluster, leaderOf(cluster), change('validator-3', 'learner')));
  const others = names.slice(0, 3);
  assert.ok(cluster.time.runUntil(() => learner.driver.validatorIndex === 3, 5_000));
  for (const other of others) cluster.net.cut('validator-3', other);
  cluster.time.run(100);
  assert.ok('height' in ask(cluster, leaderOf(cluster), change('validator-3', 'removed')));
  cluster.submit(leaderOf(cluster), ...transfers(1, 1));
  const { publicKey } = developmentKeyPair('alice');
  const { driver } = cluster.node(leaderOf(cluster));
  assert.ok(cluster.time.runUntil(() => driver.chain.final.state.account(publicKey).nonce === 2, 5_000));
  for (const other of others) cluster.net.mend('validator-3', other);
  assert.ok(
    cluster.time.runUntil(() => learner.driver.chain.final.hash === driver.chain.final.hash, 20_000),
    cluster.why(),
  );
  assert.equal(learner.driver.validatorIndex, undefined);
});
