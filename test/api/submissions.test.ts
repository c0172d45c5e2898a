import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { submittedBatchSchema, submittedSchema, transactionStatusSchema } from '../../src/api/schemas.ts';
import { FinalWatch } from '../../src/api/final-watch.ts';
import { inPieces } from '../../src/api/in-pieces.ts';
import { FakeBackend, transfer } from './fake-backend.ts';
import { binaryBatch, hexOf, parse, post, postBinary, problemFrom, start, until } from './world.ts';

const full = new Problem('mempool/full', 'the mempool is full', {
  remedy: 'Try again later.',
  details: { retryable: true },
});

void test('one transaction is accepted, and known from then on', async (t) => {
  const world = await start(t);
  for (const expected of ['accepted', 'known']) {
    const response = await post(world, { transaction: hexOf(transfer(0)) });
    assert.equal(response.status, 202);
    const { status, hash, engine } = parse(submittedSchema, await response.json());
    assert.equal(status, expected);
    assert.equal(hash, transfer(0).hash);
    assert.equal(engine, 'pbft');
  }
});

void test('one transaction that is refused is a problem with the status of its code', async (t) => {
  const world = await start(t);
  for (const [code, status] of [
    ['transaction/nonce-used', 409],
    ['transaction/insufficient-balance', 422],
    ['transaction/wrong-chain', 422],
    ['transaction/wrong-signers', 422],
    ['transaction/fee-too-low', 422],
    ['transaction/record-key', 422],
    ['transaction/zero-amount', 422],
    ['transaction/forgeable-key', 422],
    ['transaction/off-curve-key', 422],
    ['transaction/malformed', 400],
    ['transaction/namespace-name', 422],
    ['transaction/namespace-writers', 422],
    ['transaction/oversize', 413],
    ['mempool/replacement-underpriced', 409],
    ['mempool/sender-full', 429],
    ['node/stopping', 503],
  ] as const) {
    world.backend.judge = () => new Problem(code, 'no', { remedy: 'Do it another way.' });
    await problemFrom(await post(world, { transaction: hexOf(transfer(0)) }), status, code);
  }
});

void test('a full pool is 429 with Retry-After, for one and for many of which none was taken', async (t) => {
  const world = await start(t);
  world.backend.judge = () => full;
  for (const body of [
    { transaction: hexOf(transfer(0)) },
    { transactions: [hexOf(transfer(0)), hexOf(transfer(1))] },
  ]) {
    const response = await post(world, body);
    assert.equal(response.headers.get('retry-after'), '1');
    await problemFrom(response, 429, 'mempool/full');
  }
});

void test('a node that takes nothing now is 503 with the Retry-After that it asks for', async (t) => {
  const world = await start(t);
  world.backend.failure = new Problem('node/busy', 'too much unfinished work', {
    remedy: 'Try again in a moment.',
    details: { retryAfterMs: 2_500 },
  });
  const response = await post(world, { transaction: hexOf(transfer(0)) });
  assert.equal(response.headers.get('retry-after'), '3');
  await problemFrom(response, 503, 'node/busy');
});

void test('of many each has its own result, in order; a retryable refusal among them sets Retry-After', async (t) => {
  const world = await start(t);
  world.backend.judge = ({ nonce }) => (nonce === 1 ? full : undefined);
  world.backend.pending.set(transfer(2).hash, transfer(2));
  const batch = [transfer(0), transfer(1), transfer(2)];
  const response = await post(world, { transactions: batch.map(hexOf) });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('retry-after'), '1');
  const { results } = parse(submittedBatchSchema, await response.json());
  assert.deepEqual(
    results.map(({ status, hash }) => ({ status, hash })),
    [
      { status: 'accepted', hash: transfer(0).hash },
      { status: 'refused', hash: transfer(1).hash },
      { status: 'known', hash: transfer(2).hash },
    ],
  );
});

void test('a binary batch has the same results as JSON', async (t) => {
  const world = await start(t);
  const batch = Array.from({ length: limits.httpBatch }, (_, nonce) => transfer(nonce));
  const response = await postBinary(world, binaryBatch(batch.map(({ bytes }) => bytes)));
  assert.equal(response.status, 202);
  const { results } = parse(submittedBatchSchema, await response.json());
  assert.deepEqual(
    results.map(({ hash }) => hash),
    batch.map(({ hash }) => hash),
  );
  assert.equal(world.backend.submissions, 1);
});

void test('bytes that are no transaction are refused among the others, without a hash', async (t) => {
  const world = await start(t);
  const response = await postBinary(world, binaryBatch([transfer(0).bytes, Uint8Array.of(1, 2, 3)]));
  const { results } = parse(submittedBatchSchema, await response.json());
  assert.equal(results[0]?.status, 'accepted');
  assert.ok(results[1]?.status === 'refused');
  assert.equal(results[1].hash, null);
  assert.equal(results[1].problem.code, 'codec/malformed');
});

void test('wait=final answers with the whole proof when the transaction is final', async (t) => {
  const world = await start(t);
  const answer = post(world, { transaction: hexOf(transfer(0)) }, '?wait=final&timeoutMs=20000');
  await until(() => world.backend.pending.size === 1);
  world.backend.makeBlock([]);
  world.backend.makeBlock();
  const response = await answer;
  assert.equal(response.status, 200);
  const status = parse(transactionStatusSchema, await response.json());
  assert.equal(status.status, 'final');
  assert.equal(status.inclusion.height, 2);
  assert.equal(world.backend.listeners.size, 0, 'nobody listens any more');
});

void test('wait=final answers pending when time is up', async (t) => {
  const world = await start(t);
  const response = await post(world, { transaction: hexOf(transfer(0)) }, '?wait=final&timeoutMs=20');
  assert.equal(response.status, 200);
  const status = parse(transactionStatusSchema, await response.json());
  assert.equal(status.status, 'pending');
  assert.equal(world.backend.listeners.size, 0);
});

void test('wait=final answers at once for what is final already', async (t) => {
  const world = await start(t);
  world.backend.makeBlock([transfer(0)]);
  const response = await post(world, { transaction: hexOf(transfer(0)) }, '?wait=final&timeoutMs=60000');
  assert.equal(parse(transactionStatusSchema, await response.json()).status, 'final');
});

void test('wait=final does not miss a block that is final before the submission is answered', async (t) => {
  const world = await start(t);
  world.backend.meanwhile = () => void world.backend.makeBlock();
  const response = await post(world, { transactions: [hexOf(transfer(0))] }, '?wait=final&timeoutMs=60000');
  const { results } = parse(submittedBatchSchema, await response.json());
  assert.ok(results[0]?.status === 'final');
  assert.equal(results[0].height, 1);
});

void test('wait=final for many tells of each: final, refused, or still pending', async (t) => {
  const world = await start(t);
  world.backend.makeBlock([transfer(9)]);
  world.backend.judge = ({ nonce }) => (nonce === 1 ? full : undefined);
  const batch = [transfer(0), transfer(1), transfer(2), transfer(9)];
  const answer = post(world, { transactions: batch.map(hexOf) }, '?wait=final&timeoutMs=300');
  await until(() => world.backend.pending.size === 2);
  world.backend.makeBlock([transfer(0)]);
  const { results } = parse(submittedBatchSchema, await (await answer).json());
  assert.deepEqual(
    results.map(({ status }) => status),
    ['final', 'refused', 'pending', 'final'],
  );
  assert.ok(results[0]?.status === 'final');
  assert.equal(results[0].receipt.transactionHash, transfer(0).hash);
});

void test('wait=final for many tells of one that left the mempool meanwhile, and why', async (t) => {
  const world = await start(t);
  const evicted = new Problem('mempool/evicted', 'the mempool was full', { remedy: 'Sign it again.' });
  const left = transfer(1).hash;
  const known = world.backend.transaction.bind(world.backend);
  world.backend.transaction = async (hash) =>
    hash === left ? { status: 'unknown', hash, problem: evicted } : known(hash);
  const response = await post(
    world,
    { transactions: [transfer(0), transfer(1)].map(hexOf) },
    '?wait=final&timeoutMs=20',
  );
  const { results } = parse(submittedBatchSchema, await response.json());
  assert.deepEqual(
    results.map(({ status }) => status),
    ['pending', 'unknown'],
  );
  assert.ok(results[1]?.status === 'unknown');
  assert.equal(results[1].problem.code, 'mempool/evicted');
});

void test('wait=final for many that are final already looks each of them up once', async (t) => {
  const world = await start(t);
  const all = [0, 1, 2].map((nonce) => transfer(nonce));
  world.backend.makeBlock(all);
  const asked: string[] = [];
  const outcome = world.backend.outcome.bind(world.backend);
  world.backend.outcome = (hash) => {
    asked.push(hash);
    return outcome(hash);
  };
  const answer = await post(world, { transactions: all.map(hexOf) }, '?wait=final&timeoutMs=20000');
  const { results } = parse(submittedBatchSchema, await answer.json());
  assert.deepEqual(
    results.map(({ status }) => status),
    ['final', 'final', 'final'],
  );
  assert.deepEqual(
    asked,
    all.map(({ hash }) => hash),
  );
});

void test('wait=final for many answers all of them when the block of one was pruned since', async (t) => {
  const world = await start(t);
  world.backend.makeBlock([transfer(9)]);
  const known = world.backend.transaction.bind(world.backend);
  world.backend.transaction = async (hash) => {
    if (hash !== transfer(9).hash) return known(hash);
    throw new Problem('storage/pruned', 'its block was pruned', { remedy: 'Ask another node.' });
  };
  const answer = post(
    world,
    { transactions: [transfer(0), transfer(9)].map(hexOf) },
    '?wait=final&timeoutMs=20000',
  );
  await until(() => world.backend.pending.size === 1);
  world.backend.makeBlock();
  const { results } = parse(submittedBatchSchema, await (await answer).json());
  assert.deepEqual(
    results.map(({ status }) => status),
    ['final', 'known'],
  );
});

void test(
  'a node that loses the lead answers those who wait at once: unknown, by its hash',
  { timeout: 50_000 },
  async (t) => {
    const world = await start(t);
    const answer = post(world, { transaction: hexOf(transfer(0)) }, '?wait=final&timeoutMs=60000');
    await until(() => world.backend.pending.size === 1);
    world.backend.stepDown('it lost contact with a majority');
    const response = await answer;
    assert.equal(response.headers.get('retry-after'), '1');
    const problem = await problemFrom(response, 504, 'consensus/outcome-unknown');
    assert.match(problem.detail, /it lost contact with a majority/);
    assert.equal(problem.details['hash'], transfer(0).hash);
    assert.equal(problem.details['retryable'], true);
    assert.match(problem.remedy, new RegExp(transfer(0).hash));
    assert.equal(world.backend.steppedDownListeners.size + world.backend.listeners.size, 0);
  },
);

void test(
  'a node that cannot go on answers those who wait at once: unknown, by its hash',
  { timeout: 50_000 },
  async (t) => {
    const world = await start(t);
    const answer = post(world, { transaction: hexOf(transfer(0)) }, '?wait=final&timeoutMs=60000');
    await until(() => world.backend.pending.size === 1);
    world.backend.unhealthy = new Problem('storage/write-failed', 'the disk is full', {
      remedy: 'Make room.',
    });
    world.backend.stepDown('the disk is full');
    const problem = await problemFrom(await answer, 504, 'consensus/outcome-unknown');
    assert.equal(
      problem.detail,
      'the node could not go on before the transaction was final: the disk is full',
    );
    assert.equal(problem.details['hash'], transfer(0).hash);
  },
);

void test(
  'of many, those that are final stay final when the node loses the lead, and the others are unknown',
  { timeout: 50_000 },
  async (t) => {
    const world = await start(t);
    world.backend.makeBlock([transfer(9)]);
    world.backend.pending.set(transfer(8).hash, transfer(8));
    const batch = [transfer(0), transfer(1), transfer(9), transfer(8)];
    const answer = post(world, { transactions: batch.map(hexOf) }, '?wait=final&timeoutMs=60000');
    await until(() => world.backend.pending.size === 3);
    world.backend.makeBlock([transfer(0)]);
    world.backend.stepDown('its disk stalls');
    const response = await answer;
    assert.equal(response.status, 200);
    const { results } = parse(submittedBatchSchema, await response.json());
    assert.deepEqual(
      results.map(({ status }) => status),
      ['final', 'unknown', 'final', 'unknown'],
    );
    for (const result of results) {
      if (result.status !== 'unknown') continue;
      assert.equal(result.problem.code, 'consensus/outcome-unknown');
      assert.equal(result.problem.details['hash'], result.hash);
    }
  },
);

void test(
  'a lead that is lost while the submission is judged is not missed, nor what was final by then',
  { timeout: 50_000 },
  async (t) => {
    const world = await start(t);
    world.backend.meanwhile = () => world.backend.stepDown('a higher term was seen');
    const lost = await post(world, { transaction: hexOf(transfer(0)) }, '?wait=final&timeoutMs=60000');
    await problemFrom(lost, 504, 'consensus/outcome-unknown');
    world.backend.meanwhile = () => {
      world.backend.makeBlock();
      world.backend.stepDown('a higher term was seen');
    };
    const final = await post(world, { transaction: hexOf(transfer(1)) }, '?wait=final&timeoutMs=60000');
    assert.equal(parse(transactionStatusSchema, await final.json()).status, 'final');
  },
);

void test('the number of transactions that one client waits for is bounded', async (t) => {
  const world = await start(t);
  const batch = binaryBatch(Array.from({ length: limits.httpBatch }, (_, nonce) => transfer(nonce).bytes));
  const waits: Promise<Response>[] = [];
  for (let i = 0; i < limits.httpWaitingPerClient / limits.httpBatch; i++)
    waits.push(postBinary(world, batch, '?wait=final&timeoutMs=60000'));
  await until(() => world.backend.submissions === waits.length);
  const response = await post(world, { transaction: hexOf(transfer(0)) }, '?wait=final');
  assert.equal(response.headers.get('retry-after'), '1');
  await problemFrom(response, 503, 'api/too-many-waiting');
  world.backend.makeBlock();
  for (const wait of waits) assert.equal((await wait).status, 200);
  const again = await post(world, { transaction: hexOf(transfer(0)) }, '?wait=final');
  assert.equal(again.status, 200);
});

void test('one client has at most half of the places for those who wait, and who has most makes room for others', () => {
  const watch = new FinalWatch(new FakeBackend());
  const all = limits.httpWaiting;
  const mine = watch.begin(all / 2, 'mine');
  const yours = watch.begin(all / 2 - 1, 'yours');
  assert.throws(() => watch.begin(1, 'mine'), { code: 'api/too-many-waiting' });
  watch.begin(1, 'others');
  assert.deepEqual([mine.gaveWay, yours.gaveWay], [false, false]);
  watch.begin(1, 'others');
  assert.deepEqual([mine.gaveWay, yours.gaveWay], [true, false]);
  assert.throws(() => watch.begin(all / 2 - 1, 'others'), { code: 'api/too-many-waiting' });
  watch.begin(all / 2 - 1, 'mine').end();
  assert.equal(yours.gaveWay, false);
});

void test('past the number of waits the longest of whoever has most gives way', () => {
  const watch = new FinalWatch(new FakeBackend(), { waits: 3 });
  const [early, first, second] = ['one', 'two', 'two'].map((client) => watch.begin(1, client));
  const who = () => [early, first, second].map((one) => one?.gaveWay);
  watch.begin(1, 'three');
  assert.deepEqual(who(), [false, true, false]);
  second?.end();
  watch.begin(1, 'four');
  assert.deepEqual(who(), [false, true, false], 'there was room');
  watch.begin(1, 'five');
  assert.deepEqual(who(), [true, true, false], 'all have one, and this is the oldest');
});

void test('a client that leaves while it waits is forgotten', async (t) => {
  const world = await start(t);
  const { hostname, port } = new URL(world.api.address);
  const body = JSON.stringify({ transaction: hexOf(transfer(0)) });
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/transactions?wait=final&timeoutMs=60000 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  await until(() => world.backend.listeners.size === 1);
  socket.destroy();
  await until(() => world.backend.listeners.size === 0);
});

void test('closing answers those who wait, with how it stands', async (t) => {
  const world = await start(t);
  const answer = post(world, { transaction: hexOf(transfer(0)) }, '?wait=final&timeoutMs=60000');
  await until(() => world.backend.pending.size === 1);
  await world.api.close();
  assert.equal(parse(transactionStatusSchema, await (await answer).json()).status, 'pending');
});

void test('who begins to wait while the API closes is let go at once', async () => {
  const watch = new FinalWatch(new FakeBackend());
  watch.close();
  const hash = transfer(1).hash;
  assert.equal((await watch.begin(1, 'client').until([hash], 60_000, unasked)).size, 0);
});

const unasked = (): never => assert.fail('nothing is looked up');

void test('of blocks that become final while a submission is judged a bounded number is kept, and the rest is looked up', async () => {
  const backend = new FakeBackend();
  const watch = new FinalWatch(backend);
  const [first, latest, pending] = [transfer(1), transfer(2), transfer(3)];
  const waiting = watch.begin(3, 'client');
  backend.makeBlock([first]);
  for (let block = 1; block < limits.httpFinalBlocks; block++) backend.makeBlock([]);
  backend.makeBlock([latest]);
  const asked: string[] = [];
  const outcomes = waiting.until([first.hash, latest.hash, pending.hash], 60_000, async (hash) => {
    asked.push(hash);
    const found = backend.find(hash);
    const receipt = found?.block.receipts[found.index];
    if (found === undefined || receipt === undefined) return undefined;
    return { receipt, height: found.block.header.height, blockHash: found.block.hash };
  });
  await until(() => asked.length === 2);
  backend.makeBlock([pending]);
  assert.deepEqual([...(await outcomes).keys()].sort(), [first.hash, latest.hash, pending.hash].sort());
  assert.deepEqual(asked, [first.hash, pending.hash], 'the latest block is kept');
  assert.equal(backend.listeners.size, 0);
});

void test('what became final while it was judged is found at once, also when many blocks came since', async (t) => {
  for (const blocks of [1, limits.httpFinalBlocks + 1]) {
    const world = await start(t);
    world.backend.meanwhile = () => {
      world.backend.makeBlock();
      for (let more = 1; more < blocks; more++) world.backend.makeBlock([]);
    };
    const response = await post(
      world,
      { transactions: [hexOf(transfer(0)), hexOf(transfer(1))] },
      '?wait=final&timeoutMs=60000',
    );
    const { results } = parse(submittedBatchSchema, await response.json());
    assert.deepEqual(
      results.map(({ status }) => status),
      ['final', 'final'],
    );
  }
});

void test('a large submission is read in pieces, with turns of the loop between them', async () => {
  let turns = 0;
  let inTurn = 0;
  const pace = async (): Promise<void> => {
    turns += 1;
    inTurn = 0;
  };
  const list = Array.from({ length: limits.httpBatch }, (_, place) => Uint8Array.of(place % 256));
  const twice = await inPieces(
    list,
    ([item = 0]) => {
      assert.ok((inTurn += 1) <= limits.httpPieceTransactions);
      return 2 * item;
    },
    pace,
  );
  assert.deepEqual(
    twice,
    list.map(([item = 0]) => 2 * item),
  );
  assert.equal(turns, Math.ceil(limits.httpBatch / limits.httpPieceTransactions) - 1);
});

void test('of large transactions a turn has few: no more bytes than one of the largest', async () => {
  const { httpPieceBytes, maxTransactionBytes } = limits;
  const sizes = [
    1,
    maxTransactionBytes,
    maxTransactionBytes,
    1,
    httpPieceBytes / 2,
    httpPieceBytes / 2,
    1,
    1,
  ];
  const turns: number[][] = [[]];
  await inPieces(
    sizes.map((length) => new Uint8Array(length)),
    ({ length }) => turns.at(-1)?.push(length),
    async () => void turns.push([]),
  );
  assert.deepEqual(turns.flat(), sizes);
  const half = httpPieceBytes / 2;
  assert.deepEqual(turns, [[1], [maxTransactionBytes], [maxTransactionBytes], [1, half], [half, 1, 1]]);
});
