import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layout } from '../../src/base/layout.ts';
import { conditionKinds, operationKinds, type PartKind } from '../../src/explorer/part-kinds.ts';
import { chainChangeCodec } from '../../src/ledger/chain-change.ts';
import { conditionCodec } from '../../src/ledger/condition.ts';
import { operationCodec } from '../../src/ledger/operation.ts';

/** The names of what a codec tells apart. */
function namesIn(layout: Layout): readonly string[] {
  if (layout.type === 'ruled') return namesIn(layout.of);
  assert.equal(layout.type, 'union');
  return layout.type === 'union' ? layout.cases.map(({ name }) => name).toSorted() : [];
}

const typesOf = (kinds: readonly PartKind[]): string[] =>
  [...new Set(kinds.map(({ type }) => type))].toSorted();

test('the page can put together all that the ledger does, under all its conditions', () => {
  assert.deepEqual(typesOf(operationKinds), namesIn(operationCodec.layout));
  assert.deepEqual(typesOf(conditionKinds), namesIn(conditionCodec.layout));
  const changes = operationKinds.flatMap(({ change }) => change ?? []);
  assert.deepEqual(changes.toSorted(), namesIn(chainChangeCodec.layout));
});
