import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { quorate, temporaryDirectory } from './quorate.ts';

const single = join(import.meta.dirname, '../../genesis/single.json');
const four = join(import.meta.dirname, '../../genesis/testnet-pbft.json');

test('init warns of a genesis time that is ahead of the clock, says by how much, and goes on', async (t) => {
  const directory = temporaryDirectory(t);
  const genesis = join(directory, 'genesis.json');
  const content: object = JSON.parse(readFileSync(single, 'utf8'));
  for (const [ahead, warned] of [
    [3_600_000, true],
    [-3_600_000, false],
  ] as const) {
    writeFileSync(genesis, JSON.stringify({ ...content, timestamp: Date.now() + ahead }));
    const data = join(directory, `node ${ahead}`);
    const ran = await quorate(['init', '--data', data, '--genesis', genesis, '--key', 'validator-0']);
    assert.equal(ran.code, 0, ran.err);
    assert.equal(/is 3[56]\d\d s ahead of this machine's clock/.test(ran.err), warned, ran.err);
  }
});

test('init says that a node which named no peers waits for others, unless it needs none', async (t) => {
  const directory = temporaryDirectory(t);
  const waits = /^peers +none named/m;
  for (const [genesis, as, isSaid] of [
    [four, ['--key', 'validator-0'], true],
    [four, ['--key', 'validator-0', '--peer', '/ip4/127.0.0.1/tcp/4603'], false],
    [single, ['--key', 'validator-0'], false],
    [single, ['--observer'], true],
  ] as const) {
    const data = join(directory, as.join('').replaceAll('/', '') + genesis.length);
    const ran = await quorate(['init', '--data', data, '--genesis', genesis, ...as]);
    assert.equal(ran.code, 0, ran.err);
    assert.equal(waits.test(ran.out), isSaid, ran.out);
  }
});

test('what init takes can be started: names and addresses are judged before anything is made, by the option that gave them', async (t) => {
  const directory = temporaryDirectory(t);
  for (const [option, value, words] of [
    ['--name', '', /--name .*1 to 64 characters/],
    ['--name', 'a\nb', /--name [^]*1 to 64 characters/],
    ['--api', '256.1.1.1:4600', /--api .*127\.0\.0\.1:4600/],
    ['--api', '1.2.3:4600', /--api .*127\.0\.0\.1:4600/],
    ['--advertise', '127.0.0.1:1', /--advertise: .*port 1/],
    ['--advertise', 'http://a:secret@node-1', /--advertise: .*a password/],
    ['--listen', '/ip4/300.0.0.1/tcp/1', /not an address to listen on/],
    ['--peer', '/ip4/127.0.0.1/tcp/0', /not an address of a peer/],
  ] as const) {
    const data = join(directory, 'node');
    const args = ['init', '--genesis', single, '--observer', '--data', data, option, value];
    const ran = await quorate(args);
    assert.notEqual(ran.code, 0, `${option} ${value}`);
    assert.match(ran.err, words);
    assert.doesNotMatch(ran.err, /secret|config\.json/);
    assert.equal(existsSync(data), false);
  }
});
