import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromUtf8 } from '../base/bytes.ts';
import { nameOfFault } from '../base/machine-fault.ts';
import { Problem } from '../base/problem.ts';
import { damaged } from './checksummed.ts';
import { NumberReader } from './level-numbers.ts';
import { inaccessible } from './store-directory.ts';
import { batchesIn } from './write-ahead-log.ts';

/**
 * A check that LevelDB's files are those that its MANIFEST names, before LevelDB opens them. It misses no
 * write-ahead log that is gone, and looks at a table only when something is read of it; so a directory that
 * was copied while its node wrote could open with holes, and lose a vote or a block without a word.
 *
 * A MANIFEST is a log of edits (leveldb/db/version_edit.cc): tags, and numbers of seven bits a byte. The last
 * log number says which write-ahead log must be there; every table that was added and not removed must have
 * the size that was written down.
 */
const tags = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLog: 9,
} as const;

/**
 * What the MANIFEST names, all of which is there; undefined for what LevelDB itself does not open. Throws
 * `storage/damaged`, and `storage/access` for what the machine refuses.
 */
export async function checkLevelFiles(directory: string): Promise<Named | undefined> {
  const manifest = await manifestIn(directory);
  const named = manifest && namedIn(manifest);
  if (manifest === undefined || named === undefined) return undefined;
  const problem = await missingOf(directory, named);
  if (problem === undefined) return named;
  // A process that has the store open removes a file only after an edit that says so.
  const now = await manifestIn(directory);
  if (now === undefined || now.equals(manifest)) throw problem;
  return checkLevelFiles(directory);
}

/** Whether LevelDB, which is open, has all changes up to this one; not when that cannot be told. */
export async function hasTaken(directory: string, sequence: number): Promise<boolean> {
  const manifest = await manifestIn(directory).catch(() => undefined);
  return ((manifest && namedIn(manifest))?.lastSequence ?? 0) >= sequence;
}

async function manifestIn(directory: string): Promise<Buffer | undefined> {
  try {
    const current = fromUtf8(await readFile(join(directory, 'CURRENT')));
    const [, name] = /^(MANIFEST-\d+)\n$/.exec(current ?? '') ?? [];
    return name === undefined ? undefined : await readFile(join(directory, name));
  } catch (cause) {
    if (nameOfFault(cause) === 'ENOENT') return undefined;
    throw inaccessible(directory, cause);
  }
}

interface Named {
  /** Everything that is in no table stands in the write-ahead logs from this number on. */
  readonly log: number;
  /** Number of the last change in the tables, or a later one. */
  readonly lastSequence: number;
  /** Sizes by number. */
  readonly tables: ReadonlyMap<number, number>;
}

async function missingOf(directory: string, { log, tables }: Named): Promise<Problem | undefined> {
  const pathOf = (number: number, kind: string): string =>
    join(directory, `${String(number).padStart(6, '0')}.${kind}`);
  const files = [
    // Before the first one there is none.
    ...(log === 0 ? [] : [{ what: 'the write-ahead log', path: pathOf(log, 'log'), size: undefined }]),
    ...[...tables].map(([number, size]) => ({ what: 'the table', path: pathOf(number, 'ldb'), size })),
  ];
  for (const { what, path, size } of files) {
    const found = await sizeOf(path);
    if (found instanceof Problem) return found;
    if (found === undefined) return notWhole(`${what} ${path}`, 'is missing');
    if (size !== undefined && found !== size)
      return notWhole(`${what} ${path}`, `has ${found} of ${size} bytes`);
  }
  return undefined;
}

function notWhole(what: string, how: string): Problem {
  const problem = damaged(what, how);
  return problem.restated(problem.message, {
    remedy: `Where this is a copy that was made while its node ran: stop that node, and copy again. Otherwise: ${problem.remedy}`,
    details: problem.details,
  });
}

async function sizeOf(path: string): Promise<number | undefined | Problem> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    return nameOfFault(cause) === 'ENOENT' ? undefined : inaccessible(path, cause);
  }
}

/** What a MANIFEST names after its last edit; undefined when it is none. */
export function namedIn(manifest: Uint8Array): Named | undefined {
  const tables = new Map<number, number>();
  let log = 0;
  let lastSequence = 0;
  for (const edit of batchesIn(manifest)) {
    const read = editIn(edit);
    if (read === undefined) return undefined;
    log = read.log ?? log;
    lastSequence = read.lastSequence ?? lastSequence;
    // A table that only changes its level is removed and added by one edit.
    for (const number of read.removed) tables.delete(number);
    for (const [number, size] of read.added) tables.set(number, size);
  }
  return { log, tables, lastSequence };
}

function editIn(bytes: Uint8Array) {
  const reader = new NumberReader(bytes);
  const removed: number[] = [];
  const added: [number, number][] = [];
  let log: number | undefined;
  let lastSequence: number | undefined;
  while (reader.hasMore) {
    switch (reader.number()) {
      case tags.comparator:
        reader.text();
        break;
      case tags.logNumber:
        log = reader.number();
        break;
      case tags.lastSequence:
        lastSequence = reader.number();
        break;
      case tags.nextFile:
      case tags.previousLog:
        reader.number();
        break;
      case tags.compactPointer:
        reader.number();
        reader.text();
        break;
      case tags.deletedFile:
        reader.number();
        removed.push(reader.number());
        break;
      case tags.newFile:
        reader.number();
        added.push([reader.number(), reader.number()]);
        reader.text();
        reader.text();
        break;
      default:
        return undefined;
    }
  }
  return reader.isAtEnd ? { log, lastSequence, removed, added } : undefined;
}
