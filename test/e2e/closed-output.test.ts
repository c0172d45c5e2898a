import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const programs = ['quorate', 'demo', 'malicious', 'partition-demo', 'hostile'];

describe('a reader that has enough is no fault', () => {
  for (const name of programs) {
    test(`of ${name}`, async () => {
      const child = spawn(join(import.meta.dirname, '../../scripts', name), ['--help'], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout.destroy();
      let errors = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
      const [code] = (await once(child, 'close')) as [number | null];
      assert.deepEqual([code, errors], [0, '']);
    });
  }
});
