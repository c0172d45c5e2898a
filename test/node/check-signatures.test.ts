import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { encode } from '../../src/base/codec.ts';
import { defined } from '../../src/base/invariant.ts';
import { unwrap } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { developmentGenesis, developmentRaft } from '../../src/ledger/development-genesis.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import type { GossipVerdict } from '../../src/network/port.ts';
import { transactionFrameCodec } from '../../src/node/peers/wire.ts';
import { Cluster, signedTransaction } from './cluster.ts';
import { ask, change, leaderOf, noFaults } from './raft-cluster.ts';

const alice = developmentKeyPair('alice').publicKey;

const chainWith = (checkSignatures: 'entry' | 'all') =>
  developmentGenesis({
    name: 'node-test-raft',
    validators: 3,
    consensus: { ...developmentRaft, checkSignatures },
  });
const genesis = chainWith('entry');

const transfers = (count: number, from = 0, chain = genesis) =>
  Array.from({ length: count }, (_, index) => signedTransaction(chain, 'alice', { nonce: from + index }));

const forged = (nonce: number): Transaction => {
  const [good, other] = transfers(2, nonce);
  const { signatures: _s, hash: _h, bytes: _b, ...body } = defined(good, 'a transaction');
  return assembleTransaction(body, defined(other, 'another').signatures);
};

/** How many of alice's signatures a node checked. */
const checkedBy = (cluster: Cluster, name: string): number =>
  defined(cluster.checkedClaims.get(name), 'a node').filter(({ publicKey }) => publicKey === alice).length;

const checkedByAll = (cluster: Cluster): number[] => cluster.all.map(({ name }) => checkedBy(cluster, name));

const reach = (cluster: Cluster, nonce: number): void =>
  assert.ok(
    cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === nonce), 20_000),
    cluster.why(),
  );

/** What becomes of a frame that a peer gossips to a node. */
function hear(
  cluster: Cluster,
  at: string,
  from: string,
  transactions: readonly Transaction[],
): GossipVerdict {
  const frame = encode(transactionFrameCodec, {
    salt: 5,
    transactions: transactions.map(({ bytes }) => bytes),
  });
  let verdict: GossipVerdict | undefined;
  cluster.node(at).driver.handlers.onGossip('transactions', frame, cluster.net.peer(from), (answer) => {
    verdict = answer;
  });
  cluster.time.run(limits.frameRelayMs + 5);
  return defined(verdict, 'a verdict');
}

const others = (cluster: Cluster, name: string): string[] =>
  cluster.all.map((node) => node.name).filter((other) => other !== name);

describe('a transaction’s signatures are checked', () => {
  for (const at of ['the leader', 'a follower']) {
    test(`by ${at} where it comes in, and by no other member of a chain that checks at entry`, async () => {
      const cluster = await Cluster.start(3, genesis);
      const leader = leaderOf(cluster);
      const entry = at === 'the leader' ? leader : defined(others(cluster, leader)[0], 'a follower');
      cluster.submit(entry, ...transfers(20));
      reach(cluster, 20);
      assert.deepEqual(
        cluster.all.map(({ name }) => checkedBy(cluster, name)),
        cluster.all.map(({ name }) => (name === entry ? 20 : 0)),
      );
      noFaults(cluster);
    });
  }

  test('by every member of a chain that says so', async () => {
    const chain = chainWith('all');
    const cluster = await Cluster.start(3, chain);
    cluster.submit(leaderOf(cluster), ...transfers(20, 0, chain));
    reach(cluster, 20);
    assert.deepEqual(checkedByAll(cluster), [20, 20, 20]);
  });

  test('by an observer, whatever members say', async () => {
    const cluster = await Cluster.start(3, genesis);
    await cluster.boot('bob');
    const leader = leaderOf(cluster);
    cluster.submit(leader, ...transfers(20));
    reach(cluster, 20);
    assert.equal(checkedBy(cluster, 'bob'), 20);
  });

  test('by a member that gets blocks by sync, also from members', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    const [away = ''] = others(cluster, leader);
    // It hears neither the leader nor the transactions: all that is left is to ask for final blocks.
    cluster.net.onSend = (_from, to, bytes) => (to === away ? null : bytes);
    cluster.net.onGossip = (_from, to, topic) => to !== away || topic !== 'transactions';
    cluster.submit(leader, ...transfers(20));
    reach(cluster, 20);
    assert.equal(checkedBy(cluster, away), 20);
  });

  test('by no member that lacks what its leader’s block has, and fetches it from another member', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    cluster.net.onGossip = (_from, _to, topic) => topic !== 'transactions';
    cluster.submit(leader, ...transfers(20));
    reach(cluster, 20);
    assert.ok(cluster.net.requests.some(({ protocol }) => protocol === 'transactions'));
    assert.deepEqual(
      checkedByAll(cluster),
      cluster.all.map(({ name }) => (name === leader ? 20 : 0)),
    );
  });

  test('by a member to which a stranger brings it, and not by the members that this one passes it on to', async () => {
    const cluster = await Cluster.start(3, genesis);
    await cluster.boot('bob');
    const leader = leaderOf(cluster);
    const [first = '', second = ''] = others(cluster, leader).filter((name) => name !== 'bob');
    assert.equal(hear(cluster, first, 'bob', transfers(5)), 'accept');
    assert.equal(checkedBy(cluster, first), 5);
    assert.equal(hear(cluster, second, first, transfers(5)), 'accept', 'and it is passed on');
    assert.equal(checkedBy(cluster, second), 0);
  });

  test('so that what nobody signed goes nowhere', async () => {
    const cluster = await Cluster.start(3, genesis);
    await cluster.boot('bob');
    const leader = leaderOf(cluster);
    for (const name of others(cluster, 'bob')) {
      assert.equal(hear(cluster, name, 'bob', [forged(0)]), 'reject');
    }
    assert.equal(hear(cluster, 'bob', leader, [forged(1)]), 'reject', 'an observer believes no member');
    let code: string | undefined;
    cluster.node(leader).driver.submit([forged(2)], ([result]) => {
      code = result?.status === 'refused' ? result.problem.code : result?.status;
    });
    cluster.time.run(5);
    assert.equal(code, 'transaction/wrong-signature', 'nor a member a client');
  });

  test('whoever brings it, once that one or this node is a member no more', async () => {
    const cluster = await Cluster.start(3, genesis);
    const leader = leaderOf(cluster);
    const [gone = '', stays = ''] = others(cluster, leader);
    cluster.submit(leader, ...transfers(1));
    reach(cluster, 1);
    unwrap(ask(cluster, leader, change(gone, 'removed')));
    cluster.submit(leader, ...transfers(1, 1));
    reach(cluster, 2);
    assert.equal(hear(cluster, stays, gone, [forged(2)]), 'reject');
    assert.equal(hear(cluster, gone, stays, [forged(2)]), 'reject');
    const before = checkedBy(cluster, stays);
    assert.equal(hear(cluster, stays, leader, transfers(1, 2)), 'accept');
    assert.equal(checkedBy(cluster, stays), before);
  });
});
