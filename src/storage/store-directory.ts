import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { limits } from '../base/limits.ts';
import { machineFaultIn, machineRemedy, nameOfFault } from '../base/machine-fault.ts';
import { Problem } from '../base/problem.ts';
import { damaged } from './checksummed.ts';
import { readLocalFile, UnfitFile } from './local-file.ts';
import { makeDirectory } from './make-directory.ts';
import { syncDirectory } from './sync-directory.ts';

/**
 * The directory of a store:
 *
 *     quorate-store.json   what this is, its format, and a random id
 *     level/               LevelDB's files; the database holds the same id
 *
 * It appears whole, by renaming, when it is made. So whatever is missing later was lost, and is never made
 * anew in silence.
 */
const markerName = 'quorate-store.json';
const formatVersion = 1;
/** Behind the name of a directory that is being made. */
const unfinishedMark = '.creating';

export interface StoreDirectory {
  readonly id: string;
  /** Where LevelDB's files are. */
  readonly levelPath: string;
}

/**
 * What is in a directory that is there, or undefined when there is nothing. Throws a problem when it is not a
 * whole store.
 */
export async function readStoreDirectory(directory: string): Promise<StoreDirectory | undefined> {
  const names = await namesIn(directory);
  if (names.length === 0) return undefined;
  if (!names.includes(markerName)) {
    if (names.includes('level')) throw damaged(`${directory}: ${markerName}`, 'is missing');
    throw foreign(directory, `there are files of something else, such as ${JSON.stringify(names[0])}`);
  }
  const marker = parseMarker(await readMarker(join(directory, markerName)));
  if (marker === undefined) throw damaged(`${directory}: ${markerName}`, 'is not readable');
  if (marker.version !== formatVersion) {
    throw new Problem('storage/format', `the store in ${directory} has format ${marker.version}`, {
      remedy: `This program reads format ${formatVersion}: start the version of the program that wrote it.`,
      details: { directory, found: marker.version, expected: formatVersion },
    });
  }
  if (!names.includes('level')) throw damaged(`${directory}: the folder level`, 'is missing');
  return { id: marker.id, levelPath: join(directory, 'level') };
}

/**
 * Makes a store's directory, all or nothing; `fill` makes the database, with the id in it. Gives what another
 * process made meanwhile, where one did.
 */
export async function createStoreDirectory(
  directory: string,
  fill: (store: StoreDirectory) => Promise<void>,
): Promise<StoreDirectory> {
  const id = randomBytes(16).toString('hex');
  // Of this attempt alone: two that are started at once must not write into each other's.
  const unfinished = `${directory}${unfinishedMark}-${id}`;
  let made: StoreDirectory | undefined = { id, levelPath: join(directory, 'level') };
  try {
    await makeUnfinished(unfinished, id, fill);
    await rmdir(directory).catch(ignoreMissing);
    await rename(unfinished, directory);
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    made = await readStoreDirectory(directory).catch(() => undefined);
    if (made === undefined) throw cause instanceof Problem ? cause : inaccessible(directory, cause);
  }
  try {
    await syncDirectory(dirname(directory));
  } catch (cause) {
    throw inaccessible(directory, cause);
  }
  // Where it cannot be removed, it is in nobody's way.
  await removeUnfinished(directory).catch(() => undefined);
  return made;
}

async function makeUnfinished(
  unfinished: string,
  id: string,
  fill: (store: StoreDirectory) => Promise<void>,
): Promise<void> {
  // Of one user, whatever the umask and the directory around it are.
  await makeDirectory(unfinished, { mode: 0o700 });
  const levelPath = join(unfinished, 'level');
  await fill({ id, levelPath });
  await syncDirectory(levelPath);
  const marker = { format: 'quorate-store', version: formatVersion, id };
  await writeFile(join(unfinished, markerName), `${JSON.stringify(marker, undefined, 2)}\n`, {
    flush: true,
  });
  await syncDirectory(unfinished);
}

/**
 * What attempts left that crashed, which never held anything. One that is still under way cannot succeed any
 * more: there is a store by now.
 */
async function removeUnfinished(directory: string): Promise<void> {
  const above = dirname(directory);
  const names = await readdir(above);
  for (const name of names.filter((one) => one.startsWith(`${basename(directory)}${unfinishedMark}`))) {
    await rm(join(above, name), { recursive: true, force: true });
  }
}

/** The directory cannot be used by this program, for a reason that the system gives. */
export function inaccessible(directory: string, cause: unknown): Problem {
  const reason = reasonOf(cause);
  const name = nameOfFault(cause) ?? machineFaultIn(reason);
  return new Problem('storage/access', `the store in ${directory} cannot be used: ${reason}`, {
    remedy:
      name === undefined
        ? 'Check that the path is a directory, that this user may write there, and that the disk is not full.'
        : machineRemedy(name),
    details: { directory },
    cause,
  });
}

/** The innermost words: LevelDB's own stand below those of its wrapper. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? reasonOf(cause.cause) : cause.message;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    if (codeOf(cause) === 'ENOTDIR') throw foreign(directory, 'it is a file');
    throw inaccessible(directory, cause);
  }
}

async function readMarker(path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readLocalFile(path, limits.storeMarkerBytes));
  } catch (cause) {
    throw cause instanceof UnfitFile ? foreign(path, cause.message) : inaccessible(path, cause);
  }
}

function parseMarker(text: string): { version: number; id: string } | undefined {
  let marker: unknown;
  try {
    marker = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof marker !== 'object' || marker === null) return undefined;
  const { format, version, id } = marker as Record<string, unknown>;
  if (format !== 'quorate-store' || typeof version !== 'number') return undefined;
  // Another version may have another id; it is refused by its version.
  return { version, id: typeof id === 'string' ? id : '' };
}

function foreign(directory: string, why: string): Problem {
  return new Problem('storage/foreign', `${directory} is not a store of this program: ${why}`, {
    remedy: 'Give the node a data directory of its own; nothing here was changed.',
    details: { directory },
  });
}

function ignoreMissing(cause: unknown): void {
  if (codeOf(cause) !== 'ENOENT') throw cause;
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
