import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { origin } from '../client/fake-api.ts';
import { fakeChain } from './chain.ts';
import { inShell, problemOf, quorate, temporaryDirectory } from './quorate.ts';

test('nothing on standard input is no value, whether it is closed or whoever should write there failed', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const put = ['tx', 'put', 'k', '--from', 'alice', '--node', url];
  for (const redirection of ['<&-', '</dev/null', '< <(exit 1)']) {
    const { code, err } = await inShell(`"$0" "$@" ${redirection}`, [...put, '--file', '-']);
    assert.equal(code, 1, redirection);
    assert.match(err, /nothing came on standard input[^]*code +cli\/file/, redirection);
  }
  assert.equal(submitted.length, 0);
  // Said in so many words it is one.
  assert.equal((await quorate([...put, ''])).code, 0);
  assert.equal(submitted[0]?.operations.length, 1);
});

test('what is not final has no proof: a script that asks for one is told, by its exit code too', async (t) => {
  const { url, submitted } = await fakeChain(t, { outcome: 'pending' });
  await quorate(['tx', 'put', 'k', 'v', '--from', 'alice', '--node', url]);
  const hash = String(submitted[0]?.hash);
  const directory = temporaryDirectory(t);
  const ask = ['tx', 'status', hash, '--node', url, '--json'];
  assert.equal((await quorate(ask)).code, 0);
  const ran = await quorate([...ask, '--proof', join(directory, 'proof.json')]);
  assert.equal(ran.code, 4);
  assert.match(problemOf(ran).message, /no proof was written/);
  assert.deepEqual(readdirSync(directory), []);
});

test('a proof is there whole or not at all, through links, and into a pipe', async (t) => {
  const { url, submitted } = await fakeChain(t, {
    answers: { '/v1/epochs': { ...origin, epochs: [] } },
  });
  await quorate(['tx', 'put', 'k', 'v', '--from', 'alice', '--node', url]);
  const hash = String(submitted[0]?.hash);
  const directory = temporaryDirectory(t);
  const [file, link] = ['proof.json', 'link.json'].map((name) => join(directory, name)) as [string, string];
  const args = (to: string) => ['tx', 'status', hash, '--node', url, '--proof', to];
  writeFileSync(file, 'an older proof', { mode: 0o600 });
  symlinkSync(file, link);
  // No file may grow beyond half a KiB: as on a disk that is full.
  const full = await inShell('ulimit -f 1; exec "$0" "$@"', args(link));
  assert.equal(full.code, 1, full.err);
  assert.match(full.err, /EFBIG/);
  assert.equal(readFileSync(file, 'utf8'), 'an older proof');
  assert.deepEqual(readdirSync(directory).sort(), ['link.json', 'proof.json']);
  assert.equal((await quorate(args(link))).code, 0);
  assert.match(readFileSync(file, 'utf8'), new RegExp(`"hash":"${hash}"`));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(lstatSync(link).isSymbolicLink());
  const piped = await inShell('"$0" "$@" | grep -c inclusion', args('/dev/stdout'));
  assert.equal(piped.out, '1\n');
});
