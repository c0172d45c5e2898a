import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../src/base/invariant.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { ExpiryIndex } from '../../src/mempool/expiry-index.ts';
import type { Entry } from '../../src/mempool/lane.ts';

const entryUntil = (expiryHeight: number): Entry =>
  ({ transaction: { expiryHeight }, expiresBefore: undefined, expiresNext: undefined }) as unknown as Entry;

test('whichever of those that expire together goes, the others stay in their order', () => {
  for (const gone of [0, 1, 2]) {
    const index = new ExpiryIndex(toHeight(0));
    const entries = [entryUntil(5), entryUntil(5), entryUntil(5)];
    for (const entry of entries) index.add(entry);
    index.remove(entries[gone] as Entry);
    assert.deepEqual(index.upTo(toHeight(4)), []);
    const left = index.upTo(toHeight(5));
    assert.equal(left.length, 2);
    for (const [at, entry] of entries.filter((_, place) => place !== gone).entries())
      assert.equal(left[at], entry);
  }
});

test('an entry that leaves twice takes no other with it', () => {
  const index = new ExpiryIndex(toHeight(0));
  const entries = [entryUntil(5), entryUntil(5)] as const;
  for (const entry of entries) index.add(entry);
  index.remove(entries[0]);
  assert.throws(() => index.remove(entries[0]), InvariantError);
  assert.equal(index.upTo(toHeight(5))[0], entries[1]);
});
