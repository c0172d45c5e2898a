import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PbftMessage } from '../../src/consensus/pbft/message.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { Breach, type Guarantee } from '../../src/simulator/checkers/breach.ts';
import { ProtectionChecker } from '../../src/simulator/checkers/protection-checker.ts';
import { SignatureChecker, type SignedVote } from '../../src/simulator/checkers/signature-checker.ts';
import { sizeOf } from '../../src/simulator/checkers/memory-checker.ts';

const blockA = 'aa'.repeat(32) as Hash;
const blockB = 'bb'.repeat(32) as Hash;
const blockC = 'cc'.repeat(32) as Hash;
const genesisHash = '00'.repeat(32) as Hash;
const signature = '00'.repeat(64) as Signature;

function vote(kind: 'prepare' | 'commit', view: number, height: number, blockHash: Hash): PbftMessage {
  return {
    epoch: toHeight(0),
    kind,
    from: 0,
    view: toView(view),
    height: toHeight(height),
    blockHash,
    signature,
  };
}

function certificate(view: number, height: number, blockHash: Hash): Certificate {
  return {
    epoch: toHeight(0),
    phase: 'prepare',
    view: toView(view),
    height: toHeight(height),
    blockHash,
    signatures: [],
  };
}

function viewChange(view: number, highest: Certificate | undefined): PbftMessage {
  return {
    epoch: toHeight(0),
    kind: 'view-change',
    from: 0,
    view: toView(view),
    finalHeight: toHeight(0),
    finalCertificate: undefined,
    highest,
    signature,
  };
}

function breaks(guarantee: Guarantee): (error: unknown) => boolean {
  return (error) => error instanceof Breach && error.guarantee === guarantee;
}

describe('what honest validators show', () => {
  test('one block for one place is fine, twice the same too; two blocks are a contradiction', () => {
    const votes: SignedVote[] = [];
    const checker = new SignatureChecker((signed) => votes.push(signed));
    checker.shows(vote('prepare', 1, 5, blockA));
    checker.shows(vote('prepare', 1, 5, blockA));
    checker.shows(vote('commit', 1, 5, blockA));
    checker.shows(vote('prepare', 2, 5, blockB));
    checker.shows({ ...vote('prepare', 1, 5, blockB), from: 1 });
    assert.deepEqual(
      votes.map(({ validator, phase, view, blockHash }) => [validator, phase, view, blockHash]),
      [
        [0, 'prepare', 1, blockA],
        [0, 'commit', 1, blockA],
        [0, 'prepare', 2, blockB],
        [1, 'prepare', 1, blockB],
      ],
    );
    assert.throws(() => checker.shows(vote('prepare', 1, 5, blockB)), breaks('no-contradiction'));
  });

  test('nothing of a view that was left', () => {
    const checker = new SignatureChecker(() => undefined);
    checker.shows(viewChange(3, undefined));
    checker.shows(vote('prepare', 3, 1, blockA));
    assert.throws(() => checker.shows(vote('commit', 2, 1, blockA)), breaks('no-contradiction'));
    assert.throws(() => checker.shows(viewChange(2, undefined)), breaks('no-contradiction'));
  });

  test('no view change that forgets a commit', () => {
    const fine = new SignatureChecker(() => undefined);
    fine.shows(vote('commit', 1, 5, blockA));
    fine.shows(viewChange(2, certificate(1, 5, blockA)));
    const forgetful = new SignatureChecker(() => undefined);
    forgetful.shows(vote('commit', 1, 5, blockA));
    assert.throws(
      () => forgetful.shows(viewChange(2, certificate(1, 4, blockB))),
      breaks('no-contradiction'),
    );
  });

  test('no two different view changes for one view', () => {
    const checker = new SignatureChecker(() => undefined);
    checker.shows(viewChange(2, certificate(1, 4, blockA)));
    checker.shows(viewChange(2, certificate(1, 4, blockA)));
    assert.throws(() => checker.shows(viewChange(2, certificate(1, 5, blockB))), breaks('no-contradiction'));
  });

  test('what binds nobody is not looked at', () => {
    const checker = new SignatureChecker(() => assert.fail('that was no vote'));
    const suspect = {
      kind: 'suspect',
      from: 0,
      view: toView(1),
      reason: 'no-progress',
      sequence: 1,
      signature,
    } as const;
    checker.shows({ epoch: toHeight(0), ...suspect, height: toHeight(1) });
    checker.shows({ epoch: toHeight(0), ...suspect, height: toHeight(2) });
  });
});

/** Four validators, one of them a liar: two honest votes and the liar's make a certificate. */
class Fixture {
  readonly checker = new ProtectionChecker({ validators: 4, liars: 1, genesisHash });

  votes(
    phase: 'prepare' | 'commit',
    view: number,
    height: number,
    blockHash: Hash,
    voters: readonly number[],
  ): void {
    for (const validator of voters) this.checker.onVote({ validator, phase, view, height, blockHash });
  }
}

function protectedAt1() {
  const world = new Fixture();
  world.checker.onLink(blockA, 1, genesisHash);
  world.votes('prepare', 0, 1, blockA, [0, 1]);
  world.votes('commit', 0, 1, blockA, [0, 1]);
  return { checker: world.checker, votes: world.votes.bind(world) };
}

describe('a block that may be committed stays under every later certificate', () => {
  test('the same block in a later view, and one that extends it, are fine', () => {
    const { checker, ...world } = protectedAt1();
    world.votes('prepare', 3, 1, blockA, [0, 1, 2]);
    checker.onLink(blockC, 2, blockA);
    world.votes('prepare', 3, 2, blockC, [0, 1, 2]);
  });

  test('one honest prepare for a rival in a later view is enough to see a rule broken', () => {
    const { checker, ...world } = protectedAt1();
    checker.onLink(blockB, 1, genesisHash);
    assert.throws(() => world.votes('prepare', 2, 1, blockB, [2]), breaks('protection'));
  });

  test('in the same view one honest prepare of a liar’s rival is allowed, a certificate is not', () => {
    const { checker, ...world } = protectedAt1();
    checker.onLink(blockB, 1, genesisHash);
    checker.onLink(blockC, 2, blockB);
    world.votes('prepare', 0, 2, blockC, [2]);
    assert.throws(() => world.votes('prepare', 0, 2, blockC, [1]), breaks('protection'));
  });

  test('a certificate of higher rank below the committed height is what re-proposing one by one makes', () => {
    const world = new Fixture();
    world.checker.onLink(blockA, 1, genesisHash);
    world.checker.onLink(blockB, 2, blockA);
    world.votes('prepare', 0, 2, blockB, [0, 1]);
    world.votes('commit', 0, 2, blockB, [0, 1]);
    assert.throws(() => world.votes('prepare', 1, 1, blockA, [0]), breaks('protection'));
  });

  test('the order in which signatures appear does not matter, nor when the ancestry is learnt', () => {
    const world = new Fixture();
    world.votes('prepare', 2, 2, blockC, [0]);
    world.votes('commit', 0, 1, blockA, [0, 1]);
    world.checker.onLink(blockA, 1, genesisHash);
    assert.throws(() => world.checker.onLink(blockC, 2, blockB), breaks('protection'));
  });
});

test('the size of plain data counts every entry on every level, and no cycle confuses it', () => {
  const inner = { a: 1, b: [1, 2, 3] };
  const cyclic: Record<string, unknown> = { map: new Map([['x', inner]]), set: new Set([1, 2]) };
  cyclic['self'] = cyclic;
  assert.equal(sizeOf(cyclic), 3 + 1 + 2 + 2 + 3);
});
