import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

type Texts = Readonly<Record<string, string>>;

/** What the golden file holds: read from the file, as anybody would who has nothing but that. */
const golden = JSON.parse(readFileSync(new URL('../golden/golden-bytes.json', import.meta.url), 'utf8')) as {
  readonly bytes: Texts;
  readonly hashes: Texts;
};

const read = (from: Texts, name: string): Buffer =>
  Buffer.from(from[name] ?? assert.fail(`no vector "${name}"`), 'hex');

export const bytesOf = (name: string): Buffer => read(golden.bytes, name);
export const hashOf = (name: string): Buffer => read(golden.hashes, name);
