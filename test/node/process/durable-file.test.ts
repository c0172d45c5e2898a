import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Problem } from '../../../src/base/problem.ts';
import { writeDurably, writeOnce } from '../../../src/node/process/durable-file.ts';

test('a file that is made once stays as it was made, and leaves nothing beside it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'durable-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'signed');
  const made = await Promise.all(['one', 'two'].map((text) => writeOnce(path, text, { secret: true })));
  assert.deepEqual(made.filter(Boolean).length, 1);
  const text = readFileSync(path, 'utf8');
  assert.equal(text, made[0] === true ? 'one' : 'two');
  assert.equal(await writeOnce(path, 'three'), false);
  assert.equal(readFileSync(path, 'utf8'), text);
  assert.deepEqual(readdirSync(directory), ['signed']);
  await writeDurably(path, 'four');
  assert.equal(readFileSync(path, 'utf8'), 'four');
  assert.equal(statSync(path).mode & 0o777, 0o600, 'what is hidden stays hidden');
  await writeDurably(join(directory, 'open'), 'five');
  assert.notEqual(statSync(join(directory, 'open')).mode & 0o044, 0);
  await assert.rejects(writeOnce(join(directory, 'no', 'such'), ''), (problem) => {
    return problem instanceof Problem && problem.code === 'node/machine';
  });
});

test('where there are no links it is on the disk as well before anybody counts on it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'durable-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const refusal = Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'link' });
  t.mock.method(promises, 'link', () => Promise.reject(refusal));
  const handle = await promises.open(directory);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const sync: (this: FileHandle) => Promise<void> = Reflect.get(prototype, 'sync');
  const synced: number[] = [];
  t.mock.method(prototype, 'sync', async function (this: FileHandle) {
    synced.push((await this.stat()).ino);
    return sync.call(this);
  });
  syncBuiltinESMExports();
  t.after(() => syncBuiltinESMExports());
  const path = join(directory, 'signed');
  assert.equal(await writeOnce(path, 'one', { secret: true }), true);
  const { ino, mode } = statSync(path);
  assert.ok(synced.indexOf(ino) >= 0 && synced.indexOf(ino) < synced.indexOf(statSync(directory).ino));
  assert.equal(mode & 0o777, 0o600);
  assert.equal(await writeOnce(path, 'two'), false);
  assert.equal(readFileSync(path, 'utf8'), 'one');
  assert.deepEqual(readdirSync(directory), ['signed']);
});
