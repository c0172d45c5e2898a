import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import { rawExchange, start } from './world.ts';

/** A path of each route, and what it takes. */
const routes: readonly (readonly [string, string])[] = [
  ['/v1/transactions', 'GET, HEAD, POST'],
  [`/v1/transactions/${'ab'.repeat(32)}`, 'GET, HEAD'],
  ['/v1/blocks/latest', 'GET, HEAD'],
  ['/v1/blocks/latest/finality', 'GET, HEAD'],
  ['/v1/genesis', 'GET, HEAD'],
  ['/v1/epochs', 'GET, HEAD'],
  ['/v1/headers', 'GET, HEAD'],
  ['/v1/accounts/x', 'GET, HEAD'],
  ['/v1/reservations/x', 'GET, HEAD'],
  ['/v1/records', 'GET, HEAD'],
  ['/v1/records/a', 'GET, HEAD'],
  ['/v1/records/history', 'GET, HEAD'],
  ['/v1/records/diff', 'GET, HEAD'],
  ['/v1/records/list', 'GET, HEAD'],
  ['/v1/namespaces', 'GET, HEAD'],
  ['/v1/namespaces/a', 'GET, HEAD'],
  ['/v1/accounts/x/transactions', 'GET, HEAD'],
  ['/v1/proofs/accounts/x', 'GET, HEAD'],
  ['/v1/proofs/records', 'GET, HEAD'],
  ['/v1/proofs/reservations/x', 'GET, HEAD'],
  ['/v1/proofs/namespaces/a', 'GET, HEAD'],
  ['/v1/proofs/namespaces/a/records', 'GET, HEAD'],
  ['/v1/status', 'GET, HEAD'],
  ['/v1/why', 'GET, HEAD'],
  ['/v1/validators', 'GET, HEAD'],
  ['/v1/chain/parameters', 'GET, HEAD'],
  ['/v1/chain/proposals', 'GET, HEAD'],
  ['/v1/members', 'GET, HEAD, POST'],
  ['/v1/leader', 'POST'],
  ['/v1/telemetry/samples', 'GET, HEAD'],
  ['/v1/telemetry/views', 'GET, HEAD'],
  ['/v1/telemetry/votes', 'GET, HEAD'],
  ['/v1/evidence', 'GET, HEAD'],
  ['/v1/health', 'GET, HEAD'],
  ['/v1/ready', 'GET, HEAD'],
  ['/v1/events', 'GET, HEAD'],
  ['/v1/openapi.json', 'GET, HEAD'],
  ['/metrics', 'GET, HEAD'],
  ['/', 'GET, HEAD'],
];

void test('every other method is answered with 405 and what the path takes, on every route', async (t) => {
  const world = await start(t);
  const description = (await (await fetch(`${world.api.address}/v1/openapi.json`)).json()) as {
    paths: Record<string, unknown>;
  };
  const described = Object.keys(description.paths).length;
  assert.equal(routes.length, described + 3, 'and all routes are here: three are not described');
  // What the HTTP parser does not know is judged by its line alone; CONNECT has a test of its own.
  const unknown = ['FOO', 'get', 'Get', 'BREW', "O'CLOCK"];
  const some = ['TRACE', 'QUERY', 'OPTIONS', 'PUT', 'GET', 'POST', 'FOO'];
  for (const [index, [path, allow]] of routes.entries()) {
    const methods = index < 2 ? [...METHODS, ...unknown] : some;
    for (const method of methods.filter((one) => one !== 'CONNECT' && !allow.split(', ').includes(one))) {
      const body = 'Content-Length: 2\r\n\r\n{}';
      const answer = await rawExchange(
        world,
        `${method} ${path}?x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${body}`,
      );
      assert.match(answer, /^HTTP\/1\.1 405 /, `${method} ${path}: ${answer}`);
      assert.match(answer, new RegExp(`^allow: ${allow}\r$`, 'im'), `${method} ${path}`);
      if (method !== 'HEAD') assert.match(answer, /"code":"api\/method-not-allowed"/);
    }
  }
});

void test('CONNECT is 405, a known method nowhere 404, and what is no request line 400', async (t) => {
  const world = await start(t);
  const ask = (line: string): Promise<string> =>
    rawExchange(world, `${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const connected = await ask('CONNECT example.org:443 HTTP/1.1');
  assert.match(connected, /^HTTP\/1\.1 405 [\s\S]*Allow: GET, HEAD, POST/);
  for (const method of ['TRACE', 'QUERY', 'PROPFIND']) {
    assert.match(await ask(`${method} /v1/nowhere HTTP/1.1`), /^HTTP\/1\.1 404 /);
  }
  for (const line of ['FOO /v1/nowhere HTTP/1.1', 'FOO', 'FOO  /v1/status HTTP/1.1', '\x16\x03\x01\x02']) {
    assert.match(await ask(line), /^HTTP\/1\.1 400 /, line);
  }
});

void test('what is behind a good request in one packet is judged by its own line', async (t) => {
  const world = await start(t);
  const good = 'GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const [line, status] of [
    ['FOO /v1/status HTTP/1.1', 405],
    ['FOO /v1/nowhere HTTP/1.1', 400],
    ['\x16\x03\x01\x02', 400],
    ['no request', 400],
  ] as const) {
    for (const before of ['', good, `${good}${good}`]) {
      const answer = await rawExchange(world, `${before}${line}\r\nHost: x\r\n\r\n`);
      // Those before it may be cut off with the connection, but the word is about none of them.
      const [last] = answer.match(/HTTP\/1\.1 [45]\d\d [\s\S]*$/) ?? [];
      assert.match(
        last ?? answer,
        new RegExp(`^HTTP/1\\.1 ${status} `),
        `${before.length} ${line}: ${answer}`,
      );
      if (status === 405) assert.match(answer, /FOO is not for this path/);
    }
  }
});

void test('what asks for another protocol is answered as if it did not, and is the last of its connection', async (t) => {
  const world = await start(t);
  const head = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
  const good = 'GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n';
  const asks = `GET /v1/status HTTP/1.1\r\n${head}\r\n`;
  const posts = `POST /v1/leader HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{"to":null}`;
  // The parser takes what came with it for the other protocol: what follows would be cut anywhere.
  for (const behind of ['', good, `${good}${good}`, 'GET /v1/health HTTP/1.1\r\nHo', '\x00\x01']) {
    for (const asked of [asks, posts]) {
      for (const before of ['', good]) {
        const answer = await rawExchange(world, before + asked + behind);
        const answers = answer.match(/HTTP\/1\.1 \d\d\d/g) ?? [];
        assert.equal(answers.length, before === '' ? 1 : 2, answer);
        assert.match(answer, /HTTP\/1\.1 (?:200|403) [^]*connection: close\r\n/i);
        assert.doesNotMatch(answer, /HTTP\/1\.1 400/);
      }
    }
  }
});
