import assert from 'node:assert/strict';
import { test } from 'node:test';
import { script } from './script.ts';

interface Row {
  readonly attack: string;
  readonly breaches: readonly string[];
}

/**
 * No rates: a busy machine has others. Under each attack payments become final at every node, its senders are cut off where that is the
 * rule, no node grows beyond its bound, and afterwards all validators are connected.
 */
test('strangers without a key stop nothing, one kind of attack after the other on four real nodes', async () => {
  const { code, events, errors } = await script('hostile', ['--short']);
  const rows = events.filter(({ event }) => event === 'row') as unknown as Row[];
  const broken = rows.filter(({ breaches }) => breaches.length > 0);
  assert.deepEqual(broken, [], errors);
  assert.equal(code, 0, errors);
  assert.ok(rows.length >= 20);
});
