import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncSources } from '../../../src/node/catch-up/sync-sources.ts';

test('the one who answered well last is asked first, and the others by how often in a row they were poor', () => {
  const sources = new SyncSources();
  const inOrder = (): string => sources.inOrder(['a', 'b', 'c']).join('');
  assert.equal(inOrder(), 'abc');
  sources.poor('a');
  sources.poor('a');
  sources.poor('b');
  assert.equal(inOrder(), 'cba');
  sources.good('a');
  assert.equal(inOrder(), 'acb');
  // What it did before it answered well is forgotten.
  sources.poor('a');
  sources.poor('b');
  assert.equal(inOrder(), 'cab');
});
