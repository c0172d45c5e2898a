import assert from 'node:assert/strict';
import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Problem } from '../../../src/base/problem.ts';
import { encodeAddress } from '../../../src/crypto/address.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import { type KeyUse, openKeyUse } from '../../../src/node/process/key-use.ts';
import { restore } from '../../../src/node/effects/restore.ts';
import { ChainStore } from '../../../src/storage/chain-store.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { testGenesis } from '../cluster.ts';

let root: string;
let counter = 0;
const file = (): string => join(root, `used-${counter++}.json`);
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-key-use-'));
});
after(() => rm(root, { recursive: true }));

const now = new Date(1_800_000_000_000);

type Disk = Map<string, Uint8Array>;

interface Opened {
  readonly use: KeyUse;
  readonly store: ChainStore;
}

const [key, another] = ['validator-0', 'validator-1'].map((name) => developmentKeyPair(name).publicKey) as [
  PublicKey,
  PublicKey,
];

function open(
  path: string,
  disk: Disk = new Map(),
  validators = 4,
  vouched = false,
  date = now,
): Promise<Opened> {
  return openAs(key, path, disk, { validators, vouched, date });
}

async function openAs(
  as: PublicKey | null,
  path: string,
  disk: Disk,
  { validators = 4, vouched = false, date = now } = {},
): Promise<Opened> {
  const { chainId } = testGenesis(validators);
  const genesis = testGenesis(validators);
  const store = await ChainStore.open(new MemoryStore(setImmediate, disk), { chainId });
  await restore(store, genesis);
  const onFatal = (problem: unknown): void => assert.fail(String(problem));
  const given = { path, chainId, key: as, store, now: date, onFatal, vouched };
  return { use: await openKeyUse(given), store };
}

/** Writes so many batches with the key, as the driver does, and stops in order. */
async function work({ use, store }: Opened, batches: number): Promise<void> {
  for (let count = use.before + 1; count <= use.before + batches; count++) {
    await new Promise<void>((done, fail) => {
      store.persist({ records: use.records(count), blocks: [] }, (problem) =>
        problem === undefined ? done() : fail(problem),
      );
    });
    use.written(count);
  }
  await use.close();
}

const seen = ({ use }: Opened): string => `${use.found}, ${use.trust}`;

describe('the note beside a validator key', () => {
  test('knows the first use, and that the same store is still there', async () => {
    const [path, disk] = [file(), new Map()];
    const first = await open(path, disk);
    assert.equal(seen(first), 'first-use, new');
    await work(first, 3);
    assert.equal(seen(await open(path, disk)), 'same, new');
  });

  test('knows that the store is another one, and goes on knowing until the engine has recorded it', async () => {
    const [path, replaced] = [file(), new Map()];
    await work(await open(path), 3);
    assert.equal(seen(await open(path, replaced)), 'other-store, lost');
    const again = await open(path, replaced);
    assert.equal(seen(again), 'same, lost', 'the process died before the first write of the engine');
    await work(again, 1);
    assert.equal(seen(await open(path, replaced)), 'same, new', 'from here on the engine itself knows');
  });

  test('knows an old copy of the store, taken at a stop or while it ran', async () => {
    for (const copyAfter of [0, 2, 4]) {
      const [path, disk] = [file(), new Map()];
      const first = await open(path, disk);
      await work(first, copyAfter);
      const copy = new Map(disk);
      await work(await open(path, disk), 3);
      assert.equal(seen(await open(path, new Map(copy))), 'older-copy, lost', `copy after ${copyAfter}`);
    }
  });

  test('knows an old copy after another one, also one that is younger than that', async () => {
    const [path, disk] = [file(), new Map()];
    await work(await open(path, disk), 2);
    const oldest = new Map(disk);
    await work(await open(path, disk), 5);
    const younger = new Map(disk);
    await work(await open(path, disk), 5);
    assert.equal(seen(await open(path, oldest)), 'older-copy, lost');
    assert.equal(seen(await open(path, younger)), 'older-copy, lost');
  });

  test('knows what was signed from the first use on; after a loss, from then on', async () => {
    const [path, disk] = [file(), new Map()];
    const first = await open(path, disk);
    await work(first, 1);
    const since = async (later: number, at: Disk): Promise<number> => {
      const { chainId } = testGenesis(4);
      const { store } = await open(file(), at);
      const onFatal = (problem: Problem): void => assert.fail(problem.message);
      const date = new Date(now.getTime() + later);
      const use = await openKeyUse({ path, chainId, key, store, now: date, onFatal, vouched: false });
      await use.close();
      return use.since - now.getTime();
    };
    assert.equal(await since(1_000, new Map()), 1_000, 'another store');
  });

  test('does not believe a first use from before the chain began: the clock was behind', async () => {
    const [path, disk] = [file(), new Map()];
    const { timestamp } = testGenesis(4);
    const since = async (at: number): Promise<number> => {
      const opened = await open(path, disk, 4, false, new Date(at));
      await work(opened, 1);
      return opened.use.since;
    };
    assert.equal(await since(timestamp - 1), timestamp - 1);
    assert.equal(await since(timestamp + 1_000), timestamp + 1_000);
    assert.equal(await since(timestamp + 2_000), timestamp + 1_000);
  });

  test('takes a store for good that is ahead of it: it follows the store, and a crash may come in between', async () => {
    const [path, disk] = [file(), new Map()];
    await work(await open(path, disk), 2);
    const noted = await readFile(path);
    await work(await open(path, disk), 5);
    await writeFile(path, noted);
    assert.equal(seen(await open(path, disk)), 'same, new');
  });

  test('an operator’s word holds at any start, and later ones have nothing to warn of', async () => {
    for (const starts of [0, 1, 2]) {
      const [path, replaced] = [file(), new Map()];
      await work(await open(path), 3);
      for (let start = 0; start < starts; start++) await work(await open(path, replaced), start);
      const told = await open(path, replaced, 4, true);
      assert.equal(told.use.trust, 'vouched');
      await work(told, 1);
      assert.equal(seen(await open(path, replaced)), 'same, new');
    }
  });

  test('that word holds, too, when the process died before its engine wrote anything', async () => {
    const [path, replaced] = [file(), new Map()];
    await work(await open(path), 3);
    await work(await open(path, replaced, 4, true), 0);
    assert.equal(seen(await open(path, replaced)), 'same, new');
  });

  test('knows a copy from before a start for an old one, though nothing was written since', async () => {
    const [path, disk] = [file(), new Map()];
    await work(await open(path, disk), 1);
    const copy = new Map(disk);
    await work(await open(path, disk), 0);
    assert.equal(seen(await open(path, copy)), 'older-copy, lost');
  });

  test('counts for one chain, and keeps what it knows of others', async () => {
    const [path, disk] = [file(), new Map()];
    await work(await open(path, disk), 2);
    assert.equal(seen(await open(path, new Map(), 5)), 'first-use, new');
    assert.equal(seen(await open(path, disk)), 'same, new');
  });

  test('knows that the database is another key’s, in which promises stand that are not its own', async () => {
    for (const vouched of [false, true]) {
      const [path, disk] = [file(), new Map()];
      await work(await open(path, disk), 3);
      // Its key file was exchanged; or the whole folder of keys was, without notes.
      for (const used of [path, file()])
        await assert.rejects(openAs(another, used, disk, { vouched }), (problem: Problem) => {
          assert.equal(problem.code, 'keys/other-key');
          return problem.message.includes(encodeAddress(key)) && problem.remedy.includes('db/');
        });
      assert.equal(seen(await open(path, disk)), 'same, new', 'the key is put back');
      assert.equal(seen(await openAs(another, path, new Map())), 'other-store, lost', 'it is moved away');
    }
  });

  test('an observer’s database holds no promise: a validator may go on from it', async () => {
    const [path, disk] = [file(), new Map()];
    await work(await openAs(null, path, disk), 3);
    assert.equal(seen(await open(file(), disk)), 'first-use, new');
    assert.equal(seen(await openAs(null, path, disk)), 'same, new');
  });

  test('that cannot be read stops the node: voting blindly is worse than not voting', async () => {
    const path = file();
    for (const content of ['{"chains": 5}', `{"chains": []${' '.repeat(2 ** 21)}}`]) {
      await writeFile(path, content);
      await assert.rejects(open(path), { code: 'keys/use-unknown' });
    }
    await rm(path);
    await symlink('/dev/zero', path);
    await assert.rejects(open(path), { code: 'keys/use-unknown' });
  });

  // /dev/full is of Linux and the BSDs.
  test('that cannot be written any more stops the node, and says which file, why, and what to do', async () => {
    const [path, fatal] = [file(), [] as Problem[]];
    const { store } = await open(path);
    const onFatal = (problem: Problem): void => void fatal.push(problem);
    const { chainId } = testGenesis(4);
    const use = await openKeyUse({ path, chainId, key, store, now, onFatal, vouched: false });
    await symlink('/dev/full', `${path}.new`);
    use.written(use.before + 1);
    await use.close();
    const [problem] = fatal;
    assert.equal(problem?.code, 'keys/use-unwritable');
    assert.ok(problem.message.includes(path) && problem.message.includes('ENOSPC'), problem.message);
    assert.match(problem.remedy, /The disk is full: make room.*Then start the node again/);
    assert.deepEqual(fatal.length, 1);
    await assert.rejects(lstat(`${path}.new`), { code: 'ENOENT' });
  });
});
