import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { noteKeyUse } from '../../src/node/key-use.ts';
import { restore } from '../../src/node/restore.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { testGenesis } from './cluster.ts';

let root: string;
let counter = 0;
const file = (): string => join(root, `used-${counter++}.json`);
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-key-use-'));
});
after(() => rm(root, { recursive: true }));

const now = new Date(1_800_000_000_000);

async function openStore(disk = new Map<string, Uint8Array>(), validators = 4): Promise<ChainStore> {
  const genesis = testGenesis(validators);
  const store = await ChainStore.open(new MemoryStore(setImmediate, disk), { chainId: genesis.chainId });
  await restore(store, genesis);
  return store;
}

const note = (path: string, store: ChainStore, validators = 4): Promise<boolean> =>
  noteKeyUse({ path, store, chainId: testGenesis(validators).chainId, now });

describe('the note beside a validator key', () => {
  test('knows the first use, and that the same store is still there', async () => {
    const path = file();
    const disk = new Map<string, Uint8Array>();
    assert.equal(await note(path, await openStore(disk)), true);
    assert.equal(await note(path, await openStore(disk)), true);
  });

  test('knows that the store is another one, and goes on knowing', async () => {
    const path = file();
    await note(path, await openStore());
    const replaced = new Map<string, Uint8Array>();
    assert.equal(await note(path, await openStore(replaced)), false);
    assert.equal(await note(path, await openStore(replaced)), false, 'a restart makes nothing good');
  });

  test('counts for one chain', async () => {
    const path = file();
    await note(path, await openStore());
    assert.equal(await note(path, await openStore(new Map(), 5), 5), true);
  });

  test('that cannot be read stops the node: voting blindly is worse than not voting', async () => {
    const path = file();
    await writeFile(path, '{"chains": 5}');
    await assert.rejects(note(path, await openStore()), { code: 'keys/use-unknown' });
  });
});
