import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatGenesis } from '../../src/ledger/genesis.ts';
import { fakeApi, origin, problemReply, status } from '../client/fake-api.ts';
import { genesisOf, proofOf } from '../client/proof-samples.ts';
import { problemOf, quorate, temporaryDirectory } from './quorate.ts';

test('watch shows final blocks as they come, and with --genesis only what is proven', async (t) => {
  const genesis = genesisOf('pbft');
  const { json } = proofOf(genesis, 0);
  const {
    header,
    descendants,
    certificate,
    blockHash: hash,
    transaction,
  } = json['inclusion'] as Record<string, unknown>;
  const about = { ...origin, chainId: genesis.chainId };
  let lie: object = {};
  const { url } = await fakeApi(t, ({ url: path }) => {
    if (path === '/v1/status') return { body: { ...status, ...about } };
    if (path === '/v1/validators') return { body: { ...about, validators: [] } };
    if (path.startsWith('/v1/events')) {
      const block = { ...about, hash, header, transactionCount: 5 };
      return {
        headers: { 'content-type': 'text/event-stream' },
        body: `id: 1\nevent: final\ndata: ${JSON.stringify(block)}\n\n`,
      };
    }
    if (path === '/v1/blocks/1/finality') {
      return { body: { ...about, hash, header, descendants, certificate, ...lie } };
    }
    if (path === '/v1/blocks/1?full=true') {
      return {
        body: { ...about, hash, header, certificate, transactionHashes: [], transactions: [transaction] },
      };
    }
    return problemReply(404, 'api/not-found');
  });
  const file = join(temporaryDirectory(t), 'genesis.json');
  writeFileSync(file, formatGenesis(genesis));

  const plain = await quorate(['watch', '--blocks', '1', '--transactions', '--node', url]);
  assert.equal(plain.code, 0, plain.err);
  assert.match(plain.out, /block {6}1 {7}5 transactions .*\n +[0-9a-f]{12}… qr1.*put note = b/);
  assert.doesNotMatch(plain.out, /verified/);
  const proven = await quorate(['watch', '--blocks', '1', '--genesis', file, '--node', url]);
  assert.match(proven.out, /verified/, proven.err);
  const asJson = await quorate(['watch', '--blocks', '1', '--genesis', file, '--json', '--node', url]);
  assert.equal((JSON.parse(asJson.out) as { verified: boolean }).verified, true);

  lie = { certificate: { ...(certificate as object), view: 3 } };
  const lied = await quorate(['watch', '--blocks', '1', '--genesis', file, '--json', '--node', url]);
  assert.equal(lied.code, 1);
  assert.equal(problemOf(lied).code, 'proof/certificate');
  assert.equal(lied.out, '', 'what is not proven is not shown');
});

test('watch ends when it is stopped, and that is no failure', async (t) => {
  const { url, seen } = await fakeApi(t, ({ url: path }) => {
    if (path === '/v1/status') return { body: status };
    if (path === '/v1/validators') return { body: { ...origin, validators: [] } };
    return problemReply(503, 'api/busy');
  });
  const isWatching = (): boolean => seen.some(({ url: path }) => path.startsWith('/v1/events'));
  const ran = await quorate(['watch', '--node', url], { interruptWhen: isWatching });
  assert.equal(ran.code, 0, ran.err);
});

test('watch begins with the first block that there can be, and says so when told to begin before it', async (t) => {
  const { url, seen } = await fakeApi(t, () => problemReply(503, 'api/busy'));
  const ran = await quorate(['watch', '--from', '0', '--json', '--node', url]);
  assert.equal(ran.code, 2, ran.err);
  assert.match(problemOf(ran).message, /from 1 to/);
  assert.deepEqual(seen, []);
});
