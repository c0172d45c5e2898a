import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { EventStream } from '../../src/api/event-stream.ts';
import { finalEventSchema } from '../../src/api/schemas.ts';
import { Problem } from '../../src/base/problem.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { FakeBackend, transfer } from './fake-backend.ts';
import { parse, problemFrom, start, until, type World } from './world.ts';

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Opens the stream, and gives its events one by one. */
async function open(t: TestContext, world: World, query = '', headers: Record<string, string> = {}) {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const response = await fetch(`${world.api.address}/v1/events${query}`, { headers, signal: abort.signal });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const reader = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let buffered = '';
  const next = async (): Promise<Event | undefined> => {
    for (;;) {
      const end = buffered.indexOf('\n\n');
      if (end >= 0) {
        const lines = buffered.slice(0, end).split('\n');
        buffered = buffered.slice(end + 2);
        const field = (name: string): string | undefined =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const [id, event, data] = [field('id'), field('event'), field('data')];
        if (id !== undefined && event !== undefined && data !== undefined) return { id, event, data };
        continue;
      }
      const { value, done } = await reader.read();
      if (done) return undefined;
      buffered += value;
    }
  };
  const heights = async (count: number): Promise<number[]> => {
    const ids: number[] = [];
    while (ids.length < count) {
      const event = await next();
      assert.ok(event !== undefined, 'the stream goes on');
      ids.push(Number(event.id));
    }
    return ids;
  };
  return { next, heights, abort };
}

void test('each block that becomes final is one event, with its height as id', async (t) => {
  const world = await start(t);
  const stream = await open(t, world);
  world.backend.makeBlock([transfer(0)]);
  world.backend.makeBlock([]);
  const first = await stream.next();
  assert.equal(first?.event, 'final');
  assert.equal(first.id, '1');
  const data = parse(finalEventSchema, JSON.parse(first.data));
  assert.equal(data.engine, 'pbft');
  assert.equal(data.transactionCount, 1);
  assert.equal(data.header.height, 1);
  assert.equal((await stream.next())?.id, '2');
});

void test('a reader that comes back goes on behind the last one that it saw, without a gap', async (t) => {
  const world = await start(t);
  for (let i = 0; i < 250; i++) world.backend.makeBlock([]);
  const stream = await open(t, world, '', { 'last-event-id': '100' });
  const expected = Array.from({ length: 150 }, (_, i) => 101 + i);
  assert.deepEqual(await stream.heights(150), expected);
  world.backend.makeBlock([]);
  assert.deepEqual(await stream.heights(1), [251]);
});

void test('blocks that become final while a reader catches up come once, and in order', async (t) => {
  const world = await start(t);
  for (let i = 0; i < 150; i++) world.backend.makeBlock([]);
  const original = world.backend.headers.bind(world.backend);
  world.backend.headers = async (from, limit) => {
    const page = await original(from, limit);
    if (world.backend.blocks.length < 200) for (let i = 0; i < 10; i++) world.backend.makeBlock([]);
    return page;
  };
  const stream = await open(t, world, '?from=0');
  assert.deepEqual(
    await stream.heights(150),
    Array.from({ length: 150 }, (_, i) => i),
  );
  world.backend.makeBlock([]);
  const last = world.backend.blocks.length - 1;
  assert.deepEqual(
    await stream.heights(last - 149),
    Array.from({ length: last - 149 }, (_, i) => 150 + i),
  );
});

void test('a stream from the next height begins when it is there', async (t) => {
  const world = await start(t);
  const stream = await open(t, world, '?from=1');
  for (let i = 0; i < 4; i++) world.backend.makeBlock([]);
  assert.deepEqual(await stream.heights(2), [1, 2]);
});

void test('the number of readers is bounded, and one that leaves makes place', async (t) => {
  const world = await start(t, { events: { readers: 1 } });
  const stream = await open(t, world);
  const refused = await fetch(`${world.api.address}/v1/events`);
  assert.equal(refused.headers.get('retry-after'), '1');
  await problemFrom(refused, 503, 'api/too-many-readers');
  stream.abort.abort();
  await until(() => world.backend.listeners.size === 0);
  const again = await open(t, world);
  world.backend.makeBlock([]);
  assert.deepEqual(await again.heights(1), [1]);
});

void test('when all places are taken, whoever has the most gives one to a client that has fewer', () => {
  const stream = new EventStream(new FakeBackend(), { readers: 4, readersPerClient: 3 });
  const responses: ServerResponse[] = [];
  const read = (client: string): ServerResponse => {
    stream.admit(client);
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    stream.serve({ response, from: undefined, client, pace: () => Promise.resolve() });
    responses.push(response);
    return response;
  };
  const refusal = { code: 'api/too-many-readers' };
  const [first, second] = [read('a'), read('a')];
  read('a');
  assert.throws(() => stream.admit('a'), refusal, 'it has as many as one client may');
  read('b');
  stream.admit('b');
  assert.equal(first.destroyed, false, 'who only asks takes nothing from anybody');
  read('b');
  assert.deepEqual([first.destroyed, second.destroyed, stream.readers], [true, false, 4]);
  assert.throws(() => stream.admit('b'), refusal, 'there is nobody with more');
  read('c');
  assert.equal(stream.readers, 4);
  assert.throws(() => stream.admit('b'), refusal, 'one more is no reason');
  stream.close();
});

test('a reader that takes nothing is dropped, and the others do not notice', async (t) => {
  const world = await start(t, { events: { bufferBytes: 4_096, stallMs: 1_000 } });
  const { hostname, port } = new URL(world.api.address);
  const stalled = connect(Number(port), hostname);
  t.after(() => stalled.destroy());
  stalled.on('error', () => undefined);
  stalled.pause();
  stalled.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => world.backend.listeners.size === 1);
  const stream = await open(t, world);
  let closed = false;
  stalled.on('close', () => (closed = true));
  // More than the buffers of both kernels hold. The other reader has each part before the next one comes.
  const part = 200;
  for (let from = 1; from <= 20_000; from += part) {
    for (let i = 0; i < part; i++) world.backend.makeBlock([]);
    assert.deepEqual(
      await stream.heights(part),
      Array.from({ length: part }, (_, i) => from + i),
    );
  }
  stream.abort.abort();
  await until(() => world.backend.listeners.size === 0);
  stalled.resume();
  await until(() => closed);
});

void test('silence is broken by comments, so that a dead peer is noticed', async (t) => {
  const world = await start(t, { events: { pingMs: 20 } });
  const response = await fetch(`${world.api.address}/v1/events`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  while (!text.includes(': ping')) text += new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
});

void test('closing ends the streams', async (t) => {
  const world = await start(t);
  const stream = await open(t, world);
  await world.api.close();
  // In order: one that is cut after the grace ends with an error.
  assert.equal(await stream.next(), undefined);
  assert.equal(world.backend.listeners.size, 0);
});

void test('a bad start is 400', async (t) => {
  const world = await start(t);
  for (const query of ['?from=-1', '?from=9007199254740993', '?since=1']) {
    await problemFrom(await fetch(`${world.api.address}/v1/events${query}`), 400, 'api/invalid-request');
  }
  const headers = { 'last-event-id': 'x' };
  await problemFrom(await fetch(`${world.api.address}/v1/events`, { headers }), 400, 'api/invalid-request');
});

void test('a stream from blocks that were pruned is refused, with what is there', async (t) => {
  const world = await start(t);
  world.backend.headers = () =>
    Promise.reject(
      new Problem('storage/pruned', 'blocks are kept from height 9 on', {
        remedy: 'Ask a node that keeps all blocks.',
        details: { firstBlock: 9 },
      }),
    );
  const problem = await problemFrom(
    await fetch(`${world.api.address}/v1/events?from=3`),
    410,
    'storage/pruned',
  );
  assert.equal(problem.details['firstBlock'], 9);
});

void test('a place that the chain does not have is refused at once; one that this node will get to, for now', async (t) => {
  const world = await start(t);
  world.backend.makeBlock([]);
  const ahead = await problemFrom(
    await fetch(`${world.api.address}/v1/events?from=3`),
    409,
    'api/cursor-ahead',
  );
  assert.deepEqual([ahead.details['from'], ahead.details['finalHeight']], [3, 1]);
  const headers = { 'last-event-id': '6' };
  await problemFrom(await fetch(`${world.api.address}/v1/events`, { headers }), 409, 'api/cursor-ahead');
  const next = await open(t, world, '?from=2');
  world.backend.makeBlock([]);
  assert.equal((await next.next())?.id, '2');

  const status = world.backend.status.bind(world.backend);
  world.backend.status = () => ({ ...status(), highestKnown: toHeight(9) });
  const behind = await problemFrom(await fetch(`${world.api.address}/v1/events?from=7`), 503, 'node/behind');
  assert.equal(behind.details['retryable'], true);
});
