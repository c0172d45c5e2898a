import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight } from '../../../src/ledger/block.ts';
import { genesisHeader, genesisState } from '../../../src/ledger/genesis.ts';
import type { FinalBlock } from '../../../src/node/effects/chain.ts';
import { Departures } from '../../../src/node/backend/departures.ts';

import { testGenesis, signedTransaction } from '../cluster.ts';

const genesis = testGenesis(4);
const state = genesisState(genesis);
const expired = signedTransaction(genesis, 'alice', { nonce: 0, expiryHeight: toHeight(3) });

/** A final block past the expiry. */
const final = { header: { ...genesisHeader(genesis), height: toHeight(5) }, state } as FinalBlock;

test('what blocks inside a snapshot may have held is not called gone: nobody here would know', () => {
  const store = { firstHeader: toHeight(1), locate: () => undefined };
  const departures = new Departures(store);
  departures.note(expired, 'evicted');
  assert.equal(departures.statusOf(expired.hash, final).status, 'gone');
  store.firstHeader = toHeight(4);
  const status = departures.statusOf(expired.hash, final);
  assert.ok(status.status === 'unknown');
  assert.equal(status.problem?.code, 'mempool/outcome-pruned');
});

test('of what left only what is told of it is kept: the whole of it may be large, and thousands are remembered', () => {
  const read: (string | symbol)[] = [];
  const watched = new Proxy(expired, {
    get: (of, name) => {
      read.push(name);
      return Reflect.get(of, name) as unknown;
    },
  });
  const departures = new Departures({ firstHeader: toHeight(1), locate: () => undefined });
  departures.note(watched, 'evicted');
  read.length = 0;
  assert.equal(departures.statusOf(expired.hash, final).status, 'gone');
  assert.deepEqual(read, [], 'the transaction is not there any more');
});
