import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { unwrap } from '../../../src/base/problem.ts';
import { utf8 } from '../../../src/base/bytes.ts';
import { Load } from '../../../src/cli/bench/load.ts';
import { newAccounts } from '../../../src/cli/bench/accounts.ts';
import { parseMix } from '../../../src/cli/bench/mix.ts';
import type { BenchNode } from '../../../src/cli/bench/testbed.ts';
import { Workload } from '../../../src/cli/bench/workload.ts';
import type { SubmitAnswer } from '../../../src/client/answers.ts';
import { hash } from '../../../src/crypto/hash.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { decodeTransaction, type Transaction } from '../../../src/ledger/transaction.ts';

const chainId = hash('quorate/v1/chain', utf8('bench'));

function workload(mix = 'transfer', lanes = 4, operations = 1): Workload {
  return new Workload({
    chainId,
    accounts: newAccounts(8, 10),
    lanes,
    mix: parseMix(mix),
    payload: 10,
    operationsPerTransaction: operations,
    expiryHeight: toHeight(100),
  });
}

/** A node that takes what comes, when it answers at all. */
class FakeNode {
  readonly got: Transaction[] = [];
  answering = Promise.resolve();
  refuse: string | undefined;
  readonly node: BenchNode;

  constructor(index = 0) {
    const submitBatch = async (batch: readonly Transaction[]): Promise<readonly SubmitAnswer[]> => {
      await this.answering;
      if (this.refuse !== undefined) {
        const problem = { code: this.refuse, detail: 'no', remedy: 'none', details: {} };
        return batch.map(({ hash }) => ({ status: 'refused', hash, problem }));
      }
      this.got.push(...batch);
      return batch.map(({ hash }) => ({ status: 'accepted', hash, missing: null }));
    };
    const client = { submitBatch } as unknown as BenchNode['client'];
    this.node = { index, name: `validator-${index}`, url: 'http://x', client, lies: false };
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

const bring = (
  transactions: readonly Transaction[],
  nodes: readonly FakeNode[],
  pace: ConstructorParameters<typeof Load>[0]['pace'],
): { load: Load; stop: AbortController } => {
  const stop = new AbortController();
  const load = new Load({
    transactions,
    nodes: nodes.map(({ node }) => node),
    lanes: 4,
    pace,
    stop: stop.signal,
    isUp: () => true,
  });
  return { load, stop };
};

test('each lane has senders of its own, whose nonces rise one by one; what was given back comes first', () => {
  const load = workload('transfer:3,put:2,update,delete', 4, 3);
  const first = load.take(30);
  assert.equal(first.length, 32, 'as many for each lane');
  const back = [...first.entries()].filter(([index]) => index >= 20);
  load.giveBack(back);
  const all = [...first.slice(0, 20), ...load.take(40)];
  const next = new Map<string, number>();
  const laneOf = new Map<string, number>();
  for (const [index, transaction] of all.entries()) {
    const { sender, nonce } = unwrap(decodeTransaction(transaction.bytes));
    assert.equal(nonce, next.get(sender) ?? 0, `transaction ${index}`);
    next.set(sender, nonce + 1);
    assert.equal(laneOf.get(sender) ?? index % 4, index % 4, 'one lane for a sender');
    laneOf.set(sender, index % 4);
  }
  assert.equal(next.size, 8);
});

// Fewer than there are lanes, one each, and a number that the lanes cannot share evenly.
for (const inFlight of [1, 3, 4, 6, 8]) {
  test(`a closed loop has no more than ${inFlight} under way, and goes on with what becomes final`, async () => {
    const fake = new FakeNode();
    const { load } = bring(workload().take(40), [fake], { kind: 'closed', inFlight });
    const running = load.run();
    let most = 0;
    for (let height = 1; load.final < 40; height++) {
      await until(() => fake.got.length > load.final);
      for (let rounds = 0; rounds < 5; rounds++) await turn();
      most = Math.max(most, fake.got.length - load.final);
      load.onBlock(
        height,
        fake.got.slice(load.final).map(({ hash }) => hash),
      );
    }
    await running;
    assert.equal(most, inFlight);
    assert.deepEqual([load.sent, load.final, load.open, load.twice.length], [40, 40, 0, 0]);
    load.onBlock(99, [unwrap(fake.got[0] ?? assert.fail()).hash]);
    assert.equal(load.twice.length, 1, 'a second block with it is seen');
  });
}

test('in an open loop a node that stalls moves no due time: what waits for it counts from when it was due', async () => {
  const fake = new FakeNode();
  let release = (): void => {};
  fake.answering = new Promise((resolve) => (release = resolve));
  const { load } = bring(workload().take(40), [fake], { kind: 'open', perSecond: 2_000 });
  const running = load.run();
  await until(() => load.open === 40);
  assert.ok(load.sent < 40, 'each lane waits for its answer');
  const due = [...load.dueAt];
  release();
  await until(() => fake.got.length === 40);
  assert.deepEqual([...load.dueAt], due);
  for (const [index, at] of due.entries()) {
    assert.ok(Math.abs(at - (due[0] ?? 0) - index / 2) < 1e-6);
    assert.ok((load.sentAt[index] ?? 0) >= at);
  }
  load.onBlock(
    1,
    fake.got.map(({ hash }) => hash),
  );
  await running;
});

test('a refusal that goes away is tried again; one that does not ends the load', async () => {
  const fake = new FakeNode();
  fake.refuse = 'mempool/full';
  const { load } = bring(workload().take(8), [fake], { kind: 'closed', inFlight: 100 });
  const running = load.run();
  await until(() => load.refusals > 4);
  fake.refuse = undefined;
  await until(() => fake.got.length === 8);
  load.onBlock(
    1,
    fake.got.map(({ hash }) => hash),
  );
  await running;

  const strict = new FakeNode();
  strict.refuse = 'transaction/wrong-chain';
  const other = bring(workload().take(8), [strict], { kind: 'closed', inFlight: 100 });
  await assert.rejects(other.load.run(), { code: 'transaction/wrong-chain' });
});

test('what a dead node had is brought to the next one, in order', async () => {
  const [dead, alive] = [new FakeNode(0), new FakeNode(1)];
  dead.refuse = 'api/unreachable';
  const { load } = bring(workload().take(16), [dead, alive], { kind: 'closed', inFlight: 100 });
  const running = load.run();
  await until(() => new Set(alive.got).size === 16);
  load.onBlock(
    1,
    alive.got.map(({ hash }) => hash),
  );
  await running;
  assert.equal(load.final, 16);
  assert.deepEqual([...new Set(load.node)], [1]);
});

test('what is not sent when a load closes can be given back', async () => {
  const fake = new FakeNode();
  const { load } = bring(workload().take(40), [fake], { kind: 'closed', inFlight: 8 });
  const running = load.run();
  await until(() => fake.got.length === 8);
  load.close();
  load.onBlock(
    1,
    fake.got.map(({ hash }) => hash),
  );
  await running;
  assert.equal(load.unsent().length, 32);
  assert.equal(load.isUsedUp, false);
});
