import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeAddress } from '../../src/crypto/address.ts';
import type { KeyPair } from '../../src/crypto/keys.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { formatGenesis } from '../../src/ledger/genesis.ts';
import { blockLine } from '../../src/cli/watch.ts';
import { fakeApi, origin, problemReply, status as laterStatus } from '../client/fake-api.ts';
import { genesisOf, pairs, proofOf } from '../client/proof-samples.ts';
import { launcher, problemOf, quorate, temporaryDirectory } from './quorate.ts';

const genesis = genesisOf('pbft');
/** No block is final yet. */
const status = { ...laterStatus, finalHeight: toHeight(0), highestKnown: toHeight(0) };
const { json, block: body, transaction } = proofOf(genesis, 0);
const { header, descendants, certificate, blockHash: hash } = json['inclusion'] as Record<string, object>;
const transactionHashes = (body['transactions'] as { hash: string }[]).map(({ hash: one }) => one);
const transactionCount = transactionHashes.length;
const about = { ...origin, chainId: genesis.chainId };
const [, second, third] = pairs as [KeyPair, KeyPair, KeyPair];
const told = { ...about, hash, header };

function genesisFile(t: TestContext): string {
  const file = join(temporaryDirectory(t), 'genesis.json');
  writeFileSync(file, formatGenesis(genesis));
  return file;
}

/** What a node tells of block 1; a test puts lies over it. */
async function oneBlock(t: TestContext) {
  const lies = { event: {}, finality: {}, block: {}, busy: 0, missing: 0 };
  const { url, seen } = await fakeApi(t, ({ url: path }) => {
    if (path === '/v1/status') return { body: { ...status, ...about, ...lies.event } };
    if (path === '/v1/validators') {
      return {
        body: {
          ...about,
          strangers: [],
          validators: [
            {
              index: 1,
              name: 'liar',
              address: encodeAddress(second.publicKey),
              publicKey: second.publicKey,
              primary: false,
              self: true,
              connected: true,
              heard: true,
            },
          ],
        },
      };
    }
    if (path.startsWith('/v1/events')) {
      const event = JSON.stringify({ ...told, transactionCount, ...lies.event });
      const headers = { 'content-type': 'text/event-stream' };
      return { headers, body: `id: 1\nevent: final\ndata: ${event}\n\n` };
    }
    if (path.startsWith('/v1/blocks/') && lies.missing-- > 0) return problemReply(404, 'api/no-such-block');
    if (path === '/v1/blocks/1/finality') {
      return { body: { ...told, descendants, certificate, ...lies.finality } };
    }
    if (/^\/v1\/blocks\/(1|[0-9a-f]{64})\?full=true$/.test(path)) {
      if (lies.busy-- > 0) return problemReply(503, 'api/busy');
      return {
        body: { ...told, certificate, transactionHashes, ...body, ...lies.block },
      };
    }
    return problemReply(404, 'api/not-found');
  });
  const file = genesisFile(t);
  const watch = (...args: readonly string[]) => quorate(['watch', '--blocks', '1', '--node', url, ...args]);
  return { lies, seen, watch, proven: (...args: readonly string[]) => watch('--genesis', file, ...args) };
}

test('watch shows final blocks as they come, and with --genesis only what is proven', async (t) => {
  const { lies, watch, proven } = await oneBlock(t);
  const plain = await watch('--transactions');
  assert.equal(plain.code, 0, plain.err);
  assert.match(plain.out, /block {6}1 +\d+ transactions {2}liar .*\n +[0-9a-f]{12}… qr1.*\n.*put note = a/);
  assert.doesNotMatch(plain.out, /verified/);
  const checked = await proven('--transactions');
  assert.match(
    checked.out,
    /block {6}1 +\d+ transactions {2}v1 .*verified\n(?:.*\n)*.*put note = b/,
    checked.err,
  );
  const asJson = JSON.parse((await proven('--json')).out) as Record<string, unknown>;
  assert.deepEqual(asJson, { ...told, transactionCount, verified: true });

  lies.finality = { certificate: { ...certificate, view: 3 } };
  const lied = await proven('--json');
  assert.equal(lied.code, 1);
  assert.equal(problemOf(lied).code, 'proof/certificate');
  assert.equal(lied.out, '', 'what is not proven is not shown');
});

test('watch asks for what belongs to a block until the node answers, and tells programs so as JSON', async (t) => {
  const { lies, watch, proven } = await oneBlock(t);
  for (const shown of [watch, proven]) {
    lies.busy = 1;
    const ran = await shown('--transactions', '--json', '--timeout', '0');
    assert.equal(ran.code, 0, ran.err);
    assert.equal((JSON.parse(ran.out) as { transactions: object[] }).transactions.length, transactionCount);
    const { problem, triedAgain } = JSON.parse(ran.err) as Record<string, { code: string } | true>;
    assert.ok(typeof problem === 'object' && problem.code === 'api/busy' && triedAgain === true);
  }
});

test('watch waits for a block that another node behind the same address told of, but not for ever', async (t) => {
  const { lies, seen, watch, proven } = await oneBlock(t);
  for (const shown of [watch, proven]) {
    lies.missing = 2;
    const ran = await shown('--transactions', '--json');
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.err, /^\{"problem":\{"code":"api\/no-such-block".*"triedAgain":true\}\n$/);
  }
  lies.missing = 1_000;
  seen.length = 0;
  const ran = await watch('--transactions', '--json');
  assert.equal(ran.code, 5, ran.err);
  assert.equal(seen.filter(({ url }) => url.startsWith('/v1/blocks/')).length, 5);
});

test('watch asks a node for nothing that the file and the command say', async (t) => {
  const { seen, proven } = await oneBlock(t);
  const ran = await proven('--from', '1');
  assert.equal(ran.code, 0, ran.err);
  assert.deepEqual(
    seen.map(({ url }) => url.replace(/[0-9a-f]{64}/, 'HASH')),
    ['/v1/events', '/v1/blocks/1/finality', '/v1/blocks/HASH?full=true'],
  );
});

test('watch --genesis shows nothing of what a node adds, and ends at what is not so', async (t) => {
  const { lies, proven } = await oneBlock(t);
  lies.event = {
    engine: 'raft',
    hash: 'ab'.repeat(32),
    transactionCount: 99,
    lie: 1,
    header: { ...header, lie: 1 },
  };
  lies.block = {
    transactionHashes: ['ef'.repeat(32)],
    header: { ...header, view: 9 },
  };
  const asJson = JSON.parse((await proven('--json')).out) as Record<string, unknown>;
  assert.deepEqual(asJson, { ...told, transactionCount, verified: true });

  const [one, two, ...others] = body.transactions;
  const [, receipt] = body.receipts;
  for (const [event, block, code] of [
    [{ header: { ...header, timestamp: 1 } }, {}, 'proof/headers'],
    [{ header: { ...header, proposer: encodeAddress(third.publicKey) } }, {}, 'proof/headers'],
    [{ chainId: 'ab'.repeat(32) }, {}, 'api/other-chain'],
    [{}, { hash: 'cd'.repeat(32) }, 'api/answer'],
    [{}, { transactions: [two, one, ...others] }, 'proof/transaction'],
    [{}, { transactions: [{ ...one, sender: transaction.hash }, two, ...others] }, 'proof/malformed'],
    [{}, { transactions: [] }, 'proof/transaction'],
    [{}, { receipts: [receipt, ...body.receipts.slice(1)] }, 'proof/receipt'],
  ] as const) {
    lies.event = event;
    lies.block = block;
    const lied = await proven('--transactions', '--json');
    assert.equal(lied.code, 1, lied.out);
    assert.equal(problemOf(lied).code, code);
    assert.equal(lied.out, '');
  }
});

test('watch asks for what comes after the block that was final when it began, also with --genesis', async (t) => {
  for (const args of [[], ['--genesis', genesisFile(t)]]) {
    const asked: unknown[] = [];
    const server = createServer(({ url, headers }, response) => {
      if (url?.startsWith('/v1/events') === true) asked.push(headers['last-event-id']);
      const known = url === '/v1/status' ? laterStatus : { ...origin, validators: [], strangers: [] };
      const body = url?.startsWith('/v1/events') === true ? problemReply(503, 'api/busy').body : known;
      const isTold = body === known;
      response.writeHead(isTold ? 200 : 503, {
        'content-type': isTold ? 'application/json' : 'application/problem+json',
      });
      response.end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ran = await quorate(['watch', '--node', url, ...args], { interruptWhen: () => asked.length > 1 });
    assert.equal(ran.code, 0, ran.err);
    assert.deepEqual(new Set(asked), new Set(['40']));
  }
});

test('watch ends when it is stopped, and that is no failure', async (t) => {
  const { url, seen } = await fakeApi(t, ({ url: path }) => {
    if (path === '/v1/status') return { body: status };
    if (path === '/v1/validators') return { body: { ...origin, validators: [], strangers: [] } };
    return problemReply(503, 'api/busy');
  });
  const isWatching = (): boolean => seen.some(({ url: path }) => path.startsWith('/v1/events'));
  const ran = await quorate(['watch', '--node', url], { interruptWhen: isWatching });
  assert.equal(ran.code, 0, ran.err);
  assert.doesNotMatch(ran.err, /by force/);
});

test('watch ends at once while it waits for a node that says nothing', async (t) => {
  let isAsked = false;
  const server = createServer(() => (isAsked = true));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ran = await quorate(['watch', '--node', url], { interruptWhen: () => isAsked });
  assert.equal(ran.code, 0, ran.err);
  assert.equal(ran.err, '');
});

test('watch ends when nobody reads it any more', async (t) => {
  let height = 0;
  const server = createServer(({ url }, response) => {
    if (url?.startsWith('/v1/events') !== true) {
      const body = url === '/v1/status' ? status : { ...origin, validators: [], strangers: [] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => {
      height += 1;
      const [own, parentHash] = [height, height - 1].map((one) => one.toString(16).padStart(64, '0'));
      const block = { ...origin, hash: own, header: { ...header, height, parentHash }, transactionCount: 0 };
      response.write(`id: ${height}\ndata: ${JSON.stringify(block)}\n\n`);
    }, 10);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const child = spawn('/bin/sh', ['-c', '"$0" watch --node "$1" | head -n 1', launcher, url], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  // The shell waits for both.
  await new Promise((resolve) => child.once('close', resolve));
  assert.match(out, /^\S+ +block +1 .*\n$/);
  assert.equal(err, '');
});

test('watch names the first block that is there when the one that it is to show is gone', async (t) => {
  const { url } = await fakeApi(t, ({ url: path }) => {
    if (path === '/v1/status') return { body: status };
    if (path === '/v1/validators') return { body: { ...origin, validators: [], strangers: [] } };
    return problemReply(410, 'storage/pruned', { firstBlock: 9 });
  });
  const ran = await quorate(['watch', '--from', '1', '--node', url, '--json']);
  assert.equal(ran.code, 1);
  const { code, remedy } = problemOf(ran);
  assert.equal(code, 'storage/pruned');
  assert.match(remedy, /^remedy of storage\/pruned Or begin .*: --from 9\.$/);
});

test('watch says once what is wrong, however often it tries again', async (t) => {
  const { url, seen } = await fakeApi(t, ({ url: path }) => {
    if (path === '/v1/status') return { body: status };
    if (path === '/v1/validators') return { body: { ...origin, validators: [], strangers: [] } };
    return problemReply(503, 'api/busy');
  });
  const tries = (): number => seen.filter(({ url: path }) => path.startsWith('/v1/events')).length;
  const ran = await quorate(['watch', '--node', url], { interruptWhen: () => tries() > 3 });
  assert.equal(ran.err.trim().split('\n').length, 1, ran.err);
  assert.match(ran.err, /it is tried again$/m);
});

test('a line of watch fits into a narrow terminal: what matters least goes first', () => {
  const shortHash = (hash as unknown as string).slice(0, 16);
  const item = { hash, header: { ...header, height: 1_234_567, timestamp: 0 }, transactionCount: 1 };
  const line = (columns: number | undefined) =>
    blockLine(item as unknown as Parameters<typeof blockLine>[0], {
      proposer: 'validator-1',
      isVerified: true,
      columns,
    });
  const whole = `00:00:00  block 1,234,567       1 transaction   validator-1  ${shortHash}  verified`;
  assert.equal(line(undefined), whole);
  assert.equal(line(0), whole);
  assert.equal(line(whole.length), whole);
  assert.equal(line(whole.length - 1), whole.replace(`  ${shortHash}`, ''));
  assert.equal(line(60), '00:00:00  block 1,234,567       1 transaction   verified');
  assert.equal(line(50), 'block 1,234,567       1 transaction   verified');
  assert.equal(line(40), 'block 1,234,567       1 transaction ');
  assert.equal(line(10), 'block 1,234,567');
});

test('watch begins with the first block that there can be, and says so when told to begin before it', async (t) => {
  const { url, seen } = await fakeApi(t, () => problemReply(503, 'api/busy'));
  const ran = await quorate(['watch', '--from', '0', '--json', '--node', url]);
  assert.equal(ran.code, 2, ran.err);
  assert.match(problemOf(ran).message, /from 1 to/);
  assert.deepEqual(seen, []);
});
