import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../src/base/problem.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../../src/crypto/native.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { Persisting } from '../../../src/node/effects/persisting.ts';
import { Signer } from '../../../src/node/effects/signer.ts';
import type { WriteCount } from '../../../src/node/process/key-use.ts';
import type { PersistRequest } from '../../../src/storage/chain-requests.ts';
import { ChainMaker } from '../chain-maker.ts';
import { testGenesis, testProtocol } from '../cluster.ts';

/** A store that holds each write until it is let go. */
function world(uses?: WriteCount) {
  const genesis = testGenesis(4);
  const maker = new ChainMaker(genesis);
  const chain = maker.chain();
  const writes: { request: PersistRequest; done: (problem: Problem | undefined) => void }[] = [];
  const persisted: number[] = [];
  const { publicKey, secretKey } = developmentKeyPair('validator-0');
  const persisting = new Persisting<object>({
    protocol: testProtocol(genesis),
    signer: new Signer({ publicKey, sign: nativeSigner(secretKey), records: new Map() }),
    chain,
    store: { persist: (request, done) => writes.push({ request, done }), blockBytes: () => undefined },
    enqueue: ({ seq }) => persisted.push(seq),
    onFatal: (problem) => assert.fail(problem),
    ...(uses && { uses }),
  });
  let seq = 0;
  const persist = (content: { blocks?: readonly Hash[]; forget?: readonly Hash[] }): void => {
    seq += 1;
    persisting.persist({ type: 'persist', seq, records: [], sign: [], blocks: [], ...content });
  };
  return { maker, chain, writes, persisted, persist };
}

test('what comes while a write is under way shares the next one, and is told when that is done', () => {
  const { writes, persisted, persist } = world();
  for (let count = 0; count < 3; count++) persist({});
  assert.equal(writes.length, 1);
  writes[0]?.done(undefined);
  assert.deepEqual([writes.length, persisted], [2, [1]]);
  writes[1]?.done(undefined);
  assert.deepEqual([writes.length, persisted], [2, [1, 2, 3]]);
});

test('a block that was cut off and came back stays, though one write holds both; and one that went again goes', () => {
  for (const isCutAgain of [false, true]) {
    const { maker, chain, writes, persist } = world();
    const { block, hash } = maker.block(maker.start);
    chain.add(block, { stored: false });
    persist({ blocks: [hash] });
    persist({ forget: [hash] });
    assert.equal(chain.get(hash), undefined);
    chain.add(block, { stored: false });
    persist({ blocks: [hash] });
    if (isCutAgain) persist({ forget: [hash] });
    writes[0]?.done(undefined);
    const { blocks, forget } = writes[1]?.request ?? assert.fail('no write');
    assert.deepEqual(forget, isCutAgain ? [hash] : []);
    assert.deepEqual(
      blocks.map((stored) => stored.hash),
      [hash],
    );
  }
});

test('a block on its way to the disk counts as stored, so that whoever lets go of it takes it off the disk', () => {
  const { maker, chain, writes, persist } = world();
  const { block, hash } = maker.block(maker.start);
  chain.add(block, { stored: false });
  for (let each = 0; each < 2; each++) persist({ blocks: [hash] });
  assert.equal(chain.get(hash)?.stored, true);
  writes[0]?.done(undefined);
  assert.deepEqual(
    writes.map(({ request }) => request.blocks.length),
    [1, 0],
  );
});

test('each write has the next number of all that were written with the key, and that is noted when it is on disk', () => {
  const noted: number[] = [];
  const { writes, persist } = world({
    since: 0,
    before: 7,
    records: (count) => [{ key: 'count', value: Uint8Array.of(count) }],
    written: (count) => void noted.push(count),
  });
  for (let each = 0; each < 3; each++) persist({});
  assert.deepEqual(noted, []);
  for (const at of [0, 1]) writes[at]?.done(undefined);
  assert.deepEqual(
    writes.map(({ request }) => request.records.at(-1)),
    [8, 9].map((count) => ({ key: 'count', value: Uint8Array.of(count) })),
  );
  assert.deepEqual(noted, [8, 9]);
});
