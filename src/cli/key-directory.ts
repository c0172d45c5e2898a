import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { strictText } from '../base/strict-text.ts';
import { developmentKeyNames, developmentKeyPair } from '../crypto/development-keys.ts';
import type { KeyPair } from '../crypto/keys.ts';
import { decryptKey, encryptKey, type KeyFile, readKeyFile } from '../crypto/keystore.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { writeOnce } from '../node/process/durable-file.ts';
import { makeDirectorySync } from '../storage/make-directory.ts';
import { fileProblem } from './file-problem.ts';
import { writeWhole } from './output-file.ts';
import { readPassword } from './password.ts';
import { shellWord } from './shell-word.ts';
import { warn } from './terminal.ts';

export const keysOption = new Option('--keys <directory>', 'where keys are stored')
  .env('QUORATE_KEYS')
  .default(join(homeOf([homedir, () => userInfo().homedir]), '.quorate', 'keys'), '~/.quorate/keys');

/**
 * The first that is a home. An empty HOME is none, and a relative one neither: keys must not depend on where
 * a command was started. A user without HOME and without a name (a container's) has none at all: then the
 * root, as container runtimes have it.
 */
export function homeOf(homes: readonly (() => string)[]): string {
  for (const home of homes) {
    try {
      const path = home();
      if (isAbsolute(path)) return path;
    } catch {
      // The system knows no such user.
    }
  }
  return '/';
}

export const passwordFileOption = new Option(
  '--password-file <file>',
  'a file that holds the key’s password and nothing else; otherwise QUORATE_PASSWORD, or a question on the terminal',
);

const suffix = '.json';

interface StoredKey extends KeyFile {
  readonly file: string;
  /** What other commands call it: its file's name. The name inside is what its maker called it. */
  readonly called: string;
}

/** A name that can be a file's and cannot be taken for an address, a path or a development key. */
export function checkKeyName(name: string): void {
  if (!/^[a-z0-9][a-z0-9_-]{0,31}$/i.test(name) || /^qr1/i.test(name)) {
    throw new Problem('cli/key-name', `${JSON.stringify(name)} cannot be a key’s name`, {
      remedy: 'Use 1 to 32 letters, digits, - and _, and do not start it like an address.',
    });
  }
  if (developmentKeyNames.includes(name)) {
    throw new Problem(
      'cli/key-name',
      `"${name}" is the name of a development key, whose secret everybody knows`,
      {
        remedy: 'Choose another name.',
      },
    );
  }
}

/** Whether what a person gave as a key is a file and not a stored key's name. */
export function looksLikeFile(text: string): boolean {
  return text.includes('/') || text.endsWith(suffix);
}

/**
 * All keys of a directory by name; none when there is no such directory. What is no key is left out, and what
 * cannot be looked at too: one bad file must not hide all the others.
 */
export function listKeys(directory: string): StoredKey[] {
  let files: string[];
  try {
    files = readdirSync(directory).sort();
    // One that may be read and not entered gives names, and nothing behind them.
    statSync(`${directory}/.`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileProblem(directory, error);
  }
  return files
    .filter((file) => file.endsWith(suffix))
    .flatMap((called) => {
      const file = join(directory, called);
      const bytes = isPlainFile(file) ? readIfPossible(file) : undefined;
      const text = bytes === undefined ? undefined : strictText(bytes);
      const key = text !== undefined && 'text' in text ? readKeyFile(text.text) : undefined;
      return key === undefined || key instanceof Problem
        ? []
        : [{ ...key, file, called: called.slice(0, -suffix.length) }];
    });
}

/**
 * The public key of a stored key or a key file, without its password; undefined when nothing
 * is stored under that name.
 */
export function publicKeyOf(directory: string, text: string): PublicKey | undefined {
  const file = fileOf(directory, text);
  const content = file === undefined ? undefined : readIfThere(file);
  return content === undefined ? undefined : readKey(content, file).publicKey;
}

/** Stores a key and returns its file. Never replaces one that is there. */
export function storeKey(
  directory: string,
  key: { readonly name: string; readonly keyPair: KeyPair; readonly password: string | undefined },
): Promise<string> {
  const { name, keyPair, password } = key;
  return storeKeyFile(directory, name, encryptKey(keyPair, password, { name }));
}

/** Stores a key file's text under a name and returns its file. Never replaces one that is there. */
export async function storeKeyFile(directory: string, name: string, text: string): Promise<string> {
  const file = join(directory, name + suffix);
  try {
    makeDirectorySync(directory, { mode: 0o700 });
    // Two commands at once cannot both make it, and no key is ever lost to a newer one.
    if (await writeOnce(file, text, { secret: true })) return file;
  } catch (error) {
    throw fileProblem(file, error, 'Choose another place with --keys, or mend this one.');
  }
  throw keyExists(name, file);
}

/** Puts another text of the same key in its file's place, whole or not at all. */
export function replaceKeyFile(file: string, text: string): void {
  try {
    writeWhole(file, text, 0o600);
  } catch (error) {
    throw fileProblem(file, error);
  }
}

/** Refuses early, before anybody is asked for a password. */
export function refuseExisting(directory: string, name: string): void {
  const file = join(directory, name + suffix);
  if (readIfThere(file) !== undefined) throw keyExists(name, file);
}

/** What a key file tells; throws the problem with the name of the file. */
function readKey(content: string, file: string | undefined): KeyFile {
  const key = readKeyFile(content);
  if (!(key instanceof Problem)) return key;
  const { message, remedy, details } = key;
  throw key.restated(`${file}: ${message}`, { remedy, details, cause: key });
}

export interface OpenedKey {
  readonly keyPair: KeyPair;
  /** Whether a password was asked for. */
  readonly kind: KeyFile['kind'];
}

/** The key pair of a stored key's name or of a key file; asks for the password when it has one. */
export async function openKeyFile(
  directory: string,
  text: string,
  passwordFile: string | undefined,
): Promise<OpenedKey> {
  const file = fileOf(directory, text);
  const content = file === undefined ? undefined : readIfThere(file);
  if (content === undefined) {
    throw keyMissing(file ?? JSON.stringify(text), text);
  }
  const { kind, name } = readKey(content, file);
  if (file !== undefined) warnIfOpen(file);
  const password =
    kind === 'plain' ? undefined : await readPassword({ passwordFile, purpose: `of the key "${name}"` });
  return { keyPair: unwrap(decryptKey(content, password)), kind };
}

/** Refuses the file of a password that no key asks for: whoever names one takes the key for encrypted. */
export function refuseNeedlessPassword(
  passwordFile: string | undefined,
  kinds: readonly KeyFile['kind'][],
): void {
  if (passwordFile === undefined || kinds.some((kind) => kind !== 'plain')) return;
  throw new Problem('cli/usage', '--password-file is given, and no key here has a password', {
    remedy: 'Leave it out. "quorate keys password NAME" gives a stored key a password.',
  });
}

/**
 * A key file's text as it is, still encrypted, with what it tells of itself; a plain
 * file for a development name.
 */
export function keyFileText(directory: string, text: string): KeyFile & { readonly text: string } {
  const file = fileOf(directory, text);
  const content = file === undefined ? undefined : readIfThere(file);
  if (content !== undefined) return { ...readKey(content, file), text: content };
  if (!developmentKeyNames.includes(text)) throw keyMissing(file ?? JSON.stringify(text), text);
  const plain = encryptKey(developmentKeyPair(text), undefined, { name: text });
  return { ...unwrap(readKeyFile(plain)), text: plain };
}

/** The file of a key that is stored under a name, or that is named by its path. */
export function storedFile(directory: string, text: string): string {
  const file = fileOf(directory, text);
  if (file === undefined || readIfThere(file) === undefined)
    throw keyMissing(file ?? JSON.stringify(text), text);
  return file;
}

/** Says on standard error when others on this machine may read a key. */
function warnIfOpen(file: string): void {
  // Windows has other rights, and always says the same here.
  if (process.platform === 'win32' || (statSync(file).mode & 0o077) === 0) return;
  warn(`others on this machine may read or change the key ${file}. Mend it: chmod 600 ${shellWord(file)}`);
}

function fileOf(directory: string, text: string): string | undefined {
  if (looksLikeFile(text)) return text;
  return /^[a-z0-9][a-z0-9_-]{0,31}$/i.test(text) ? join(directory, text + suffix) : undefined;
}

function isPlainFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function readIfPossible(file: string): Uint8Array | undefined {
  try {
    return readKeyBytes(file);
  } catch {
    return undefined;
  }
}

/** One byte more than a key file may have is enough to see that it is none. */
function readKeyBytes(file: string): Uint8Array {
  const bytes = new Uint8Array(limits.keyFileBytes + 1);
  let size = 0;
  const opened = openSync(file, 'r');
  try {
    for (;;) {
      const more = readSync(opened, bytes, size, bytes.length - size, null);
      size += more;
      if (more === 0 || size === bytes.length) return bytes.subarray(0, size);
    }
  } finally {
    closeSync(opened);
  }
}

function readIfThere(file: string): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readKeyBytes(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileProblem(file, error);
  }
  const read = strictText(bytes);
  if ('text' in read) return read.text;
  throw new Problem('keys/malformed', `${file} is no key file: ${read.fault}`, {
    remedy: 'Take the file as it was made, or its backup: no part of it may be changed.',
    details: { why: read.fault },
  });
}

function keyMissing(file: string, key: string): Problem {
  return new Problem('cli/key-missing', `there is no key ${file}`, {
    remedy: 'Check the name ("quorate keys list"), or make one ("quorate keys new NAME").',
    details: { key },
  });
}

function keyExists(name: string, file: string): Problem {
  return new Problem('cli/key-exists', `there is a key named "${name}" already`, {
    remedy: `Choose another name, or move ${file} away.`,
    details: { name, file },
  });
}
