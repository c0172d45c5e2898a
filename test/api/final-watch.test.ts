import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryObjects } from 'node:v8';
import { FinalWatch } from '../../src/api/final-watch.ts';
import { FakeBackend, transfer } from './fake-backend.ts';

/** How many sets there are, once what nobody holds is collected. */
const sets = (): number => queryObjects(Set, { format: 'count' });

void test('of waits that ended nothing is kept: neither of their clients nor of their transactions', async () => {
  const watch = new FinalWatch(new FakeBackend());
  const stays = watch.begin(1, 'stays');
  const waits = 100;
  // A client, and a transaction, each have a set of those who wait: so what is kept of either shows.
  const before = sets();
  const waiting = Array.from({ length: waits }, (_, nonce) => watch.begin(1, `client ${nonce}`));
  const ends = waiting.map((wait, nonce) => wait.until([transfer(nonce).hash], 60_000, unasked));
  assert.ok(sets() - before >= 2 * waits);
  for (const wait of waiting.splice(0)) wait.end();
  for (const end of ends.splice(0)) assert.equal((await end).size, 0);
  const kept = sets() - before;
  assert.ok(kept < waits / 2, `${kept} sets are left of ${waits} waits`);
  stays.end();
});

const unasked = (): never => assert.fail('nothing is looked up');
