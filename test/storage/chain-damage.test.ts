import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { Problem } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { hash, zeroHash } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { formatVersion } from '../../src/storage/chain-records.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { describeKey, keys } from '../../src/storage/keys.ts';
import { type MemoryEntries, MemoryStore } from '../../src/storage/memory-store.ts';
import { checksummedWrite } from '../../src/storage/checksummed.ts';
import {
  chainId,
  filledChain,
  persist,
  sampleBlocks,
  sampleReceiver,
  sampleSender,
  stateOf,
  transactionHash,
} from './chain-samples.ts';

const blocks = sampleBlocks(8);
const at = (height: number): (typeof blocks)[number] => blocks[height] as (typeof blocks)[number];
const h = toHeight;
const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1');

/** Seven final blocks, one candidate, two records of the log and a piece of evidence. */
async function written(): Promise<MemoryEntries> {
  const entries: MemoryEntries = new Map();
  const chain = await filledChain(new MemoryStore(setImmediate, entries), blocks.slice(0, 7));
  await persist(chain, {
    records: [
      { key: 'view', value: utf8('3') },
      { key: 'empty', value: new Uint8Array() },
    ],
    blocks: [at(7)],
  });
  await new Promise<void>((resolve) => {
    const accused = developmentKeyPair('bob').publicKey;
    chain.evidence.put({ accused, kind: 'lie', bytes: utf8('proof') }, () => resolve());
  });
  return entries;
}

const open = (entries: MemoryEntries, checkedHeights?: number): Promise<ChainStore> =>
  ChainStore.open(
    new MemoryStore(setImmediate, entries),
    checkedHeights === undefined ? { chainId } : { chainId, checkedHeights },
  );

/** Reads everything that there is to read. */
async function readAll(entries: MemoryEntries): Promise<void> {
  const chain = await open(entries);
  for (let height = 0; height <= chain.finalHeight; height++) {
    chain.headerAt(h(height));
    chain.blockBytesAt(h(height));
    chain.certificateAt(h(height));
    chain.receiptsBytesAt(h(height));
    for (const index of [0, 1]) chain.locate(transactionHash(height, index));
  }
  await stateOf(chain);
  const all = { from: h(0), to: chain.finalHeight, newestFirst: false, limit: 100 };
  for (const account of [sampleSender, sampleReceiver]) {
    await chain.listTransactions({ by: 'account', account }, all);
  }
  for (let height = 1; height <= chain.finalHeight; height++) {
    await chain.listTransactions({ by: 'reference', reference: utf8(`order ${height}`) }, all);
  }
  await chain.listVersions('counter', all);
}

async function damagedProblem(reading: Promise<unknown>): Promise<Problem> {
  const thrown = await reading.then(
    () => 'nothing was noticed',
    (failure: unknown) => failure,
  );
  assert.ok(thrown instanceof Problem, String(thrown));
  assert.equal(thrown.code, 'storage/damaged');
  return thrown;
}

describe('a damaged database is noticed, and the damaged thing is named', () => {
  test('undamaged, everything is readable', async () => readAll(await written()));

  test('a flipped bit in any byte of any value', async () => {
    const entries = await written();
    const kinds = new Set<number>();
    for (const [key, value] of entries) {
      for (let byte = 0; byte < value.length; byte++) {
        value[byte] = (value[byte] as number) ^ (1 << (byte % 8));
        const problem = await damagedProblem(readAll(entries));
        assert.ok(
          problem.message.includes(describeKey(Buffer.from(key, 'latin1'))),
          `${problem.message} does not name ${describeKey(Buffer.from(key, 'latin1'))}`,
        );
        value[byte] = (value[byte] as number) ^ (1 << (byte % 8));
      }
      kinds.add(key.charCodeAt(0));
    }
    assert.deepEqual(
      [...kinds].sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14],
    );
  });

  test('a value that is cut short, empty, or has more at its end', async () => {
    const entries = await written();
    for (const [key, value] of entries) {
      for (const wrong of [
        new Uint8Array(),
        value.slice(0, 3),
        value.slice(0, -1),
        Uint8Array.of(...value, 0),
      ]) {
        entries.set(key, wrong);
        await damagedProblem(readAll(entries));
      }
      entries.set(key, value);
    }
  });

  test('a good value under another’s key', async () => {
    const entries = await written();
    const [one, other] = [textOf(keys.receipts(h(2))), textOf(keys.receipts(h(3)))];
    entries.set(one, entries.get(other) ?? new Uint8Array());
    assert.match((await damagedProblem(readAll(entries))).message, /receipts of height 2 does not match/);
  });

  const losses: [string, Uint8Array, RegExp][] = [
    ['a header', keys.header(h(3)), /header of height 3 is missing/],
    ['the last header', keys.header(h(6)), /header of height 6 is missing/],
    ['a block', keys.block(at(3).hash), /of height 3 is missing/],
    ['a candidate’s block', keys.block(at(7).hash), /block [0-9a-f]{64} is missing/],
    ['receipts', keys.receipts(h(3)), /receipts of height 3/],
    ['the record of the final block', keys.final, /record of the final block is missing/],
  ];
  for (const [what, key, message] of losses) {
    test(`${what} that is missing`, async () => {
      const entries = await written();
      assert.ok(entries.delete(textOf(key)));
      assert.match((await damagedProblem(readAll(entries))).message, message);
    });
  }

  test('a block below the checked heights is found when it is read', async () => {
    const entries = await written();
    entries.delete(textOf(keys.block(at(1).hash)));
    entries.delete(textOf(keys.header(h(2))));
    const chain = await open(entries, 3);
    assert.throws(() => chain.blockBytesAt(h(1)), /of height 1 is missing/);
    assert.throws(() => chain.hashAt(h(2)), /header of height 2 is missing/);
    await damagedProblem(open(entries, 5));
  });

  test('blocks that do not link, each good in itself', async () => {
    const entries = await written();
    const others = await new Promise<MemoryEntries>((resolve) => {
      const foreignEntries: MemoryEntries = new Map();
      void filledChain(new MemoryStore(setImmediate, foreignEntries), sampleBlocks(7, 'other')).then(() =>
        resolve(foreignEntries),
      );
    });
    const key = textOf(keys.header(h(4)));
    entries.set(key, others.get(key) ?? new Uint8Array());
    assert.match(
      (await damagedProblem(open(entries))).message,
      /header of height 4 is not the one that its child names/,
    );
  });

  test('a final height that is below blocks that are there', async () => {
    const entries = await written();
    entries.delete(textOf(keys.header(h(6))));
    const older = await filledThrough(5);
    entries.set(textOf(keys.final), older);
    await open(entries);
    entries.set(textOf(keys.final), await filledThrough(4));
    assert.match((await damagedProblem(open(entries))).message, /there are higher blocks/);
  });
});

/** The record of the final block of a chain that ends at this height. */
async function filledThrough(height: number): Promise<Uint8Array> {
  const entries: MemoryEntries = new Map();
  await filledChain(new MemoryStore(setImmediate, entries), blocks.slice(0, height + 1));
  return entries.get(textOf(keys.final)) ?? new Uint8Array();
}

describe('a database that is not this chain’s', () => {
  const refused = async (entries: MemoryEntries, code: string, id = chainId): Promise<Problem> => {
    const opening = ChainStore.open(new MemoryStore(setImmediate, entries), { chainId: id });
    const thrown: unknown = await opening.then(
      () => 'it was opened',
      (failure: unknown) => failure,
    );
    assert.ok(thrown instanceof Problem, String(thrown));
    assert.equal(thrown.code, code);
    return thrown;
  };

  test('another chain', async () => {
    const other = hash('quorate/v1/chain', utf8('other'));
    const problem = await refused(await written(), 'storage/other-chain', other);
    assert.deepEqual(problem.details, { found: chainId, expected: other });
    assert.match(problem.remedy, /genesis/);
  });

  for (const found of [1, formatVersion - 1, formatVersion + 1]) {
    test(`format ${found}, an earlier or later one`, async () => {
      const entries = await written();
      const record = checksummedWrite(
        keys.chain,
        fromHex(`07${toHex(utf8('quorate'))}${found.toString(16).padStart(4, '0')}${zeroHash}`),
      );
      assert.ok(record.type === 'put');
      entries.set(textOf(keys.chain), record.value);
      const problem = await refused(entries, 'storage/format');
      assert.deepEqual(problem.details, { found, expected: formatVersion });
      assert.match(problem.remedy, /move the database \(db\/\) away/);
    });
  }

  test('another program, or a chain without its first record, is no fresh start', async () => {
    await refused(new Map([['some key', utf8('some value')]]), 'storage/foreign');
    const entries = await written();
    entries.delete(textOf(keys.chain));
    await refused(entries, 'storage/foreign');
  });
});

describe('keys in words', () => {
  test('say what the key is for', () => {
    const cases: [Uint8Array, string][] = [
      [keys.header(h(12)), 'header of height 12'],
      [keys.certificate(h(2 ** 40)), 'certificate of height 1099511627776'],
      [keys.receipts(h(0)), 'receipts of height 0'],
      [keys.block(zeroHash), `block ${zeroHash}`],
      [keys.candidate(zeroHash), `candidate ${zeroHash}`],
      [keys.transaction(zeroHash), `transaction ${zeroHash}`],
      [keys.log('prepare/0/é'), 'log record "prepare/0/é"'],
      [keys.state(Uint8Array.of(1, 255)), 'state 01ff'],
      [keys.evidence(3), 'evidence 3'],
      [keys.final, 'meta record "final"'],
      [Uint8Array.of(77, 1), 'unknown key 4d01'],
      [Uint8Array.of(2, 1), 'header 01'],
    ];
    for (const [key, words] of cases) assert.equal(describeKey(key), words);
  });

  test('sort by height', () => {
    const heights = [0, 1, 255, 256, 65_536, 2 ** 32, 2 ** 48 - 1];
    const texts = heights.map((height) => toHex(keys.header(h(height))));
    assert.deepEqual(texts.toSorted(), texts);
  });
});
