import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decode, boundedBytes, listOf } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { problemOf } from '../../src/client/outcomes.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { splitIntoBatches } from '../../src/client/batch.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { defaultSurroundings, isRetryable, type Surroundings } from '../../src/client/transport.ts';
import { Wallet } from '../../src/client/wallet.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Transaction } from '../../src/ledger/transaction.ts';
import { chainId, deadUrl, fakeApi, origin, problemReply, status } from './fake-api.ts';

const wallet = new Wallet({ chainId, keyPair: developmentKeyPair('alice') });
const bob = developmentKeyPair('bob').publicKey;
const expiryHeight = toHeight(1_000);
const payment = (nonce: number): Transaction =>
  unwrap(wallet.transfer(bob, 1n, { nonce, fee: 1n, expiryHeight }));

/** Time that passes only when the client sleeps; it records for how long. */
function slowMotion(): Surroundings & { readonly pauses: number[] } {
  const pauses: number[] = [];
  return {
    ...defaultSurroundings,
    pauses,
    now: () => pauses.reduce((sum, pause) => sum + pause, 0),
    sleep: (ms) => Promise.resolve(void pauses.push(ms)),
    random: () => 0.5,
  };
}

function expectProblem(value: unknown, code: string): Problem {
  assert.ok(value instanceof Problem, `expected the problem ${code}, got ${JSON.stringify(value)}`);
  assert.equal(value.code, code);
  return value;
}

test('each call asks its own route', async (t) => {
  const { url, seen } = await fakeApi(t, () => ({ body: { ...origin, results: [], headers: [] } }));
  const client = new HttpClient({ baseUrl: `${url}/` });
  const hash = payment(0).hash;
  await client.status();
  await client.why();
  await client.validators();
  await client.health();
  await client.ready();
  await client.evidence({ offset: 5, limit: 10 });
  await client.transaction(hash);
  await client.block('latest');
  await client.block(toHeight(3), { full: true });
  await client.headers(toHeight(4), { limit: 7 });
  await client.account(bob, { consistency: 'linearizable' });
  await client.record('a/b ü?');
  await client.metrics();
  assert.deepEqual(
    seen.map((one) => `${one.method} ${one.url}`),
    [
      'GET /v1/status',
      'GET /v1/why',
      'GET /v1/validators',
      'GET /v1/health',
      'GET /v1/ready',
      'GET /v1/evidence?offset=5&limit=10',
      `GET /v1/transactions/${hash}`,
      'GET /v1/blocks/latest',
      'GET /v1/blocks/3?full=true',
      'GET /v1/headers?from=4&limit=7',
      `GET /v1/accounts/${bob}?consistency=linearizable`,
      'GET /v1/records?key=a%2Fb%20%C3%BC%3F',
      'GET /metrics',
    ],
  );
});

test('a problem of the node comes back with its own code, message and remedy', async (t) => {
  const { url, seen } = await fakeApi(t, () => problemReply(409, 'mempool/nonce-used', { nonce: 4 }));
  const problem = expectProblem(
    await new HttpClient({ baseUrl: url }).submit(payment(4)),
    'mempool/nonce-used',
  );
  assert.equal(problem.message, 'detail of mempool/nonce-used');
  assert.equal(problem.remedy, 'remedy of mempool/nonce-used');
  assert.deepEqual(problem.details, { nonce: 4, status: 409, retryable: false });
  assert.equal(seen.length, 1, 'what will not pass by itself is not tried again');
});

test('a node that is not ready is asked again with growing pauses until it answers', async (t) => {
  const around = slowMotion();
  const { url, seen } = await fakeApi(t, (_, before) =>
    before < 4 ? problemReply(503, 'node/starting') : { body: status },
  );
  const client = new HttpClient({ baseUrl: url, deadlineMs: 60_000, surroundings: around });
  assert.deepEqual(await client.status(), status);
  assert.equal(seen.length, 5);
  assert.deepEqual(around.pauses, [75, 150, 300, 600]);
});

test('the deadline ends the retries, and the last problem is the answer', async (t) => {
  const around = slowMotion();
  const { url } = await fakeApi(t, () => problemReply(503, 'node/starting'));
  const client = new HttpClient({ baseUrl: url, deadlineMs: 1_000, surroundings: around });
  assert.ok(isRetryable(expectProblem(await client.status(), 'node/starting')));
  assert.ok(around.now() <= 1_000);
});

test('a deadline of 0 asks once', async (t) => {
  const { url, seen } = await fakeApi(t, () => problemReply(503, 'node/starting'));
  expectProblem(await new HttpClient({ baseUrl: url, deadlineMs: 0 }).status(), 'node/starting');
  assert.equal(seen.length, 1);
});

test('the pause that a node asks for is kept', async (t) => {
  const around = slowMotion();
  const { url } = await fakeApi(t, (_, before) =>
    before === 0
      ? { ...problemReply(429, 'api/too-many'), headers: { 'retry-after': '3' } }
      : { body: status },
  );
  unwrap(await new HttpClient({ baseUrl: url, deadlineMs: 10_000, surroundings: around }).status());
  assert.deepEqual(around.pauses, [3_000]);
});

test('nobody listens: the problem names the address, and nothing was sent', async () => {
  const baseUrl = await deadUrl();
  const problem = expectProblem(
    await new HttpClient({ baseUrl, deadlineMs: 0 }).submit(payment(0)),
    'api/unreachable',
  );
  assert.match(problem.message, /ECONNREFUSED/);
  assert.ok(problem.message.includes(baseUrl));
  assert.equal(problem.details['outcome'], undefined);
  assert.ok(isRetryable(problem));
});

test('a submission without an answer has an unknown outcome, and the problem says what to ask', async (t) => {
  const { url } = await fakeApi(t, () => ({ body: null }));
  const transaction = payment(0);
  const client = new HttpClient({ baseUrl: url, attemptMs: 50, deadlineMs: 0 });
  const problem = expectProblem(await client.submit(transaction), 'api/timeout');
  assert.equal(problem.details['outcome'], 'unknown');
  assert.equal(problem.details['hash'], transaction.hash);
  assert.match(problem.remedy, new RegExp(transaction.hash));
});

test('a submission of which one attempt had no answer has an unknown outcome, whatever the last one says', async () => {
  const transaction = payment(0);
  const { status, body } = problemReply(503, 'consensus/no-leader');
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const unpaid = problemReply(422, 'transaction/insufficient-balance');
  for (const [code, last] of [
    ['consensus/no-leader', async () => new Response(JSON.stringify(body), { status: status ?? 0 })],
    ['api/answer', async () => new Response('who are you?', { status: 401 })],
    [
      'transaction/insufficient-balance',
      async () => new Response(JSON.stringify(unpaid.body), { status: unpaid.status ?? 0 }),
    ],
    ['api/unreachable', () => Promise.reject(refused)],
  ] as const) {
    let attempts = 0;
    const surroundings: Surroundings = {
      ...slowMotion(),
      fetch: () => {
        attempts += 1;
        return attempts === 1 ? Promise.reject(new DOMException('no answer', 'TimeoutError')) : last();
      },
    };
    const client = new HttpClient({ baseUrl: 'http://node.example', surroundings });
    const problem = expectProblem(await client.submit(transaction), code);
    assert.ok(attempts > 1);
    assert.equal(problem.details['outcome'], 'unknown');
    assert.equal(problem.details['hash'], transaction.hash);
    assert.match(problem.remedy, new RegExp(transaction.hash));
  }
});

test('no attempt begins after the deadline, also when a sleep takes longer than it was told to', async (t) => {
  let asked = 0;
  let passed = 0;
  const { url, seen } = await fakeApi(t, () => problemReply(503, 'node/starting'));
  const around: Surroundings = {
    ...slowMotion(),
    now: () => passed,
    sleep: async (ms) => {
      asked = ms;
      passed += 10_000;
    },
  };
  const client = new HttpClient({ baseUrl: url, surroundings: around });
  expectProblem(await client.status({ deadlineMs: 5_000 }), 'node/starting');
  assert.equal(seen.length, 1);
  assert.ok(asked > 0 && asked < 5_000);
});

test('whatever is asked for, no other route is', async (t) => {
  const { url, seen } = await fakeApi(t, () => ({ body: origin }));
  const client = new HttpClient({ baseUrl: url });
  for (const name of ['..', '.', '../status', 'a?b', 'a#b', '%2e%2e', 'a&consistency=lease']) {
    await client.block(name as Hash);
    await client.transaction(name as Hash);
    await client.account(name);
    await client.namespace(name);
    await client.reservation(name);
    await client.record(name);
  }
  const parts = '(blocks|transactions|accounts|namespaces|reservations)';
  for (const { url: path } of seen)
    assert.match(path, new RegExp(`^/v1/${parts}/[^/?#]+$|^/v1/records\\?key=[^&#]+$`));
});

test('what no path can name is never asked for by another name', async (t) => {
  const { url, seen } = await fakeApi(t, () => ({ body: origin }));
  const client = new HttpClient({ baseUrl: url });
  for (const name of ['..', '.', '', '\ud800']) {
    for (const answer of [
      client.block(name as Hash),
      client.finality(name as Hash),
      client.transaction(name as Hash),
      client.account(name),
      client.accountTransactions(name),
      client.namespace(name),
      client.reservation(name),
    ]) {
      expectProblem(await answer, 'api/bad-path');
    }
  }
  expectProblem(await client.record('\ud800'), 'api/bad-path');
  assert.deepEqual(seen, []);
});

test('an answer that is not from a Quorate node is not taken for one', async (t) => {
  for (const [reply, code] of [
    [{ body: '<html>hello</html>' }, 'api/answer'],
    [{ body: { hello: 'world' } }, 'api/answer'],
    [{ body: '[1]' }, 'api/answer'],
    [{ body: 'null' }, 'api/answer'],
    [{ status: 404, body: '<html>not here</html>' }, 'api/answer'],
    [
      { body: JSON.stringify(status).replace('{', `{"more":${'['.repeat(50_000)}${']'.repeat(50_000)},`) },
      'api/answer',
    ],
    [{ status: 500, body: { code: 'DROP TABLE' } }, 'api/answer'],
    [{ status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: '' }, 'api/answer'],
  ] as const) {
    const { url } = await fakeApi(t, () => reply);
    expectProblem(await new HttpClient({ baseUrl: url, deadlineMs: 0 }).status(), code);
  }
});

test('an answer that is about something else than was asked for is none', async (t) => {
  const [one, other] = ['1'.repeat(64) as Hash, '2'.repeat(64) as Hash];
  const [alice, bob] = ['alice', 'bob'].map((name) => encodeAddress(developmentKeyPair(name).publicKey));
  const transaction = payment(0);
  const receipt = { transactionHash: other };
  const read = { height: toHeight(2) };
  for (const [ask, answer, truth] of [
    [
      (client: HttpClient) => client.account(alice ?? ''),
      { address: bob, pendingNonce: 0 },
      { address: alice },
    ],
    [(client) => client.transaction(one), { hash: other, status: 'unknown', problem: null }, { hash: one }],
    [
      (client) => client.transaction(one),
      { hash: one, status: 'final', inclusion: { height: 1, receipt } },
      { inclusion: { height: 1, receipt: { transactionHash: one } } },
    ],
    [(client) => client.submit(transaction), { hash: one, status: 'known' }, { hash: transaction.hash }],
    [
      async (client) => {
        const [answered] = await client.submitBatch([transaction]);
        return answered?.status === 'refused' ? problemOf(answered.problem) : answered;
      },
      { results: [{ hash: one, status: 'known' }] },
      { results: [{ hash: transaction.hash, status: 'known' }] },
    ],
    [
      (client) => client.block(toHeight(1)),
      { hash: one, header: read, transactionHashes: [] },
      { header: { height: 1 } },
    ],
    [(client) => client.block(one), { hash: other, header: read, transactionHashes: [] }, { hash: one }],
    [(client) => client.finality(one), { hash: other, header: read }, { hash: one }],
    [
      (client) => client.reservation(`${alice}:1:0`),
      { reservation: `${bob}:1:0` },
      { reservation: `${alice}:1:0` },
    ],
    [
      (client) => client.reservation(`${developmentKeyPair('alice').publicKey}:1:0`),
      { reservation: `${alice}:1:1` },
      { reservation: `${alice}:1:0` },
    ],
    [(client) => client.record('a'), { key: 'b' }, { key: 'a' }],
    [(client) => client.records('a'), { prefix: 'b', records: [], next: null }, { prefix: 'a' }],
    [(client) => client.namespace('a'), { name: 'b' }, { name: 'a' }],
    [(client) => client.recordHistory('a'), { key: 'b', versions: [], next: null }, { key: 'a' }],
    [
      (client) => client.recordDiff('a', { from: toHeight(1), to: toHeight(2) }),
      { key: 'a', from: { height: 1 }, to: { height: 3 } },
      { to: { height: 2 } },
    ],
    [
      (client) => client.accountTransactions(alice ?? ''),
      { address: bob, transactions: [], next: null },
      { address: alice },
    ],
    [
      (client) => client.transactionsByReference(Uint8Array.of(1)),
      { reference: '02', transactions: [], next: null },
      { reference: '01' },
    ],
  ] as readonly (readonly [(client: HttpClient) => Promise<unknown>, object, object])[]) {
    let said = answer;
    const { url } = await fakeApi(t, () => ({ body: { ...origin, ...said } }));
    const client = new HttpClient({ baseUrl: url, deadlineMs: 0 });
    assert.match(expectProblem(await ask(client), 'api/answer').message, / is not .*, which was asked for/);
    said = { ...answer, ...truth };
    assert.ok(!((await ask(client)) instanceof Problem), JSON.stringify(said));
  }
});

test('an answer in which something is missing that the client goes by is none', async (t) => {
  const hash = '0'.repeat(64) as Hash;
  const transaction = payment(0);
  type Ask = (client: HttpClient) => Promise<unknown>;
  const asks: readonly (readonly [Ask, ...object[]])[] = [
    [(client) => client.status(), {}, { finalHeight: '7' }, { finalHeight: -1 }],
    [(client) => client.account(hash), {}, { nonce: 0 }, { nonce: 0, pendingNonce: 0.5 }],
    [
      (client) => client.waitFinal(hash, { deadlineMs: 0 }),
      {},
      { status: 'done' },
      { status: 'final' },
      { status: 'final', inclusion: { height: 1 } },
      { status: 'gone', problem: null },
      { status: 'gone', problem: { code: 'mempool/expired', detail: 'no' } },
    ],
    [(client) => client.submit(transaction), {}, { status: 'refused', problem: null }],
    [(client) => client.block('latest'), {}, { transactionHashes: [], receipts: [null] }],
    [(client) => client.headers(toHeight(0)), {}, { headers: {} }, { headers: [{}] }],
    [(client) => client.epochs(), {}, { epochs: [{ header: { height: null } }] }],
    [(client) => client.allEpochs(), {}, { epochs: [[]] }],
    [(client) => client.records('a'), {}, { next: 5 }],
    [(client) => client.records('a', { after: 'b' }), { next: 'b' }],
    [(client) => client.recordHistory('a', { cursor: 'c' }), { next: 'c' }],
    [(client) => client.accountTransactions(hash, { cursor: 'c' }), { next: 'c' }],
    [(client) => client.transactionsByReference(new Uint8Array(1), { cursor: 'c' }), { next: 'c' }],
  ];
  for (const [ask, ...wrong] of asks) {
    for (const body of wrong) {
      const { url } = await fakeApi(t, () => ({ body: { ...origin, ...body } }));
      const problem = expectProblem(await ask(new HttpClient({ baseUrl: url, deadlineMs: 0 })), 'api/answer');
      assert.match(problem.message, /is not understood/, JSON.stringify(body));
    }
  }
  for (const results of [undefined, [], [null], [{ status: 'refused' }], [{ status: 'final' }]]) {
    const { url } = await fakeApi(t, () => ({ body: { ...origin, results } }));
    const client = new HttpClient({ baseUrl: url, deadlineMs: 0 });
    const [answer] = await client.submitBatch([transaction]);
    assert.ok(answer?.status === 'refused' && answer.problem.code === 'api/answer');
    // The node was asked all the same.
    assert.equal(answer.problem.details['outcome'], 'unknown');
  }
});

test('changes of the validators that a node makes up have an end', async (t) => {
  let last = 0;
  const page = (count: number, filling = '') => ({
    body: {
      ...origin,
      epochs: Array.from({ length: count }, () => ({ header: { height: ++last }, filling })),
    },
  });
  // Many in all, or few at a time for ever.
  const large = await fakeApi(t, () => page(20, '0'.repeat(500_000)));
  expectProblem(await new HttpClient({ baseUrl: large.url }).allEpochs(), 'api/answer');
  assert.ok(large.seen.length < 10);
  let ms = 0;
  const surroundings = { ...defaultSurroundings, now: () => (ms += 100) };
  const small = await fakeApi(t, () => page(1));
  expectProblem(await new HttpClient({ baseUrl: small.url, surroundings }).allEpochs(), 'api/answer');
  // The same ones again are no others, also within a page.
  const again = await fakeApi(t, () => ({
    body: { ...origin, epochs: [5, 5, 3].map((height) => ({ header: { height } })) },
  }));
  const all = unwrap(await new HttpClient({ baseUrl: again.url }).allEpochs());
  assert.deepEqual(
    all.map(({ header }) => header.height),
    [5],
  );
});

test('a page of very many changes of the validators is read as others are', async (t) => {
  const epochs = Array.from({ length: 200_000 }, (_, height) => ({ header: { height } }));
  const { url } = await fakeApi(t, ({ url: path }) => ({
    body: { ...origin, epochs: path.endsWith('from=0') ? epochs : [] },
  }));
  assert.equal(unwrap(await new HttpClient({ baseUrl: url }).allEpochs()).length, epochs.length);
});

test('that a command was wrong, or its program, is no word of a node', async (t) => {
  for (const code of ['cli/usage', 'cli/internal']) {
    const refused = await fakeApi(t, () => problemReply(400, code, { stack: 'a stack' }));
    const problem = await new HttpClient({ baseUrl: refused.url }).submit(payment(0));
    assert.match(expectProblem(problem, 'api/answer').message, /HTTP 400 without saying why/);
    assert.equal(expectProblem(problem, 'api/answer').details['stack'], undefined);
    const gone = await fakeApi(t, () => ({
      body: { ...origin, status: 'gone', problem: { code, detail: 'd', remedy: 'r', details: {} } },
    }));
    const answer = await new HttpClient({ baseUrl: gone.url }).transaction(payment(0).hash);
    assert.match(expectProblem(answer, 'api/answer').message, /problem\.code is none that a node gives/);
  }
});

test('an answer is read as far as any answer of a node goes, whatever it announces', async (t) => {
  const huge = gzipSync(Buffer.alloc(40 * 1024 * 1024, ' '));
  const served: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(huge),
    (response) => {
      let pieces = 0;
      const more = (): void => {
        if (response.destroyed || pieces++ > 5_000) return;
        if (response.write(Buffer.alloc(64 * 1024, ' '))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    },
  ];
  for (const serve of served) {
    const server = createServer((_, response) => serve(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const answer = await new HttpClient({ baseUrl: `http://127.0.0.1:${port}` }).status();
    assert.match(expectProblem(answer, 'api/answer').message, /more than 33554432 bytes/);
  }
});

test('what is no address of a node is told before anything is tried, and without its password', () => {
  for (const baseUrl of [
    '127.0.0.1:4600',
    'node',
    '',
    'ftp://node',
    'http://user:secret@node',
    'http://node?x',
  ]) {
    assert.throws(
      () => new HttpClient({ baseUrl }),
      (problem) => {
        assert.doesNotMatch(expectProblem(problem, 'api/address').message, /secret/);
        return true;
      },
      baseUrl,
    );
  }
});

test('what never reached a node is not said to have an unknown outcome, and a name that nobody knows is not tried for long', async () => {
  const failure =
    (code: string): typeof fetch =>
    async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
    };
  for (const [code, tries] of [
    ['ENOTFOUND', 1],
    ['EHOSTUNREACH', 2],
    ['ECONNREFUSED', 2],
    ['CERT_HAS_EXPIRED', 1],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 1],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 1],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 1],
  ] as const) {
    const around = slowMotion();
    let tried = 0;
    const client = new HttpClient({
      baseUrl: 'http://nowhere.invalid',
      deadlineMs: 120,
      surroundings: {
        ...around,
        fetch: (...args) => {
          tried += 1;
          return failure(code)(...args);
        },
      },
    });
    const problem = expectProblem(await client.submit(payment(0)), 'api/unreachable');
    assert.equal(problem.details['sent'], false, code);
    assert.equal(problem.details['outcome'], undefined, code);
    assert.equal(tried, tries, code);
  }
});

test('a server that is none of HTTP, or none of HTTPS, is not tried again, and each is told in one line', async (t) => {
  const greets = createTcpServer((socket) => {
    socket.on('error', () => undefined).write('SSH-2.0-x\r\n');
    t.after(() => socket.destroy());
  });
  await new Promise<void>((resolve) => greets.listen(0, '127.0.0.1', resolve));
  t.after(() => greets.close());
  const { port } = greets.address() as AddressInfo;
  for (const scheme of ['http', 'https']) {
    const around = slowMotion();
    const baseUrl = `${scheme}://127.0.0.1:${port}`;
    const problem = expectProblem(
      await new HttpClient({ baseUrl, surroundings: around }).status(),
      'api/answer',
    );
    assert.match(problem.message, scheme === 'http' ? /no HTTP/ : /no HTTPS/);
    assert.doesNotMatch(problem.message, /[\n]|openssl/);
    assert.deepEqual(around.pauses, []);
    // A handshake carries no request. What answers in no HTTP may have handed one on.
    const submitted = await new HttpClient({ baseUrl, surroundings: around }).submit(payment(0));
    const { details, message, remedy } = expectProblem(submitted, 'api/answer');
    assert.equal(details['sent'], scheme === 'http');
    assert.equal(details['outcome'], scheme === 'http' ? 'unknown' : undefined);
    assert.equal(/unknown/.test(message), scheme === 'http');
    assert.match(remedy, /begins with http/);
    assert.equal(/it counts only once/.test(remedy), scheme === 'http');
  }
});

test('what came and is no whole answer is not called out of reach, and each is told in one line', async (t) => {
  const long = 'x'.repeat(100_000);
  for (const [answer, code, words] of [
    ['HTTP/1.1 407 Password\r\ncontent-length: 0\r\n\r\n', 'api/unreachable', /broke: .*HTTP 407/],
    ['HTTP/1.1 000 Zero\r\ncontent-length: 0\r\n\r\n', 'api/answer', /speaks no HTTP$/],
    ['HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{}', 'api/unreachable', /broke: other side closed$/],
    [`HTTP/1.1 200 OK\r\nx: ${long}\r\n\r\n`, 'api/unreachable', /broke: Headers Overflow/],
    ['', 'api/unreachable', /broke: other side closed$/],
  ] as const) {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const client = new HttpClient({ baseUrl: `http://127.0.0.1:${port}`, deadlineMs: 0 });
    const problem = expectProblem(await client.status(), code);
    assert.match(problem.message, words);
    assert.doesNotMatch(problem.message, /[\n]|undefined|assert/);
    assert.equal(problem.details['sent'], true);
  }
});

test('a connection that ended before it was secure carried nothing', async (t) => {
  const closes = createTcpServer((socket) => socket.on('error', () => undefined).destroy());
  await new Promise<void>((resolve) => closes.listen(0, '127.0.0.1', resolve));
  t.after(() => closes.close());
  const { port } = closes.address() as AddressInfo;
  const client = new HttpClient({ baseUrl: `https://127.0.0.1:${port}`, deadlineMs: 0 });
  const problem = expectProblem(await client.submit(payment(0)), 'api/unreachable');
  assert.equal(problem.details['sent'], false);
  assert.equal(problem.details['outcome'], undefined);
  // The same error after the request left says nothing of it.
  const takes = createTcpServer((socket) => {
    socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => takes.listen(0, '127.0.0.1', resolve));
  t.after(() => takes.close());
  const baseUrl = `http://127.0.0.1:${(takes.address() as AddressInfo).port}`;
  const open = expectProblem(
    await new HttpClient({ baseUrl, deadlineMs: 0 }).submit(payment(0)),
    'api/unreachable',
  );
  assert.equal(open.details['outcome'], 'unknown');
});

test('a connection that never comes up carried nothing, and one that stands may have', async (t) => {
  // It takes connections and says nothing: of a secure one nothing but its beginning is ever there.
  const server = createTcpServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const [scheme, sent] of [
    ['https', false],
    ['http', true],
  ] as const) {
    const client = new HttpClient({
      baseUrl: `${scheme}://127.0.0.1:${port}`,
      attemptMs: 100,
      deadlineMs: 0,
    });
    const problem = expectProblem(await client.submit(payment(3)), 'api/timeout');
    assert.equal(problem.details['sent'], sent, scheme);
    assert.equal(problem.details['outcome'], sent ? 'unknown' : undefined, scheme);
    assert.match(problem.message, sent ? /did not answer/ : /took no connection/);
  }
});

test('a token that no header can carry is told without it, and nothing is sent', async (t) => {
  const { url, seen } = await fakeApi(t, () => ({ body: origin }));
  for (const token of ['se\ncret', 'secret\u2028', 'sécret ', '']) {
    const problem = expectProblem(
      await new HttpClient({ baseUrl: url }).transferLeader(null, { token }),
      'api/token-wrong',
    );
    assert.doesNotMatch(JSON.stringify([problem, problem.cause]), /cret/);
    assert.equal(problem.details['sent'], false);
  }
  assert.deepEqual(seen, []);
});

test('a batch travels in binary, one answer each, in order', async (t) => {
  const transactions = [payment(0), payment(1), payment(2)];
  const { url, seen } = await fakeApi(t, () => ({
    body: { ...origin, results: transactions.map(({ hash }) => ({ status: 'accepted', hash })) },
  }));
  const answers = await new HttpClient({ baseUrl: url }).submitBatch(transactions);
  assert.deepEqual(
    answers.map((one) => one.hash),
    transactions.map((one) => one.hash),
  );
  assert.equal(seen[0]?.contentType, 'application/octet-stream');
  const codec = listOf(boundedBytes(limits.maxTransactionBytes), limits.httpBatch);
  const body = unwrap(decode(codec, new Uint8Array(seen[0].body), 'batch'));
  assert.deepEqual(
    body,
    transactions.map((one) => one.bytes),
  );
});

test('a batch above a limit is cut into several that keep the order', () => {
  const one = payment(0);
  const many = splitIntoBatches(Array.from({ length: limits.httpBatch * 2 + 1 }, () => one));
  assert.deepEqual(
    many.map((batch) => batch.length),
    [limits.httpBatch, limits.httpBatch, 1],
  );
  const big = unwrap(
    wallet.put('k', new Uint8Array(limits.maxRecordValueBytes), { nonce: 0, fee: 1n, expiryHeight }),
  );
  for (const batch of splitIntoBatches(Array.from({ length: limits.httpBatch }, () => big))) {
    const size = batch.reduce((sum, { bytes }) => sum + bytes.length + 2, 2);
    assert.ok(size <= limits.httpBodyBytes);
  }
});

test('when one request of a large submission fails, the rest is not sent, and each says why', async (t) => {
  const transactions = Array.from({ length: limits.httpBatch + 1 }, (_, nonce) => payment(nonce));
  const { url, seen } = await fakeApi(t, () => problemReply(413, 'api/too-large'));
  const answers = await new HttpClient({ baseUrl: url }).submitBatch(transactions);
  assert.equal(seen.length, 1);
  assert.equal(answers.length, transactions.length);
  for (const answer of answers) {
    assert.ok(answer.status === 'refused');
    assert.equal(answer.problem.code, 'api/too-large');
  }
});

test('waiting for a transaction goes on while it is pending or not yet known, and ends with its receipt', async (t) => {
  const { hash } = payment(0);
  const around = slowMotion();
  const { url } = await fakeApi(t, (_, before) => {
    if (before === 0) return { body: { ...origin, hash, status: 'unknown' } };
    if (before === 1) return problemReply(503, 'node/starting');
    if (before < 5) return { body: { ...origin, hash, status: 'pending' } };
    return { body: { ...origin, hash, status: 'final', inclusion: { height: 9, receipt: {} } } };
  });
  const client = new HttpClient({ baseUrl: url, surroundings: around });
  const final = unwrap(await client.waitFinal(hash, { deadlineMs: 30_000 }));
  assert.equal(final.inclusion.height, 9);
});

test('waiting ends at its deadline and leaves the outcome open', async (t) => {
  const { hash } = payment(0);
  const around = slowMotion();
  const { url } = await fakeApi(t, () => ({ body: { ...origin, hash, status: 'pending' } }));
  const client = new HttpClient({ baseUrl: url, surroundings: around });
  const problem = expectProblem(await client.waitFinal(hash, { deadlineMs: 5_000 }), 'api/not-final');
  assert.equal(problem.details['outcome'], 'unknown');
  assert.ok(around.now() <= 5_000);
});

test('waiting ends at its deadline, also when a sleep takes longer than it was told to', async (t) => {
  const { hash } = payment(0);
  const { url, seen } = await fakeApi(t, () => ({ body: { ...origin, hash, status: 'pending' } }));
  let passed = 0;
  const around: Surroundings = {
    ...slowMotion(),
    now: () => passed,
    sleep: async () => void (passed += 10_000),
  };
  const client = new HttpClient({ baseUrl: url, surroundings: around });
  expectProblem(await client.waitFinal(hash, { deadlineMs: 5_000 }), 'api/not-final');
  assert.equal(seen.length, 1);
});

test('waiting ends at once when no block can hold the transaction any more, with the reason', async (t) => {
  const { hash } = payment(0);
  const problem = { code: 'mempool/superseded', detail: 'superseded', remedy: 'none', details: {} };
  const { url } = await fakeApi(t, () => ({ body: { ...origin, hash, status: 'gone', problem } }));
  expectProblem(await new HttpClient({ baseUrl: url }).waitFinal(hash), 'mempool/superseded');
});

test('waiting that cannot go on leaves the outcome open, whatever ends it', async (t) => {
  for (const [reply, code] of [
    [{ status: 302, headers: { location: '/login' }, body: '' }, 'api/answer'],
    [{ status: 200, body: '<html>welcome</html>' }, 'api/answer'],
    [{ status: 401, body: '' }, 'api/answer'],
    [problemReply(410, 'storage/pruned'), 'storage/pruned'],
  ] as const) {
    const { url } = await fakeApi(t, () => reply);
    const { hash } = payment(0);
    const problem = expectProblem(await new HttpClient({ baseUrl: url }).waitFinal(hash), code);
    assert.equal(problem.details['outcome'], 'unknown');
    assert.match(problem.remedy, new RegExp(hash));
  }
});

test('waiting goes on when this node let go of the transaction: others may have it', async (t) => {
  const { hash } = payment(0);
  const problem = { code: 'mempool/replaced', detail: 'replaced here', remedy: 'none', details: {} };
  const { url, seen } = await fakeApi(t, () => ({ body: { ...origin, hash, status: 'unknown', problem } }));
  const client = new HttpClient({ baseUrl: url, surroundings: slowMotion() });
  const answer = expectProblem(await client.waitFinal(hash, { deadlineMs: 2_000 }), 'api/not-final');
  assert.match(answer.message, /replaced here/);
  assert.equal(answer.details['outcome'], 'unknown');
  assert.ok(seen.length > 1);
});

test('what is given instead of a transaction is told in words, and nothing is sent', async (t) => {
  const { url, seen } = await fakeApi(t, () => ({ body: { ...origin, results: [] } }));
  const client = new HttpClient({ baseUrl: url });
  const unsigned = wallet.transfer(bob, 0n, { nonce: 0, fee: 1n, expiryHeight });
  assert.ok(unsigned instanceof Problem);
  assert.equal(await client.submit(unsigned as never), unsigned, 'a problem speaks for itself');
  const good = payment(0);
  for (const [wrong, words] of [
    [undefined, /no transaction: it is of type undefined/],
    [null, /it is null/],
    ['abcd', /of type string/],
    [7n, /of type bigint/],
    [{ bytes: 'abcd' }, /of type object/],
    [good.bytes, /of type object/],
    [[good], /of type object/],
    [Promise.resolve(good), /a promise/],
  ] as const) {
    assert.match(expectProblem(await client.submit(wrong as never), 'transaction/malformed').message, words);
    const results = await client.submitBatch([good, wrong as never]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['refused', 'refused'],
    );
    if (Array.isArray(wrong)) continue;
    const [alone] = await client.submitBatch(wrong as never);
    assert.equal(alone?.status, 'refused', 'not even a list');
  }
  for (const name of ['\ud800', 'a\udc00b']) {
    expectProblem(await client.record(name), 'api/bad-path');
    expectProblem(await client.block(name as never), 'api/bad-path');
  }
  assert.deepEqual(seen, []);
});

test('what somebody else answers leaves it open whether the node took a transaction, unless the request was at fault', async (t) => {
  for (const [reply, isOpen] of [
    [{ status: 504, body: '<html>Gateway Time-out</html>' }, true],
    [{ status: 502, body: '<html>Bad Gateway</html>' }, true],
    [{ status: 500, body: 'oops' }, true],
    [{ status: 200, body: '<html>welcome</html>' }, true],
    [problemReply(500, 'api/internal'), true],
    [{ status: 404, body: '<html>not here</html>' }, false],
    [{ status: 403, body: '' }, false],
    // A proxy that shows a page of its own where the node behind it failed.
    [{ status: 302, headers: { location: '/sorry' }, body: '' }, true],
    [{ status: 307, headers: { location: '/sorry' }, body: '' }, true],
    [problemReply(503, 'api/busy'), false],
    [problemReply(422, 'transaction/expired'), false],
  ] as const) {
    const { url } = await fakeApi(t, () => reply);
    const client = new HttpClient({ baseUrl: url, deadlineMs: 0 });
    const answer = await client.submit(payment(0));
    assert.ok(answer instanceof Problem);
    assert.equal(answer.details['outcome'], isOpen ? 'unknown' : undefined, JSON.stringify(reply));
    const [first] = await client.submitBatch([payment(0)]);
    assert.ok(first?.status === 'refused');
    assert.equal(first.problem.details['outcome'], isOpen ? 'unknown' : undefined, JSON.stringify(reply));
  }
});

test('what of many is refused after a try that may have arrived is open, as one alone is', async (t) => {
  const problem = { code: 'transaction/insufficient-balance', detail: 'why', remedy: 'how', details: {} };
  for (const [first, isOpen] of [
    [{ status: 504, body: '' }, true],
    [problemReply(503, 'api/busy'), false],
  ] as const) {
    const { url } = await fakeApi(t, (_, before) => {
      if (before % 2 === 0) return first;
      const [taken, refused] = [payment(0), payment(1)];
      const results = [
        { status: 'accepted', hash: taken.hash, missing: null },
        { status: 'refused', hash: refused.hash, problem },
      ];
      return { body: { ...origin, results } };
    });
    const client = new HttpClient({
      baseUrl: url,
      surroundings: { ...defaultSurroundings, sleep: async () => undefined },
    });
    const [taken, refused] = await client.submitBatch([payment(0), payment(1)]);
    assert.equal(taken?.status, 'accepted');
    assert.ok(refused?.status === 'refused');
    const { code, details } = refused.problem;
    assert.equal(code, problem.code);
    assert.deepEqual(
      [details['sent'], details['outcome']],
      isOpen ? [true, 'unknown'] : [undefined, undefined],
    );
  }
});

test('what was to follow a request that failed was not sent, and that is said', async (t) => {
  const { url, seen } = await fakeApi(t, () => ({ status: 504, body: '' }));
  const many = Array.from({ length: limits.httpBatch + 1 }, (_, nonce) => payment(nonce));
  const answers = await new HttpClient({ baseUrl: url, deadlineMs: 0 }).submitBatch(many);
  assert.equal(seen.length, 1);
  const outcomes = answers.map((one) => one.status === 'refused' && one.problem.details['sent']);
  assert.deepEqual([...new Set(outcomes.slice(0, limits.httpBatch))], [true]);
  assert.deepEqual(outcomes.slice(limits.httpBatch), [false]);
});

test('a node that lacks a path of today is older, and the remedy says so', async (t) => {
  const { url } = await fakeApi(t, () => problemReply(404, 'api/not-found'));
  const problem = await new HttpClient({ baseUrl: url }).namespace('shop');
  assert.ok(problem instanceof Problem);
  assert.equal(problem.code, 'api/not-found');
  assert.match(problem.remedy, /ends before \/v1.*program is older.*ask a newer node/);
  assert.equal(problem.details['status'], 404);
});
