import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { proposalId } from '../../src/ledger/proposal.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { signedTransaction, testGenesis } from '../node/cluster.ts';
import { Nodes } from './nodes.ts';
import { eventually } from '../support/eventually.ts';

const genesis = testGenesis(4);
const keyOf = (index: number): PublicKey => developmentKeyPair(`validator-${index}`).publicKey;

/** The nodes, and a client who never rests. */
class WorkingNodes extends Nodes {
  readonly #nonces = new Map<string, number>();
  sent = 0;
  #stopped = false;
  #load: Promise<void> = Promise.resolve();

  constructor(t: TestContext) {
    super(t, genesis);
  }

  override async end(): Promise<void> {
    this.#stopped = true;
    await super.end();
  }

  /** Signs as somebody, and brings it until it is final. */
  async transact(sender: string, operation?: Operation): Promise<ReturnType<typeof signedTransaction>> {
    const nonce = this.#nonces.get(sender) ?? 0;
    this.#nonces.set(sender, nonce + 1);
    const transaction = signedTransaction(genesis, sender, {
      nonce,
      fee: 0n,
      ...(operation && { operation }),
    });
    await eventually(`${sender} is final`, async () => {
      const [index = 0] = [...this.running.keys()];
      const client = this.client(index);
      await client.submit(transaction);
      const final = await client.waitFinal(transaction.hash, { deadlineMs: 3_000 });
      return final instanceof Problem ? undefined : final;
    });
    return transaction;
  }

  /** Transfers, one after the other, until `rest`. */
  work(): void {
    const next = async (): Promise<void> => {
      while (!this.#stopped) {
        await this.transact('alice');
        this.sent += 1;
      }
    };
    this.#load = next();
  }

  async rest(): Promise<void> {
    this.#stopped = true;
    await this.#load;
  }

  /** One of the validators proposes another set, and as many others as it takes approve it. */
  async change(now: readonly number[], next: readonly number[], approving: readonly number[]): Promise<void> {
    const [proposer, ...others] = approving;
    const proposed = await this.transact(`validator-${proposer}`, {
      type: 'propose-change',
      change: { type: 'validators', validators: next.map(keyOf) },
      expiryHeight: toHeight(5_000),
      validatorsHash: validatorSet(now.map(keyOf)).hash,
      members: new Uint8Array(),
      replaces: false,
    });
    const proposal = proposalId(proposed.hash, 0);
    for (const other of others)
      await this.transact(`validator-${other}`, { type: 'approve-change', proposal });
    const wanted = next.map((index) => encodeAddress(keyOf(index))).join();
    for (const index of this.running.keys()) {
      await eventually(`node ${index} knows the next validators`, async () => {
        const listed = await this.client(index).validators();
        const now = listed instanceof Problem ? '' : listed.validators.map(({ address }) => address).join();
        return now === wanted;
      });
    }
  }

  /** So many more blocks become final on all that run. */
  async grow(blocks: number): Promise<void> {
    const target = unwrap(await this.client([...this.running.keys()][0] ?? 0).status()).finalHeight + blocks;
    for (const index of this.running.keys()) {
      await eventually(`node ${index} has block ${target}`, async () => {
        const status = await this.client(index).status();
        return status instanceof Problem || status.finalHeight < target ? undefined : status;
      });
    }
  }

  async voting(index: number): Promise<boolean> {
    return unwrap(await this.client(index).status()).voting;
  }
}

test('a fifth validator joins, one leaves and a key is replaced, while clients go on', async (t) => {
  const nodes = new WorkingNodes(t);
  for (const index of [0, 1, 2, 3]) await nodes.start(index);
  await nodes.allReady();
  nodes.work();
  await nodes.start(4);
  await nodes.grow(2);
  assert.equal(await nodes.voting(4), false);

  await nodes.change([0, 1, 2, 3], [0, 1, 2, 3, 4], [0, 1, 2]);
  await nodes.grow(2);
  await eventually('the fifth votes', () => nodes.voting(4));
  // Four of five are a quorum: without one of the others its vote is needed.
  await nodes.stop(3);
  await nodes.grow(2);
  await nodes.start(3);

  await nodes.change([0, 1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]);
  await nodes.grow(2);
  assert.equal(await nodes.voting(0), false, 'who was removed follows, and serves blocks');
  // Over a restart too: what it finds on its disk says who votes.
  await nodes.stop(0);
  await nodes.start(0);
  await nodes.grow(1);
  assert.equal(await nodes.voting(0), false);

  await nodes.start(5);
  await nodes.change([1, 2, 3, 4], [5, 2, 3, 4], [1, 2, 3]);
  await nodes.stop(1);
  await eventually('the new key votes', () => nodes.voting(5));
  await nodes.stop(4);
  await nodes.grow(2);

  // One that was away for all of it comes through three changes.
  await nodes.start(4);
  await nodes.grow(2);
  assert.equal(await nodes.voting(4), true);
  await nodes.rest();
  const bob = unwrap(await nodes.client(5).account(encodeAddress(developmentKeyPair('bob').publicKey)));
  const before = genesis.accounts.find(({ publicKey }) => publicKey === developmentKeyPair('bob').publicKey);
  assert.equal(BigInt(bob.balance), (before?.balance ?? 0n) + 5n * BigInt(nodes.sent), 'each exactly once');
  const evidence = await nodes.client(5).evidence();
  assert.deepEqual(evidence instanceof Problem ? [] : evidence.evidence, [], 'and nobody is accused');
});
