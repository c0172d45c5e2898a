import { resolve } from 'node:path';
import { compareBytes } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { ScanRange, Store, Write } from './port.ts';
import { createDatabase, type LevelDatabase, type OpenDatabase, openDatabase } from './level-database.ts';
import { inUse, readProblem, writeProblem } from './level-problems.ts';
import type { NewestLog } from './newest-log.ts';
import { createStoreDirectory, readStoreDirectory, type StoreDirectory } from './store-directory.ts';

const firstKey = Uint8Array.of(1);

/**
 * Directories that this process has open. LevelDB's own lock must not be asked a second time by the process
 * that holds it: its failing attempt would drop the lock (POSIX releases a process's lock on a file when it
 * closes any handle on it).
 */
const openHere = new Set<string>();

/**
 * Opens the store in a directory; makes one when the directory is empty or not there, unless `create` is
 * false. Throws a problem: `storage/missing`, `storage/in-use`, `storage/foreign`, `storage/format`,
 * `storage/damaged`, `storage/access`.
 */
export async function openLevelStore(
  directory: string,
  options: { readonly create?: boolean } = {},
): Promise<Store> {
  const path = resolve(directory);
  if (openHere.has(path)) throw inUse(directory, undefined);
  openHere.add(path);
  try {
    const store = (await readStoreDirectory(path)) ?? (await create(path, options.create ?? true));
    return new LevelStore(await openDatabase(path, store), () => openHere.delete(path));
  } catch (failure) {
    openHere.delete(path);
    throw failure;
  }
}

async function create(directory: string, allowed: boolean): Promise<StoreDirectory> {
  if (allowed) return createStoreDirectory(directory, createDatabase);
  throw new Problem('storage/missing', `there is no store in ${directory}`, {
    remedy: 'Check the path: nothing was made there.',
    details: { directory },
  });
}

type Done = (problem: Problem | undefined) => void;

/**
 * One write is under way at a time; all that come meanwhile make up the next one together. So they become
 * durable in the order of the calls, and many share one sync.
 */
class LevelStore implements Store {
  readonly #database: LevelDatabase;
  readonly #newestLog: NewestLog;
  readonly #onClosed: () => void;
  /** What comes next, and who waits for it: LevelDB has its copy already. */
  #next: ReturnType<LevelDatabase['batch']> | undefined;
  #waiting: Done[] = [];
  /** A batch could not be made to its end: what was begun of it must never be written. */
  #isTorn = false;
  #writing = false;
  #failure: Problem | undefined;
  #closed = false;
  #onIdle: (() => void) | undefined;
  /** One after the other: each keeps a thread that reads and writes need, too. */
  #compacting: Promise<void> = Promise.resolve();

  constructor({ database, newestLog }: OpenDatabase, onClosed: () => void) {
    this.#database = database;
    this.#newestLog = newestLog;
    this.#onClosed = onClosed;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    invariant(!this.#closed, 'an open store is read');
    try {
      const value = this.#database.getSync(key);
      return value === undefined ? undefined : plain(value);
    } catch (cause) {
      throw readProblem(cause);
    }
  }

  write(batch: Iterable<Write>, done: Done): void {
    invariant(!this.#closed, 'an open store is written');
    invariant(!this.#isTorn, 'what comes after a batch that was not made to its end is not written');
    this.#isTorn = true;
    this.#add(batch);
    this.#isTorn = false;
    this.#waiting.push(done);
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(() => this.#flush());
  }

  async scan(range: ScanRange): Promise<[Uint8Array, Uint8Array][]> {
    invariant(!this.#closed, 'an open store is read');
    const from = compareBytes(range.from, firstKey) < 0 ? firstKey : range.from;
    try {
      const entries = await this.#database
        .iterator({ gte: from, lt: range.to, limit: range.limit ?? -1, reverse: range.reverse ?? false })
        .all();
      return entries.map(([key, value]) => [plain(key), plain(value)]);
    } catch (cause) {
      throw readProblem(cause);
    }
  }

  compact(range: Pick<ScanRange, 'from' | 'to'>, livingBytes: number): Promise<void> {
    return (this.#compacting = this.#compacting.then(() => this.#compact(range, livingBytes)));
  }

  /**
   * LevelDB merges a removal with what it removes only where it has to merge anyway, which of the small
   * ranges among large ones may be long after.
   */
  async #compact({ from, to }: Pick<ScanRange, 'from' | 'to'>, livingBytes: number): Promise<void> {
    if (this.#closed) return;
    try {
      const stored = await this.#database.approximateSize(from, to);
      if (stored <= limits.deadBytes + 2 * livingBytes) return;
      await this.#database.compactRange(from, to);
    } catch {
      // It was closed meanwhile; or a file is wrong, which the next read or write says with its remedy.
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#writing) await new Promise<void>((onIdle) => (this.#onIdle = onIdle));
    await this.#database.close();
    this.#onClosed();
  }

  #add(batch: Iterable<Write>): void {
    const next = (this.#next ??= this.#database.batch());
    for (const change of batch) {
      invariant((change.key[0] ?? 0) !== 0, 'no key starts with byte 0');
      if (change.type === 'put') next.put(change.key, change.value);
      else next.del(change.key);
    }
  }

  #flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#writeNext().then(
      (problem) => this.#finish(group, problem),
      // This is no failed write, but a broken invariant of ours.
      (error: unknown) =>
        setImmediate(() => {
          throw error;
        }),
    );
  }

  async #writeNext(): Promise<Problem | undefined> {
    invariant(!this.#isTorn, 'a batch is made to its end');
    const next = this.#next;
    this.#next = undefined;
    if (this.#failure !== undefined) return this.#failure;
    try {
      await next?.write({ sync: true });
      await this.#newestLog.settle();
    } catch (cause) {
      this.#failure = writeProblem(cause);
    }
    return this.#failure;
  }

  #finish(group: readonly Done[], problem: Problem | undefined): void {
    // Before the answers, so that the disk works on while the callers think, and what they write comes after
    // what waits.
    if (this.#waiting.length > 0) this.#flush();
    else this.#writing = false;
    for (const done of group) done(problem);
    if (!this.#writing) this.#onIdle?.();
  }
}

/** LevelDB gives Buffers, whose `slice` is no copy and which are not deeply equal to plain bytes. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
