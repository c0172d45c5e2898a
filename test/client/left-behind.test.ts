import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { unwrap } from '../../src/base/problem.ts';
import { finalBlocks } from '../../src/client/events.ts';
import { Ledger } from '../../src/client/ledger.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { FakeLedger, fastTime, until } from './fake-ledger.ts';

const alice = developmentKeyPair('alice');
const bob = developmentKeyPair('bob').publicKey;

/** A chain that somebody pays on, and a reader of it who begins at its first node. */
async function reading(t: TestContext, after?: number) {
  const fake = await FakeLedger.start(t, 3);
  for (const node of fake.nodes) node.breathe(t);
  const surroundings = fastTime(t);
  const { endpoints, genesis } = fake;
  const payer = unwrap(
    await Ledger.connect({ endpoints: endpoints.slice(1), chainId: genesis.chainId, surroundings }),
  ).account(alice, { signer: nativeSigner(alice.secretKey) });
  const heights: number[] = [];
  const troubles: string[] = [];
  const stop = new AbortController();
  const over = (async () => {
    const blocks = finalBlocks({
      baseUrl: endpoints,
      ...(after !== undefined && { after: toHeight(after) }),
      signal: stop.signal,
      surroundings,
      onTrouble: ({ code }) => troubles.push(code),
    });
    for await (const { header } of blocks) heights.push(header.height);
  })();
  t.after(async () => {
    stop.abort();
    await over;
  });
  const pay = async () => unwrap(await payer.transfer(bob, 1n, { deadlineMs: 2 ** 40 }));
  return { fake, heights, troubles, pay };
}

for (const after of [0, undefined]) {
  test(`who reads ${after === 0 ? 'from a block' : 'from the end'} on is not left behind by a node that is cut off and lives on`, async (t) => {
    const { fake, heights, troubles, pay } = await reading(t, after);
    const [first = assert.fail('no node'), ...others] = fake.nodes;
    await until(() => first.readers.size === 1);
    first.cutOffAt = 0;
    // Who reads from the end on is told of what comes after others were asked where they stand.
    await until(
      () => after === 0 || others.some(({ requests }) => requests.some((one) => /status/.test(one))),
    );
    for (let height = 1; height <= 3; height++) await pay();
    await until(() => (after === 0 ? heights.length === 3 : troubles.length === 1));
    assert.deepEqual(troubles, ['node/behind']);
    await until(() => first.readers.size === 0 && others.some(({ readers }) => readers.size > 0));
    await pay();
    await until(() => heights.includes(4));
    assert.deepEqual(
      heights,
      heights.toSorted((a, b) => a - b),
      'in their order',
    );
  });
}

test('a chain that rests is no reason to leave its node, whatever others say of a block that nobody has', async (t) => {
  const { fake, heights, troubles, pay } = await reading(t, 0);
  const [first = assert.fail('no node'), liar = assert.fail('no node'), other = assert.fail('no node')] =
    fake.nodes;
  await pay();
  await until(() => heights.length === 1);
  const looks = (node: typeof other) => node.requests.filter((one) => one.includes('/headers')).length;
  await until(() => looks(liar) > 2 && looks(other) > 2);
  assert.deepEqual([troubles, first.readers.size], [[], 1]);

  liar.lie = (path, truth) =>
    path.includes('/headers') ? { ...truth, headers: [{ header: { height: 2 } }] } : undefined;
  await until(() => troubles.length > 0);
  await pay();
  await until(() => heights.length === 2);
  assert.deepEqual(heights, [1, 2]);
});

test('a node that is only a little later than another is not left', async (t) => {
  const { fake, heights, troubles, pay } = await reading(t, 0);
  const [first = assert.fail('no node'), ...others] = fake.nodes;
  await until(() => first.readers.size === 1);
  first.cutOffAt = 0;
  await pay();
  const isAsked = () => others.some(({ requests }) => requests.some((one) => one.includes('/headers')));
  await until(isAsked);
  first.cutOffAt = Infinity;
  first.announce();
  await until(() => heights.length === 1);
  await pay();
  await until(() => heights.length === 2);
  assert.deepEqual([troubles, first.readers.size], [[], 1]);
});
