import assert from 'node:assert/strict';
import { test } from 'node:test';
import { samplesSchema, viewChangesSchema, votesSchema } from '../../src/api/telemetry-schemas.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { Problem } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { alice, validator } from './fake-backend.ts';
import { get, problemFrom, start } from './world.ts';

void test('samples come for the minutes unless the hours are asked for, with rounded times', async (t) => {
  const world = await start(t);
  const { everyMs, samples } = await get(world, '/v1/telemetry/samples', samplesSchema);
  assert.equal(everyMs, 2_000);
  assert.equal(samples.length, 2);
  const [sample] = samples;
  assert.deepEqual(sample?.latencyMs, { p50: 10, p90: 20.1, p99: null });
  assert.deepEqual(sample?.votes, [{ validator: encodeAddress(validator), ms: 0.7 }]);
  await get(world, '/v1/telemetry/samples?span=hours', samplesSchema);
  assert.deepEqual(world.backend.telemetry.asked, ['minutes', 'hours']);
  assert.equal(world.logged.length, 0);
});

void test('the changes of the view and the votes come with accounts, and null where nothing is known', async (t) => {
  const world = await start(t);
  const { changes } = await get(world, '/v1/telemetry/views', viewChangesSchema);
  assert.deepEqual(
    changes.map(({ view, leader, reason }) => [view, leader, reason]),
    [
      [0, encodeAddress(validator), 'this node started'],
      [1, null, 'its primary is silent'],
    ],
  );
  const { blocks } = await get(world, '/v1/telemetry/votes', votesSchema);
  assert.deepEqual(
    blocks.map(({ height, finalMs, votes }) => [height, finalMs, votes]),
    [
      [7, null, [{ validator: encodeAddress(alice), ms: null }]],
      [8, 12.3, [{ validator: encodeAddress(validator), ms: 3.2 }]],
    ],
  );
});

void test('the client reads all three', async (t) => {
  const world = await start(t);
  const client = new HttpClient({ baseUrl: world.api.address });
  const [samples, changes, votes] = await Promise.all([
    client.samples({ span: 'hours' }),
    client.viewChanges(),
    client.votes(),
  ]);
  assert.ok(!(samples instanceof Problem) && samples.samples.length === 2);
  assert.ok(!(changes instanceof Problem) && changes.changes.length === 2);
  assert.ok(!(votes instanceof Problem) && votes.blocks.length === 2);
});

void test('what is asked for wrongly is refused with its field', async (t) => {
  const world = await start(t);
  for (const query of [
    'span=days',
    'span=',
    'span=minutes&span=hours',
    'spam=hours',
    'span=HOURS',
    'limit=1',
  ]) {
    const response = await fetch(`${world.api.address}/v1/telemetry/samples?${query}`);
    const problem = await problemFrom(response, 400, 'api/invalid-request');
    assert.match(problem.detail, /span|spam|limit/);
  }
  for (const path of ['views?limit=1', 'votes?from=2']) {
    await problemFrom(await fetch(`${world.api.address}/v1/telemetry/${path}`), 400, 'api/invalid-request');
  }
  await problemFrom(await fetch(`${world.api.address}/v1/telemetry`), 404, 'api/not-found');
});
