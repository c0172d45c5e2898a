import { signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import { generateKeyPair } from '../crypto/keys.ts';
import { encryptKey, type KeyFile, readKeyFile } from '../crypto/keystore.ts';
import { notStored } from './browser-storage.ts';
import { checkKeyFile, checkNewKey } from './key-rules.ts';

/** A key file as it is kept in this browser: encrypted, in the form that the command line reads too. */
export interface StoredKey extends KeyFile {
  readonly address: string;
  readonly text: string;
}

const database = 'quorate';
const store = 'keys';

/** All keys of this browser, by name. */
export const storedKeys = signal<readonly StoredKey[]>([]);

export async function loadKeys(): Promise<Problem | undefined> {
  const texts = await inStore<string[]>('readonly', (keys) => keys.getAll() as IDBRequest<string[]>);
  if (texts instanceof Problem) return texts;
  const found = texts.map(readStored).filter((key): key is StoredKey => !(key instanceof Problem));
  storedKeys.value = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return undefined;
}

/** Makes a key and keeps it under a password. Takes about a second, most of it on purpose. */
export async function makeKey(name: string, password: string): Promise<Problem | undefined> {
  const refusal = checkNewKey(name, password, storedKeys.value);
  return refusal ?? (await put(name, encryptKey(generateKeyPair(), password, { name })));
}

/** Keeps a key file from elsewhere. */
export async function importKey(text: string): Promise<Problem | undefined> {
  const key = readStored(text);
  if (key instanceof Problem) return key;
  return checkKeyFile(key, storedKeys.value) ?? (await put(key.name, text));
}

export async function forgetKey(name: string): Promise<Problem | undefined> {
  const gone = await inStore('readwrite', (keys) => keys.delete(name));
  return gone instanceof Problem ? gone : loadKeys();
}

function readStored(text: string): StoredKey | Problem {
  const file = readKeyFile(text);
  return file instanceof Problem ? file : { ...file, address: encodeAddress(file.publicKey), text };
}

async function put(name: string, text: string): Promise<Problem | undefined> {
  const key = await inStore('readwrite', (keys) => keys.put(text, name));
  return key instanceof Problem ? key : loadKeys();
}

/** One request to the browser's own database, which a private window may not have. */
async function inStore<T>(
  mode: IDBTransactionMode,
  ask: (keys: IDBObjectStore) => IDBRequest<T>,
): Promise<T | Problem> {
  try {
    const opening = indexedDB.open(database, 1);
    opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(store));
    await ended(opening, 'success', 'error');
    try {
      const transaction = opening.result.transaction(store, mode);
      const request = ask(transaction.objectStore(store));
      await ended(transaction, 'complete', 'abort');
      return request.result;
    } finally {
      opening.result.close();
    }
  } catch (cause) {
    return notStored('a key would be lost with this page', cause);
  }
}

function ended(what: IDBRequest | IDBTransaction, good: string, bad: string): Promise<void> {
  return new Promise((resolve, reject) => {
    what.addEventListener(good, () => resolve());
    what.addEventListener(bad, () => reject(what.error ?? new Error('the database cannot be used')));
  });
}
