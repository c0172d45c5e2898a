import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { RecordHistoryAnswer, TransactionStatusAnswer } from '../../src/client/answers.ts';
import { Ledger } from '../../src/client/ledger.ts';
import { historyAt } from '../../src/client/record-history.ts';
import { verifyReceipt } from '../../src/client/verify.ts';
import { verifyStateBy } from '../../src/client/verify-state.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { trustedBy } from '../../src/ledger/genesis.ts';
import { recordEntryReading } from '../../src/ledger/state-reading.ts';
import { Nodes } from '../e2e/nodes.ts';
import { raftGenesis, testGenesis } from '../node/cluster.ts';
import { genesisOf, proofOf, stateProofOf } from './proof-samples.ts';

const alice = developmentKeyPair('alice');

/** Where the transactions of block 1 stand that made versions of these records, the newest first. */
const madeBy = { note: [2, 1], gone: [7, 6], nothing: [] } as const;

/** A node that shows the versions of a record, all true unless it is told otherwise. */
function node(key: keyof typeof madeBy) {
  const genesis = genesisOf('pbft');
  const { answer } = stateProofOf(genesis, recordEntryReading, key);
  const { value, header } = unwrap(verifyStateBy(trustedBy(genesis), recordEntryReading, answer, key));
  const proofs = madeBy[key].map((at) => proofOf(genesis, 1, at));
  const versions = proofs.map(({ transaction }, index) => ({
    version: proofs.length - index,
    made: { height: 1, transaction: madeBy[key][index] ?? 0, operation: 0 },
    transactionHash: transaction.hash,
  }));
  const asked: string[] = [];
  const client = {
    /** Pages of its list. */
    pages: [versions] as (readonly object[])[],
    async recordHistory(_key: string, { cursor = '0' }: { readonly cursor?: string } = {}) {
      asked.push(`page ${cursor}`);
      const at = Number(cursor);
      const next = at + 1 < client.pages.length ? `${at + 1}` : null;
      return { versions: client.pages[at], next } as unknown as RecordHistoryAnswer;
    },
    async transaction(hash: Hash) {
      asked.push(hash);
      const proof = proofs.find(({ transaction }) => transaction.hash === hash);
      const unknown = { status: 'unknown', hash, problem: null };
      return (proof?.json ?? unknown) as unknown as TransactionStatusAnswer;
    },
  };
  const checked = async (json: unknown, hash: Hash) => verifyReceipt(json, { genesis, hash });
  const read = async (newest = 100) => {
    const found = await historyAt(client, key, { height: header.height, value }, { newest, checked });
    if (found instanceof Problem) return found.message;
    return [...found.versions.map(({ version, operation }) => `${version} ${operation.type}`), found.older];
  };
  return { client, versions, proofs, asked, read };
}

describe('the history of a record', () => {
  test('is followed from the state down to its first version, whoever lists the transactions', async () => {
    assert.deepEqual(await node('note').read(), ['2 put', '1 put', 0]);
    assert.deepEqual(await node('gone').read(), ['2 delete', '1 put', 0]);
    const none = node('nothing');
    assert.deepEqual([await none.read(), none.asked], [[0], []], 'nobody is asked for what was never there');
  });

  test('says how many versions there were that are not shown', async () => {
    const { client, versions, read, asked } = node('note');
    assert.deepEqual(await read(1), ['2 put', 1], 'no more were asked for');
    assert.equal(asked.length, 2);
    client.pages = [versions.slice(0, 1)];
    assert.deepEqual(await read(), ['2 put', 1], 'it was pruned, or is hidden');
    client.pages = [[]];
    assert.deepEqual(await read(), [2]);
    const [second, first] = versions;
    client.pages = [[second as object, { ...first, transactionHash: 'ab'.repeat(32) }]];
    assert.deepEqual(await read(), ['2 put', 1], 'one that the node names, and does not have');
    client.transaction = async () => new Problem('storage/pruned', 'pruned', { remedy: '' }) as never;
    client.pages = [versions];
    assert.deepEqual(await read(), [2]);
  });

  test('is not what a node makes of it', async () => {
    const { client, versions, read, proofs } = node('note');
    const [second, first] = versions;
    client.pages = [[first as object, second as object]];
    assert.match(String(await read()), /version 2 was made by transaction 2, and not by this one/);
    client.pages = [[first as object]];
    assert.match(String(await read()), /version 2 was made by transaction 2, and not by this one/);
    client.pages = [versions];
    const [newest = assert.fail('no proof')] = proofs;
    const { receipt } = newest.json['inclusion'] as { receipt: { records: { version: number }[] } };
    (receipt.records[0] as { version: number }).version = 3;
    assert.match(String(await read()), /the receipt/, 'a receipt that was changed');
  });

  test('passes over what was written since, and pages without end', async () => {
    const { client, versions, read, asked } = node('note');
    const since = Array.from({ length: 3 }, () => ({
      made: { height: 2 },
      transactionHash: 'cd'.repeat(32),
    }));
    client.pages = [since, [...since, ...versions]];
    assert.deepEqual(await read(), ['2 put', '1 put', 0]);
    asked.length = 0;
    client.pages = Array.from({ length: 1_000 }, () => since);
    assert.deepEqual(await read(), [2]);
    assert.ok(asked.length < 5, `${asked.length} pages were read`);
  });
});

for (const genesis of [testGenesis(1), raftGenesis(1)]) {
  test(`a real node shows what became of a record (${genesis.consensus.engine})`, async (t) => {
    const nodes = new Nodes(t, genesis);
    await nodes.start(0);
    const endpoints = [nodes.node(0).apiAddress];
    const ledger = unwrap(await Ledger.connect({ endpoints, chainId: genesis.chainId }));
    const account = ledger.account(alice);
    unwrap(await account.send({ type: 'open-namespace', name: 'shop', mode: 'open', writers: [] }));
    for (const text of ['a', 'b', 'c']) unwrap(await account.put('shop/price', utf8(text)));
    unwrap(await account.put('shop/other', utf8('x')));
    const history = unwrap(await ledger.readHistory('shop/price'));
    assert.equal(history.value.older, 0);
    const first = history.value.versions.at(-1)?.made.height ?? 0;
    assert.deepEqual(
      history.value.versions.map(({ version, made, by, operation }) => [
        version,
        made.height - first,
        by,
        'value' in operation && operation.value,
      ]),
      [3, 2, 1].map((version) => [version, version - 1, alice.publicKey, utf8('abc'[version - 1] ?? '')]),
    );
    const newest = unwrap(await ledger.readHistory('shop/price', { newest: 2 }));
    assert.deepEqual([newest.value.versions.length, newest.value.older], [2, 1]);
    const never = unwrap(await ledger.readHistory('shop/never'));
    assert.deepEqual(never.value, { versions: [], older: 0 });
    const wrong = await ledger.readHistory('shop/price', { newest: 0 });
    assert.ok(wrong instanceof Problem && wrong.code === 'api/option');
    const records = unwrap(await ledger.readRecords('shop'));
    assert.deepEqual(
      records.value.map(({ key, version }) => [key, version]),
      [
        ['shop/other', 1],
        ['shop/price', 3],
      ],
    );
  });
}

test('in Raft, too, a version is what a receipt in the block of its transaction says', async (t) => {
  const genesis = raftGenesis(1);
  const nodes = new Nodes(t, genesis);
  await nodes.start(0);
  const real = nodes.node(0).apiAddress;
  const writer = unwrap(await Ledger.connect({ endpoints: [real], chainId: genesis.chainId })).account(alice);
  for (const text of ['a', 'b']) unwrap(await writer.put('note', utf8(text)));
  let lie = (_receipt: Record<string, unknown>): void => undefined;
  const server = createServer((asked, reply) => {
    void (async () => {
      const answered = await fetch(`${real}${asked.url}`);
      const json = (await answered.json()) as { inclusion?: { receipt: Record<string, unknown> } };
      if (json.inclusion !== undefined) lie(json.inclusion.receipt);
      reply.writeHead(answered.status, { 'content-type': answered.headers.get('content-type') ?? '' });
      reply.end(JSON.stringify(json));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const endpoints = [`http://127.0.0.1:${port}`];
  const ledger = unwrap(await Ledger.connect({ endpoints, chainId: genesis.chainId }));
  assert.equal(unwrap(await ledger.readHistory('note')).value.versions.length, 2);
  for (const change of [{ fee: '7' }, { accounts: [] }]) {
    lie = (receipt) => void Object.assign(receipt, change);
    const read = await ledger.readHistory('note', { deadlineMs: 0 });
    assert.ok(read instanceof Problem, JSON.stringify(change));
    assert.equal(read.code, 'proof/receipt');
  }
});
