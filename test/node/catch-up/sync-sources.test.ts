import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncSources } from '../../../src/node/catch-up/sync-sources.ts';

test('the one who answered well last is asked first, and the others by how often in a row they were poor', () => {
  const sources = new SyncSources();
  const inOrder = (): string => sources.inOrder(['a', 'b', 'c'], () => false).join('');
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

test('strangers come behind all others, whatever the record of these, unless one answered well last', () => {
  const sources = new SyncSources();
  const isStranger = (peer: string): boolean => peer.startsWith('s');
  const inOrder = (): string => sources.inOrder(['s1', 'a', 's2', 'b'], isStranger).join(' ');
  assert.equal(inOrder(), 'a b s1 s2');
  for (const peer of ['a', 'a', 'a', 's1']) sources.poor(peer);
  assert.equal(inOrder(), 'b a s2 s1');
  sources.good('s1');
  assert.equal(inOrder(), 's1 b a s2');
  sources.poor('s1');
  assert.equal(inOrder(), 'b a s2 s1');
});
