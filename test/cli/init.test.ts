import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { quorate, temporaryDirectory } from './quorate.ts';

const single = join(import.meta.dirname, '../../genesis/single.json');

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
