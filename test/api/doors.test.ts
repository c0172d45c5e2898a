import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { transfer } from './fake-backend.ts';
import { hexOf, post, problemFrom, rawExchange, start, until, type World } from './world.ts';

const pageRequest = 'GET /v1/headers?limit=100 HTTP/1.1\r\nHost: x\r\n\r\n';

/** Counts the turns of the event loop until the test ends. */
function countTurns(t: TestContext): () => number {
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  t.after(() => void (over = true));
  return () => turns;
}

/** A connection that says nothing unless told to. */
async function dial(
  t: TestContext,
  world: World,
  from = '127.0.0.1',
): Promise<Socket & { received: () => string }> {
  const { hostname, port } = new URL(world.api.address);
  const socket = connect({ port: Number(port), host: hostname, localAddress: from });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => (text += chunk));
  await new Promise((resolve) => socket.once('connect', resolve));
  return Object.assign(socket, { received: () => text });
}

/** Begins to wait for a transaction that nobody makes final. */
async function wait(t: TestContext, world: World, nonce: number) {
  const body = JSON.stringify({ transaction: hexOf(transfer(nonce)) });
  const socket = await dial(t, world);
  const before = world.backend.submissions;
  socket.write(
    `POST /v1/transactions?wait=final&timeoutMs=60000 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
  await until(() => world.backend.submissions > before || socket.received() !== '');
  return socket;
}

/** Lets the backend's pages wait until they are released; tells how many were asked for. */
function holdPages(world: World) {
  const original = world.backend.headers.bind(world.backend);
  const held = Promise.withResolvers<void>();
  const pages = { asked: 0, release: () => held.resolve() };
  world.backend.headers = async (...args) => {
    pages.asked += 1;
    await held.promise;
    return original(...args);
  };
  return pages;
}

describe('pipelined requests', () => {
  test('are answered one after the other; past the bound with 503, and the connection ends', async (t) => {
    const world = await start(t);
    const pages = holdPages(world);
    const exchange = rawExchange(world, pageRequest.repeat(1_000));
    await until(() => pages.asked > 0);
    pages.release();
    const text = await exchange;
    assert.equal(pages.asked, 1 + limits.httpPipelined);
    assert.equal(text.split('HTTP/1.1 200 ').length - 1, 1 + limits.httpPipelined);
    assert.equal(text.split('HTTP/1.1 503 ').length - 1, 1);
    assert.match(text, /retry-after: 1\r\n/i);
    assert.match(text, /"code":"api\/too-many-pipelined"/);
  });

  test('are not even read while others wait before them', async (t) => {
    const world = await start(t);
    let read = 0;
    const count = (): void => void (read += 1);
    diagnostics.subscribe('http.server.request.start', count);
    t.after(() => diagnostics.unsubscribe('http.server.request.start', count));
    await rawExchange(world, pageRequest.repeat(1_000));
    assert.ok(read <= limits.httpReadPieceBytes / pageRequest.length + 1, `${read} of 1,000 were read`);
  });

  test('behind a body are not read with it', async (t) => {
    const world = await start(t);
    const pages = holdPages(world);
    const body = JSON.stringify({ transaction: hexOf(transfer(0)) });
    const submission =
      `POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`;
    const exchange = rawExchange(world, submission + pageRequest.repeat(1_000));
    await until(() => pages.asked > 0);
    pages.release();
    const text = await exchange;
    assert.match(text, /^HTTP\/1.1 202 /);
    assert.ok(text.split('HTTP/1.1 200 ').length - 1 <= 2 * limits.httpPipelined);
    assert.match(text, /api\/too-many-pipelined/);
  });

  test('have a turn of the loop each, so that peers are heard in between', async (t) => {
    const world = await start(t);
    const turns = countTurns(t);
    const at: number[] = [];
    const original = world.backend.headers.bind(world.backend);
    world.backend.headers = (...args) => {
      at.push(turns());
      return original(...args);
    };
    const count = limits.httpPipelined;
    await rawExchange(
      world,
      pageRequest.repeat(count - 1) + pageRequest.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    assert.equal(at.length, count);
    assert.equal(new Set(at).size, count, 'no two in the same turn');
  });

  test('of a connection that closed are dropped', async (t) => {
    const world = await start(t);
    const pages = holdPages(world);
    const socket = await dial(t, world);
    socket.write(pageRequest.repeat(10));
    await until(() => pages.asked === 1);
    socket.destroy();
    await until(() => world.api.connections() === 0);
    pages.release();
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(pages.asked, 1);
  });
});

describe('requests under way', () => {
  test('are bounded, and what is past the bound is told to come back; health needs no place', async (t) => {
    const gate = { places: 1, requests: 2 };
    const world = await start(t, { gate });
    const pages = holdPages(world);
    const [first, second] = [await dial(t, world), await dial(t, world)];
    first.write(pageRequest);
    await until(() => pages.asked === 1);
    second.write(pageRequest);
    await until(() => world.api.underWay() === 2);
    const refused = await fetch(`${world.api.address}/v1/status`);
    assert.equal(refused.headers.get('retry-after'), '1');
    await problemFrom(refused, 503, 'api/busy');
    for (const path of ['/v1/health', '/v1/ready', '/metrics']) {
      assert.equal((await fetch(world.api.address + path)).status, 200, path);
    }
    assert.equal(pages.asked, 1, 'the second waits for the place');
    pages.release();
    await until(() => second.received().includes('HTTP/1.1 200 '));
    assert.equal((await fetch(`${world.api.address}/v1/status`)).status, 200);
  });

  test('leave places for other clients', async (t) => {
    const world = await start(t, { gate: { requestsPerClient: 1 } });
    const pages = holdPages(world);
    (await dial(t, world)).write(pageRequest);
    await until(() => pages.asked === 1);
    await problemFrom(await fetch(`${world.api.address}/v1/status`), 503, 'api/busy');
    pages.release();
  });

  test('of some clients do not keep out others: the last one of whoever has most gives way', async (t) => {
    const world = await start(t, { gate: { places: 1, requests: 8, requestsPerClient: 4 } });
    const pages = holdPages(world);
    const greedy: Awaited<ReturnType<typeof dial>>[] = [];
    for (const from of ['127.0.0.2', '127.0.0.3']) {
      for (let count = 0; count < 4; count++) {
        const socket = await dial(t, world, from);
        socket.write(pageRequest);
        greedy.push(socket);
        await until(() => world.api.underWay() === greedy.length);
      }
    }
    await until(() => pages.asked === 1);
    // As many as are fair: then each client has as many as the others.
    const honest: typeof greedy = [];
    for (let count = 0; count < 2; count++) {
      const socket = await dial(t, world);
      socket.write(pageRequest);
      honest.push(socket);
      await until(
        () => greedy.filter((other) => other.received().includes('api/busy')).length === honest.length,
      );
    }
    assert.equal(world.api.underWay(), 8);
    await problemFrom(await fetch(`${world.api.address}/v1/status`), 503, 'api/busy');
    pages.release();
    for (const socket of honest) await until(() => socket.received().includes('HTTP/1.1 200 '));
    // Those that were there as a whole lose no more than their turn.
    const [again] = greedy.filter((other) => other.received().includes('api/busy'));
    again?.write(pageRequest);
    await until(() => again?.received().includes('HTTP/1.1 200 ') === true);
  });

  test('whose clients send nothing give way to others, from however many addresses they come', async (t) => {
    const world = await start(t, { gate: { places: 1, requests: 4, stalledMs: 0 } });
    const pages = holdPages(world);
    (await dial(t, world, '127.0.0.2')).write(pageRequest);
    await until(() => pages.asked === 1);
    const half =
      'POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{';
    const slow: Awaited<ReturnType<typeof dial>>[] = [];
    for (const from of ['127.0.0.3', '127.0.0.4', '127.0.0.5']) {
      const socket = await dial(t, world, from);
      socket.write(half);
      slow.push(socket);
      await until(() => world.api.underWay() === 1 + slow.length);
    }
    const honest = await dial(t, world);
    honest.write(pageRequest);
    await until(() => slow.some((socket) => socket.received().includes('api/busy')));
    pages.release();
    await until(() => honest.received().includes('HTTP/1.1 200 '));
  });

  test('that read do not keep a client from submitting', async (t) => {
    const world = await start(t, { gate: { requestsPerClient: 1, placesPerClient: 1 } });
    const pages = holdPages(world);
    (await dial(t, world)).write(pageRequest);
    await until(() => pages.asked === 1);
    assert.equal((await post(world, { transaction: hexOf(transfer(0)) })).status, 202);
    pages.release();
  });

  test('that read leave places for what clients submit', async (t) => {
    const world = await start(t, { gate: { places: 4, placesPerClient: 8 } });
    const pages = holdPages(world);
    for (let reader = 0; reader < 6; reader++) (await dial(t, world)).write(pageRequest);
    await until(() => world.api.underWay() === 6);
    await until(() => pages.asked === 3);
    const submitted = await post(world, { transaction: hexOf(transfer(0)) });
    assert.deepEqual([submitted.status, pages.asked], [202, 3]);
    pages.release();
  });

  test('that are there as a whole go before those whose bodies are not, and these are the first to be refused', async (t) => {
    const world = await start(t, { gate: { places: 1, requestsPerClient: 3, stalledMs: 60_000 } });
    const half =
      'POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{';
    const slow = [await dial(t, world), await dial(t, world), await dial(t, world)];
    for (const [at, socket] of slow.entries()) {
      socket.write(half);
      await until(() => world.api.underWay() === at + 1);
    }
    const honest = post(world, { transaction: hexOf(transfer(0)) });
    await until(() => slow.some((socket) => socket.received().includes('api/busy')));
    slow[0]?.destroy();
    assert.equal((await honest).status, 202);
    assert.equal(world.api.underWay(), 1, 'the other one still waits, or has the place');
  });

  for (const [what, text] of [
    [
      'sends its body slowly',
      'POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    ],
    ['takes its answer slowly', 'GET /v1/blocks/1?full=true HTTP/1.1\r\nHost: x\r\n\r\n'],
  ] as const) {
    test(`lose their place to others when their client ${what}`, async (t) => {
      const world = await start(t, { gate: { places: 1, slowMs: 10, stalledMs: 10 } });
      // More than the kernel takes off our hands.
      const many = what.startsWith('takes') ? 4_096 : 0;
      world.backend.makeBlock(Array.from({ length: many }, (_, nonce) => transfer(nonce)));
      const slow = await dial(t, world);
      slow.pause();
      slow.write(text);
      await until(() => world.api.underWay() === 1);
      assert.equal((await fetch(`${world.api.address}/v1/status`)).status, 200);
      slow.resume();
      await until(() => slow.destroyed);
    });
  }

  test('whose bodies come in chunks are taken, unless nearly all of it is their frames', async (t) => {
    const world = await start(t);
    const head =
      'POST /v1/transactions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunked = (text: string, size: number): string =>
      (text.match(new RegExp(`.{1,${size}}`, 'g')) ?? [])
        .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
        .join('');
    const body = JSON.stringify({ transaction: hexOf(transfer(0)) });
    const small = await dial(t, world);
    small.write(`${head}${chunked(body, 1)}0\r\n\r\n`);
    await until(() => small.received().includes('202 Accepted'));
    const large = await dial(t, world);
    large.write(`${head}${chunked('x'.repeat(1_000_000), 16)}0\r\n\r\n`);
    await until(() => large.received().includes('400 Bad Request'));
    const hollow = await dial(t, world);
    hollow.write(head + chunked('x'.repeat(5_000), 1));
    await until(() => hollow.destroyed);
    assert.equal(hollow.received(), '');
  });

  test('that wait for finality need no place, but are bounded for each client', async (t) => {
    const world = await start(t, { gate: { places: 1, waitingPerClient: 2 } });
    await wait(t, world, 0);
    await wait(t, world, 1);
    assert.equal((await fetch(`${world.api.address}/v1/status`)).status, 200);
    const refused = await wait(t, world, 2);
    assert.match(refused.received(), /503 Service Unavailable[^]*api\/too-many-waiting/);
  });

  test('that wait for finality have a part of the connections: past it the longest is answered as things stand', async (t) => {
    const gate = { connections: 4, reservedConnections: 1 };
    const world = await start(t, { gate, waits: { waits: 2 } });
    const waiting: Awaited<ReturnType<typeof wait>>[] = [];
    for (let nonce = 0; nonce < 4; nonce++) waiting.push(await wait(t, world, nonce));
    const [first, second, , last] = waiting;
    for (const one of [first, second]) {
      await until(() => one?.received().includes('"status":"pending"') ?? false);
      assert.match(one?.received() ?? '', /^HTTP\/1.1 200 OK[^]*retry-after: 1\r\n/i);
    }
    assert.equal((await post(world, { transaction: hexOf(transfer(4)) })).status, 202);
    assert.equal((await fetch(`${world.api.address}/v1/status`)).status, 200);
    assert.equal(last?.received(), '');
    world.backend.makeBlock();
    await until(() => last?.received().includes('"status":"final"') ?? false);
    assert.doesNotMatch(last?.received() ?? '', /retry-after/i);
  });

  test('that wait are bounded by what they keep in memory, and one client has half of that', async (t) => {
    const size = hexOf(transfer(0)).length;
    const world = await start(t, { gate: { asideBytes: 6 * size } });
    const waiting = [await wait(t, world, 0), await wait(t, world, 1), await wait(t, world, 2)];
    const refused = await wait(t, world, 3);
    assert.match(refused.received(), /503 Service Unavailable[^]*api\/busy/);
    world.backend.makeBlock();
    for (const one of waiting) await until(() => one.received().includes('200 OK'));
    for (let nonce = 4; nonce < 12; nonce++) {
      const later = await wait(t, world, nonce);
      world.backend.makeBlock();
      await until(() => later.received().includes('200 OK'));
    }
  });
});

describe('connections', () => {
  test('that are idle give way to new ones, the longest idle first', async (t) => {
    const world = await start(t, { gate: { connections: 3, reservedConnections: 1 } });
    const idle = [await dial(t, world), await dial(t, world), await dial(t, world)];
    await until(() => world.api.connections() === 3);
    const closed = new Promise((resolve) => idle[0]?.once('close', resolve));
    assert.equal((await fetch(`${world.api.address}/v1/health`)).status, 200);
    await closed;
    assert.equal(idle[1]?.destroyed, false);
  });

  test('that are idle are kept when they were used, and others were not', async (t) => {
    const world = await start(t, { gate: { connections: 3, reservedConnections: 1, stalledMs: 0 } });
    const used = await dial(t, world);
    used.write('GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => used.received().includes('200 OK'));
    const unused = [await dial(t, world), await dial(t, world)];
    await until(() => world.api.connections() === 3);
    const closed = new Promise((resolve) => unused[0]?.once('close', resolve));
    assert.equal((await fetch(`${world.api.address}/v1/health`)).status, 200);
    await closed;
    assert.equal(used.destroyed, false);
  });

  test('are reserved for health, readiness and metrics when all others are busy', async (t) => {
    const world = await start(t, { gate: { connections: 2, reservedConnections: 1 } });
    await wait(t, world, 0);
    const last = await wait(t, world, 1);
    const refused = await fetch(`${world.api.address}/v1/status`);
    assert.equal(refused.headers.get('connection'), 'close');
    await problemFrom(refused, 503, 'api/too-many-connections');
    for (const path of ['/v1/health', '/v1/ready', '/metrics']) {
      assert.equal((await fetch(world.api.address + path)).status, 200, path);
    }
    last.destroy();
    await until(() => world.api.connections() <= 2);
    assert.equal((await fetch(`${world.api.address}/v1/status`)).status, 200, 'there is a place again');
  });
});

describe('the event stream', () => {
  test('is read from the store in many turns, however long the chain is', async (t) => {
    const world = await start(t);
    for (let i = 0; i < 500; i++) world.backend.makeBlock([]);
    const turns = countTurns(t);
    const pages: { readonly turn: number; readonly blocks: number }[] = [];
    const original = world.backend.headers.bind(world.backend);
    world.backend.headers = async (from, limit) => {
      const page = await original(from, limit);
      pages.push({ turn: turns(), blocks: page.length });
      return page;
    };
    const socket = await dial(t, world);
    socket.write('GET /v1/events?from=1 HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => socket.received().includes('id: 500\n'));
    const byTurn = Map.groupBy(pages, ({ turn }) => turn);
    for (const inTurn of byTurn.values()) {
      const blocks = inTurn.reduce((sum, page) => sum + page.blocks, 0);
      assert.ok(blocks <= limits.httpPieceHeaders, `${blocks} blocks in one turn`);
    }
  });

  test('answers HEAD at once, and without a reader’s place', async (t) => {
    const world = await start(t, { events: { readers: 1 } });
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${world.api.address}/v1/events?from=0`, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
      assert.equal(await response.text(), '');
    }
    assert.equal(world.backend.listeners.size, 0);
    const abort = new AbortController();
    const stream = await fetch(`${world.api.address}/v1/events`, { signal: abort.signal });
    assert.equal(stream.status, 200);
    abort.abort();
  });

  test('keeps places for readers of other clients', async (t) => {
    const world = await start(t, { events: { readersPerClient: 1 } });
    const socket = await dial(t, world);
    socket.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => world.backend.listeners.size === 1);
    await problemFrom(await fetch(`${world.api.address}/v1/events`), 503, 'api/too-many-readers');
  });
});

test('a long genesis file comes in as many turns as it takes', async (t) => {
  const world = await start(t);
  const genesis = `{"chain": "\\u00e9 \u00e9 ${'\u{1f600}'.repeat(limits.httpPieceCharacters)}"}\n`;
  Object.assign(world.backend.identity, { genesis });
  const turns = countTurns(t);
  const before = turns();
  const response = await fetch(`${world.api.address}/v1/genesis`);
  assert.equal(((await response.json()) as { genesis: string }).genesis, genesis);
  assert.ok(turns() - before >= 3, 'three pieces');
});

test('a full block comes in as many turns as it takes', async (t) => {
  const world = await start(t);
  const count = 3 * limits.httpPieceTransactions + 1;
  world.backend.makeBlock(Array.from({ length: count }, (_, nonce) => transfer(nonce)));
  const turns = countTurns(t);
  const before = turns();
  const response = await fetch(`${world.api.address}/v1/blocks/1?full=true`);
  const body = (await response.json()) as { transactions: object[]; receipts: object[] };
  assert.deepEqual([body.transactions.length, body.receipts.length], [count, count]);
  assert.ok(turns() - before >= 8, 'two lists of four pieces each');
});

const tunnel = 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n';

void test('behind CONNECT nothing is read, and the line ends', async (t) => {
  const world = await start(t, { requestTimeoutMs: 1_000 });
  const { hostname, port } = new URL(world.api.address);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  const before = process.memoryUsage().arrayBuffers;
  const piece = Buffer.alloc(64 * 1024);
  // What the machine itself holds of a line on its way is less.
  const most = 32 * 1024 * 1024;
  let taken = 0;
  const pour = (): void => {
    if (taken < most) socket.write(piece, (error) => error ?? ((taken += piece.length), pour()));
  };
  socket.write(tunnel, pour);
  await until(() => socket.destroyed);
  assert.equal(world.api.connections(), 0);
  assert.ok(taken < most, `${taken} bytes were taken`);
  assert.ok(process.memoryUsage().arrayBuffers - before < most);
});

void test('a client that asks for CONNECT and resets the line ends no process', async (t) => {
  const world = await start(t);
  for (let index = 0; index < 20; index++) {
    const socket = await dial(t, world);
    socket.write(tunnel);
    await until(() => socket.received().includes('405') || socket.destroyed);
    socket.resetAndDestroy();
    await until(() => world.api.connections() === 0);
  }
  assert.equal((await fetch(`${world.api.address}/v1/health`)).status, 200);
});
