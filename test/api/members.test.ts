import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { changedSchema, membersSchema } from '../../src/api/schemas.ts';
import { startApi } from '../../src/api/server.ts';
import { Problem } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { alice, FakeBackend, transfer, validator } from './fake-backend.ts';
import { get, parse, problemFrom, start, type World } from './world.ts';

const json = { 'content-type': 'application/json' };

function send(world: Pick<World, 'api'>, path: string, body: object, headers: Record<string, string> = {}) {
  return fetch(world.api.address + path, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });
}

void test('members are listed with their roles', async (t) => {
  const world = await start(t);
  const { members } = await get(world, '/v1/members', membersSchema);
  assert.deepEqual(
    members.map(({ index, role, leader }) => [index, role, leader]),
    [
      [0, 'voter', true],
      [1, 'voter', false],
    ],
  );
});

void test('an operator changes members by address or key, all at once, forced or not', async (t) => {
  const world = await start(t);
  const changes = [
    { member: encodeAddress(alice), role: 'learner' },
    { member: validator, role: 'removed' },
  ];
  const response = await send(world, '/v1/members', { changes, force: true });
  assert.equal(response.status, 200);
  assert.equal(parse(changedSchema, await response.json()).height, 9);
  await send(world, '/v1/members', { changes: [{ member: alice, role: 'voter' }] });
  assert.deepEqual(world.backend.operations, [
    {
      changes: [
        { publicKey: alice, role: 'learner' },
        { publicKey: validator, role: 'removed' },
      ],
      forced: true,
    },
    { changes: [{ publicKey: alice, role: 'voter' }], forced: false },
  ]);
});

void test('an operator hands the lead over, to somebody or to whom the leader chooses', async (t) => {
  const world = await start(t);
  assert.equal((await send(world, '/v1/leader', { to: alice })).status, 200);
  assert.equal((await send(world, '/v1/leader', {})).status, 200);
  assert.deepEqual(world.backend.operations, [{ to: alice }, { to: null }]);
});

void test('what the engine refuses is told with its reason and a status that says whether to try again', async (t) => {
  const world = await start(t);
  for (const [code, status] of [
    ['consensus/not-leader', 409],
    ['consensus/quorum-loss', 409],
    ['consensus/not-caught-up', 409],
    ['consensus/change-outcome-unknown', 409],
    ['consensus/busy', 503],
    ['consensus/unsupported', 501],
  ] as const) {
    world.backend.operation = new Problem(code, 'why not', { remedy: 'What to do about it.' });
    const response = await send(world, '/v1/members', { changes: [{ member: alice, role: 'voter' }] });
    assert.equal(response.headers.has('retry-after'), status === 503, code);
    await problemFrom(response, status, code);
  }
});

void test('bad changes are refused before anybody is asked', async (t) => {
  const world = await start(t);
  const changes = [{ member: alice, role: 'voter' }];
  for (const body of [
    {},
    { changes: [] },
    { changes: [{ member: alice }] },
    { changes: [{ member: alice, role: 'king' }] },
    { changes: [{ member: alice, role: 'voter', extra: 1 }] },
    { changes, forced: true },
    { changes, force: 'yes' },
    { changes: Array.from({ length: 101 }, () => changes[0]) },
  ]) {
    await problemFrom(await send(world, '/v1/members', body), 400, 'api/invalid-request');
  }
  const wrongKey = await send(world, '/v1/members', { changes: [{ member: 'qr1nobody', role: 'voter' }] });
  assert.equal(wrongKey.status, 400);
  await problemFrom(await send(world, '/v1/leader', { to: 5 }), 400, 'api/invalid-request');
  await problemFrom(await fetch(`${world.api.address}/v1/leader`), 405, 'api/method-not-allowed');
  assert.deepEqual(world.backend.operations, []);
});

void test('with a token in the configuration only who sends it is an operator', async (t) => {
  const backend = new FakeBackend();
  const operatorToken = 'a-token-of-the-operators';
  const api = await startApi({
    backend,
    host: '127.0.0.1',
    port: 0,
    operatorToken,
    log: { error: () => undefined },
  });
  t.after(() => api.close());
  const world = { api };
  await problemFrom(await send(world, '/v1/leader', {}), 401, 'api/token-missing');
  for (const authorization of ['Bearer guess', `Bearer ${operatorToken}x`, `Basic ${operatorToken}`]) {
    const refused = await send(world, '/v1/leader', {}, { authorization });
    assert.ok([401, 403].includes(refused.status), authorization);
  }
  const taken = await send(world, '/v1/leader', {}, { authorization: `Bearer ${operatorToken}` });
  assert.equal(taken.status, 200);
  assert.equal(backend.operations.length, 1);
});

void test('without a token nobody is one where others can reach the API, nor through a foreign name of this machine', async (t) => {
  const backend = new FakeBackend();
  const api = await startApi({ backend, host: '0.0.0.0', port: 0, log: { error: () => undefined } });
  t.after(() => api.close());
  const open = { api: { ...api, address: api.address.replace('0.0.0.0', '127.0.0.1') } };
  await problemFrom(await send(open, '/v1/leader', {}), 403, 'api/operators-only');

  const local = await start(t);
  const { port } = new URL(local.api.address);
  // fetch sets the Host itself; a browser that was led here by DNS sends the attacker's.
  const status = await new Promise((resolve, reject) => {
    const headers = { ...json, host: `rebound.example:${port}` };
    const sent = httpRequest({ host: '127.0.0.1', port, path: '/v1/leader', method: 'POST', headers });
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end('{}');
  });
  assert.equal(status, 403);
  assert.deepEqual([...backend.operations, ...local.backend.operations], []);
});

void test('localhost is this machine whatever its list of names says, and its operators need no token there', async (t) => {
  const backend = new FakeBackend();
  const api = await startApi({ backend, host: 'localhost', port: 0, log: { error: () => undefined } });
  t.after(() => api.close());
  const { hostname, port } = new URL(api.address);
  assert.equal(hostname, '127.0.0.1');
  for (const name of ['127.0.0.1', 'localhost']) {
    const taken = await send({ api: { ...api, address: `http://${name}:${port}` } }, '/v1/leader', {});
    assert.equal(taken.status, 200, name);
  }
  assert.equal(backend.operations.length, 2);
});

void test('a submission that waits tells the node how long; one that does not, nothing', async (t) => {
  const world = await start(t);
  const body = { transaction: Buffer.from(transfer(1).bytes).toString('hex') };
  await send(world, '/v1/transactions', body);
  await send(world, '/v1/transactions?wait=final&timeoutMs=20', body);
  assert.deepEqual(world.backend.waits, [undefined, 20]);
});

void test('when time is up and nobody leads, a transaction that was taken has an unknown outcome, by its hash', async (t) => {
  class LeaderlessRaft extends FakeBackend {
    override readonly identity = {
      ...new FakeBackend().identity,
      engine: 'raft' as const,
      leaderTakesAll: true,
    };
  }
  const backend = new LeaderlessRaft();
  const api = await startApi({ backend, host: '127.0.0.1', port: 0, log: { error: () => undefined } });
  t.after(() => api.close());
  const { hash, bytes } = transfer(1);
  const body = { transaction: Buffer.from(bytes).toString('hex') };
  const response = await send({ api }, '/v1/transactions?wait=final&timeoutMs=30', body);
  const problem = await problemFrom(response, 504, 'consensus/outcome-unknown');
  assert.equal(problem.details['hash'], hash);
  assert.equal(problem.details['outcome'], 'unknown');
  assert.match(problem.remedy, new RegExp(hash));

  backend.makeBlock();
  const again = await send({ api }, '/v1/transactions?wait=final&timeoutMs=30', body);
  assert.equal(((await again.json()) as { status: string }).status, 'final', 'asked again, it counts once');
});
