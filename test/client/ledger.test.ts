import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { type FinalOutcome, FinalProofs } from '../../src/client/final-proofs.ts';
import { FinalWatch } from '../../src/client/final-watch.ts';
import { Ledger } from '../../src/client/ledger.ts';
import { Nodes } from '../../src/client/nodes.ts';
import type { Surroundings } from '../../src/client/transport.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { hashHeader } from '../../src/ledger/block.ts';
import { genesisHeader } from '../../src/ledger/genesis.ts';
import { fakeApi, origin } from './fake-api.ts';
import { afterAllMs, FakeLedger, fastTime, until } from './fake-ledger.ts';
import { genesisOf } from './proof-samples.ts';

const alice = developmentKeyPair('alice');
const bob = developmentKeyPair('bob').publicKey;
const signer = nativeSigner(alice.secretKey);

/** So long that it never comes. */
const deadlineMs = 2 ** 40;

async function start(
  t: TestContext,
  count: number,
  surroundings = fastTime(t),
  engine: 'pbft' | 'raft' = 'pbft',
) {
  const fake = await FakeLedger.start(t, count, engine);
  const ledger = unwrap(await Ledger.connect({ endpoints: fake.endpoints, surroundings }));
  return { fake, ledger, account: ledger.account(alice, { signer }) };
}

/** Time that stands still until the test lets it pass; alarms come at once all the same. */
function heldTime(t: TestContext) {
  let ms = 0;
  // What is still asked when the test is over gives up.
  t.after(() => (ms = afterAllMs));
  return { surroundings: { ...fastTime(t), now: () => ms }, pass: (more: number) => void (ms += more) };
}

const taken = (fake: FakeLedger): Promise<void> => until(() => fake.nodes[0]?.pool.size === 1);

const readersAre = (fake: FakeLedger, count: number): Promise<void> =>
  until(() => fake.nodes[0]?.readers.size === count);

/** A payment that a node took, and that was not final when its time was up. */
async function openPayment(t: TestContext) {
  const time = heldTime(t);
  const { fake, account } = await start(t, 1, time.surroundings);
  fake.commits = false;
  const sent = account.transfer(bob, 1n, { deadlineMs: 10_000 });
  await taken(fake);
  time.pass(10_000);
  return { time, fake, account, sent };
}

const isFinal = (outcome: FinalOutcome | Problem): outcome is FinalOutcome => !(outcome instanceof Problem);

test('2,000 payments at once are all final, each once, although the node that took them dies in the middle', async (t) => {
  const { fake, account } = await start(t, 4);
  const [first] = fake.nodes;
  let batches = 0;
  if (first !== undefined) {
    first.onBatch = () => {
      // The first batch it takes, makes final and answers; the second it takes into its grave.
      if (++batches === 2) first.kill();
    };
  }
  const outcomes = await Promise.all(
    Array.from({ length: 2_000 }, () => account.transfer(bob, 1n, { deadlineMs })),
  );
  assert.deepEqual(
    outcomes.find((one) => !isFinal(one)),
    undefined,
  );
  assert.equal(outcomes.filter(isFinal).length, 2_000);
  assert.deepEqual(
    fake.final.map(({ nonce }) => nonce),
    Array.from({ length: 2_000 }, (_, nonce) => nonce),
  );
  assert.equal(account.waiting, 0);
});

test('all who wait share one reader, and blocks are fetched once', async (t) => {
  const { fake, account } = await start(t, 1, heldTime(t).surroundings);
  fake.commits = false;
  const outcomes = Promise.all(Array.from({ length: 500 }, () => account.transfer(bob, 1n, { deadlineMs })));
  await until(() => fake.nodes[0]?.pool.size === 500);
  fake.commit();
  assert.ok((await outcomes).every(isFinal));
  const asked = (fake.nodes[0]?.requests ?? []).filter((one) => !one.startsWith('POST'));
  assert.deepEqual(asked.filter((one) => one === 'GET /v1/events').length, 1);
  assert.deepEqual(asked.filter((one) => one.startsWith('GET /v1/blocks/HASH')).length, 3);
  // Nobody waits, so nobody reads.
  await readersAre(fake, 0);
});

test('what was accepted and is lost is sent again, the same bytes', async (t) => {
  const { fake, account } = await start(t, 2);
  fake.commits = false;
  const [node = assert.fail('no node')] = fake.nodes;
  const outcome = account.transfer(bob, 7n, { deadlineMs });
  await taken(fake);
  const [hash] = [...node.pool.keys()];
  node.pool.clear();
  await taken(fake);
  fake.commit();
  const final = await outcome;
  assert.ok(isFinal(final));
  assert.equal(final.hash, hash);
});

test('a refused transaction leaves no gap: the next one has its nonce', async (t) => {
  const { fake, account } = await start(t, 2);
  fake.judge = ({ operations: [first] }) =>
    first?.type === 'transfer' && first.amount === 2n
      ? { code: 'transaction/insufficient-balance', detail: 'too much', remedy: 'less', details: {} }
      : undefined;
  const [one, two] = await Promise.all([
    account.transfer(bob, 1n, { deadlineMs }),
    account.transfer(bob, 2n, { deadlineMs }),
  ]);
  assert.ok(isFinal(one));
  assert.ok(two instanceof Problem && two.code === 'transaction/insufficient-balance');
  const three = await account.transfer(bob, 3n, { deadlineMs });
  assert.ok(isFinal(three));
  assert.deepEqual(
    fake.final.map(({ nonce }) => nonce),
    [0, 1],
  );
});

test('what may pass by itself is tried again', async (t) => {
  const { fake, account } = await start(t, 2);
  let refusals = 0;
  fake.judge = () =>
    ++refusals < 4
      ? { code: 'mempool/full', detail: 'full', remedy: 'wait', details: { retryable: true } }
      : undefined;
  assert.ok(isFinal(await account.transfer(bob, 1n, { deadlineMs })));
  assert.ok(refusals >= 4);
});

test('while no node answers a payment waits for as long as it has time, and no longer', async (t) => {
  const time = fastTime(t);
  let isDown = false;
  const surroundings = {
    ...time,
    fetch: (...request: Parameters<typeof time.fetch>) =>
      isDown ? Promise.reject(new TypeError('fetch failed')) : time.fetch(...request),
  };
  const { fake, account } = await start(t, 2, surroundings);
  isDown = true;
  const patient = account.transfer(bob, 1n, { deadlineMs });
  const hasty = account.transfer(bob, 1n, { deadlineMs: 1_000 });
  const outcome = await hasty;
  assert.ok(outcome instanceof Problem);
  assert.equal(outcome.details['sent'], false, 'nothing was signed');
  // Longer than one opening is tried.
  await passes(time, 25_000);
  isDown = false;
  assert.ok(isFinal(await patient));
  assert.equal(fake.final.length, 1);
});

/** Surroundings in which some requests never come to an answer of a node. */
function withFetch(
  time: Surroundings,
  answer: (url: string) => Response | Promise<Response> | undefined,
): Surroundings {
  const fetch: typeof time.fetch = (input, init) => {
    const instead = answer(input instanceof Request ? input.url : input.toString());
    return instead === undefined ? time.fetch(input, init) : Promise.resolve(instead);
  };
  return { ...time, fetch };
}

function problemAnswer(status: number, code: string): Response {
  return new Response(JSON.stringify({ code, detail: 'no', remedy: 'none' }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });
}

async function passes(surroundings: { now: () => number }, ms: number): Promise<void> {
  const end = surroundings.now() + ms;
  await until(() => surroundings.now() >= end);
}

test('what is final is found although no node gives its block, and nobody waits longer than they have time', async (t) => {
  let isMissing = true;
  const surroundings = withFetch(fastTime(t), (url) => {
    if (!isMissing) return undefined;
    if (url.includes('/v1/blocks/')) return problemAnswer(404, 'api/no-such-block');
    return url.includes('/v1/transactions/') ? problemAnswer(503, 'node/behind') : undefined;
  });
  const { account } = await start(t, 2, surroundings);
  const patient = account.transfer(bob, 1n, { deadlineMs });
  const hasty = await account.transfer(bob, 1n, { deadlineMs: 5_000 });
  assert.ok(hasty instanceof Problem && hasty.code === 'api/not-final');
  assert.equal(hasty.details['outcome'], 'unknown');
  await passes(surroundings, 100_000);
  assert.equal(account.waiting, 1);
  isMissing = false;
  assert.ok(isFinal(await patient));
});

/** A block that no node has. */
const madeUp = {
  hash: 'ee'.repeat(32) as Hash,
  header: { height: 1, parentHash: hashHeader(genesisHeader(genesisOf('pbft'))) },
};

for (const [where, path] of [
  ['in the stream of another node', '/v1/transactions/'],
  ['by asking for it', '/v1/events'],
] as const) {
  test(`a block that a node made up holds nobody up: theirs is found ${where}`, async (t) => {
    let streams = 0;
    const surroundings = withFetch(fastTime(t), (url) => {
      if (!url.includes(path)) return undefined;
      // Only the first reader of events is served, where the other way is tried.
      return path === '/v1/events' && ++streams === 1 ? undefined : problemAnswer(503, 'node/behind');
    });
    const { fake, account } = await start(t, 2, surroundings);
    const outcome = account.transfer(bob, 1n, { deadlineMs });
    fake.commits = false;
    await taken(fake);
    await readersAre(fake, 1);
    fake.nodes[0]?.tell({ ...madeUp, transactionCount: 1 });
    fake.commit();
    assert.ok(isFinal(await outcome));
  });
}

test('who reads from the end on misses no block, although the node that is read dies before it told of one', async (t) => {
  let isStreamed = true;
  const time = fastTime(t);
  const fetch: Surroundings['fetch'] = (url, init) =>
    isStreamed || url !== `${fake.endpoints[1]}/v1/events`
      ? time.fetch(url, init)
      : Promise.reject(new TypeError('gone'));
  const { fake, ledger, account } = await start(t, 2, { ...time, fetch });
  const blocks = ledger.finalBlocks();
  const next = blocks.next();
  await readersAre(fake, 1);
  isStreamed = false;
  fake.nodes[0]?.kill();
  const paid = [1n, 2n].map((amount) => account.transfer(bob, amount, { deadlineMs }));
  await until(() => fake.final.length === 2);
  isStreamed = true;
  assert.ok((await Promise.all(paid)).every(isFinal));
  await until(() => (fake.nodes[1]?.readers.size ?? 0) > 0);
  assert.ok(isFinal(await account.transfer(bob, 3n, { deadlineMs })));
  assert.equal((await next).value?.header.height, 1);
  assert.equal((await blocks.next()).value?.header.height, 2);
  await blocks.return();
});

test('a node of another chain is passed over, and the stream of the others is read', async (t) => {
  const { fake, account } = await start(t, 2);
  fake.commits = false;
  const outcome = account.transfer(bob, 1n, { deadlineMs });
  await taken(fake);
  await readersAre(fake, 1);
  fake.nodes[0]?.tell({ ...madeUp, transactionCount: 0, chainId: 'cd'.repeat(32) as Hash });
  fake.commit();
  assert.ok(isFinal(await outcome));
});

test('those who wait behind a nonce that was refused go on without the one that had it', async (t) => {
  const { fake, account } = await start(t, 2);
  fake.judge = ({ operations: [first] }) =>
    first?.type === 'transfer' && first.amount === 99n
      ? { code: 'transaction/insufficient-balance', detail: 'too much', remedy: 'less', details: {} }
      : undefined;
  const [refused, ...others] = await Promise.all([
    account.transfer(bob, 99n, { deadlineMs }),
    account.transfer(bob, 1n, { deadlineMs, fee: 7n }),
    account.transfer(bob, 2n, { deadlineMs, fee: 5n }),
  ]);
  assert.ok(refused instanceof Problem && refused.code === 'transaction/insufficient-balance');
  assert.ok(others.every(isFinal));
  assert.deepEqual(
    fake.final.map(({ nonce }) => nonce),
    [0, 1, 2],
  );
  const [filler] = fake.final;
  assert.equal(filler?.fee, 5n);
  assert.deepEqual(filler.conditions, [{ type: 'height-at-most', height: 0 }]);
  await until(() => account.waiting === 0);
});

test('whose time is up is told why the node that was asked last does not take it', async (t) => {
  const { fake, account } = await start(t, 1);
  fake.commits = false;
  const sent = account.transfer(bob, 1n, { deadlineMs: 20_000 });
  await taken(fake);
  // It let go of it, as a node does when its sender cannot pay any more.
  fake.nodes[0]?.pool.clear();
  fake.judge = () => ({ code: 'transaction/fee-not-payable', detail: 'too poor', remedy: '', details: {} });
  const outcome = await sent;
  assert.ok(outcome instanceof Problem && outcome.code === 'api/not-final');
  assert.equal(outcome.details['outcome'], 'unknown');
  assert.match(outcome.message, /transaction\/fee-not-payable: too poor/);
});

test('where the gap cannot be filled, those behind it are told which nonce is missing', async (t) => {
  const { fake, account } = await start(t, 1);
  fake.judge = ({ nonce }) =>
    nonce === 0
      ? { code: 'transaction/fee-too-low', detail: 'too low', remedy: 'more', details: {} }
      : undefined;
  const [, behind] = await Promise.all([
    account.transfer(bob, 1n, { deadlineMs }),
    account.transfer(bob, 2n, { deadlineMs: 20_000 }),
  ]);
  assert.ok(behind instanceof Problem && behind.code === 'api/not-final');
  assert.match(behind.message, /behind nonce 0 of its account/);
  assert.equal(behind.details['missing'], 0);
  assert.match(behind.remedy, /it takes that nonce/);
});

test('a block that no node has any more is not waited for, and the outcome is open', async (t) => {
  const surroundings = withFetch(fastTime(t), (url) =>
    /\/v1\/(?:blocks|transactions)\//.test(url) ? problemAnswer(410, 'storage/pruned') : undefined,
  );
  const { account } = await start(t, 2, surroundings, 'raft');
  const outcome = await account.transfer(bob, 1n, { deadlineMs });
  assert.ok(outcome instanceof Problem && outcome.code === 'storage/pruned');
  assert.equal(outcome.details['outcome'], 'unknown');
  assert.match(outcome.remedy, new RegExp(`Ask for transaction ${String(outcome.details['hash'])}`));
});

/** Requests with this in their path get no answer from when `begin` is called until `end` is. */
function withSilence(time: Surroundings, path: string) {
  const open = new Set<(failure: Error) => void>();
  let isSilent = false;
  const surroundings = withFetch(time, (url) =>
    isSilent && url.includes(path) ? new Promise((_, reject) => open.add(reject)) : undefined,
  );
  return {
    surroundings,
    /** How many wait for an answer. */
    asked: () => open.size,
    begin: () => void (isSilent = true),
    end: () => {
      isSilent = false;
      for (const reject of open) reject(new TypeError('fetch failed'));
      open.clear();
    },
  };
}

for (const [what, path, requests] of [
  ['while the chain is looked for', '/finality', 1],
  ['while a node takes its time over others', '/v1/transactions', 2],
] as const) {
  test(`who has little time is told in time ${what}`, async (t) => {
    const time = heldTime(t);
    const silence = withSilence(time.surroundings, path);
    const { ledger } = await start(t, 1, silence.surroundings);
    silence.begin();
    // Two accounts, since what is asked for by one is shared by all.
    const first = ledger.account(developmentKeyPair('carol'));
    const second = ledger.account(alice, { signer });
    const others = first.transfer(bob, 1n, { deadlineMs });
    const patient = second.transfer(bob, 1n, { deadlineMs });
    const hasty = second.transfer(bob, 1n, { deadlineMs: 2_000 });
    await until(() => silence.asked() === requests);
    time.pass(2_000);
    const outcome = await hasty;
    assert.ok(outcome instanceof Problem && outcome.code === 'api/not-final');
    assert.equal(second.waiting, 1, 'the patient one still waits');
    silence.end();
    assert.ok(isFinal(await patient) && isFinal(await others));
  });
}

test('whose time is up before anything was signed leaves nobody reading', async (t) => {
  const time = heldTime(t);
  const silence = withSilence(time.surroundings, '/v1/accounts');
  const { fake, account } = await start(t, 1, silence.surroundings);
  silence.begin();
  const sent = account.transfer(bob, 1n, { deadlineMs: 2_000 });
  await until(() => silence.asked() === 1);
  await readersAre(fake, 1);
  time.pass(2_000);
  const outcome = await sent;
  assert.ok(outcome instanceof Problem && outcome.details['sent'] === false);
  silence.end();
  await readersAre(fake, 0);
});

test('who stops waiting while the chain is looked for leaves nobody reading', async (t) => {
  const { fake, ledger } = await start(t, 1);
  const surroundings = fastTime(t);
  const nodes = new Nodes({ endpoints: fake.endpoints, surroundings });
  const proofs = new FinalProofs(nodes, fake.genesis);
  const watch = new FinalWatch({ nodes, chainId: ledger.chainId, proofs, onMoved: () => undefined });
  const opened = watch.open();
  watch.rest();
  const openedAgain = watch.open();
  assert.deepEqual([await opened, await openedAgain], [undefined, undefined]);
  await readersAre(fake, 1);
  watch.rest();
  await readersAre(fake, 0);
});

test('when its time is up the outcome is open, and nothing is signed a second time', async (t) => {
  const { fake, account, sent } = await openPayment(t);
  const outcome = await sent;
  assert.ok(outcome instanceof Problem && outcome.code === 'api/not-final');
  assert.equal(outcome.details['outcome'], 'unknown');
  assert.equal(fake.nodes[0]?.pool.size, 1);
  fake.commits = true;
  assert.ok(isFinal(await account.transfer(bob, 1n, { deadlineMs })));
  assert.deepEqual(
    fake.final.map(({ nonce }) => nonce),
    [0, 1],
  );
});

test('what somebody in between answers in the place of a node is no refusal: nothing is signed twice', async (t) => {
  for (const code of [504, 502, 200]) {
    const { fake, account } = await start(t, 1);
    const [node] = fake.nodes;
    if (node !== undefined) node.garbled = [code];
    const outcome = await account.transfer(bob, 1n, { deadlineMs });
    assert.ok(isFinal(outcome), String(code));
    assert.ok(isFinal(await account.transfer(bob, 1n, { deadlineMs })));
    assert.deepEqual(
      fake.final.map(({ nonce }) => nonce),
      [0, 1],
    );
  }
});

test('an address at which something else answers is passed over', async (t) => {
  const page = await fakeApi(t, () => ({ headers: { 'content-type': 'text/html' }, body: '<html>' }));
  const fake = await FakeLedger.start(t, 1);
  const endpoints = [page.url, ...fake.endpoints];
  const ledger = unwrap(await Ledger.connect({ endpoints, surroundings: fastTime(t) }));
  assert.ok(isFinal(await ledger.account(alice, { signer }).transfer(bob, 1n, { deadlineMs })));
  const none = await Ledger.connect({ endpoints: [page.url, page.url], surroundings: fastTime(t) });
  assert.ok(none instanceof Problem && none.code === 'api/answer');
});

test('the nonce of what expired is used by the next, so that no gap is left', async (t) => {
  const { fake, account } = await start(t, 1);
  fake.commits = false;
  const [node = assert.fail('no node')] = fake.nodes;
  const expiring = account.transfer(bob, 1n, { deadlineMs });
  await taken(fake);
  for (const hash of node.pool.keys()) fake.gone.add(hash);
  node.pool.clear();
  const gone = await expiring;
  assert.ok(gone instanceof Problem && gone.code === 'mempool/expired');
  fake.commits = true;
  assert.ok(isFinal(await account.transfer(bob, 2n, { deadlineMs })));
  assert.deepEqual(
    fake.final.map(({ nonce }) => nonce),
    [0],
  );
});

test('what was given up for the moment and is lost is sent again with the next, the same bytes', async (t) => {
  const { time, fake, account, sent } = await openPayment(t);
  const first = await sent;
  assert.ok(first instanceof Problem && first.code === 'api/not-final');
  fake.nodes[0]?.pool.clear();
  fake.commits = true;
  const second = account.transfer(bob, 2n, { deadlineMs });
  await taken(fake);
  time.pass(3_000);
  assert.ok(isFinal(await second));
  assert.deepEqual(
    fake.final.map(({ nonce, hash }) => [nonce, hash === first.details['hash']]),
    [
      [0, true],
      [1, false],
    ],
  );
  // Nothing of it is left to keep a program from its end.
  await readersAre(fake, 0);
});

test('what waits here until its time is up is never signed', async (t) => {
  const time = heldTime(t);
  const { fake, ledger } = await start(t, 1, time.surroundings);
  fake.commits = false;
  const account = ledger.account(alice, { signer, window: 1 });
  const outcomes = [1n, 2n].map((amount) => account.transfer(bob, amount, { deadlineMs: 10_000 }));
  await taken(fake);
  time.pass(10_000);
  const [first, second] = await Promise.all(outcomes);
  assert.ok(first instanceof Problem && first.details['outcome'] === 'unknown');
  assert.ok(second instanceof Problem && second.details['sent'] === false);
  assert.equal(account.waiting, 0);
});

test('each is told at the moment at which its time is up', async (t) => {
  let ms = 0;
  const alarms = new Map<() => void, number>();
  const alarm: Surroundings['alarm'] = (more, call) => {
    const once = (): void => void (alarms.delete(once) && call());
    alarms.set(once, ms + more);
    return () => void alarms.delete(once);
  };
  const { fake, account } = await start(t, 1, { ...fastTime(t), now: () => ms, alarm });
  fake.commits = false;
  const toldAt: number[] = [];
  const all = [2_500, 300, 1_300].map((deadlineMs) =>
    account.transfer(bob, 1n, { deadlineMs }).then(() => void toldAt.push(ms)),
  );
  await until(() => fake.nodes[0]?.pool.size === 3);
  while (account.waiting > 0) {
    const [next = assert.fail('nobody is told')] = [...alarms].sort(([, one], [, other]) => one - other);
    ms = next[1];
    next[0]();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  assert.deepEqual(toldAt, [300, 1_300, 2_500]);
});

test('a node that did not answer is passed over for a while, so that others who are busy do not lead back to it', async (t) => {
  const asked: string[] = [];
  let ms = 0;
  const fetch: Surroundings['fetch'] = (input) => {
    const { hostname } = new URL(input instanceof Request ? input.url : input);
    asked.push(hostname);
    if (hostname === 'a') return Promise.reject(new DOMException('late', 'TimeoutError'));
    const busy = asked.length % 6 === 0 ? undefined : problemAnswer(503, 'api/busy');
    return Promise.resolve(busy ?? Response.json({ ...origin, status: 'ready' }));
  };
  const surroundings = {
    ...fastTime(t),
    fetch,
    now: () => ms,
    sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
  };
  const nodes = new Nodes({ endpoints: ['http://a', 'http://b', 'http://c'], surroundings });
  await nodes.ask((client) => client.ready());
  assert.equal(asked.join(''), 'abcbcb');
  ms += 15_000;
  await nodes.ask((client) => client.ready());
  assert.equal(asked.slice(6).join(''), 'bcabcb');
});

test('one that stands still comes last, whoever found that out', (t) => {
  let ms = 0;
  const surroundings = { ...fastTime(t), now: () => ms };
  const nodes = new Nodes({ endpoints: ['http://a', 'http://b', 'http://c'], surroundings });
  assert.equal(nodes.inOrder.join(' '), 'http://a http://b http://c');
  nodes.late('http://b');
  assert.equal(nodes.inOrder.join(' '), 'http://a http://c http://b');
  nodes.late('http://a');
  assert.equal(nodes.inOrder.join(' '), 'http://c http://a http://b');
  nodes.late('http://somebody');
  ms += 15_000;
  assert.equal(nodes.inOrder.join(' '), 'http://c http://a http://b');
  nodes.late('http://c');
  assert.equal(nodes.inOrder.join(' '), 'http://a http://b http://c');
});

test('final blocks are read where an answer came from, and small ones are asked for once', async (t) => {
  const asked: string[] = [];
  let frozen = '';
  const surroundings = fastTime(t);
  const fetch: Surroundings['fetch'] = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push(url);
    if (frozen === '' || !url.startsWith(frozen)) return surroundings.fetch(input, init);
    return Promise.reject(new DOMException('late', 'TimeoutError'));
  };
  const { fake, account } = await start(t, 2, { ...surroundings, fetch });
  const [first = '', second = ''] = fake.endpoints;
  unwrap(await account.transfer(bob, 1n));
  assert.deepEqual(
    asked.filter((url) => /\/blocks\/[^l]/.test(url)).map((url) => url.slice(url.lastIndexOf('/') + 65)),
    ['', '?full=true'],
  );
  asked.length = 0;
  frozen = first;
  unwrap(await account.transfer(bob, 1n));
  const read = asked.filter((url) => url.endsWith('/events'));
  assert.deepEqual(read, [`${second}/v1/events`], 'and not at the node that did not answer');
});

/** Nodes that say these nonces, and one more that says nothing: whose request is let go. */
async function oddOpinions(t: TestContext, engine: 'pbft' | 'raft', nonces: readonly number[]) {
  const time = heldTime(t);
  const letGo: unknown[] = [];
  const fake = await FakeLedger.start(t, nonces.length + 1, engine);
  const fetch: Surroundings['fetch'] = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const at = fake.endpoints.findIndex((endpoint) => url.startsWith(endpoint));
    // Of two, both are asked which chain it is.
    if (nonces.length === 1 && at === 1 && url.endsWith('/v1/status')) {
      throw new DOMException('late', 'TimeoutError');
    }
    if (!url.includes('/v1/accounts/')) return time.surroundings.fetch(input, init);
    const said = nonces[at];
    if (said !== undefined) return Response.json({ ...fake.origin, nonce: 0, pendingNonce: said });
    const signal = init?.signal ?? assert.fail('nobody can let go of it');
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => {
        const reason = signal.reason as Error;
        letGo.push(reason.name);
        reject(reason);
      }),
    );
  };
  const surroundings = { ...time.surroundings, fetch };
  const ledger = unwrap(await Ledger.connect({ endpoints: fake.endpoints, surroundings }));
  fake.commits = false;
  void ledger.account(alice, { signer }).transfer(bob, 1n, { deadlineMs });
  await taken(fake);
  const [node = assert.fail('no node')] = fake.nodes;
  return { nonces: [...node.pool.values()].map(({ nonce }) => nonce), letGo };
}

for (const [engine, answers, begins] of [
  ['pbft', [5, 5, 1_000_000], 5],
  ['pbft', [0, 5, 5], 5],
  ['pbft', [4, 6, 5], 5],
  ['pbft', [5, 5], 5],
  ['pbft', [5], 5],
  ['raft', [5, 3, 4], 5],
] as const) {
  const what = `nodes that say ${answers.join(', ')} and one that says nothing`;
  test(`with ${engine}, ${what}: the first nonce is ${begins}, and nobody is waited for`, async (t) => {
    const { nonces, letGo } = await oddOpinions(t, engine, answers);
    assert.deepEqual(nonces, [begins]);
    assert.deepEqual(letGo, ['AbortError'], 'before its time was up');
  });
}

test('when many are refused because their nonces are used, the nodes are asked once', async (t) => {
  const { fake, account } = await start(t, 4);
  fake.judge = () => ({ code: 'transaction/nonce-used', detail: 'used', remedy: '', details: {} });
  const sent = Array.from({ length: 50 }, () => account.transfer(bob, 1n, { deadlineMs }));
  for (const refused of await Promise.all(sent)) assert.ok(refused instanceof Problem);
  fake.judge = () => undefined;
  assert.ok(isFinal(await account.transfer(bob, 2n, { deadlineMs })));
  const asked = fake.nodes.map(({ requests }) => requests.filter((one) => one.includes('/v1/accounts/')));
  for (const ofOne of asked) assert.ok(ofOne.length <= 2, ofOne.join());
  assert.deepEqual(
    fake.final.map(({ nonce }) => nonce),
    [0],
  );
});

test('one node that says that nonces are used makes no gap among them', async (t) => {
  const { fake, account } = await start(t, 4);
  const [liar] = fake.nodes;
  fake.judge = ({ nonce }, node) =>
    node === liar && nonce === 0
      ? {
          code: 'transaction/nonce-used',
          detail: 'a lie',
          remedy: '',
          details: { next: 1_000_000 },
        }
      : undefined;
  assert.ok(isFinal(await account.transfer(bob, 1n, { deadlineMs })), 'another one took it');
  liar?.kill();
  assert.ok(isFinal(await account.transfer(bob, 2n, { deadlineMs: 100_000 })));
  assert.deepEqual(
    fake.final.map(({ nonce }) => nonce),
    [0, 1],
  );
});

test('a signer that throws fails its own transaction and no other', async (t) => {
  const { fake, ledger } = await start(t, 1);
  let calls = 0;
  const failing = (message: Uint8Array) => {
    calls += 1;
    if (calls === 1) throw new Error('the device is unplugged');
    return signer(message);
  };
  const account = ledger.account(alice, { signer: failing });
  const outcomes = await Promise.all([1n, 2n].map((amount) => account.transfer(bob, amount, { deadlineMs })));
  assert.ok(outcomes[0] instanceof Problem && /unplugged/.test(outcomes[0].message));
  assert.ok(isFinal(outcomes[1] as FinalOutcome));
  assert.equal(fake.final.length, 1);
});

test('connecting fails in words: nobody there, no address, another chain', async (t) => {
  const { fake } = await start(t, 1);
  const surroundings = fastTime(t);
  const none = await Ledger.connect({ endpoints: [], surroundings });
  assert.ok(none instanceof Problem && none.code === 'api/address');
  const odd = await Ledger.connect({ endpoints: ['localhost:1'], surroundings });
  assert.ok(odd instanceof Problem && odd.code === 'api/address');
  const chainId = 'ee'.repeat(32) as Hash;
  const other = await Ledger.connect({ endpoints: fake.endpoints, chainId, surroundings });
  assert.ok(other instanceof Problem && other.code === 'api/other-chain');
  for (const node of fake.nodes) node.kill();
  const dead = await Ledger.connect({ endpoints: fake.endpoints, surroundings });
  assert.ok(dead instanceof Problem && dead.code === 'api/unreachable');
  const [gone = ''] = fake.endpoints;
  const page = await fakeApi(t, () => ({ headers: { 'content-type': 'text/html' }, body: '<html>' }));
  const several = await Ledger.connect({ endpoints: [gone, page.url], surroundings });
  assert.ok(several instanceof Problem && several.code === 'api/answer');
  assert.match(several.message, new RegExp(`at any of 2 addresses: ${gone} cannot .*; .*${page.url}`));
  assert.match(several.remedy, /name other nodes/);
});

test('what no option can be is told at once; a time without end is one', async (t) => {
  const { fake, ledger } = await start(t, 1);
  const { endpoints } = fake;
  const isWrong = (problem: unknown): boolean => problem instanceof Problem && problem.code === 'api/option';
  for (const attemptMs of [Number.NaN, -1, 0]) {
    assert.ok(isWrong(await Ledger.connect({ endpoints, attemptMs })), `attemptMs ${attemptMs}`);
  }
  for (const window of [0, -1, 0.5, Number.NaN]) {
    assert.throws(() => ledger.account(alice, { window }), isWrong, `window ${window}`);
  }
  const noTime = { deadlineMs: Number.NaN };
  assert.ok(isWrong(await ledger.ask((client) => client.status(), noTime)));
  assert.ok(isWrong(await ledger.ask((client) => client.status(noTime))));
  for (const attemptMs of [Number.POSITIVE_INFINITY, 2 ** 40]) {
    unwrap(await Ledger.connect({ endpoints, attemptMs }));
  }
});

/** Payments without a fee, at nodes that say that the chain asks for so much. */
async function paid(t: TestContext, floors: readonly string[]) {
  const { fake, account } = await start(t, floors.length);
  for (const [index, floor] of floors.entries()) Object.assign(fake.nodes[index] ?? {}, { floor });
  unwrap(await account.transfer(bob, 1n, { deadlineMs }));
  return { fake, account, fees: () => fake.final.map(({ fee }) => fee) };
}

for (const [floors, fee] of [
  [['5', '5', '5', '5'], 5n],
  [['900', '5', '5', '5'], 5n],
  [['0', '5', '5', '5'], 5n],
  [['0', '0', '0'], 1n],
  [['900', '5'], 5n],
  [['5'], 5n],
  [['1000'], 1_000n],
  [['1001'], 1n],
] as const) {
  test(`nodes that say that the chain asks for ${floors.join(', ')}: ${fee} is paid when nobody said a fee`, async (t) => {
    const { fees } = await paid(t, floors);
    assert.deepEqual(fees(), [fee]);
  });
}

test('each operation is paid for, a fee that was given is paid as it is, and who asks for more is heard again', async (t) => {
  const { fake, account, fees } = await paid(t, ['5', '5', '5']);
  const put = { type: 'put', key: 'k', value: new Uint8Array() } as const;
  unwrap(await account.send({ operations: [put, put] }, { deadlineMs }));
  unwrap(await account.transfer(bob, 1n, { deadlineMs, fee: 2n }));
  assert.deepEqual(fees(), [5n, 10n, 2n]);
  fake.judge = ({ fee }) =>
    fee < 7n ? { code: 'transaction/fee-too-low', detail: 'low', remedy: '', details: {} } : undefined;
  for (const node of fake.nodes) node.floor = '7';
  const refused = await account.transfer(bob, 1n, { deadlineMs });
  assert.ok(refused instanceof Problem && refused.code === 'transaction/fee-too-low');
  unwrap(await account.transfer(bob, 1n, { deadlineMs }));
  assert.deepEqual(fees(), [5n, 10n, 2n, 7n]);
});
