import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Hash } from '../../src/crypto/hash.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { type BlockHeader, toHeight, toView } from '../../src/ledger/block.ts';
import { Breach } from '../../src/simulator/checkers/breach.ts';
import { LogChecker } from '../../src/simulator/checkers/log-checker.ts';
import type { Member } from '../../src/ledger/members.ts';

const keys = ['01', '02', '03'].map((byte) => byte.repeat(32) as PublicKey);
const members = (...roles: Member['role'][]): Member[] =>
  roles.map((role, node) => ({ key: keys[node] as PublicKey, role }));
const genesis = '00'.repeat(32) as Hash;
const blockA = 'aa'.repeat(32) as Hash;
const blockB = 'bb'.repeat(32) as Hash;
const blockC = 'cc'.repeat(32) as Hash;

/** Three members, of whom nobody has stored anything. A, of term 2, and B, of term 3, are rivals at height 1; C, of term 4, is on A. */
class Fixture {
  readonly checker: LogChecker;
  stored = 0;
  /** At height 1. */
  final: Hash | undefined;

  constructor(...roles: Member['role'][]) {
    this.checker = new LogChecker({
      keys,
      members: roles.length > 0 ? members(...roles) : members('voter', 'voter', 'voter'),
      storedHeight: () => this.stored,
      finalHash: (height) => (height === 0 ? genesis : this.final),
    });
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
    checker.onPersist(1, { seq: 1, blocks: [blockA], removed: [] }, []);
    assert.throws(() => checker.onAcknowledged(1, 1, blockA), isProtection);
    checker.onPersisted(1, 1);
    checker.onAcknowledged(1, 1, blockA);
  });

  test('what was cut off is not there any more, and comes back with its next write', () => {
    const { checker } = new Fixture();
    checker.onStart(1, [blockA]);
    checker.onPersist(1, { seq: 1, blocks: [blockB], removed: [] }, [blockA]);
    assert.throws(() => checker.onAcknowledged(1, 1, blockA), isProtection);
    assert.throws(() => checker.onAcknowledged(1, 1, blockB), isProtection);
    checker.onPersisted(1, 1);
    checker.onAcknowledged(1, 1, blockB);
  });

  test('a final block leaves the log when it is stored, and another one at any time', () => {
    for (const [final, stored, isFine] of [
      [blockA, 0, false],
      [blockA, 1, true],
      [blockB, 0, true],
      [undefined, 0, true],
    ] as const) {
      const fixture = new Fixture();
      Object.assign(fixture, { final, stored });
      const { checker } = fixture;
      checker.onStart(1, [blockA]);
      checker.onPersist(1, { seq: 1, blocks: [], removed: [1] }, []);
      if (isFine) checker.onPersisted(1, 1);
      else assert.throws(() => checker.onPersisted(1, 1), isProtection);
    }
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
    checker.onPersist(1, { seq: 1, blocks: [blockC], removed: [] }, []);
    checker.onPersisted(1, 1);
    checker.onFinal(0, 1, blockA);
  });

  test('while the members change, a final block is on a majority of the old ones and of the new ones', () => {
    const { checker } = new Fixture('voter', 'leaving', 'joining');
    checker.onStart(0, [blockA, blockC]);
    checker.onStart(2, [blockA, blockC]);
    assert.throws(() => checker.onFinal(0, 2, blockC), isProtection);
    checker.onStart(1, [blockA, blockC]);
    checker.onFinal(0, 2, blockC);
  });

  test('learners are no majority', () => {
    const { checker } = new Fixture('voter', 'voter', 'learner');
    checker.onStart(0, [blockA]);
    checker.onStart(2, [blockA]);
    assert.throws(() => checker.onFinal(0, 1, blockA), isProtection);
  });

  test('the first blocks of leaders who found a change at the end of the log are committed with it, and others are not', () => {
    const fixture = new Fixture();
    const { checker } = fixture;
    const sameTerm = 'dd'.repeat(32) as Hash;
    fixture.block(sameTerm, { height: 2, term: 2, parentHash: blockA });
    checker.onConfiguration(1, members('voter', 'voter', 'leaving'));
    // One of two, and so no majority of the new members.
    for (const node of [0, 2]) checker.onStart(node, [blockA, blockC, sameTerm]);
    checker.onFinal(0, 2, blockC);
    assert.throws(() => checker.onFinal(0, 2, sameTerm), isProtection);
  });

  test('nobody lacks a final block who could win by the members that it goes by, whatever the others go by', () => {
    const { checker } = new Fixture('voter', 'voter', 'removed');
    const all = members('voter', 'voter', 'voter');
    for (const node of [0, 1]) checker.onStart(node, [blockA]);
    checker.onStart(2, [blockB]);
    checker.onFinal(0, 1, blockA);
    checker.onPart(2, { members: all, votes: true, campaigns: true });
    assert.throws(() => checker.onFinal(0, 1, blockA), isProtection);
    // It knows of a later configuration, and does not campaign before that is in force.
    checker.onPart(2, { members: all, votes: true, campaigns: false });
    checker.onFinal(0, 1, blockA);
  });

  test('who lost its disk is no danger, because it votes for nobody', () => {
    const { checker } = new Fixture();
    checker.onStart(0, [blockA]);
    checker.onDiskLost(1);
    checker.onFinal(0, 1, blockA);
    checker.onPart(1, { members: members('voter', 'voter', 'voter'), votes: true, campaigns: true });
    assert.throws(() => checker.onFinal(0, 1, blockA), isProtection);
  });
});
