import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = new URL('../../../', import.meta.url);
/** What stands between a line and the end of its fenced block. */
const fenced = (page: string, start: string): string =>
  page.split(start)[1]?.split('\n```')[0] ?? assert.fail(`nothing after ${start}`);

test('the example of the consensus page runs, and prints what the page says', () => {
  const page = readFileSync(new URL('src/consensus/README.md', root), 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'quorate-example-'));
  try {
    const code = fenced(page, '```ts\n').replaceAll("'./src/", `'${new URL('src/', root).href}`);
    const file = join(folder, 'example.mts');
    writeFileSync(file, code);
    const printed = execFileSync(process.execPath, [file], { encoding: 'utf8', cwd: new URL('.', root) });
    assert.equal(printed.trim(), fenced(page, 'It prints:\n\n```\n').trim());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
