import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAll } from '../../scripts/demo-compare.ts';
import { Problem } from '../../src/base/problem.ts';
import type { HttpClient } from '../../src/client/http-client.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';

const hash = 'ab'.repeat(32) as Hash;
const gone = (retryable: boolean): Problem =>
  new Problem('api/unreachable', 'nobody is there', { remedy: 'Start it.', details: { retryable } });

/** A node with one block, which answers so many times. */
function node(baseUrl: string, answers: number, problem = gone(true)): HttpClient {
  let left = answers;
  const unlessGone = async <T>(answer: T): Promise<T | Problem> => (left-- > 0 ? answer : problem);
  const block = { hash, header: { height: 1, stateRoot: hash }, receipts: [] };
  return {
    baseUrl,
    status: () => unlessGone({ finalHeight: 1 }),
    block: () => unlessGone(block),
    headers: (from: number) => unlessGone({ headers: from > 1 ? [] : [block] }),
  } as unknown as HttpClient;
}

const what = { from: toHeight(1), wanted: new Set([hash]), deadlineMs: 1_000 };

test('a node that dies while the nodes are compared is one that does not answer', async () => {
  for (let answers = 1; answers < 6; answers++) {
    const dying = node('http://b', answers);
    const { down, heads, outcomes } = await compareAll([node('http://a', 100), dying], what);
    const stayed = down.length === 0;
    assert.deepEqual(
      heads.map(({ url }) => url),
      stayed ? ['http://a', 'http://b'] : ['http://a'],
    );
    assert.equal(stayed, answers > 4, `after ${answers} answers`);
    assert.equal(outcomes.missing, 1);
  }
});

test('what asking again does not help is told', async () => {
  const nodes = [node('http://a', 100), node('http://b', 2, gone(false))];
  await assert.rejects(compareAll(nodes, what), /nobody is there/);
});
