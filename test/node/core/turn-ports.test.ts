import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Network } from '../../../src/network/port.ts';
import type { ChainStore } from '../../../src/storage/chain-store.ts';
import { turnPorts } from '../../../src/node/core/turn-ports.ts';
import { Turns } from '../../../src/node/core/turns.ts';

/** A port that notes by name what it is asked to do. */
function noting(asked: string[]): Network & ChainStore {
  return new Proxy({} as Network & ChainStore, {
    get: (_, name) => () => {
      asked.push(String(name));
      return true;
    },
  });
}

test('once turns have ended, nothing is sent or written for a part that was in the middle of something', () => {
  const asked: string[] = [];
  const turns = new Turns({ settle: () => {}, onThrow: (error) => assert.fail(String(error)) });
  const { network, chainStore } = turnPorts(turns, {
    clock: { wallMs: () => 0, monotonicMs: () => 0, after: () => () => {} },
    network: noting(asked),
    verifier: { verify: () => {}, close: async () => {} },
    store: noting(asked),
  });
  const all = (): void => {
    network.send('peer', new Uint8Array());
    network.publish('blocks', new Uint8Array());
    network.request('peer', 'blocks', new Uint8Array(), () => {});
    chainStore.persist({ records: [], blocks: [] }, () => {});
    chainStore.commitRun([], () => {});
  };
  all();
  assert.deepEqual(asked, ['send', 'publish', 'request', 'persist', 'commitRun']);
  asked.length = 0;
  turns.end();
  all();
  assert.deepEqual(asked, []);
});
