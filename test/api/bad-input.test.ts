import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { startApi } from '../../src/api/server.ts';
import { transfer } from './fake-backend.ts';
import { binaryBatch, hexOf, post, postBinary, problemFrom, rawExchange, start } from './world.ts';

void test('an unknown path is 404, and a known one with another method 405 with what it allows', async (t) => {
  const world = await start(t);
  for (const path of ['/v1', '/v2/status', '/explorer/app.js', '/v1/blocks/1/2', '/metrics/']) {
    const problem = await problemFrom(await fetch(world.api.address + path), 404, 'api/not-found');
    assert.equal(problem.instance, path);
  }
  for (const [method, path, allow] of [
    ['DELETE', '/v1/transactions', 'GET, HEAD, POST'],
    ['GET', '/v1/leader', 'POST'],
    ['POST', '/v1/blocks/1', 'GET, HEAD'],
    ['PUT', '/metrics', 'GET, HEAD'],
  ] as const) {
    const body = method === 'GET' ? null : 'x'.repeat(100);
    const response = await fetch(world.api.address + path, { method, body });
    assert.equal(response.headers.get('allow'), allow);
    await problemFrom(response, 405, 'api/method-not-allowed');
  }
});

void test('a name in the query that a path does not know is refused, at every path', async (t) => {
  const world = await start(t);
  const described = (await (await fetch(`${world.api.address}/v1/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const paths = Object.entries(described.paths).filter(([path]) => path.startsWith('/v1/'));
  assert.ok(paths.length >= 15, `${paths.length} paths`);
  for (const [path, methods] of paths) {
    const filled = path.replaceAll(/\{[^}]+\}/g, '1');
    for (const method of Object.keys(methods).map((name) => name.toUpperCase())) {
      const body = method === 'POST' ? '{}' : null;
      const response = await fetch(`${world.api.address}${filled}?consistancy=stale`, {
        method,
        body,
        headers: body === null ? {} : { 'content-type': 'application/json' },
      });
      if (method === 'HEAD') assert.equal(response.status, 400);
      else await problemFrom(response, 400, 'api/invalid-request');
    }
  }
});

void test('a height is plain decimal digits below 2^48, and nothing else', async (t) => {
  const world = await start(t);
  for (const name of [
    '9007199254740993',
    '281474976710656',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x10',
    '01',
    '1n',
    'NaN',
    'Infinity',
    '%31%20',
    '١',
    'Latest',
    'ab'.repeat(31),
    'AB'.repeat(32),
  ]) {
    await problemFrom(await fetch(`${world.api.address}/v1/blocks/${name}`), 400, 'api/invalid-request');
  }
  for (const query of [
    'from=9007199254740993',
    'from=-1',
    'limit=0',
    'limit=101',
    'limit=x',
    'from=1&from=2',
    'other=1',
  ]) {
    await problemFrom(await fetch(`${world.api.address}/v1/headers?${query}`), 400, 'api/invalid-request');
  }
});

void test('a bad hash, address, key or query is 400 and says which', async (t) => {
  const world = await start(t);
  const refused = async (path: string, code: string): Promise<Problem['message']> =>
    (await problemFrom(await fetch(world.api.address + path), 400, code)).detail;
  for (const hash of ['zz', 'G'.repeat(64), `0x${'a'.repeat(62)}`, 'a'.repeat(63)]) {
    assert.match(await refused(`/v1/transactions/${hash}`, 'api/invalid-request'), /params\/hash/);
  }
  for (const account of [
    'qr1nonsense',
    'alice',
    '0'.repeat(63),
    'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
  ]) {
    await refused(`/v1/accounts/${account}`, 'keys/address');
  }
  assert.match(
    await refused(`/v1/accounts/${'0'.repeat(64)}?consistency=strong`, 'api/invalid-request'),
    /consistency/,
  );
  assert.match(await refused('/v1/blocks/1?full=yes', 'api/invalid-request'), /full/);
  assert.match(await refused(`/v1/records/${'k'.repeat(129)}`, 'api/invalid-request'), /128 bytes/);
  assert.match(await refused(`/v1/records/${'%C3%A9'.repeat(64)}k`, 'api/invalid-request'), /128 bytes/);
  await refused('/v1/records/%FF%FE', 'api/bad-path');
  await refused('/v1/records/%zz', 'api/bad-path');
  await refused('/v1/records?key=%FF%FE', 'api/bad-path');
  await refused('/v1/records?key=%zz', 'api/bad-path');
  await refused('/v1/records', 'api/invalid-request');
  await refused('/v1/records?key=a&key=b', 'api/invalid-request');
  assert.match(await refused(`/v1/records?key=${'%C3%A9'.repeat(64)}k`, 'api/invalid-request'), /128 bytes/);
  const long = await fetch(`${world.api.address}/v1/records/${'k'.repeat(2_000)}`);
  const { detail } = await problemFrom(long, 414, 'api/path-too-long');
  assert.ok(detail.length < 100, 'it is not repeated');
});

void test('malformed JSON is 400, whatever is wrong with it', async (t) => {
  const world = await start(t);
  for (const body of ['', '{', '{"transaction":}', "{'transaction':'00'}", '[1,]', 'null x', '\uFEFF{}x']) {
    await problemFrom(await post(world, body), 400, 'api/malformed-json');
  }
  const hex = hexOf(transfer(0));
  for (const body of [
    null,
    [],
    {},
    7,
    { transaction: 7 },
    { transaction: '' },
    { transaction: 'abc' },
    { transaction: 'zz' },
    { transaction: hex.toUpperCase() },
    { transaction: `0x${hex}` },
    { transaction: hex, transactions: [hex] },
    { transaction: hex, more: true },
    { transactions: [] },
    { transactions: [hex, null] },
    { transactions: { 0: hex, length: 1 } },
    { transaction: 'ab'.repeat(limits.maxTransactionBytes + 1) },
  ]) {
    const text = JSON.stringify(body);
    await problemFrom(await post(world, text), 400, 'api/invalid-request');
  }
  await problemFrom(await post(world, `{"__proto__":{"transaction":"${hex}"}}`), 400, 'api/invalid-request');
  assert.equal(world.backend.submissions, 0);
});

void test('invalid UTF-8 is 400', async (t) => {
  const world = await start(t);
  const bytes = Buffer.concat([
    Buffer.from('{"transaction":"'),
    Buffer.from([0xff, 0xc0, 0x80]),
    Buffer.from('"}'),
  ]);
  await problemFrom(await post(world, bytes), 400, 'api/invalid-utf8');
});

void test('a packed body is 415 when it says so, and named when it does not', async (t) => {
  const world = await start(t);
  const json = Buffer.from(JSON.stringify({ transaction: hexOf(transfer(0)) }));
  const send = (body: Uint8Array, coding?: string): Promise<Response> =>
    fetch(`${world.api.address}/v1/transactions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(coding && { 'content-encoding': coding }) },
      body: Buffer.from(body),
    });
  for (const [coding, body] of [
    ['gzip', gzipSync(json)],
    ['x-gzip', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['br', brotliCompressSync(json)],
    ['zstd', json],
    ['identity, gzip', gzipSync(json)],
    ['GZIP', gzipSync(json)],
    ['nonsense', json],
  ] as const) {
    const response = await send(body, coding);
    assert.equal(response.headers.get('accept-encoding'), 'identity');
    const problem = await problemFrom(response, 415, 'api/content-encoding');
    assert.match(problem.remedy, /without Content-Encoding/);
  }
  for (const [body, words] of [
    [gzipSync(json), /gzip/],
    [deflateSync(json), /zlib/],
    [Buffer.from(`\ufeff${json.toString()}`, 'utf16le'), /UTF-16/],
  ] as const) {
    assert.match((await problemFrom(await send(body), 400, 'api/invalid-utf8')).detail, words);
  }
  await problemFrom(await send(brotliCompressSync(json)), 400, 'api/invalid-utf8');
  assert.equal(world.backend.submissions, 0);
  assert.equal((await send(json, 'identity')).status, 202);
});

void test('what a value must be, where it stands and what it is instead is said, whatever form it could have had', async (t) => {
  const world = await start(t);
  const said = async (path: string, body: string): Promise<string> => {
    const response = await fetch(world.api.address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return (await problemFrom(response, 400, 'api/invalid-request')).detail;
  };
  for (const [body, words] of [
    ['null', /^body: must be an object with either .*, and it is null$/],
    ['[]', /, and it is a list$/],
    ['{}', /^body: must be an object with either .*, and it is empty$/],
    ['{"transactoin":"00"}', /and it has "transactoin"$/],
    ['1e3', /, and it is the number 1000$/],
    ['-1', /, and it is the number -1$/],
    ['{}', /^body: must be an object with either "transaction" or "transactions"/],
    ['{"tx":"00"}', /^body: must be an object with either/],
    ['{"transaction":"00","transactions":["00"]}', /^body: must be an object with either/],
    ['{"transaction":"00","more":1}', /^body: takes no "more"$/],
    ['{"transaction":7}', /^body\/transaction: must be text: .*, and it is the number 7$/],
    ['{"transaction":1e400}', /and it is a number that is too large$/],
    ['{"transaction":0.5}', /and it is the number 0.5$/],
    ['{"transaction":null}', /and it is null$/],
    ['{"transaction":{"nonce":1}}', /and it is an object$/],
    ['{"transactions":"00"}', /^body\/transactions: must be a list, and it is "00"$/],
    ['{"transactions":["00",["00"]]}', /^body\/transactions\/1: must be text: .*, and it is a list$/],
    ['{"transactions":[]}', /^body\/transactions: must have at least 1$/],
  ] as const) {
    assert.match(await said('/v1/transactions', body), words, body);
  }
  for (const [body, words] of [
    [
      '{"changes":[{"member":5,"role":"voter"}]}',
      /^body\/changes\/0\/member: must be text, and it is the number 5$/,
    ],
    ['{"changes":[{"member":"x","role":"boss"}]}', /role: must be "voter" or .*, and it is "boss"$/],
    ['{"changes":[{"member":"x"}]}', /role: is missing: it must be "voter"/],
    ['{"changes":{}}', /^body\/changes: must be a list, and it is an object$/],
    ['{"changes":[],"force":"true"}', /must/],
  ] as const) {
    assert.match(await said('/v1/members', body), words, body);
  }
  assert.match(await said('/v1/leader', '{"to":5}'), /^body\/to: must be text, and it is the number 5$/);
  for (const name of ['281474976710656', '99999999999999999999', '9'.repeat(65)]) {
    const response = await fetch(`${world.api.address}/v1/blocks/${name}`);
    const tooLarge = await problemFrom(response, 400, 'api/invalid-request');
    assert.equal(tooLarge.detail, 'params/name: must be below 2^48 when it is a height');
    const from = await fetch(`${world.api.address}/v1/headers?from=${name}`);
    const tooFar = await problemFrom(from, 400, 'api/invalid-request');
    assert.equal(tooFar.detail, 'querystring/from: must be below 2^48');
  }
  // As many digits as a hash has are a hash.
  await problemFrom(
    await fetch(`${world.api.address}/v1/blocks/${'9'.repeat(64)}`),
    404,
    'api/no-such-block',
  );
  for (const name of ['1.5', '-1', '1e3', '007']) {
    const response = await fetch(`${world.api.address}/v1/blocks/${name}`);
    const { detail } = await problemFrom(response, 400, 'api/invalid-request');
    assert.match(detail, /^params\/name: must be a height in plain decimal digits, a hash .* or "latest"$/);
  }
  const twice = await fetch(`${world.api.address}/v1/headers?from=1&from=2`);
  const { detail } = await problemFrom(twice, 400, 'api/invalid-request');
  assert.match(detail, /^querystring\/from: is given more than once$/);
});

void test('deep nesting and many values are refused in the time that it takes to read them', async (t) => {
  const world = await start(t);
  const deep = '['.repeat(limits.httpBodyBytes - 10);
  const begin = process.cpuUsage();
  await problemFrom(await post(world, deep), 400, 'api/json-too-deep');
  await problemFrom(await post(world, `${'{"a":'.repeat(300_000)}1`), 400, 'api/json-too-deep');
  const { user, system } = process.cpuUsage(begin);
  assert.ok(user + system < 2_000_000, `${user + system} µs of processor time`);
  // Nor does a flat one with a million values, or with as many names, keep the node busy.
  await problemFrom(
    await post(world, `{"transactions":[${'0,'.repeat(1_000_000)}0]}`),
    400,
    'api/json-too-many',
  );
  const names = Array.from({ length: 100_000 }, (_, i) => `"name${i}":1`);
  await problemFrom(await post(world, `{${names.join(',')}}`), 400, 'api/json-too-many');
  // Brackets in text are no nesting.
  await problemFrom(await post(world, { transaction: '[{'.repeat(100) }), 400, 'api/invalid-request');
});

void test('too many transactions in one batch are refused, in JSON and in binary', async (t) => {
  const world = await start(t);
  const many = Array.from({ length: limits.httpBatch + 1 }, () => Uint8Array.of(1));
  await problemFrom(await post(world, { transactions: many.map(() => '01') }), 400, 'api/invalid-request');
  const problem = await problemFrom(await postBinary(world, binaryBatch(many)), 400, 'codec/malformed');
  assert.match(problem.detail, /above the limit 1000/);
  assert.equal(world.backend.submissions, 0);
});

void test('a binary batch that is cut, longer than it says, or empty is refused', async (t) => {
  const world = await start(t);
  const good = binaryBatch([transfer(0).bytes]);
  for (const body of [
    good.slice(0, -1),
    Buffer.concat([good, Buffer.from([0])]),
    good.slice(0, 1),
    Buffer.from([0, 1]),
  ]) {
    await problemFrom(await postBinary(world, body), 400, 'codec/malformed');
  }
  await problemFrom(await postBinary(world, Buffer.from([0, 0])), 400, 'api/invalid-request');
  const oversize = binaryBatch([new Uint8Array(limits.maxTransactionBytes + 1)]);
  await problemFrom(await postBinary(world, oversize), 400, 'codec/malformed');
});

void test('another media type is 415, and none is too', async (t) => {
  const world = await start(t);
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'nonsense']) {
    const { detail } = await problemFrom(await post(world, 'x', '', type), 415, 'api/media-type');
    assert.match(detail, /Content-Type/);
  }
  await problemFrom(await post(world, Buffer.from('x'), '', ''), 415, 'api/media-type');
});

void test('a binary body is 415 where only JSON is taken', async (t) => {
  const world = await start(t);
  for (const path of ['/v1/members', '/v1/leader']) {
    const response = await fetch(world.api.address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from('{"to":null}'),
    });
    await problemFrom(response, 415, 'api/media-type');
  }
  assert.deepEqual([world.backend.operations, world.logged], [[], []]);
  const nowhere = await fetch(`${world.api.address}/v1/nowhere`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.of(1),
  });
  await problemFrom(nowhere, 404, 'api/not-found');
});

void test('a body past the limit is 413, whether it says its length or not', async (t) => {
  const world = await start(t);
  const head = (length: string): string =>
    `POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${length}\r\n\r\n`;
  const announced = await rawExchange(world, `${head(`Content-Length: ${10 * 2 ** 20}`)}{`);
  assert.match(announced, /^HTTP\/1\.1 413 /);
  assert.match(announced, /the body has more than 2097152 bytes[^]*api\/body-too-large/);
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  const chunked = await rawExchange(world, head('Transfer-Encoding: chunked') + chunk.repeat(40));
  assert.match(chunked, /^HTTP\/1\.1 413 /);
});

void test('a body or a head that comes too slowly is 408, and the connection ends', async (t) => {
  const world = await start(t, { requestTimeoutMs: 200 });
  const head =
    'POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n';
  for (const text of [`${head}\r\n{"tra`, head]) {
    const answer = await rawExchange(world, text);
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.match(answer, /application\/problem\+json/);
    assert.match(answer, /api\/request-timeout/);
  }
});

void test('what is no HTTP is 400, and a head that is too large 431', async (t) => {
  const world = await start(t);
  const garbage = await rawExchange(world, 'HELLO\r\n\r\n');
  assert.match(garbage, /^HTTP\/1\.1 400 [\s\S]*api\/bad-request/);
  const large = await rawExchange(
    world,
    `GET /v1/status HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`,
  );
  assert.match(large, /^HTTP\/1\.1 431 [\s\S]*api\/headers-too-large[\s\S]*shorter path/);
});

void test('a request that names no host or two is 400 with a problem, and one that expects what we do not know is answered', async (t) => {
  const world = await start(t);
  const end = 'Connection: close\r\n\r\n';
  const hostless = await rawExchange(world, `GET /v1/status HTTP/1.1\r\n${end}`);
  assert.match(hostless, /^HTTP\/1\.1 400 [\s\S]*names no host[\s\S]*api\/bad-request/);
  for (const [version, second] of [
    ['1.1', 'host: y'],
    ['1.1', 'HOST: x'],
    ['1.0', 'Host: x'],
  ]) {
    const both = await rawExchange(world, `GET /v1/status HTTP/${version}\r\nHost: x\r\n${second}\r\n${end}`);
    assert.match(both, /^HTTP\/1\.1 400 [\s\S]*names 2 hosts[\s\S]*api\/bad-request/, second);
  }
  assert.match(await rawExchange(world, `GET /v1/status HTTP/1.0\r\n${end}`), /^HTTP\/1\.1 200 /);
  const expecting = await rawExchange(world, `GET /v1/status HTTP/1.1\r\nHost: x\r\nExpect: more\r\n${end}`);
  assert.match(expecting, /^HTTP\/1\.1 200 /);
});

void test('bad use of wait is 400', async (t) => {
  const world = await start(t);
  const body = { transaction: hexOf(transfer(0)) };
  for (const query of [
    '?wait=yes',
    '?timeoutMs=5',
    '?wait=final&timeoutMs=0',
    '?wait=final&timeoutMs=60001',
    '?wiat=final',
  ]) {
    await problemFrom(await post(world, body, query), 400, 'api/invalid-request');
  }
  assert.equal(world.backend.submissions, 0);
});

void test('a fault of our own is a 500 that tells nothing of the inside, and a line in the log that tells all', async (t) => {
  const world = await start(t);
  world.backend.failure = new TypeError('secret detail of the inside');
  const response = await post(world, { transaction: hexOf(transfer(0)) });
  const problem = await problemFrom(response, 500, 'api/internal');
  assert.doesNotMatch(JSON.stringify(problem), /secret/);
  assert.match(world.logged.join(), /secret detail/);
});

void test('a port in use is a problem that names it', async (t) => {
  const world = await start(t);
  const { port } = new URL(world.api.address);
  const log = { error: () => undefined };
  const second = startApi({ backend: world.backend, host: '127.0.0.1', port: Number(port), log });
  await assert.rejects(second, (thrown: unknown) => {
    assert.ok(thrown instanceof Problem);
    assert.equal(thrown.code, 'api/port-in-use');
    assert.equal(thrown.details['port'], Number(port));
    return true;
  });
});
