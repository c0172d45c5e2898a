import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import { finalBlocks, parseEvents } from '../../src/client/events.ts';
import { defaultSurroundings } from '../../src/client/transport.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { fakeApi, origin, problemReply } from './fake-api.ts';

const eventAt = (height: number): string => {
  const block = { ...origin, hash: 'aa'.repeat(32), header: { height }, transactionCount: 1 };
  return `id: ${height}\nevent: final\ndata: ${JSON.stringify(block)}\n\n`;
};

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
      for await (const event of parseEvents(pieces())) events.push(event);
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
    response.write(asked.length === 1 ? eventAt(4) + eventAt(5) : eventAt(5) + 'data: {}\n\n' + eventAt(6));
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
