import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jsonOf, problemOf, quorate, temporaryDirectory } from './quorate.ts';

const genesis = join(import.meta.dirname, '../../genesis/testnet-pbft.json');

test('init takes no address that start would refuse, or that can never be reached', async (t) => {
  const directory = join(temporaryDirectory(t), 'node');
  const init = ['init', '--data', directory, '--genesis', genesis, '--observer', '--json'];
  for (const args of [
    ['--peer', '127.0.0.1:7000'],
    ['--peer', '/ip4/0.0.0.0/tcp/7000'],
    ['--listen', 'http://0.0.0.0:7000'],
    ['--listen', '/ip4/127.0.0.1/udp/7000'],
  ]) {
    const ran = await quorate([...init, ...args]);
    assert.equal(problemOf(ran).code, 'network/address', args.join(' '));
  }
  for (const api of [
    'http://127.0.0.1:4600',
    '::1:4600',
    '[::1]',
    '[127.0.0.1]:4600',
    'a b:1',
    '127.0.0.1:70000',
  ]) {
    const ran = await quorate([...init, '--api', api]);
    assert.equal(ran.code, 2, api);
    assert.match(problemOf(ran).message, /127\.0\.0\.1:4600 or \[::1\]:4600/, api);
  }
  assert.ok(!existsSync(directory), 'nothing was made');

  const made = await quorate([...init, '--api', '[::1]:4600', '--peer', '/dns4/node-1/tcp/7000']);
  assert.equal(made.code, 0, made.err);
  assert.deepEqual(jsonOf(made)['api'], { host: '::1', port: 4600 });
});
