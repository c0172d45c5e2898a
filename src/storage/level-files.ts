import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromUtf8 } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { damaged } from './checksummed.ts';
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

/** Undefined when all is there; what LevelDB itself does not open is left to it. */
export async function checkLevelFiles(directory: string): Promise<Problem | undefined> {
  const manifest = await manifestIn(directory);
  const named = manifest && namedIn(manifest);
  if (manifest === undefined || named === undefined) return undefined;
  const problem = await missingOf(directory, named);
  if (problem === undefined) return undefined;
  // A process that has the store open removes a file only after an edit that says so.
  const now = await manifestIn(directory);
  return now === undefined || now.equals(manifest) ? problem : checkLevelFiles(directory);
}

async function manifestIn(directory: string): Promise<Buffer | undefined> {
  try {
    const current = fromUtf8(await readFile(join(directory, 'CURRENT')));
    const [, name] = /^(MANIFEST-\d+)\n$/.exec(current ?? '') ?? [];
    return name === undefined ? undefined : await readFile(join(directory, name));
  } catch {
    return undefined;
  }
}

interface Named {
  readonly log: number;
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
    const gone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    return gone ? undefined : inaccessible(path, cause);
  }
}

/** What a MANIFEST names after its last edit; undefined when it is none. */
export function namedIn(manifest: Uint8Array): Named | undefined {
  const tables = new Map<number, number>();
  let log = 0;
  for (const edit of batchesIn(manifest)) {
    const read = editIn(edit);
    if (read === undefined) return undefined;
    log = read.log ?? log;
    // A table that only changes its level is removed and added by one edit.
    for (const number of read.removed) tables.delete(number);
    for (const [number, size] of read.added) tables.set(number, size);
  }
  return { log, tables };
}

function editIn(bytes: Uint8Array) {
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? Number.NaN;
      value += (byte & 127) * scale;
      if (!(byte >= 128)) return Number.isNaN(byte) ? byte : value;
    }
  };
  const skipText = (): void => {
    const size = number();
    at += size;
  };
  const removed: number[] = [];
  const added: [number, number][] = [];
  let log: number | undefined;
  while (at < bytes.length) {
    switch (number()) {
      case tags.comparator:
        skipText();
        break;
      case tags.logNumber:
        log = number();
        break;
      case tags.nextFile:
      case tags.lastSequence:
      case tags.previousLog:
        number();
        break;
      case tags.compactPointer:
        number();
        skipText();
        break;
      case tags.deletedFile:
        number();
        removed.push(number());
        break;
      case tags.newFile:
        number();
        added.push([number(), number()]);
        skipText();
        skipText();
        break;
      default:
        return undefined;
    }
  }
  return at === bytes.length ? { log, removed, added } : undefined;
}
