import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import { finalBlocks, type FinalBlocksOptions } from '../../src/client/events.ts';
import { askedBlocks } from '../../src/client/held-back.ts';
import { parseEvents } from '../../src/client/server-events.ts';
import { defaultSurroundings, type Surroundings } from '../../src/client/transport.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { deadUrl, fakeApi, origin, problemReply, type Reply } from './fake-api.ts';

const hashAt = (height: number, chain = 'a'): Hash => height.toString(16).padStart(64, chain) as Hash;

const itemAt = (height: number, chain = 'a') => ({
  hash: hashAt(height, chain),
  header: { height, parentHash: hashAt(height - 1, chain) },
  transactionCount: 1,
});

const eventAt = (height: number, chain = 'a', chainId: Hash = origin.chainId): string => {
  const block = { ...origin, chainId, ...itemAt(height, chain) };
  return `id: ${height}\nevent: final\ndata: ${JSON.stringify(block)}\n\n`;
};

const streamOf = (...events: string[]): Reply => ({
  headers: { 'content-type': 'text/event-stream; charset=utf-8' },
  body: events.join(''),
});

/** Reads until so many blocks came, or the stream throws; tells of every trouble on the way. */
async function read(
  options: Partial<FinalBlocksOptions> & Pick<FinalBlocksOptions, 'baseUrl'>,
  count: number,
): Promise<{ heights: number[]; troubles: string[]; thrown: Problem | undefined }> {
  const heights: number[] = [];
  const troubles: string[] = [];
  const surroundings = { ...defaultSurroundings, sleep: () => Promise.resolve() };
  try {
    for await (const { header } of finalBlocks({
      surroundings,
      onTrouble: ({ message }) => troubles.push(message),
      ...options,
    })) {
      heights.push(header.height);
      if (heights.length === count) break;
    }
  } catch (problem) {
    assert.ok(problem instanceof Problem);
    return { heights, troubles, thrown: problem };
  }
  return { heights, troubles, thrown: undefined };
}

test('whoever stops while it waits to try again is waited for no longer', async (t) => {
  const { url } = await fakeApi(t, () => problemReply(503, 'api/busy'));
  const stop = new AbortController();
  // Ends when it is aborted, and never by itself.
  const sleep = (_: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      signal?.addEventListener('abort', () => resolve());
      stop.abort();
    });
  const surroundings = { ...defaultSurroundings, sleep };
  for await (const block of finalBlocks({ baseUrl: url, signal: stop.signal, surroundings })) {
    assert.fail(`block ${block.header.height}`);
  }
  const hour = 3_600_000;
  await defaultSurroundings.sleep(hour, stop.signal);
  const later = new AbortController();
  const sleeping = defaultSurroundings.sleep(hour, later.signal);
  later.abort();
  await sleeping;
});

test('events are read whole, whatever the pieces in which the stream comes', async () => {
  const text =
    ': hello\r\n\r\nid: 7\r\nevent: final\r\ndata: {"a":\r\ndata: "ü"}\r\n\r\ndata\n\ndata: last, cut off';
  const bytes = new TextEncoder().encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 12 }), async (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let i = 1; i < places.length; i++) yield bytes.subarray(places[i - 1], places[i]);
      }
      const events = [];
      for await (const event of parseEvents(pieces(), 1_000)) events.push(event);
      assert.deepEqual(events, [
        { id: '7', event: 'final', data: '{"a":\n"ü"}' },
        { id: '7', event: '', data: '' },
      ]);
    }),
    { seed: 5, numRuns: 200 },
  );
});

test('when the stream breaks, the client goes on after the last block, and shows none twice', async (t) => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const last = request.headers['last-event-id'];
    asked.push(typeof last === 'string' ? last : undefined);
    if (asked.length === 2) {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      asked.length === 1 ? eventAt(4) + eventAt(5) : eventAt(5) + 'event: other\ndata: {}\n\n' + eventAt(6),
    );
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const controller = new AbortController();
  const heights: number[] = [];
  for await (const { header } of finalBlocks({
    baseUrl,
    after: toHeight(3),
    signal: controller.signal,
    surroundings: { ...defaultSurroundings, sleep: () => Promise.resolve() },
  })) {
    heights.push(header.height);
    if (header.height === 6) controller.abort();
  }
  assert.deepEqual(heights, [4, 5, 6]);
  assert.deepEqual(asked, ['3', '5', '5']);
});

test('when the node has the next block no more, the client says so instead of asking for ever', async (t) => {
  const { url, seen } = await fakeApi(t, (_, before) =>
    before === 0
      ? problemReply(503, 'api/too-many-readers')
      : problemReply(410, 'storage/pruned', { firstBlock: 9 }),
  );
  const blocks = finalBlocks({
    baseUrl: url,
    after: toHeight(3),
    signal: AbortSignal.timeout(5_000),
    surroundings: { ...defaultSurroundings, sleep: () => Promise.resolve() },
  });
  await assert.rejects(blocks.next(), (problem: unknown) => {
    assert.ok(problem instanceof Problem && problem.code === 'storage/pruned');
    return problem.details['firstBlock'] === 9;
  });
  assert.equal(seen.length, 2);
});

test('a node behind the one that was read before, at the same address, ends the reading only when it stays so', async (t) => {
  const ahead = problemReply(409, 'api/cursor-ahead');
  const lagging = await fakeApi(t, (_, before) =>
    before === 0 ? streamOf(eventAt(1)) : before < 5 ? ahead : streamOf(eventAt(2)),
  );
  assert.deepEqual((await read({ baseUrl: lagging.url }, 2)).heights, [1, 2]);

  for (const count of [1, 2, 12]) {
    const nodes = await Promise.all(Array.from({ length: count }, () => fakeApi(t, () => ahead)));
    const { thrown, troubles } = await read({ baseUrl: nodes.map(({ url }) => url), after: toHeight(9) }, 1);
    assert.equal(thrown?.code, 'api/cursor-ahead');
    assert.equal(troubles.length + 1, Math.max(count, 8), 'and at least once at each');
  }

  // What else is wrong for good is not waited for, whatever came before it.
  const page = await fakeApi(t, (_, before) => (before < 3 ? ahead : { status: 404, body: 'none' }));
  const { thrown } = await read({ baseUrl: page.url, after: toHeight(9) }, 1);
  assert.equal(thrown?.code, 'api/answer');
  assert.equal(page.seen.length, 4);
});

test('a chain that began anew at the same address is told from the one that was read', async (t) => {
  const other = 'cd'.repeat(32) as Hash;
  for (const [name, second] of [
    ['another chain id', eventAt(3, 'a', other)],
    ['another parent', eventAt(3, 'b')],
    ['another block at the same height', eventAt(2, 'b')],
  ] as const) {
    const { url } = await fakeApi(t, (_, before) =>
      before === 0 ? streamOf(eventAt(1), eventAt(2)) : streamOf(second),
    );
    const { heights, thrown } = await read({ baseUrl: url }, 3);
    assert.deepEqual(heights, [1, 2], name);
    assert.equal(thrown?.code, 'api/other-chain', name);
  }
});

test('a reader that comes back names the block that it saw, and learns when it is no part of the chain', async (t) => {
  const { url } = await fakeApi(t, () => streamOf(eventAt(7)));
  const same = await read({ baseUrl: url, after: { height: toHeight(6), hash: hashAt(6) } }, 1);
  assert.deepEqual(same.heights, [7]);
  const other = await read({ baseUrl: url, after: { height: toHeight(6), hash: hashAt(6, 'b') } }, 1);
  assert.equal(other.thrown?.code, 'api/other-chain');
  const wrongChain = await read({ baseUrl: url, chainId: 'cd'.repeat(32) as Hash }, 1);
  assert.equal(wrongChain.thrown?.code, 'api/other-chain');
});

test('blocks that are missing in a stream are asked for again, and none is passed over', async (t) => {
  const { url, seen } = await fakeApi(t, (_, before) =>
    before === 0 ? streamOf(eventAt(1), eventAt(4)) : streamOf(eventAt(2), eventAt(3), eventAt(4)),
  );
  const { heights } = await read({ baseUrl: url }, 4);
  assert.deepEqual(heights, [1, 2, 3, 4]);
  assert.equal(seen.length, 2);
});

test('a stream that tells of the same blocks for ever is left, and pages of them are asked for slowly', async (t) => {
  const same = await fakeApi(t, (_, before) =>
    before === 0 ? streamOf(...Array.from({ length: 300 }, () => eventAt(1))) : streamOf(eventAt(2)),
  );
  const { heights, troubles } = await read({ baseUrl: same.url }, 2);
  assert.deepEqual(heights, [1, 2]);
  assert.match(troubles[0] ?? '', /blocks that came before/);
  const pages = await fakeApi(t, () => ({ body: { ...origin, headers: [itemAt(1), itemAt(2)] } }));
  let pauses = 0;
  const sleep = (): Promise<void> => Promise.resolve(void (pauses += 1));
  const asked = askedBlocks({
    url: pages.url,
    after: toHeight(7),
    forMs: 1_000,
    signal: undefined,
    surroundings: { ...defaultSurroundings, sleep, now: () => pauses * 500 },
  });
  for await (const { header } of asked) assert.ok(header.height < 7);
  assert.equal(pauses, 2);
});

test('what is no stream of a node ends the reading, and says what came instead', async (t) => {
  const html = { 'content-type': 'text/html' };
  const cases: [Reply, RegExp][] = [
    [{ status: 200, headers: html, body: '<html>' }, /HTTP 200 with text\/html/],
    [{ status: 204, headers: html, body: '' }, /HTTP 204/],
    [{ status: 401, headers: html, body: 'who are you' }, /HTTP 401 .*who are you/],
    [{ status: 404, headers: html, body: 'no such page' }, /HTTP 404/],
    [
      { status: 302, headers: { ...html, location: 'http://elsewhere/' }, body: '' },
      /redirect to http:\/\/elsewhere/,
    ],
    [streamOf('data: hello\n\n'), /an event that tells of no final block/],
    [streamOf('event: final\ndata: {"header":{"height":1}}\n\n'), /no final block/],
    [streamOf(eventAt(1.5)), /no final block/],
    [
      streamOf(eventAt(1).replace('{', `{"more":${'['.repeat(9_000)}${']'.repeat(9_000)},`)),
      /no final block/,
    ],
    [streamOf(eventAt(-1)), /no final block/],
    [{ headers: { 'content-type': 'text/event-streams' }, body: eventAt(1) }, /HTTP 200 with/],
    [streamOf(`data: ${'x'.repeat(70_000)}`), /more than 65536 characters/],
    [
      streamOf(...Array.from({ length: 70 }, () => `data: ${'x'.repeat(1_000)}\n`)),
      /more than 65536 characters/,
    ],
  ];
  for (const [reply, expected] of cases) {
    const { url, seen } = await fakeApi(t, () => reply);
    const { thrown } = await read({ baseUrl: url }, 1);
    assert.match(thrown?.message ?? 'nothing was thrown', expected);
    assert.equal(seen.length, 1);
  }
});

test('a stream that tells of nothing, and does so without end, is left for the next node', async (t) => {
  const good = await fakeApi(t, () => streamOf(eventAt(1)));
  for (const text of [': alive\n\n', 'event: other\ndata: 1\n\n', '\n']) {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const more = (): void => {
        while (!response.destroyed && response.write(text.repeat(500)));
        response.once('drain', more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const { heights, troubles } = await read({ baseUrl: [`http://127.0.0.1:${port}`, good.url] }, 1);
    assert.deepEqual(heights, [1]);
    assert.match(troubles[0] ?? '', /told of no new block in 1048576 bytes$/);
  }
});

test('a media type is read in any case, and events of other names are for later versions', async (t) => {
  const { url } = await fakeApi(t, () => ({
    headers: { 'content-type': 'Text/Event-Stream ; Charset=UTF-8' },
    body: `event: epoch\ndata: 7\n\n${eventAt(1)}`,
  }));
  assert.deepEqual((await read({ baseUrl: url }, 1)).heights, [1]);
});

test('with several nodes the stream goes on at the next one, and what broke it is told', async (t) => {
  const first = await fakeApi(t, () => streamOf(eventAt(1), eventAt(2)));
  const second = await fakeApi(t, () => streamOf(eventAt(3), eventAt(4)));
  const page = await fakeApi(t, () => ({ headers: { 'content-type': 'text/html' }, body: '<html>' }));
  const baseUrl = [first.url, await deadUrl(), page.url, second.url];
  const { heights, troubles } = await read({ baseUrl }, 4);
  assert.deepEqual(heights, [1, 2, 3, 4]);
  assert.equal(troubles.length, 3);
  assert.match(troubles.join(), /ended it.*ECONNREFUSED.*text\/html/);
  assert.equal(second.seen[0]?.url, '/v1/events');
});

/** A node whose connections stay open, and that sends nothing more than this. */
async function silentNode(t: TestContext, sent: string | undefined): Promise<string> {
  const server = createServer((_, response) => {
    if (sent === undefined) return;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

test('a node that gives no sign of life three times is left', async (t) => {
  const baseUrl = [await silentNode(t, eventAt(1)), (await fakeApi(t, () => streamOf(eventAt(2)))).url];
  const alarms: { ms: number; call: () => void; live: boolean }[] = [];
  const surroundings: Surroundings = {
    ...defaultSurroundings,
    sleep: () => Promise.resolve(),
    alarm: (ms, call) => {
      const alarm = { ms, call, live: true };
      alarms.push(alarm);
      return () => void (alarm.live = false);
    },
  };
  const blocks = finalBlocks({ baseUrl, surroundings });
  assert.equal((await blocks.next()).value?.header.height, 1);
  // Whoever takes long over a block does not read meanwhile, and that is no silence.
  assert.ok(alarms.every(({ live }) => !live));
  const next = blocks.next();
  const waited = (): typeof alarms => alarms.filter(({ live, ms }) => live && ms === 45_000);
  while (waited().length === 0) await new Promise((resolve) => setImmediate(resolve));
  const pending = waited();
  assert.equal(pending.length, 1);
  pending[0]?.call();
  assert.equal((await next).value?.header.height, 2);
  await blocks.return();
  assert.ok(
    alarms.every(({ live }) => !live),
    'no alarm is left behind',
  );
});

/** Time in which only looks happen, one after the other, as fast as they are answered. */
function steppedTime(): { surroundings: Surroundings; goOn: () => () => void } {
  const alarms = new Set<() => void>();
  const surroundings: Surroundings = {
    ...defaultSurroundings,
    now: () => 0,
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
    alarm: (ms, call) => {
      if (ms > 15_000) return () => undefined;
      alarms.add(call);
      return () => void alarms.delete(call);
    },
  };
  const goOn = () => {
    const timer = setInterval(() => {
      for (const call of alarms) {
        alarms.delete(call);
        call();
      }
    }, 1);
    return () => clearInterval(timer);
  };
  return { surroundings, goOn };
}

/** Nodes that a proxy stands before which hands a stream on when it has so many bytes of it, or never. */
async function heldBack(t: TestContext, sendsHead: boolean) {
  let height = 0;
  const paths: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://h');
    paths.push(pathname);
    if (pathname === '/v1/events') {
      if (sendsHead) response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      return;
    }
    const from = Number(searchParams.get('from'));
    const headers = Array.from({ length: Math.max(height + 1 - from, 0) }, (_, index) =>
      itemAt(from + index),
    );
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...origin, finalHeight: height, headers }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return { baseUrl, paths, growTo: (to: number) => void (height = to) };
}

for (const sendsHead of [true, false]) {
  for (const after of [toHeight(0), undefined]) {
    const from = after === undefined ? 'from the end' : 'from a block on';
    test(`where a proxy holds the stream back (${sendsHead ? 'all but its head' : 'all of it'}), blocks are asked for, ${from}`, async (t) => {
      const { baseUrl, paths, growTo } = await heldBack(t, sendsHead);
      const troubles: Problem[] = [];
      const stop = new AbortController();
      const { surroundings, goOn } = steppedTime();
      t.after(goOn());
      const blocks = finalBlocks({
        baseUrl,
        surroundings,
        signal: stop.signal,
        onTrouble: (problem) => troubles.push(problem),
        ...(after !== undefined && { after }),
      });
      const first = blocks.next();
      // It is seen where the chain stands before it grows.
      while (!paths.includes(after === undefined ? '/v1/status' : '/v1/headers')) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      growTo(2);
      const heights = [(await first).value?.header.height, (await blocks.next()).value?.header.height];
      assert.deepEqual(heights, [1, 2]);
      growTo(3);
      assert.equal((await blocks.next()).value?.header.height, 3);
      assert.deepEqual(
        troubles.map(({ code }) => code),
        ['api/held-back'],
      );
      stop.abort();
      assert.equal((await blocks.next()).done, true);
    });
  }
}

for (const begins of [true, false]) {
  const when = begins ? 'in the middle of its stream' : 'before its stream begins';
  test(`a node that stands still is left for the next one (${when})`, async (t) => {
    const still = await silentNode(t, begins ? eventAt(1) : undefined);
    const other = await fakeApi(t, () => streamOf(eventAt(2)));
    const { surroundings, goOn } = steppedTime();
    // As when the time of a look is up.
    const fetch: Surroundings['fetch'] = (input, init) =>
      (input instanceof Request ? input.url : input.toString()).startsWith(`${still}/v1/headers`)
        ? Promise.reject(new DOMException('late', 'TimeoutError'))
        : surroundings.fetch(input, init);
    const troubles: string[] = [];
    const blocks = finalBlocks({
      baseUrl: [still, other.url],
      after: toHeight(begins ? 0 : 1),
      surroundings: { ...surroundings, fetch },
      onTrouble: ({ code }) => troubles.push(code),
    });
    if (begins) assert.equal((await blocks.next()).value?.header.height, 1);
    t.after(goOn());
    assert.equal((await blocks.next()).value?.header.height, 2);
    await blocks.return();
    assert.deepEqual(troubles, ['api/timeout']);
  });
}

test('who cannot be reached for good is not tried for ever', async () => {
  const dead = (code: string): Surroundings => ({
    ...defaultSurroundings,
    sleep: () => Promise.resolve(),
    fetch: async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
    },
  });
  for (const code of ['ENOTFOUND', 'CERT_HAS_EXPIRED', 'ERR_SSL_WRONG_VERSION_NUMBER']) {
    const { thrown } = await read({ baseUrl: 'https://h', surroundings: dead(code) }, 1);
    assert.match(thrown?.code ?? '', /^api\/(unreachable|answer)$/, code);
  }
});
