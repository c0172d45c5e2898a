import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureUpdates } from '../../../src/cli/bench/state-updates.ts';
import { quorate } from '../quorate.ts';

test('bench state measures updates, memory and a start, for people and for programs', async () => {
  const small = ['bench', 'state', '--accounts', '30,100', '--rounds', '1', '--start', '50'];
  const { code, out } = await quorate([...small, '--json']);
  assert.equal(code, 0);
  const measured = JSON.parse(out) as {
    hasher: string;
    updates: { accounts: number; root: { median: number }; bytesPerAccount: number }[];
    start: { accounts: number; records: number; seconds: number };
  };
  assert.deepEqual(
    measured.updates.map(({ accounts }) => accounts),
    [30, 100],
  );
  for (const { root, bytesPerAccount } of measured.updates) {
    assert.ok(root.median > 0 && bytesPerAccount > 96);
  }
  assert.deepEqual([measured.start.accounts, measured.start.records], [50, 50]);
  assert.ok(measured.start.seconds > 0);
  const people = await quorate([...small.slice(0, -1), '0']);
  assert.match(people.out, /bytes an account/);
  assert.match(people.out, new RegExp(`tree hasher +${measured.hasher}`));
  assert.doesNotMatch(people.out, /A node with/);
});

test('bench state takes whole numbers of accounts, and no others', async () => {
  for (const sizes of ['0', 'many', '10,,20', '1.5', '99999999']) {
    const { code } = await quorate(['bench', 'state', '--accounts', sizes]);
    assert.equal(code, 2, sizes);
  }
});

test('bench state measures as many blocks as it is asked for', async () => {
  const { block } = await measureUpdates(3, 1_200, 1);
  assert.ok(block.median > 0);
});
