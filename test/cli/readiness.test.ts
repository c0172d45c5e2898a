import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import type { CodeOf } from '../../src/base/problem-codes.ts';
import { type NotReady, Readiness } from '../../src/cli/testnet/readiness.ts';

const long = 5_000;

function missing(index: number, code: CodeOf<'node'> | CodeOf<'api'>): NotReady {
  const name = `validator-${index}`;
  const node = { index, name, directory: '', ports: { api: 1, peers: 2 }, apiUrl: '' };
  return { node, problem: new Problem(code, 'it is not ready', { remedy: 'Wait.' }) };
}

describe('a test network is ready', () => {
  test('when all its nodes are', () => {
    const readiness = new Readiness(1, () => 0);
    assert.equal(readiness.isReached([missing(3, 'node/no-quorum')]), false);
    assert.equal(readiness.isReached([]), true);
  });

  test('after a while when one of four does nothing worse than not to vote: that ends with the blocks of clients', () => {
    let now = 0;
    const readiness = new Readiness(1, () => now);
    const silent = [missing(3, 'node/not-voting')];
    assert.equal(readiness.isReached(silent), false);
    now += long - 1;
    assert.equal(readiness.isReached(silent), false);
    assert.equal(readiness.isReached([missing(3, 'api/unreachable')]), false);
    now += 1;
    assert.equal(readiness.isReached(silent), false, 'all of it in one piece');
    now += long;
    assert.equal(readiness.isReached(silent), true);
  });

  test('not when another is not ready for another reason, or too many do not vote for a chain that goes on', () => {
    let now = 0;
    const readiness = new Readiness(1, () => now);
    const silent = missing(3, 'node/not-voting');
    for (const other of [missing(2, 'node/not-voting'), missing(2, 'node/behind')]) {
      for (let times = 0; times < 3; times++, now += long) {
        assert.equal(readiness.isReached([silent, other]), false);
      }
    }
  });
});
