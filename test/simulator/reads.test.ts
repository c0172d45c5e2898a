import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Breach } from '../../src/simulator/checkers/breach.ts';
import { ReadChecker } from '../../src/simulator/checkers/read-checker.ts';

function isStale(error: unknown): boolean {
  return error instanceof Breach && error.guarantee === 'linearizability';
}

describe('histories of clients', () => {
  test('a read may see more than was shown when it was asked, and never less', () => {
    const checker = new ReadChecker();
    checker.onShown(4);
    const read = checker.begin(0);
    checker.onShown(6);
    checker.end(read, 4, 9);
    checker.end(read, 9, 9);
    assert.throws(() => checker.end(read, 3, 9), isStale);
  });

  test('a read is not older than one that was answered before it was asked', () => {
    const checker = new ReadChecker();
    checker.end(checker.begin(0), 7, 7);
    assert.throws(() => checker.end(checker.begin(1), 6, 7), isStale);
  });

  test('a node answers from a height that it has applied', () => {
    const checker = new ReadChecker();
    assert.throws(() => checker.end(checker.begin(0), 5, 4), isStale);
  });

  test('a transaction is not final below what was seen before it was submitted', () => {
    const checker = new ReadChecker();
    checker.onSubmitted('early');
    checker.onShown(3);
    checker.onSubmitted('late');
    checker.onSubmitted('early');
    checker.onFinal('early', 2);
    checker.onFinal('late', 4);
    assert.throws(() => checker.onFinal('late', 3), isStale);
  });
});
