import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatGenesis } from '../../src/ledger/genesis.ts';
import { genesisOf, proofOf } from '../client/proof-samples.ts';
import { jsonOf, problemOf, quorate, temporaryDirectory } from './quorate.ts';

test('verify says what was checked, with nothing but two files, and exits with 1 when something does not hold', async (t) => {
  const directory = temporaryDirectory(t);
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const genesis = genesisOf('pbft');
  const { json, transaction } = proofOf(genesis);
  const genesisFile = file('genesis.json', formatGenesis(genesis));
  const text = JSON.stringify(json);
  const args = ['--genesis', genesisFile, '--json'];

  const ran = await quorate(['verify', file('proof.json', text), ...args, '--transaction', transaction.hash]);
  assert.equal(ran.code, 0, ran.err);
  const { hash, status, height, steps } = jsonOf(ran);
  assert.deepEqual([hash, status, height], [transaction.hash, 'applied', 1]);
  assert.equal((steps as unknown[]).length, 4);
  const shown = await quorate(['verify', file('proof.json', text), '--genesis', genesisFile]);
  assert.match(shown.out, /3 of 4 validators signed/);

  const { header, descendants, certificate } = json['inclusion'] as Record<string, unknown>;
  const block = JSON.stringify({ header, descendants, certificate });
  const aboutBlock = jsonOf(await quorate(['verify', file('block.json', block), ...args]));
  assert.deepEqual([aboutBlock['height'], (aboutBlock['steps'] as unknown[]).length], [1, 2]);

  const other = genesisOf('pbft', 'another');
  for (const [proof, more, code] of [
    [text.replace('"status":"applied"', '"status":"failed"'), [], 'proof/malformed'],
    [text.replace(/"fee":"2","accounts"/, '"fee":"1","accounts"'), [], 'proof/receipt'],
    [text, ['--transaction', '00'.repeat(32)], 'proof/transaction'],
    ['{"inclusion":{},"inclusion":{}}', [], 'proof/malformed'],
    ['\ufeff{}', [], 'proof/malformed'],
    ['no JSON', [], 'proof/malformed'],
    [block.replace('"view":0', '"view":1'), [], 'proof/headers'],
    [block, ['--transaction', transaction.hash], 'proof/malformed'],
  ] as const) {
    const refused = await quorate(['verify', file('wrong.json', proof), ...args, ...more]);
    assert.equal(refused.code, 1, refused.err);
    assert.equal(problemOf(refused).code, code, proof.slice(0, 80));
    assert.equal(refused.out, '');
  }
  assert.equal(problemOf(await quorate(['verify', join(directory, 'none'), ...args])).code, 'cli/file');
  const otherFile = file('other.json', formatGenesis(other));
  const elsewhere = await quorate(['verify', file('proof.json', text), '--genesis', otherFile, '--json']);
  assert.equal(problemOf(elsewhere).code, 'proof/transaction');
});

test('a proof of more levels than any has is not parsed', async (t) => {
  const file = join(temporaryDirectory(t), 'deep.json');
  writeFileSync(file, `{"header":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`);
  const genesis = join(import.meta.dirname, '../../genesis/single.json');
  const { code, message } = problemOf(await quorate(['verify', file, '--genesis', genesis, '--json']));
  assert.deepEqual([code, message], ['proof/malformed', 'this is no proof: it has more than 32 levels']);
});

test('what is no proof is told without words of the runtime', async (t) => {
  const directory = temporaryDirectory(t);
  const genesis = join(import.meta.dirname, '../../genesis/single.json');
  const file = join(directory, 'proof.json');
  for (const proof of [
    '{"type":"put"}',
    '{"transaction":{}}',
    '{"header":{}}',
    '{"inclusion":{"header":{}}}',
    '[]',
    'null',
    '7',
  ]) {
    writeFileSync(file, proof);
    const ran = await quorate(['verify', file, '--genesis', genesis, '--json']);
    const { code, message } = problemOf(ran);
    assert.equal(code, 'proof/malformed', proof);
    assert.doesNotMatch(message, /undefined|null|destructure|propert/i, proof);
  }
});
