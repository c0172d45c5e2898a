import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Genesis } from '../../src/ledger/genesis.ts';
import { raftGenesis, signedTransaction, testGenesis } from '../node/cluster.ts';
import { Nodes } from './nodes.ts';
import { eventually } from '../support/eventually.ts';

// An operator puts back an old copy of a node's whole directory: nothing on its machine shows that.

class PaidNodes extends Nodes {
  readonly #genesis: Genesis;
  #nonce = 0;

  constructor(t: TestContext, genesis: Genesis) {
    super(t, genesis);
    this.#genesis = genesis;
  }

  /** Makes so many blocks, until all that run have them. */
  async pay(count: number): Promise<void> {
    const client = this.client(0, 20_000);
    for (let paid = 0; paid < count; paid++) {
      const transaction = signedTransaction(this.#genesis, 'alice', { nonce: this.#nonce++ });
      await eventually('a transaction is final', async () => {
        await client.submit(transaction);
        const final = await client.waitFinal(transaction.hash, { deadlineMs: 3_000 });
        return final instanceof Problem ? undefined : final;
      });
    }
    const { finalHeight } = unwrap(await client.status());
    for (const index of this.running.keys()) {
      await eventually(`node ${index} has block ${finalHeight}`, async () => {
        const status = await this.client(index).status();
        return status instanceof Problem || status.finalHeight < finalHeight ? undefined : status;
      });
    }
  }

  votes(index: number, voting: boolean): Promise<true> {
    return eventually(`node ${index} votes: ${voting}`, async () => {
      const status = await this.client(index).status();
      return !(status instanceof Problem) && status.voting === voting;
    });
  }
}

test('under PBFT its own signatures show it, and it votes again when nothing can contradict them', async (t) => {
  const nodes = new PaidNodes(t, testGenesis(4));
  for (const index of [0, 1, 2, 3]) await nodes.start(index);
  await nodes.allReady();
  await nodes.pay(2);
  await nodes.stop(1);
  const putBack = nodes.copy(1);
  // So that whatever becomes final from here on needs its vote.
  await nodes.stop(3);
  await nodes.start(1);
  await nodes.pay(3);
  await nodes.stop(1);
  putBack();
  await nodes.start(3);
  await nodes.start(1);
  await nodes.votes(1, false);
  // It is silent for 2W blocks above where the others are when they answer, however soon that is.
  await eventually('it votes again', async () => {
    await nodes.pay(1);
    return unwrap(await nodes.client(1).status()).voting;
  });
});

test('under Raft a block by its own key shows it, and it decides nothing any more', async (t) => {
  const nodes = new PaidNodes(t, raftGenesis(3));
  for (const index of [0, 1, 2]) await nodes.start(index);
  await nodes.allReady();
  await nodes.pay(1);
  await nodes.stop(2);
  const putBack = nodes.copy(2);
  await nodes.start(2);
  await nodes.votes(2, true);
  const leader = async (): Promise<number | null> => unwrap(await nodes.client(0).status()).primary;
  const address = encodeAddress(developmentKeyPair('validator-2').publicKey);
  await eventually('it leads', async () => {
    const at = await leader();
    if (at === 2) return true;
    if (at !== null) await nodes.client(at, 10_000).transferLeader(address);
    return undefined;
  });
  await nodes.pay(2);
  await nodes.stop(2);
  putBack();
  await nodes.start(2);
  await nodes.votes(2, false);
  assert.match(unwrap(await nodes.client(2).why()).why, /is an old copy; it must be removed and added again/);
  await nodes.pay(1);
});

test('under Raft a key on a machine without notes of it decides nothing on a chain that runs', async (t) => {
  const nodes = new PaidNodes(t, raftGenesis(3));
  for (const index of [0, 1]) await nodes.start(index);
  await nodes.allReady();
  await nodes.pay(limits.raftBeginning + 1);
  await nodes.start(2);
  await nodes.votes(2, false);
  assert.match(unwrap(await nodes.client(2).why()).why, /never signed anything, .* --assume-first-use/);
  assert.ok((await nodes.client(2).ready()) instanceof Problem);
  await nodes.pay(1);
  await nodes.stop(2);
  await nodes.start(2);
  await nodes.votes(2, false);
});
