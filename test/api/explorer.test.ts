import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startApi } from '../../src/api/server.ts';
import { readExplorer } from '../../src/node/process/explorer-files.ts';
import { temporaryDirectory } from '../cli/quorate.ts';
import { FakeBackend } from './fake-backend.ts';
import { problemFrom, start } from './world.ts';

void test('without a build, / says how to make one', async (t) => {
  const world = await start(t);
  const problem = await problemFrom(await fetch(world.api.address), 404, 'api/no-explorer');
  assert.match(problem.remedy, /npm run build:web/);
});

void test('files of a build are served as they are, packed when asked for, once to each browser, under a policy', async (t) => {
  const directory = join(temporaryDirectory(t), 'explorer');
  assert.equal(readExplorer(directory), undefined);
  mkdirSync(directory);
  writeFileSync(join(directory, 'app.js'), '1;');
  assert.equal(readExplorer(directory), undefined, 'half a build is none');
  writeFileSync(join(directory, 'index.html'), '<p>hello</p>'.repeat(100));
  writeFileSync(join(directory, 'notes.txt'), 'not served');
  const explorer = readExplorer(directory);
  const backend = new FakeBackend();
  const log = { error: () => assert.fail('nothing fails') };
  const api = await startApi({ backend, host: '127.0.0.1', port: 0, log, explorer });
  t.after(() => api.close());

  const page = await fetch(api.address, { headers: { 'accept-encoding': 'identity' } });
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(page.headers.get('content-encoding'), null);
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self';/);
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
  const text = await page.text();
  assert.equal(text, '<p>hello</p>'.repeat(100));

  const packed = await fetch(api.address, { headers: { 'accept-encoding': 'br, gzip' } });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.ok(Number(packed.headers.get('content-length')) < 100);
  assert.equal(await packed.text(), text);
  assert.deepEqual(gunzipSync(explorer?.get('/')?.gzipped ?? Buffer.of()).toString(), text);

  const etag = page.headers.get('etag') ?? '';
  const again = await fetch(api.address, { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
  assert.equal((await fetch(`${api.address}/explorer/app.js`)).status, 200);
  for (const path of ['/explorer/notes.txt', '/explorer/', '/explorer/../app.js', '/index.html']) {
    await problemFrom(await fetch(api.address + path), 404, 'api/not-found');
  }
  const posted = await fetch(api.address, { method: 'POST', body: 'x' });
  await problemFrom(posted, 405, 'api/method-not-allowed');
});
