import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { HttpClient } from '../../src/client/http-client.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { type Height, toHeight } from '../../src/ledger/block.ts';
import type { NodeConfig } from '../../src/node/process/config.ts';
import { raftGenesis, signedTransaction } from '../node/cluster.ts';
import { quorate } from '../cli/quorate.ts';
import { Nodes } from './nodes.ts';
import { eventually } from '../support/eventually.ts';

const genesis = raftGenesis(3);
/** What a leader says that is none any more, or has not begun to lead, or has something under way. */
const passing = /^consensus\/(?:not-leader|no-leader|change-outcome-unknown|transfer-failed|busy)$/;
const operatorToken = 'the-token-of-the-operators';
const addressOf = (index: number): string =>
  encodeAddress(developmentKeyPair(`validator-${index}`).publicKey);

/** The nodes, who are asked by operators with a token. */
class RaftNodes extends Nodes {
  #nonce = 0;

  constructor(t: TestContext, snapshots?: NodeConfig['snapshots']) {
    super(t, genesis, { api: { host: '127.0.0.1', port: 0, operatorToken }, snapshots });
  }

  /** The one that all members that run agree leads. */
  leader(): Promise<number> {
    return eventually('one leads, and all know', async () => {
      const seen = await Promise.all([...this.running.keys()].map((index) => this.client(index).status()));
      const members = seen.filter((status) => status instanceof Problem || status.validator !== null);
      const leaders = new Set(members.map((status) => (status instanceof Problem ? null : status.primary)));
      const [leader] = leaders;
      const known = leaders.size === 1 && typeof leader === 'number' && this.running.has(leader);
      return known ? leader : undefined;
    });
  }

  /**
   * Brings something about through whoever leads, until it holds: on a busy machine the lead passes now and
   * then, and a change is made although who asked for it is not told.
   */
  async throughLeader(
    what: string,
    act: (leader: HttpClient) => Promise<unknown>,
    holds: (leader: number) => Promise<boolean>,
  ): Promise<void> {
    await eventually(what, async () => {
      const leader = await this.leader();
      if (await holds(leader)) return true;
      const answer = await act(this.client(leader));
      if (answer instanceof Problem) assert.match(answer.code, passing);
      return false;
    });
  }

  async roleOf(index: number): Promise<string | undefined> {
    const { members } = unwrap(await this.client(await this.leader()).members());
    return members.find(({ address }) => address === addressOf(index))?.role;
  }

  /** Makes blocks one after the other, each through another node, until all have all. */
  async makeBlocks(count: number): Promise<void> {
    const indexes = [...this.running.keys()];
    let height = 0;
    for (let made = 0; made < count; made++) {
      const client = this.client(indexes[made % indexes.length] ?? 0);
      const transaction = signedTransaction(genesis, 'alice', { nonce: this.#nonce++ });
      await eventually('it is taken', async () => {
        const answer = await client.submit(transaction);
        return answer instanceof Problem ? undefined : answer;
      });
      const final = unwrap(await client.waitFinal(transaction.hash));
      height = final.inclusion.height;
    }
    for (const index of indexes) {
      await eventually(`node ${index} has block ${height}`, async () => {
        const status = await this.client(index).status();
        return status instanceof Problem || status.finalHeight < height ? undefined : status;
      });
    }
  }
}

async function threeNodes(t: TestContext, snapshots?: NodeConfig['snapshots']): Promise<RaftNodes> {
  const nodes = new RaftNodes(t, snapshots);
  for (const index of [0, 1, 2]) await nodes.start(index);
  await nodes.leader();
  return nodes;
}

describe('a Raft chain over real connections', () => {
  test('a node is added with an empty directory, catches up, takes the place of another, votes, and leads', async (t) => {
    const nodes = await threeNodes(t);
    await nodes.makeBlocks(6);
    await nodes.start(3);
    assert.equal(unwrap(await nodes.client(3).status()).validator, null);
    const token = operatorToken;

    const stranger = await nodes.client(0).changeMembers([{ member: addressOf(3), role: 'learner' }]);
    assert.ok(stranger instanceof Problem && stranger.code === 'api/token-missing');
    const follower = await eventually('one that follows is asked', async () => {
      const leader = await nodes.leader();
      // If it leads by now, this changes nothing.
      const nothing = [{ member: addressOf(leader), role: 'voter' as const }];
      const answer = await nodes.client((leader + 1) % 3).changeMembers(nothing, { token });
      return answer instanceof Problem && answer.details['leader'] === leader && answer;
    });
    assert.equal(follower.code, 'consensus/not-leader');
    assert.match(follower.message, new RegExp(`validator-${Number(follower.details['leader'])}`));

    await nodes.throughLeader(
      'it is a learner',
      (leader) => leader.changeMembers([{ member: addressOf(3), role: 'learner' }], { token }),
      async () => (await nodes.roleOf(3)) === 'learner',
    );
    await nodes.makeBlocks(2);
    const leaving = ((await nodes.leader()) + 1) % 3;
    const replaced = await eventually('the learner may take the place of another', async () => {
      const { baseUrl } = nodes.client(await nodes.leader());
      const args = ['members', 'replace', `validator-${leaving}`, addressOf(3), '--node', baseUrl];
      const ran = await quorate(args, { env: { QUORATE_TOKEN: token } });
      if (ran.code !== 0) assert.match(ran.err, /consensus\/(?:not-caught-up|not-leader|no-leader)/);
      return ran.code === 0 && ran.out;
    });
    assert.ok(replaced.startsWith(`${addressOf(3)} is voter in place of ${addressOf(leaving)} from height`));
    await nodes.stop(leaving);
    await nodes.throughLeader(
      'it leads',
      (leader) => leader.transferLeader(addressOf(3), { token }),
      async (leader) => leader === 3,
    );
    await nodes.makeBlocks(3);

    const { members } = unwrap(await nodes.client(3).members());
    assert.deepEqual(
      members.map(({ role }) => role),
      [0, 1, 2, 3].map((index) => (index === leaving ? 'removed' : 'voter')),
    );
    assert.equal(unwrap(await nodes.client(3).status()).validator?.index, 3);
  });

  test('old blocks are deleted and said to be; a node that was away meanwhile starts from a snapshot', async (t) => {
    const nodes = await threeNodes(t, { everyBlocks: 5, keepBlocks: 2 });
    await nodes.makeBlocks(2);
    const leader = await nodes.leader();
    const away = (leader + 1) % 3;
    await nodes.stop(away);
    await nodes.makeBlocks(18);
    const client = nodes.client(leader);
    const pruned = await eventually('block 1 is pruned', async () => {
      const block = await client.block(toHeight(1));
      return block instanceof Problem ? block : undefined;
    });
    assert.equal(pruned.code, 'storage/pruned');
    assert.equal(pruned.details['status'], 410);
    const first = Number(pruned.details['firstBlock']) as Height;
    assert.ok(first > 10);
    assert.equal(unwrap(await client.block(first)).header.height, first);
    const { hash } = signedTransaction(genesis, 'alice', { nonce: 0 });
    const old = await client.transaction(hash);
    assert.ok(old instanceof Problem && old.code === 'storage/pruned');
    assert.match(old.message, /is final at height/);

    await nodes.start(away);
    await nodes.makeBlocks(3);
    const back = unwrap(await nodes.client(away).status());
    assert.ok((back.counters['snapshots-installed'] ?? 0) >= 1, JSON.stringify(back.counters));
    const read = await nodes
      .client(away)
      .account(developmentKeyPair('alice').publicKey, { consistency: 'linearizable' });
    assert.equal(unwrap(read).nonce, 23);
  });
});

describe('a node without a leader', () => {
  test('takes nothing and says so; waits for one as long as it is told; serves what may be stale', async (t) => {
    const nodes = await threeNodes(t);
    await nodes.makeBlocks(2);
    await nodes.stop(1);
    await nodes.stop(2);
    const client = nodes.client(0);
    await eventually('it knows of no leader', async () => unwrap(await client.status()).primary === null);
    const transaction = signedTransaction(genesis, 'alice', { nonce: 2 });
    const refused = await client.submit(transaction, { deadlineMs: 0 });
    assert.ok(refused instanceof Problem && refused.code === 'consensus/no-leader');
    assert.equal(refused.details['retryable'], true);
    const { publicKey } = developmentKeyPair('alice');
    const read = await client.account(publicKey, { consistency: 'linearizable', deadlineMs: 0 });
    assert.ok(read instanceof Problem && read.code === 'consensus/no-leader');
    assert.equal(unwrap(await client.account(publicKey, { consistency: 'stale' })).nonce, 2);

    const waiting = fetch(`${client.baseUrl}/v1/transactions?wait=final&timeoutMs=60000`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ transaction: Buffer.from(transaction.bytes).toString('hex') }),
    });
    await nodes.start(1);
    const answer = (await (await waiting).json()) as { status: string };
    assert.equal(answer.status, 'final', JSON.stringify(answer));
  });
});
