import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Requests } from '../../../src/node/core/requests.ts';
import { toHeight } from '../../../src/ledger/block.ts';

test('each request has an answer of its own, once', () => {
  const requests = new Requests();
  const heard: string[] = [];
  const inputs = ['first', 'second'].map((name) =>
    requests.ask({ kind: 'read' }, (result) =>
      heard.push(`${name} ${'height' in result ? result.height : result.code}`),
    ),
  );
  const answer = (at: number, height: number): void =>
    requests.answer({ type: 'answer', id: inputs[at]?.id ?? -1, result: { height: toHeight(height) } });
  answer(1, 7);
  answer(0, 8);
  assert.deepEqual(heard, ['second 7', 'first 8']);
  assert.throws(() => answer(1, 9), /the request that is answered/);
  assert.equal(heard.length, 2);
});
