import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { boundedLog } from '../../../src/node/process/bounded-log.ts';
import type { LogDetails } from '../../../src/node/process/log.ts';

function world() {
  const lines: string[] = [];
  const clock = { now: 0 };
  const write = (message: string, details?: LogDetails): void =>
    void lines.push(`${message} ${JSON.stringify(details ?? {})}`);
  const log = boundedLog({ debug: write, info: write, warn: write, error: write }, () => clock.now);
  return { lines, clock, log };
}

test('a peer fills no log, and the lines about others and of other kinds stay', () => {
  const { lines, log } = world();
  for (let count = 0; count < 1_000; count++) log.warn('a message was refused', { peer: 'a' });
  log.warn('a message was refused', { peer: 'b' });
  log.info('peer lost', { peer: 'a' });
  assert.equal(lines.length, limits.logPerPeer + 2);
});

test('nor do many, of which each writes a little', () => {
  const { lines, log } = world();
  for (let count = 0; count < 5_000; count++) log.info('peer connected', { peer: `peer-${count}` });
  assert.equal(lines.length, limits.logPerKind);
  log.warn('something else');
  assert.equal(lines.length, limits.logPerKind + 1);
});

test('what was left out is counted, and said in the next window', () => {
  const { lines, clock, log } = world();
  for (let count = 0; count < 10; count++) log.warn('a message was refused', { peer: 'a' });
  clock.now += limits.logWindowMs;
  log.warn('a message was refused', { peer: 'a' });
  assert.deepEqual(lines.slice(limits.logPerPeer), [
    `lines were left out {"of":"a message was refused","lines":${10 - limits.logPerPeer}}`,
    'a message was refused {"peer":"a"}',
  ]);
});

test('lines for debugging are all there', () => {
  const { lines, log } = world();
  for (let count = 0; count < 500; count++) log.debug('detail', { peer: 'a' });
  assert.equal(lines.length, 500);
});
