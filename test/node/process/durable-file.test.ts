import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
  await assert.rejects(writeOnce(join(directory, 'no', 'such'), ''), (problem) => {
    return problem instanceof Problem && problem.code === 'node/machine';
  });
});
