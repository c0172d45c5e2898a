import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { EngineRequest } from '../../src/consensus/engine.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { backendOf } from './backend/backend-of.ts';
import { Cluster } from './cluster.ts';
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

describe('members of a running cluster', () => {
  test('a new one with an empty disk is added, catches up, is promoted, and an old one leaves', async () => {
    const cluster = await Cluster.start(3, genesis);
    makeBlocks(cluster, 8, 0);
    const leader = leaderOf(cluster);
    await cluster.boot('validator-3');
    const early = ask(cluster, leader, change('validator-3', 'voter'));
    assert.ok(early instanceof Problem && early.code === 'consensus/not-caught-up');

    unwrap(ask(cluster, leader, change('validator-3', 'learner')));
    makeBlocks(cluster, 3, 8);
    assert.deepEqual(rolesAt(cluster, 'validator-3'), ['voter', 'voter', 'voter', 'learner']);
    const learner = cluster.node('validator-3').driver;
    assert.equal(learner.engine.status().voting, false);
    assert.equal(learner.validatorIndex, 3);

    unwrap(ask(cluster, leader, change('validator-3', 'voter')));
    const leaving = ['validator-0', 'validator-1', 'validator-2'].find((name) => name !== leader) ?? '';
    unwrap(ask(cluster, leader, change(leaving, 'removed')));
    cluster.kill(leaving);
    makeBlocks(cluster, 3, 11);
    assert.equal(cluster.node('validator-3').driver.engine.status().voting, true);

    // Two of the three that are left are a majority only when the new one's vote counts.
    const idle = cluster.all.find(({ name }) => name !== leader && name !== 'validator-3')?.name ?? '';
    cluster.kill(idle);
    makeBlocks(cluster, 3, 14);
    noFaults(cluster);
  });

  test('all of it holds after every one of them was killed and started again', async () => {
    const cluster = await Cluster.start(3, genesis);
    await cluster.boot('validator-3');
    makeBlocks(cluster, 2, 0);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'learner')));
    makeBlocks(cluster, 1, 2);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'voter')));
    makeBlocks(cluster, 1, 3);
    const names = cluster.all.map(({ name }) => name);
    for (const name of names) cluster.kill(name);
    for (const name of names) await cluster.boot(name);
    makeBlocks(cluster, 2, 4);
    for (const name of names) assert.deepEqual(rolesAt(cluster, name), ['voter', 'voter', 'voter', 'voter']);
    noFaults(cluster);
  });

  test('one that died is replaced in one change by a learner that caught up, and by nobody else', async () => {
    const cluster = await Cluster.start(3, genesis);
    makeBlocks(cluster, 4, 0);
    const leader = leaderOf(cluster);
    const dead = ['validator-0', 'validator-1', 'validator-2'].find((name) => name !== leader) ?? '';
    cluster.kill(dead);
    const replace = (by: string): EngineRequest => ({
      kind: 'members',
      changes: [
        { key: developmentKeyPair(by).publicKey, role: 'voter' },
        { key: developmentKeyPair(dead).publicKey, role: 'removed' },
      ],
      forced: false,
    });
    const stranger = ask(cluster, leader, replace('validator-3'));
    assert.ok(stranger instanceof Problem && stranger.code === 'consensus/not-caught-up');
    assert.match(stranger.remedy, /Add it as a learner first/);
    unwrap(ask(cluster, leader, change('validator-3', 'learner')));
    const silent = ask(cluster, leader, replace('validator-3'));
    assert.ok(silent instanceof Problem && silent.code === 'consensus/not-caught-up');
    assert.doesNotMatch(silent.remedy, /learner first/);
    await cluster.boot('validator-3');
    makeBlocks(cluster, 2, 4);
    // Until it has asked what was committed, and has that.
    cluster.time.run(200);
    unwrap(ask(cluster, leader, replace('validator-3')));
    makeBlocks(cluster, 2, 6);
    const roles = ['voter', 'voter', 'voter', 'voter'];
    roles[Number(dead.slice(-1))] = 'removed';
    for (const { name } of cluster.all) assert.deepEqual(rolesAt(cluster, name), roles);
    noFaults(cluster);
  });

  test('a leader that is removed steps down, and the others go on', async () => {
    const cluster = await Cluster.start(3, genesis);
    makeBlocks(cluster, 2, 0);
    const leader = leaderOf(cluster);
    const isMember = (): boolean[] =>
      cluster.all
        .filter(({ name }) => name !== leader)
        .map(({ driver }) => {
          const peer = driver.registry.peerOf(Number(leader.slice(-1)));
          return driver.registry.memberKeyOf(peer ?? 'nobody') !== undefined;
        });
    assert.deepEqual(isMember(), [true, true]);
    unwrap(ask(cluster, leader, change(leader, 'removed')));
    cluster.time.run(1_000);
    assert.deepEqual(isMember(), [false, false], 'it is a stranger to them');
    const listed = backendOf(cluster, leader).members();
    assert.deepEqual(
      listed.filter(({ self }) => self).map(({ name, role }) => [name, role]),
      [[leader, 'removed']],
      'it still finds itself in the list',
    );
    cluster.kill(leader);
    makeBlocks(cluster, 2, 2);
    assert.notEqual(leaderOf(cluster), leader);
    noFaults(cluster);
  });

  test('a change that would lose the quorum is refused with an explanation, unless it is forced', async () => {
    const cluster = await Cluster.start(3, genesis);
    makeBlocks(cluster, 1, 0);
    const leader = leaderOf(cluster);
    const [dead = '', alive = ''] = cluster.all.map(({ name }) => name).filter((name) => name !== leader);
    cluster.kill(dead);
    cluster.time.run(3_000);
    // Of leader and the dead one, two, one answers: no majority.
    const refused = ask(cluster, leader, change(alive, 'removed'));
    assert.ok(refused instanceof Problem && refused.code === 'consensus/quorum-loss');
    assert.match(refused.remedy, /--force/);
    const follower = ask(cluster, alive, change(dead, 'removed'));
    assert.ok(follower instanceof Problem && follower.code === 'consensus/not-leader');
    assert.equal(follower.details['leader'], cluster.node(leader).driver.validatorIndex);
    unwrap(ask(cluster, leader, change(dead, 'removed')));
    makeBlocks(cluster, 2, 1);
    noFaults(cluster);
  });
});

describe('snapshots', () => {
  test('old blocks go, a tail stays, and a restart knows what is there', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 20, 0);
    cluster.time.run(100);
    for (const { name, store } of cluster.all) {
      assert.ok(store.firstBlock > 5, `${name} keeps blocks from ${store.firstBlock} on`);
      assert.ok(store.firstBlock <= store.finalHeight - 2);
      assert.equal(store.blockBytesAt(1 as never), undefined);
      assert.ok(store.blockBytesAt(store.firstBlock));
      assert.ok(store.headerAt(1 as never), 'headers stay');
    }
    const names = cluster.all.map(({ name }) => name);
    for (const name of names) cluster.kill(name);
    for (const name of names) await cluster.boot(name, pruning);
    makeBlocks(cluster, 3, 20);
    noFaults(cluster);
  });

  test('a follower that was down while its next block was pruned gets the state, and goes on from there', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 2, 0);
    const leader = leaderOf(cluster);
    const late = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    cluster.kill(late);
    makeBlocks(cluster, 20, 2);
    const { driver, store } = await cluster.boot(late, pruning);
    assert.ok(
      cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 22), 20_000),
      cluster.why(),
    );
    assert.ok((driver.engine.status().counters['snapshots-installed'] ?? 0) > 0);
    assert.ok(store.firstBlock > 10);
    makeBlocks(cluster, 3, 22);
    const roots = cluster.all.map((node) => node.driver.chain.final.state.root);
    assert.equal(new Set(roots).size, 1);

    cluster.kill(late);
    cluster.time.run(10);
    await cluster.boot(late, pruning);
    makeBlocks(cluster, 2, 25);
    noFaults(cluster);
  });

  test('a new member without anything starts from a snapshot, and becomes a voter', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 20, 0);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'learner')));
    await cluster.boot('validator-3', pruning);
    makeBlocks(cluster, 8, 20);
    unwrap(ask(cluster, leaderOf(cluster), change('validator-3', 'voter')));
    makeBlocks(cluster, 2, 28);
    assert.equal(cluster.node('validator-3').driver.engine.status().voting, true);
    noFaults(cluster);
  });

  test('one that started from a snapshot and leads now serves that snapshot itself', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 2, 0);
    const leader = leaderOf(cluster);
    // Long before: a snapshot from before the members changed is not served to anybody.
    unwrap(ask(cluster, leader, change('validator-3', 'learner')));
    const late = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    cluster.kill(late);
    makeBlocks(cluster, 17, 2);
    const { driver } = await cluster.boot(late, pruning);
    const installed = (): boolean => (driver.engine.status().counters['snapshots-installed'] ?? 0) > 0;
    assert.ok(
      cluster.time.runUntil(() => installed() && cluster.nonces('alice').every((at) => at === 19), 20_000),
      cluster.why(),
    );
    unwrap(ask(cluster, leader, { kind: 'transfer', to: driver.validatorIndex ?? null }));
    assert.equal(leaderOf(cluster), late);
    // Nobody else gives one, and no old blocks: those are pruned.
    cluster.net.onAnswer = (from, _to, protocol, response) =>
      protocol === 'snapshot' && from !== late ? null : response;
    await cluster.boot('validator-3', pruning);
    assert.ok(
      cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === 19), 20_000),
      cluster.why(),
    );
    noFaults(cluster);
  });

  test('a block whose body all others deleted meanwhile is not waited for', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 2, 0);
    const leader = leaderOf(cluster);
    const slow = cluster.all.find(({ name }) => name !== leader)?.name ?? '';
    // It hears of blocks, and gets neither their transactions nor an answer.
    cluster.net.onGossip = (_from, to) => to !== slow;
    cluster.net.onAnswer = (_from, to, _protocol, response) => (to === slow ? null : response);
    const others = (): number[] =>
      cluster.all.filter(({ name }) => name !== slow).map(({ driver }) => driver.chain.final.height);
    for (let nonce = 2; nonce < 11; nonce++) {
      cluster.submit(leader, ...transfers(1, nonce));
      const height = Math.max(...others());
      assert.ok(
        cluster.time.runUntil(() => others().every((at) => at > height), 20_000),
        cluster.why(),
      );
    }
    assert.ok(cluster.node(slow).driver.chain.final.height < 5);
    cluster.net.onGossip = () => true;
    cluster.net.onAnswer = (_from, _to, _protocol, response) => response;
    makeBlocks(cluster, 2, 11);
    assert.ok((cluster.node(slow).driver.engine.status().counters['snapshots-installed'] ?? 0) > 0);
    noFaults(cluster);
  });
});
