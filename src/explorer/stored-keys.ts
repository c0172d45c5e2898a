import { signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import { generateKeyPair } from '../crypto/keys.ts';
import { encryptKey, type KeyFile, readKeyFile } from '../crypto/keystore.ts';
import { checkKeyFile, checkNewKey } from './key-rules.ts';

/** A key file as it is kept in this browser: encrypted, in the form that the command line reads too. */
interface StoredKey extends KeyFile {
  readonly address: string;
  readonly text: string;
}

const database = 'quorate';
const store = 'keys';

/** All keys of this browser, by name. */
export const storedKeys = signal<readonly StoredKey[]>([]);

export async function loadKeys(): Promise<void> {
  const texts = await inStore<string[]>('readonly', (keys) => keys.getAll() as IDBRequest<string[]>);
  const found = texts.map(readStored).filter((key): key is StoredKey => !(key instanceof Problem));
  storedKeys.value = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Makes a key and keeps it under a password. Takes about a second, most of it on purpose. */
export async function makeKey(name: string, password: string): Promise<Problem | undefined> {
  const refusal = checkNewKey(name, password, storedKeys.value);
  if (refusal === undefined) await put(name, encryptKey(generateKeyPair(), password, { name }));
  return refusal;
}

/** Keeps a key file from elsewhere. */
export async function importKey(text: string): Promise<Problem | undefined> {
  const key = readStored(text);
  const refusal = key instanceof Problem ? key : checkKeyFile(key, storedKeys.value);
  if (refusal === undefined && !(key instanceof Problem)) await put(key.name, text);
  return refusal;
}

export async function forgetKey(name: string): Promise<void> {
  await inStore('readwrite', (keys) => keys.delete(name));
  await loadKeys();
}

function readStored(text: string): StoredKey | Problem {
  const file = readKeyFile(text);
  return file instanceof Problem ? file : { ...file, address: encodeAddress(file.publicKey), text };
}

async function put(name: string, text: string): Promise<void> {
  await inStore('readwrite', (keys) => keys.put(text, name));
  await loadKeys();
}

/** One request to the browser's own database. */
function inStore<T>(mode: IDBTransactionMode, ask: (keys: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(database, 1);
    opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(store));
    opening.addEventListener('error', () =>
      reject(opening.error ?? new Error('the database cannot be opened')),
    );
    opening.addEventListener('success', () => {
      const transaction = opening.result.transaction(store, mode);
      const request = ask(transaction.objectStore(store));
      transaction.addEventListener('complete', () => {
        opening.result.close();
        resolve(request.result);
      });
      transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('nothing was kept')));
    });
  });
}
