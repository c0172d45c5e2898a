import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Hash } from '../../src/crypto/hash.ts';
import { type BlockHeader, toHeight, toView } from '../../src/ledger/block.ts';
import { Breach } from '../../src/simulator/breach.ts';
import { LogChecker } from '../../src/simulator/checkers/log-checker.ts';

const genesis = '00'.repeat(32) as Hash;
const blockA = 'aa'.repeat(32) as Hash;
const blockB = 'bb'.repeat(32) as Hash;
const blockC = 'cc'.repeat(32) as Hash;

/** Three members, of whom nobody has stored anything. A, of term 2, and B, of term 3, are rivals at height 1; C, of term 4, is on A. */
class Fixture {
  readonly checker = new LogChecker({
    members: 3,
    storedHeight: () => 0,
    finalHash: (height) => (height === 0 ? genesis : undefined),
  });

  constructor() {
    this.block(blockA, { height: 1, term: 2, parentHash: genesis });
    this.block(blockB, { height: 1, term: 3, parentHash: genesis });
    this.block(blockC, { height: 2, term: 4, parentHash: blockA });
  }

  block(blockHash: Hash, at: { height: number; term: number; parentHash: Hash }): void {
    const header = { height: toHeight(at.height), view: toView(at.term), parentHash: at.parentHash };
    this.checker.onBlock(blockHash, header as BlockHeader);
  }
}

const isProtection = (error: unknown): boolean => error instanceof Breach && error.guarantee === 'protection';

describe('what Raft rests on', () => {
  test('who acknowledges a block has it on its disk', () => {
    const { checker } = new Fixture();
    checker.onPersist(1, 1, [blockA], []);
    assert.throws(() => checker.onAcknowledged(1, 1, blockA), isProtection);
    checker.onPersisted(1, 1);
    checker.onAcknowledged(1, 1, blockA);
  });

  test('what was cut off is not there any more, and comes back with its next write', () => {
    const { checker } = new Fixture();
    checker.onStart(1, [blockA]);
    checker.onPersist(1, 1, [blockB], [blockA]);
    assert.throws(() => checker.onAcknowledged(1, 1, blockA), isProtection);
    assert.throws(() => checker.onAcknowledged(1, 1, blockB), isProtection);
    checker.onPersisted(1, 1);
    checker.onAcknowledged(1, 1, blockB);
  });

  test('a final block is on a majority of disks', () => {
    const { checker } = new Fixture();
    checker.onStart(0, [blockA]);
    assert.throws(() => checker.onFinal(0, 1, blockA), isProtection);
    checker.onStart(1, [blockA]);
    checker.onFinal(0, 1, blockA);
  });

  test('figure 8: a block of an old term is on a majority, and a rival of a later term can still take its place', () => {
    const { checker } = new Fixture();
    checker.onStart(0, [blockA, blockC]);
    checker.onStart(1, [blockA]);
    checker.onStart(2, [blockB]);
    assert.throws(() => checker.onFinal(0, 1, blockA), isProtection);
    checker.onPersist(1, 1, [blockC], []);
    checker.onPersisted(1, 1);
    checker.onFinal(0, 1, blockA);
  });
});
