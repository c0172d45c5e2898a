import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  accountSchema,
  blockSchema,
  finalitySchema,
  genesisSchema,
  evidenceSchema,
  headersSchema,
  healthSchema,
  readySchema,
  namespaceListSchema,
  namespaceSchema,
  recordListSchema,
  recordSchema,
  reservationSchema,
  stateReadingSchema,
  statusSchema,
  transactionStatusSchema,
  validatorsSchema,
  whySchema,
} from '../../src/api/schemas.ts';
import { Problem } from '../../src/base/problem.ts';
import { encodeAddress, parseAddress } from '../../src/crypto/address.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { type Height, toHeight, toView } from '../../src/ledger/block.ts';
import { verifyMerkleProof } from '../../src/ledger/merkle.ts';
import { alice, transfer, validator } from './fake-backend.ts';
import { get, problemFrom, start } from './world.ts';

void test('a pending, a final, a gone and an unknown transaction each say so', async (t) => {
  const world = await start(t);
  const transaction = transfer(0);
  world.backend.pending.set(transaction.hash, transaction);
  const path = `/v1/transactions/${transaction.hash}`;
  const pending = await get(world, path, transactionStatusSchema);
  assert.equal(pending.status, 'pending');
  assert.equal(pending.engine, 'pbft');

  world.backend.makeBlock([transfer(7), transaction, transfer(8)]);
  const final = await get(world, path, transactionStatusSchema);
  assert.equal(final.status, 'final');
  assert.equal(final.engine, 'pbft');
  const { inclusion } = final;
  assert.equal(inclusion.certificate.engine, 'pbft');
  assert.equal(inclusion.receipt.fee, '10');
  assert.deepEqual(inclusion.transaction.operations, [
    { type: 'transfer', to: encodeAddress(validator), amount: '1152921504606846976', memo: 'héllo' },
  ]);
  // What the JSON carries is enough to check the proof.
  const { index, size, path: siblings } = inclusion.transactionProof;
  const proof = { index, count: size, siblings: siblings as Hash[] };
  assert.ok(verifyMerkleProof(inclusion.header.transactionRoot as Hash, transaction.hash, proof));

  const gone = await get(world, `/v1/transactions/${'dd'.repeat(32)}`, transactionStatusSchema);
  assert.equal(gone.status === 'gone' && gone.problem.code, 'mempool/expired');
  const unknown = await get(world, `/v1/transactions/${'ff'.repeat(32)}`, transactionStatusSchema);
  assert.ok(unknown.status === 'unknown');
  assert.equal(unknown.problem, null);
});

void test('what waits for another nonce says for which, in the answer to its submission and when asked for', async (t) => {
  const world = await start(t);
  const transaction = transfer(1);
  world.backend.missing = { sender: alice, nonce: 0, expiryHeight: 9 as Height };
  world.backend.pending.set(transaction.hash, transaction);
  const status = await get(world, `/v1/transactions/${transaction.hash}`, transactionStatusSchema);
  assert.ok(status.status === 'pending');
  assert.deepEqual(status.missing, { sender: encodeAddress(alice), nonce: 0, expiryHeight: 9 });
});

void test('a block is found by height, by hash, and as the latest; full adds transactions and receipts', async (t) => {
  const world = await start(t);
  const { hash } = world.backend.makeBlock([transfer(0), transfer(1)]);
  for (const name of ['1', hash, 'latest']) {
    const block = await get(world, `/v1/blocks/${name}`, blockSchema);
    assert.equal(block.hash, hash);
    assert.deepEqual(block.transactionHashes, [transfer(0).hash, transfer(1).hash]);
    assert.equal(block.transactions, undefined);
  }
  const full = await get(world, '/v1/blocks/1?full=true', blockSchema);
  assert.equal(full.transactions?.length, 2);
  assert.equal(full.receipts?.[1]?.transactionHash, transfer(1).hash);
  const genesis = await get(world, '/v1/blocks/0', blockSchema);
  assert.equal(genesis.certificate, null);
  await problemFrom(await fetch(`${world.api.address}/v1/blocks/2`), 404, 'api/no-such-block');
  for (const name of ['1', 'latest', full.hash]) {
    const { hash, header, descendants } = await get(world, `/v1/blocks/${name}/finality`, finalitySchema);
    assert.deepEqual([hash, header, descendants], [full.hash, full.header, []]);
  }
  const below = await get(world, '/v1/blocks/0/finality', finalitySchema);
  assert.deepEqual([below.hash, below.descendants], [genesis.hash, [full.header]]);
  await problemFrom(await fetch(`${world.api.address}/v1/blocks/2/finality`), 404, 'api/no-such-block');
  assert.equal((await get(world, '/v1/genesis', genesisSchema)).genesis, world.backend.identity.genesis);
});

void test('what the state has comes with its proof, once a block is final', async (t) => {
  const world = await start(t);
  const address = encodeAddress(alice);
  const states = [
    `accounts/${address}`,
    `accounts/${alice}`,
    `reservations/${address}:0:1`,
    'namespaces/shop',
  ];
  const paths = [...states, 'records?key=a', 'records?key=..'];
  for (const path of paths) {
    const problem = await problemFrom(
      await fetch(`${world.api.address}/v1/proofs/${path}`),
      404,
      'api/no-such-block',
    );
    assert.match(problem.detail, /no block is final yet/);
  }
  const { hash } = world.backend.makeBlock([]);
  for (const path of paths) {
    const reading = await get(world, `/v1/proofs/${path}`, stateReadingSchema);
    assert.deepEqual([reading.hash, reading.header.height, reading.entry], [hash, 1, null]);
    assert.match(reading.proof, /^(?:[0-9a-f]{2})+$/);
  }
  const page = await get(world, '/v1/proofs/namespaces/shop/records?after=shop%2Fa', stateReadingSchema);
  assert.deepEqual([page.header.height, page.entry], [1, '0001'], 'an empty page, and complete');
  for (const wrong of [
    'namespaces/shop/records?after=',
    'namespaces/a%2Fb/records',
    'namespaces/shop/records?limit=1',
  ]) {
    await problemFrom(await fetch(`${world.api.address}/v1/proofs/${wrong}`), 400, 'api/invalid-request');
  }
  await problemFrom(await fetch(`${world.api.address}/v1/proofs/accounts/x`), 400, 'keys/address');
  await problemFrom(await fetch(`${world.api.address}/v1/proofs/records`), 400, 'api/invalid-request');
  await problemFrom(await fetch(`${world.api.address}/v1/proofs/records?key=`), 400, 'api/invalid-request');
});

void test('headers come in pages, and end where the chain ends', async (t) => {
  const world = await start(t);
  for (let i = 0; i < 5; i++) world.backend.makeBlock([]);
  const heightsOf = async (query: string) =>
    (await get(world, `/v1/headers${query}`, headersSchema)).headers.map(({ header }) => header.height);
  assert.deepEqual(await heightsOf(''), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(await heightsOf('?from=2&limit=2'), [2, 3]);
  assert.deepEqual(await heightsOf('?from=6'), []);
});

void test('an account is found by address and by hex, and the answer says how it was read', async (t) => {
  const world = await start(t);
  for (const name of [encodeAddress(alice), alice]) {
    const account = await get(world, `/v1/accounts/${name}?consistency=stale`, accountSchema);
    assert.equal(account.balance, '9223372036854775808');
    assert.equal(parseAddress(account.address), alice);
    assert.equal(account.held, '7');
    assert.equal(account.pendingNonce, 6);
    assert.equal(account.consistency, 'stale');
  }
});

void test('a reservation is read by its name, and says what became of it', async (t) => {
  const world = await start(t);
  const name = `${encodeAddress(alice)}:0:`;
  const held = await get(world, `/v1/reservations/${name}0`, reservationSchema);
  assert.deepEqual(
    [held.reservation, held.amount, held.status, held.taken, held.settled],
    [`${name}0`, '7', 'held', '0', null],
  );
  assert.equal(held.sender, encodeAddress(alice));
  const posted = await get(world, `/v1/reservations/${alice}:0:3`, reservationSchema);
  const settled = { height: 1, transaction: 0, operation: 3 };
  assert.deepEqual([posted.status, posted.taken, posted.settled], ['posted', '5', settled]);
  const missing = await fetch(`${world.api.address}/v1/reservations/${encodeAddress(alice)}:1:0`);
  await problemFrom(missing, 404, 'api/no-such-reservation');
  const wrong = await fetch(`${world.api.address}/v1/reservations/${encodeAddress(alice)}:1`);
  await problemFrom(wrong, 400, 'transaction/reservation-id');
  const nobodys = await fetch(`${world.api.address}/v1/reservations/02${'00'.repeat(31)}:1:0`);
  await problemFrom(nobodys, 400, 'keys/off-curve');
});

void test('a linearizable read that the engine cannot serve is a problem, never a weaker answer', async (t) => {
  const world = await start(t);
  for (const path of [`/v1/accounts/${alice}`, '/v1/records/any', `/v1/reservations/${alice}:0:0`]) {
    const response = await fetch(`${world.api.address}${path}?consistency=linearizable`);
    assert.match((await problemFrom(response, 501, 'consensus/unsupported')).remedy, /stale/);
  }
});

void test('a record is found under any key that percent-encoding can carry', async (t) => {
  const world = await start(t);
  const longest = 'é'.repeat(64);
  for (const key of ['a/b c?d#e%f', longest, '../x', 'plain']) {
    world.backend.records.set(key, Uint8Array.of(1, 2, 255));
    const record = await get(world, `/v1/records/${encodeURIComponent(key)}`, recordSchema);
    assert.equal(record.key, key);
    assert.equal(record.value, '0102ff');
    assert.equal(record.owner, encodeAddress(alice));
  }
  for (const key of ['.', '..', 'a/b c?d#e%f', longest, '+', '&key=x', '%FF', '\u0001']) {
    world.backend.records.set(key, Uint8Array.of(1, 2, 255));
    const record = await get(world, `/v1/records?key=${encodeURIComponent(key)}`, recordSchema);
    assert.equal(record.key, key);
  }
  const missing = await fetch(`${world.api.address}/v1/records/none`);
  await problemFrom(missing, 404, 'api/no-such-record');
});

void test('records are listed by the beginning of their keys, page by page', async (t) => {
  const world = await start(t);
  const keys = ['shop/1', 'shop/2', 'shop/ü', 'shopping', 'a'];
  for (const key of keys) world.backend.records.set(key, Uint8Array.of(7));
  const list = (query: string) => get(world, `/v1/records/list?${query}`, recordListSchema);
  const all = await list('');
  assert.deepEqual([all.records.map(({ key }) => key), all.next], [keys.toSorted(), null]);
  const first = await list('prefix=shop%2F&limit=2');
  assert.deepEqual(
    first.records.map(({ key, value, version }) => [key, value, version]),
    [
      ['shop/1', '07', 1],
      ['shop/2', '07', 1],
    ],
  );
  assert.deepEqual([first.next, first.prefix], ['shop/2', 'shop/']);
  const second = await list('prefix=shop%2F&limit=2&after=shop%2F2');
  assert.deepEqual([second.records.map(({ key }) => key), second.next], [['shop/ü'], null]);
  assert.deepEqual((await list('prefix=none')).records, []);
  for (const wrong of [
    'limit=0',
    'limit=101',
    'limit=1.5',
    'after=a&prefix=b',
    'after=',
    'key=a',
    'prefix=a&prefix=b',
    `prefix=${'a'.repeat(129)}`,
    'consistency=fresh',
  ]) {
    const response = await fetch(`${world.api.address}/v1/records/list?${wrong}`);
    await problemFrom(response, 400, 'api/invalid-request');
  }
});

void test('a namespace is shown with its rules; one that was never opened is not found', async (t) => {
  const world = await start(t);
  for (const name of ['shop', 'länder', 'a b?c#d', '...']) {
    const shown = await get(world, `/v1/namespaces/${encodeURIComponent(name)}`, namespaceSchema);
    assert.deepEqual([shown.name, shown.mode, shown.entries], [name, 'writers', 3]);
    assert.deepEqual([shown.owner, shown.writers], [encodeAddress(alice), [encodeAddress(alice)]]);
    assert.equal(shown.root, '07'.repeat(32));
  }
  await problemFrom(await fetch(`${world.api.address}/v1/namespaces/none`), 404, 'api/no-such-namespace');
  for (const name of ['a%2Fb', 'x'.repeat(127)]) {
    await problemFrom(await fetch(`${world.api.address}/v1/namespaces/${name}`), 400, 'api/invalid-request');
  }
});

void test('namespaces are listed by the beginning of their names, page by page', async (t) => {
  const world = await start(t);
  world.backend.namespaces.push('bank', 'shop', 'shop2', 'ü');
  const list = (query: string) => get(world, `/v1/namespaces?${query}`, namespaceListSchema);
  const all = await list('');
  assert.deepEqual([all.namespaces.map(({ name }) => name), all.next], [world.backend.namespaces, null]);
  const [bank] = all.namespaces;
  assert.deepEqual([bank?.owner, bank?.mode, bank?.entries], [encodeAddress(alice), 'writers', 3]);
  const first = await list('prefix=shop&limit=1');
  assert.deepEqual([first.namespaces.map(({ name }) => name), first.next], [['shop'], 'shop']);
  const second = await list('prefix=shop&limit=1&after=shop');
  assert.deepEqual([second.namespaces.map(({ name }) => name), second.next], [['shop2'], null]);
  for (const wrong of [
    'limit=101',
    'after=a&prefix=b',
    'after=a%2Fb',
    `prefix=${'a'.repeat(127)}`,
    'consistency=fresh',
  ]) {
    const response = await fetch(`${world.api.address}/v1/namespaces?${wrong}`);
    await problemFrom(response, 400, 'api/invalid-request');
  }
});

void test('the node tells of itself: status, why, validators, evidence', async (t) => {
  const world = await start(t);
  const status = await get(world, '/v1/status', statusSchema);
  assert.equal(status.engine, 'pbft');
  assert.equal(status.ready, true);
  assert.deepEqual(status.validator, { index: 0, address: encodeAddress(validator) });
  const { why } = await get(world, '/v1/why', whySchema);
  assert.match(why, /2 of 3 commits/);
  const { validators, strangers } = await get(world, '/v1/validators', validatorsSchema);
  assert.deepEqual(
    validators.map(({ name, primary, connected, heard }) => ({ name, primary, connected, heard })),
    [
      { name: 'a', primary: true, connected: true, heard: true },
      { name: 'b', primary: false, connected: false, heard: false },
    ],
  );
  assert.deepEqual(strangers, [encodeAddress('b0'.repeat(32) as PublicKey)]);
  const word = {
    kind: 'commit',
    view: toView(0),
    height: toHeight(5),
    blockHash: 'ab'.repeat(32) as Hash,
    certificate: null,
    signature: 'cd'.repeat(64) as Signature,
  };
  for (let i = 0; i < 3; i++)
    world.backend.evidenceList.push({
      accused: i,
      publicKey: alice,
      kind: 'double-vote',
      bytes: Uint8Array.of(i),
      contradiction: i === 0 ? null : { epoch: toHeight(0), messages: [word, { ...word, view: toView(i) }] },
    });
  const { evidence } = await get(world, '/v1/evidence?offset=1&limit=1', evidenceSchema);
  assert.deepEqual(evidence, [
    {
      accused: 1,
      address: encodeAddress(alice),
      kind: 'double-vote',
      bytes: '01',
      contradiction: { epoch: 0, messages: [word, { ...word, view: 1 }] },
    },
  ]);
});

void test('health and readiness are 503 with the reason and Retry-After, and 200 otherwise', async (t) => {
  const world = await start(t);
  await get(world, '/v1/health', healthSchema);
  await get(world, '/v1/ready', readySchema);
  world.backend.unready = new Problem('node/behind', 'the node is 40 blocks behind', {
    remedy: 'Wait until it has caught up.',
  });
  const unready = await fetch(`${world.api.address}/v1/ready`);
  assert.equal(unready.headers.get('retry-after'), '1');
  await problemFrom(unready, 503, 'node/behind');
  assert.equal((await get(world, '/v1/status', statusSchema)).ready, false);
  await get(world, '/v1/health', healthSchema);
  world.backend.unhealthy = new Problem('storage/write-failed', 'the disk failed', {
    remedy: 'Look at the disk.',
  });
  await problemFrom(await fetch(`${world.api.address}/v1/health`), 503, 'storage/write-failed');
  await problemFrom(await fetch(`${world.api.address}/v1/ready`), 503, 'storage/write-failed');
});

void test('metrics are in the format of Prometheus: the node’s, the API’s and the process’s', async (t) => {
  const world = await start(t);
  await fetch(`${world.api.address}/v1/blocks/0`);
  await fetch(`${world.api.address}/v1/blocks/latest`);
  const response = await fetch(`${world.api.address}/metrics`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
  const page = await response.text();
  assert.match(page, /^quorate_final_height 7$/m);
  assert.match(page, /^quorate_votes_total\{phase="commit"\} 3$/m);
  assert.match(page, /^quorate_votes_total\{phase="prepare"\} 0$/m);
  assert.match(page, /duration_seconds_count\{method="GET",route="\/v1\/blocks\/:name",status="200"\} 2/);
  assert.match(page, /^quorate_process_resident_memory_bytes \d+/m);
});

void test('HEAD answers as GET does, without the body', async (t) => {
  const world = await start(t);
  const response = await fetch(`${world.api.address}/v1/status`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '');
});

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly parameters?: readonly {
    readonly name: string;
    readonly schema: Readonly<Record<string, unknown>>;
  }[];
}

void test('the OpenAPI description is 3.1, names every route, and shows problems', async (t: TestContext) => {
  const world = await start(t);
  const response = await fetch(`${world.api.address}/v1/openapi.json`);
  const description = (await response.json()) as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, unknown> };
  };
  assert.equal(description.openapi, '3.1.0');
  assert.deepEqual(Object.keys(description.paths).sort(), [
    '/v1/accounts/{account}',
    '/v1/accounts/{account}/transactions',
    '/v1/blocks/{name}',
    '/v1/blocks/{name}/finality',
    '/v1/chain/parameters',
    '/v1/chain/proposals',
    '/v1/epochs',
    '/v1/events',
    '/v1/evidence',
    '/v1/genesis',
    '/v1/headers',
    '/v1/health',
    '/v1/leader',
    '/v1/members',
    '/v1/namespaces',
    '/v1/namespaces/{name}',
    '/v1/proofs/accounts/{account}',
    '/v1/proofs/namespaces/{name}',
    '/v1/proofs/namespaces/{name}/records',
    '/v1/proofs/records',
    '/v1/proofs/reservations/{reservation}',
    '/v1/ready',
    '/v1/records',
    '/v1/records/diff',
    '/v1/records/history',
    '/v1/records/list',
    '/v1/records/{key}',
    '/v1/reservations/{reservation}',
    '/v1/status',
    '/v1/telemetry/samples',
    '/v1/telemetry/views',
    '/v1/telemetry/votes',
    '/v1/transactions',
    '/v1/transactions/{hash}',
    '/v1/validators',
    '/v1/why',
  ]);
  const names = new Set<string>();
  let count = 0;
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      assert.ok((operation.summary ?? '').length > 5, `${method} ${path} has a summary`);
      assert.match(JSON.stringify(operation.responses['default']), /application\/problem\+json/);
      assert.match(operation.operationId, /^[a-z]+[A-Z][a-zA-Z]+$/);
      names.add(operation.operationId);
      count += 1;
    }
  }
  assert.equal(names.size, count, 'each operation has a name of its own');
  // What is used in several places is named, and every name means something.
  const text = JSON.stringify(description);
  for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)) {
    assert.ok(name in description.components.schemas, name);
  }
  for (const name of ['Block', 'Header', 'Problem', 'Receipt', 'Status', 'TransactionStatus']) {
    assert.ok(name in description.components.schemas, name);
  }
  const events = description.paths['/v1/events']?.['get'];
  assert.deepEqual(events?.responses['200'], {
    ...(events?.responses['200'] as object),
    content: { 'text/event-stream': { schema: { $ref: '#/components/schemas/FinalBlockEvent' } } },
  });
  const { requestBody } = description.paths['/v1/transactions']?.['post'] ?? {};
  assert.match(JSON.stringify(requestBody?.content['application/json']), /schemas\/Submission/);
  assert.doesNotMatch(JSON.stringify(requestBody?.content['application/octet-stream']), /Submission|string/);
  const limit = description.paths['/v1/headers']?.['get']?.parameters?.find(({ name }) => name === 'limit');
  assert.deepEqual(
    [limit?.schema['type'], limit?.schema['minimum'], limit?.schema['maximum']],
    ['integer', 1, 100],
  );
  assert.match(JSON.stringify(description.paths['/v1/transactions']?.['post']), /octet-stream/);
});
