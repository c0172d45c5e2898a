import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  cp,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Level } from 'level';
import { limits } from '../../src/base/limits.ts';
import { machineRemedies } from '../../src/base/machine-fault.ts';
import { Problem } from '../../src/base/problem.ts';
import { openLevelStore } from '../../src/storage/level-store.ts';
import { logNamesIn } from '../../src/storage/newest-log.ts';
import { OpenLogs } from '../../src/storage/open-logs.ts';
import {
  createStoreDirectory,
  readStoreDirectory,
  type StoreDirectory,
} from '../../src/storage/store-directory.ts';
import { Chance } from '../../src/simulator/world/chance.ts';
import type { Store } from '../../src/storage/port.ts';
import { recordSyncs } from '../support/synced.ts';
import { temporaryDirectory } from './places.ts';
import { del, key, put, write } from '../contracts/store.ts';

const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
/** What LevelDB has besides, and not other databases of this name. */
type Ranges = Level<Uint8Array, Uint8Array> & {
  approximateSize(...range: Uint8Array[]): Promise<number>;
  compactRange(...range: Uint8Array[]): Promise<void>;
};

let home: { path: string; remove: () => Promise<void> };
let directory: string;
beforeEach(async () => {
  home = await temporaryDirectory();
  directory = join(home.path, 'db');
});
afterEach(() => home.remove());

/** A store with ten batches, closed. */
async function filled(): Promise<void> {
  const store = await openLevelStore(directory);
  for (let index = 0; index < 10; index++) {
    await write(store, [put(key(1, index), new Uint8Array(5_000).fill(index))]);
  }
  await store.close();
}

async function refused(code: string, message: RegExp, options?: { create: boolean }): Promise<Problem> {
  const outcome = await openLevelStore(directory, options).then(
    async (store) => {
      await store.close();
      return 'it was opened';
    },
    (thrown: unknown) => thrown,
  );
  assert.ok(outcome instanceof Problem, String(outcome));
  assert.equal(outcome.code, code, outcome.message);
  assert.match(outcome.message, message);
  assert.ok(outcome.remedy.length > 20);
  return outcome;
}

async function levelFile(pattern: RegExp): Promise<string> {
  const names = (await readdir(join(directory, 'level'))).filter((name) => pattern.test(name));
  return join(directory, 'level', names.sort().at(-1) ?? 'none');
}

async function flip(path: string, at: (size: number) => number): Promise<void> {
  const bytes = await readFile(path);
  const offset = at(bytes.length);
  bytes[offset] = (bytes[offset] as number) ^ 0x10;
  await writeFile(path, bytes);
}

/** What is there, name by name, to show that a refusal changed nothing. */
async function contents(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    // LevelDB writes its diary whenever it is asked.
    if (!entry.isFile() || entry.name.startsWith('LOG')) continue;
    const path = join(entry.parentPath, entry.name);
    files[path] = (await readFile(path)).toString('latin1');
  }
  return files;
}

test('it is of one user alone, whatever the directory around it and the umask allow', async () => {
  const before = process.umask(0);
  try {
    await filled();
  } finally {
    process.umask(before);
  }
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
});

describe('a store directory is made once, whole', () => {
  test('in a place that is not there, with parents, or is empty', async () => {
    directory = join(home.path, 'a', 'b', 'db');
    await (await openLevelStore(directory)).close();
    assert.deepEqual((await readdir(directory)).sort(), ['level', 'quorate-store.json']);
    directory = join(home.path, 'empty');
    await mkdir(directory);
    await (await openLevelStore(directory)).close();
    assert.deepEqual((await readdir(directory)).sort(), ['level', 'quorate-store.json']);
  });

  test('what a crash left of an earlier attempt does not matter', async () => {
    await mkdir(`${directory}.creating/level`, { recursive: true });
    await writeFile(`${directory}.creating/level/CURRENT`, 'half');
    await (await openLevelStore(directory)).close();
    assert.deepEqual(await readdir(home.path), ['db']);
  });

  test('by one of two that make it at once: the other one has that, and never a mixture', async () => {
    const fill = ({ levelPath }: StoreDirectory): Promise<void> => mkdir(levelPath);
    let first: StoreDirectory | undefined;
    const second = await createStoreDirectory(directory, async (store) => {
      await fill(store);
      first = await createStoreDirectory(directory, fill);
    });
    assert.deepEqual(second, first);
    assert.deepEqual(await readStoreDirectory(directory), first);
    assert.deepEqual(await readdir(home.path), ['db']);
  });

  test('and opened by one of three processes that are started at once', async () => {
    const children = [1, 2, 3].map(() =>
      fork(new URL('./open-store.ts', import.meta.url), [directory, 'hold']),
    );
    const answers = await Promise.all(children.map(async (child) => (await once(child, 'message'))[0]));
    assert.deepEqual(answers.map(String).toSorted(), ['open', 'storage/in-use', 'storage/in-use']);
    for (const child of children) child.kill('SIGKILL');
    assert.deepEqual(await readdir(home.path), ['db']);
  });

  test('and not at all when it must be there', async () => {
    await refused('storage/missing', /there is no store/, { create: false });
    assert.deepEqual(await readdir(home.path), []);
  });

  test('a place that cannot be used is a problem', async () => {
    await writeFile(join(home.path, 'file'), '');
    directory = join(home.path, 'file', 'db');
    await refused('storage/foreign', /it is a file/);
    directory = join(home.path, 'x'.repeat(300));
    await refused('storage/access', /cannot be used/);
  });
});

describe('a store in use', () => {
  test('is refused to the same process, and free again afterwards', async () => {
    const store = await openLevelStore(directory);
    await refused('storage/in-use', /in use/);
    directory = join(home.path, '.', 'x', '..', 'db');
    await refused('storage/in-use', /in use/);
    await store.close();
    await (await openLevelStore(directory)).close();
  });

  test('is refused to another process, also after this one asked twice', async () => {
    const store = await openLevelStore(directory);
    await write(store, [put(key(1), key(1))]);
    await refused('storage/in-use', /in use/);
    const child = fork(new URL('./open-store.ts', import.meta.url), [directory]);
    const [answer] = await once(child, 'message');
    assert.equal(answer, 'storage/in-use');
    await write(store, [put(key(1), key(2))]);
    await store.close();
  });

  test('that cannot be locked is not said to be in use', async (t) => {
    await filled();
    const cause = Object.assign(new Error('IO error: lock LOCK: No locks available'), {
      code: 'LEVEL_LOCKED',
    });
    const failing = (): Promise<void> => Promise.reject(new Error('not open', { cause }));
    const mocked = t.mock.method(Level.prototype, 'open', failing);
    const problem = await refused('storage/access', /No locks available/);
    assert.equal(problem.remedy, machineRemedies['ENOLCK']);
    mocked.mock.restore();
  });

  test('that another process has is refused here, and free when that is killed', async () => {
    const child = fork(new URL('./open-store.ts', import.meta.url), [directory, 'hold']);
    const [answer] = await once(child, 'message');
    assert.equal(answer, 'open');
    await refused('storage/in-use', /another process/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openLevelStore(directory);
    assert.deepEqual(store.get(key(1)), key(7), 'what was written before the kill is there');
    await store.close();
  });
});

describe('a log that LevelDB begins because another is full', () => {
  /** Writes until there is another log than before; what came of that batch. */
  async function writeUntilNext(store: Store): Promise<Problem | undefined> {
    const newest = async (): Promise<string | undefined> =>
      (await logNamesIn(join(directory, 'level'))).at(-1);
    const before = await newest();
    for (let index = 0; index < 100; index++) {
      const batch = [put(key(1, index), new Uint8Array(400_000))];
      const problem = await write(store, batch).catch((one: unknown) => one as Problem);
      if (problem instanceof Problem) return problem;
      if ((await newest()) !== before) return undefined;
    }
    assert.fail('no other log was begun');
  }

  test('has a durable name before what stands in it is told of', async (t) => {
    const store = await openLevelStore(directory);
    const synced = await recordSyncs(t);
    for (const times of [1, 2]) {
      assert.equal(await writeUntilNext(store), undefined);
      const { ino } = await stat(join(directory, 'level'));
      assert.deepEqual(synced, Array<number>(times).fill(ino));
    }
    await store.close();
  });

  test('is not believed where its name cannot be synced', async (t) => {
    const store = await openLevelStore(directory);
    const failure = Object.assign(new Error('EIO: i/o error, fsync'), {
      code: 'EIO',
      errno: -5,
      syscall: 'fsync',
    });
    await recordSyncs(t, () => failure);
    const problem = await writeUntilNext(store);
    assert.equal(problem?.code, 'storage/write-failed');
    assert.ok(problem.remedy.startsWith(machineRemedies['EIO'] ?? '-'), problem.remedy);
    await store.close();
  });

  test('comes after those whose numbers have fewer digits', async () => {
    await mkdir(directory);
    for (const name of ['1000000.log', '999999.log', '000007.log', '1000001.ldb', 'LOG']) {
      await writeFile(join(directory, name), '');
    }
    assert.deepEqual(await logNamesIn(directory), ['000007.log', '999999.log', '1000000.log']);
  });
});

describe('a directory of something else', () => {
  test('with files in it is left alone', async () => {
    await mkdir(directory);
    await writeFile(join(directory, 'holiday.jpg'), 'x');
    await refused('storage/foreign', /holiday.jpg/);
    assert.deepEqual(await readdir(directory), ['holiday.jpg']);
  });

  test('that is a LevelDB of another program is left alone', async () => {
    await filled();
    await rename(join(directory, 'level'), join(home.path, 'bare'));
    directory = join(home.path, 'bare');
    await refused('storage/foreign', /not a store of this program/);
  });

  test('that is a file is left alone', async () => {
    await writeFile(directory, 'text');
    await refused('storage/foreign', /it is a file/);
    assert.equal(await readFile(directory, 'utf8'), 'text');
  });
});

describe('a damaged store is never opened, and never made anew', () => {
  const damages: [string, RegExp, () => Promise<unknown>][] = [
    [
      'the marker is gone',
      /quorate-store.json.* is missing/,
      () => rm(join(directory, 'quorate-store.json')),
    ],
    ['the marker is empty', /not readable/, () => truncate(join(directory, 'quorate-store.json'))],
    [
      'the marker is another’s',
      /not readable/,
      () => writeFile(join(directory, 'quorate-store.json'), '{"format":"x"}'),
    ],
    [
      'the database folder is gone',
      /folder level is missing/,
      () => rm(join(directory, 'level'), { recursive: true }),
    ],
    [
      'the database folder was emptied',
      /write-ahead log.* is missing/,
      async () => {
        await rm(join(directory, 'level'), { recursive: true });
        await mkdir(join(directory, 'level'));
      },
    ],
    ['CURRENT is gone', /cannot be opened/, async () => rm(await levelFile(/^CURRENT$/))],
    ['CURRENT is empty', /cannot be opened/, async () => truncate(await levelFile(/^CURRENT$/))],
    [
      'CURRENT is garbage',
      /cannot be opened/,
      async () => writeFile(await levelFile(/^CURRENT$/), 'garbage'),
    ],
    [
      'CURRENT names nothing',
      /cannot be opened/,
      async () => writeFile(await levelFile(/^CURRENT$/), 'MANIFEST-999999\n'),
    ],
    ['MANIFEST is gone', /cannot be opened/, async () => rm(await levelFile(/^MANIFEST/))],
    ['MANIFEST is empty', /cannot be opened/, async () => truncate(await levelFile(/^MANIFEST/))],
    [
      'MANIFEST has a flipped bit',
      /cannot be opened/,
      async () => flip(await levelFile(/^MANIFEST/), () => 12),
    ],
    [
      'the write-ahead log is gone',
      /write-ahead log.* is missing/,
      async () => rm(await levelFile(/\.log$/)),
    ],
    [
      'the write-ahead log has a flipped bit',
      /\.log is wrong at byte \d+/,
      async () => flip(await levelFile(/\.log$/), (size) => size >> 1),
    ],
    ['a table is gone', /the table .* is missing/, async () => rm(await levelFile(/\.ldb$/))],
  ];

  for (const [what, message, damage] of damages) {
    test(what, async () => {
      await filled();
      await damage();
      const before = await contents();
      await refused('storage/damaged', message);
      // A second attempt finds the same: the first repaired nothing.
      await refused('storage/damaged', message);
      assert.deepEqual(await contents(), before);
    });
  }

  /** LevelDB looks into a table when something is read of it: the store's id is. Its size is seen before. */
  const damagedTables: [string, RegExp, (path: string, size: number) => Promise<unknown>][] = [
    ['empty', /has 0 of \d+ bytes/, (path) => truncate(path)],
    ['zeros', /cannot be read/, (path, size) => writeFile(path, Buffer.alloc(size))],
    ['cut in half', /has \d+ of \d+ bytes/, (path, size) => truncate(path, size >> 1)],
    ['changed in one bit of its footer', /cannot be read/, (path) => flip(path, (size) => size - 3)],
  ];
  for (const [what, message, damage] of damagedTables) {
    test(`a table that is ${what}`, async () => {
      await filled();
      const path = await levelFile(/\.ldb$/);
      await damage(path, (await readFile(path)).length);
      await refused('storage/damaged', message);
      // It is not left open either.
      await refused('storage/damaged', message);
    });
  }

  test('a copy without a log between what its tables and its last log hold, as a running node gives it', async () => {
    await filled();
    const level = join(directory, 'level');
    const early = join(home.path, 'early');
    await cp(level, early, { recursive: true });
    const gone = await levelFile(/\.log$/);
    // The next start puts that log into a table, and begins another one.
    const store = await openLevelStore(directory);
    await write(store, [put(key(1, 10), key(1))]);
    await store.close();
    const later = await levelFile(/\.log$/);
    assert.notEqual(later, gone);
    await cp(later, join(early, basename(later)));
    await rm(join(early, basename(gone)));
    await rm(level, { recursive: true });
    await rename(early, level);
    const before = await contents();
    const problem = await refused('storage/damaged', /write-ahead log .* is missing/);
    assert.match(problem.remedy, /stop that node, and copy again/);
    assert.deepEqual(await contents(), before);
  });

  test('a database that was exchanged for a fresh one, which LevelDB itself would open', async () => {
    await filled();
    await (await openLevelStore(join(home.path, 'other'))).close();
    await rm(join(directory, 'level'), { recursive: true });
    await cp(join(home.path, 'other', 'level'), join(directory, 'level'), { recursive: true });
    await refused('storage/damaged', /belongs to another store/);
    await refused('storage/damaged', /belongs to another store/);
  });

  test('a future format is told apart from damage', async () => {
    await filled();
    await writeFile(join(directory, 'quorate-store.json'), '{"format":"quorate-store","version":2}');
    await refused('storage/format', /format 2/);
  });

  test('a torn last batch, as a power failure leaves it, is no damage: the rest is there', async () => {
    await filled();
    const log = await levelFile(/\.log$/);
    await truncate(log, (await readFile(log)).length - 100);
    const store = await openLevelStore(directory);
    assert.equal(store.get(key(1, 8))?.length, 5_000);
    assert.equal(store.get(key(1, 9)), undefined);
    await store.close();
  });
});

describe('a log that LevelDB cannot read at the moment when it opens, and goes on without', () => {
  async function batchesInNewest(place: string): Promise<number> {
    const names = await logNamesIn(join(place, 'level'));
    const logs = await OpenLogs.open(join(place, 'level'));
    let count = 0;
    for await (const _ of logs.batches(Number.parseInt(names.at(-1) ?? '', 10))) count += 1;
    await logs.close();
    return count;
  }

  /** Opens it with something else in the log's place, seen by nobody but LevelDB. */
  async function openedWithout(t: TestContext, exchange: (log: string) => Promise<unknown>): Promise<void> {
    const [name = ''] = await logNamesIn(join(directory, 'level'));
    const log = join(directory, 'level', name);
    const away = join(home.path, 'away.log');
    const real: (this: unknown) => Promise<void> = Reflect.get(Level.prototype, 'open');
    const mocked = t.mock.method(Level.prototype, 'open', async function (this: unknown) {
      await rename(log, away);
      await exchange(log);
      await real.call(this);
      await rm(log, { recursive: true, force: true });
    });
    const store = await openLevelStore(directory);
    mocked.mock.restore();
    assert.equal((await store.scan({ from: key(1), to: key(2) })).length, 10);
    assert.equal(await batchesInNewest(directory), 1, 'after a part of it a key could have an older value');
    await write(store, [del(key(1, 3)), put(key(1, 10), key(1))]);
    await store.close();
    const again = await openLevelStore(directory);
    const entries = await again.scan({ from: key(1), to: key(2) });
    await again.close();
    assert.deepEqual(
      entries.map(([name]) => name[1]),
      [0, 1, 2, 4, 5, 6, 7, 8, 9, 10],
    );
  }

  test('any of it', async (t) => {
    await filled();
    await openedWithout(t, (log) => mkdir(log));
  });

  test('more than its beginning', async (t) => {
    await filled();
    const whole = await readFile(await levelFile(/\.log$/));
    await openedWithout(t, (log) => writeFile(log, whole.subarray(0, whole.length >> 1)));
  });

  test('of which one batch alone is longer than what is read at once', async (t) => {
    const store = await openLevelStore(directory);
    const chance = new Chance(2, 'a value');
    const large = Uint8Array.from({ length: 3_000_000 }, () => chance.between(0, 255));
    for (let index = 0; index < 10; index++) await write(store, [put(key(1, index), large.subarray(index))]);
    await write(store, [put(key(1, 9), key(9))]);
    await store.close();
    const logs = await OpenLogs.open(join(directory, 'level'));
    const sizes: number[] = [];
    for await (const changes of logs.batches(0)) sizes.push(changes.length);
    await logs.close();
    assert.ok(sizes.length > 1 && sizes.every((size) => size === 1), sizes.join(' '));
    await openedWithout(t, (log) => mkdir(log));
  });

  test('and which has another behind it', async (t) => {
    await filled();
    // As after a crash while the table of the first was made: what was written then stands in the second.
    const later = join(home.path, 'later');
    await cp(directory, later, { recursive: true });
    const store = await openLevelStore(later);
    await write(store, [put(key(1, 9), key(9))]);
    await store.close();
    const [second = ''] = await logNamesIn(join(later, 'level'));
    await cp(join(later, 'level', second), join(directory, 'level', second));
    assert.equal((await logNamesIn(join(directory, 'level'))).length, 2);
    const taken = join(home.path, 'taken');
    await cp(directory, taken, { recursive: true });
    const whole = await openLevelStore(taken);
    assert.equal(await batchesInNewest(taken), 0, 'nothing was passed over');
    assert.deepEqual(whole.get(key(1, 9)), key(9));
    await whole.close();
    await openedWithout(t, (log) => mkdir(log));
  });

  test('in a store that holds more than it', async (t) => {
    await filled();
    const store = await openLevelStore(directory);
    await write(store, [put(key(1, 3), key(9)), del(key(1, 8))]);
    await write(store, [put(key(1, 8), key(9))]);
    await store.close();
    await openedWithout(t, (log) => mkdir(log));
  });
});

test('the names of LevelDB’s files are durable when a store is made, and whenever it is opened', async (t) => {
  await mkdir(directory);
  const handle = await open(directory);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const synced: number[] = [];
  const sync: (this: FileHandle) => Promise<void> = Reflect.get(prototype, 'sync');
  t.mock.method(prototype, 'sync', async function (this: FileHandle) {
    synced.push((await this.stat()).ino);
    return sync.call(this);
  });
  const counts: number[] = [];
  for (let start = 0; start < 3; start++) {
    await (await openLevelStore(directory)).close();
    const { ino } = await stat(join(directory, 'level'));
    counts.push(synced.filter((each) => each === ino).length);
  }
  assert.deepEqual(counts, [2, 3, 4]);
});

describe('a store whose disk is full', () => {
  test('answers with the problem, takes nothing more, and keeps what it had acknowledged', async () => {
    // A process that may not make files above a megabyte (sh counts in 512 bytes).
    const script = fileURLToPath(new URL('./fill-store.ts', import.meta.url));
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      'ulimit -f 2048; exec "$0" "$@"',
      process.execPath,
      script,
      directory,
    ]);
    const { acknowledged, code, later } = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(code, 'storage/write-failed');
    assert.deepEqual(later, ['storage/write-failed', 'storage/write-failed']);
    const store = await openLevelStore(directory);
    const stored = await store.scan({ from: key(1), to: key(2) });
    assert.ok(Number(acknowledged) > 0 && stored.length >= Number(acknowledged));
    await write(store, [put(key(3), key(3))]);
    await store.close();
  });
});

test('of what was removed few traces are left in a range that is compacted, unless they are few anyway', async () => {
  const chance = new Chance(1, 'a value');
  // LevelDB would make less of one that repeats itself.
  const value = Uint8Array.from({ length: 64 * 1024 }, () => chance.between(0, 255));
  const left = key(8, 0);
  const range = { from: key(8), to: key(9) };
  let store = await openLevelStore(directory);
  await write(store, [put(key(3), value), put(left, value), put(key(9), value)]);
  for (let index = 0; index < 320; index++) {
    const name = key(8, 1, index >> 8, index & 255);
    await write(store, [put(name, value)]);
    await write(store, [del(name)]);
  }
  await store.close();

  const bytesAfter = async (livingBytes: number): Promise<number> => {
    store = await openLevelStore(directory);
    await store.compact(range, livingBytes);
    assert.deepEqual(await store.scan(range), [[left, value]]);
    await store.close();
    const level = new Level<Uint8Array, Uint8Array>(join(directory, 'level'), encodings) as Ranges;
    const bytes = await level.approximateSize(range.from, range.to);
    await level.close();
    return bytes;
  };
  const before = await bytesAfter(Number.MAX_SAFE_INTEGER);
  assert.ok(before > limits.deadBytes + 2 * value.length, `${before} bytes`);
  assert.equal(await bytesAfter(before), before, 'all of it may live');
  const after = await bytesAfter(value.length);
  assert.ok(after < 2 * value.length, `${after} bytes`);
});

test(
  'a store of many tables has few of them in memory, whatever is read',
  { skip: process.platform !== 'linux' },
  async () => {
    await filled();
    const count = 2 * limits.storeOpenFiles;
    const level = new Level<Uint8Array, Uint8Array>(join(directory, 'level'), encodings) as Ranges;
    for (let index = 0; index < count; index++) {
      const place = key(2, index);
      await level.put(place, new Uint8Array(100).fill(index));
      // Each is a table of its own, as nothing else is near it.
      await level.compactRange(place, place);
    }
    await level.close();
    const tables = (await readdir(join(directory, 'level'))).filter((name) => name.endsWith('.ldb'));
    assert.ok(tables.length >= count, `${tables.length} tables`);
    const store = await openLevelStore(directory);
    for (let index = 0; index < count; index++) assert.equal(store.get(key(2, index))?.length, 100);
    const maps = await readFile('/proc/self/maps', 'latin1');
    const inMemory = maps.split('\n').filter((line) => line.includes(directory) && line.endsWith('.ldb'));
    assert.ok(inMemory.length > 0 && inMemory.length <= limits.storeOpenFiles, `${inMemory.length} tables`);
    await store.close();
  },
);
