import { Level } from 'level';
import { equalBytes, toHex, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { damaged } from './checksummed.ts';
import { checkLevelFiles, hasTaken } from './level-files.ts';
import { openingProblem, readProblem, writeProblem } from './level-problems.ts';
import { NewestLog } from './newest-log.ts';
import { OpenLogs } from './open-logs.ts';
import type { Write } from './port.ts';
import { inaccessible, type StoreDirectory } from './store-directory.ts';

const MiB = 1024 * 1024;
/**
 * Twice what LevelDB has by default for what is written: a block's batch can have a few MiB, and each one
 * that fills the buffer is written once more. Two buffers and the cache are a node's for good, so they are no
 * larger; what is read often is in the machine's cache of files anyway. A table has LevelDB's 2 MiB: of
 * larger ones more is merged that did not change, and more is kept of each one that is open.
 */
const levelOptions = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  writeBufferSize: 8 * MiB,
  cacheSize: 8 * MiB,
  maxOpenFiles: limits.storeOpenFiles,
} as const;

/** What LevelDB has besides, and not other databases of this name. */
interface Ranges {
  approximateSize(from: Uint8Array, to: Uint8Array): Promise<number>;
  compactRange(from: Uint8Array, to: Uint8Array): Promise<void>;
}

export type LevelDatabase = Level<Uint8Array, Uint8Array> & Ranges;

/** LevelDB in a directory, as all of a node's are opened; it is not open yet. */
function databaseAt(
  path: string,
  options: { readonly errorIfExists?: true; readonly createIfMissing?: false },
): LevelDatabase {
  return new Level<Uint8Array, Uint8Array>(path, { ...levelOptions, ...options }) as LevelDatabase;
}

/** The adapter's own record: which store directory the database belongs to. */
const idKey = Uint8Array.of(0, ...utf8('store-id'));

/** Makes a store's database, with the id in it. */
export async function createDatabase(store: StoreDirectory): Promise<void> {
  const database = databaseAt(store.levelPath, { errorIfExists: true });
  await database.open();
  await database.put(idKey, utf8(store.id), { sync: true });
  await database.close();
}

export interface OpenDatabase {
  readonly database: LevelDatabase;
  readonly newestLog: NewestLog;
}

/** Opens it with all that was acknowledged in it, or throws a problem. */
export async function openDatabase(directory: string, store: StoreDirectory): Promise<OpenDatabase> {
  const { levelPath } = store;
  // Before LevelDB opens it, because it would drop what is damaged and write the rest anew.
  const logs = await OpenLogs.open(levelPath);
  try {
    const named = await checkLevelFiles(levelPath);
    const database = databaseAt(levelPath, { createIfMissing: false });
    await database.open().catch((failure: unknown) => {
      throw openingProblem(directory, failure);
    });
    try {
      if (named !== undefined) await takeSkipped(database, levelPath, { logs, from: named.log });
      checkId(directory, database, store);
      return { database, newestLog: await syncNames(levelPath) };
    } catch (failure) {
      await database.close();
      throw failure;
    }
  } finally {
    await logs.close();
  }
}

/**
 * Writes what stands in the logs, and LevelDB passed over. It reads a log up to where it cannot, and goes on
 * with the next: so of several (there are two when the process ended while the table of a full one was made)
 * the number of its last change says nothing of those before. Nothing is newer than the logs, so each key has
 * the value of its last change there. All is one batch: after some of it a key could have an older value.
 */
async function takeSkipped(
  database: LevelDatabase,
  levelPath: string,
  { logs, from }: { readonly logs: OpenLogs; readonly from: number },
): Promise<void> {
  if (logs.count(from) === 1 && (await hasTaken(levelPath, logs.lastSequence(from)))) return;
  try {
    /** Which of all changes is the last of a key. */
    const last = new Map<string, number>();
    let number = 0;
    for await (const changes of logs.batches(from)) {
      for (const { key } of changes) last.set(toHex(key), number++);
    }
    const batch = database.batch();
    number = 0;
    for await (const changes of logs.batches(from)) {
      for (const change of changes) {
        if (last.get(toHex(change.key)) !== number++ || holds(database, change)) continue;
        if (change.type === 'put') batch.put(change.key, change.value);
        else batch.del(change.key);
      }
    }
    await batch.write({ sync: true });
  } catch (cause) {
    throw cause instanceof Problem ? cause : writeProblem(cause);
  }
}

function holds(database: LevelDatabase, change: Write): boolean {
  let value: Uint8Array | undefined;
  try {
    value = database.getSync(change.key);
  } catch (cause) {
    throw readProblem(cause);
  }
  if (change.type === 'del' || value === undefined) return change.type === 'del' && value === undefined;
  return equalBytes(value, change.value);
}

/**
 * LevelDB begins another MANIFEST whenever it opens, says so in CURRENT, and removes the one before; the
 * names it leaves to the file system. One that does not keep their order could lose the new CURRENT and not
 * the removal in a power failure, and then nothing opens any more.
 */
async function syncNames(levelPath: string): Promise<NewestLog> {
  const newestLog = new NewestLog(levelPath);
  try {
    await newestLog.follow();
    return newestLog;
  } catch (cause) {
    throw inaccessible(levelPath, cause);
  }
}

/** LevelDB opens what lacks its tables' contents: the first read shows that. */
function checkId(directory: string, database: LevelDatabase, store: StoreDirectory): void {
  let id: Uint8Array | undefined;
  try {
    id = database.getSync(idKey);
  } catch (cause) {
    throw readProblem(cause);
  }
  if (id !== undefined && Buffer.from(id).toString('utf8') === store.id) return;
  const how = id === undefined ? 'was emptied' : 'belongs to another store directory';
  throw damaged(`the store in ${directory}`, how);
}
