import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hash } from '../../src/crypto/hash.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import type { PbftMessage } from '../../src/consensus/pbft/message.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import { Breach } from '../../src/simulator/checkers/breach.ts';
import { Epochs } from '../../src/simulator/checkers/epochs.ts';

const key = (digit: number): PublicKey => String(digit).repeat(64) as PublicKey;
const block = (name: string): Hash => name.repeat(64) as Hash;
const keys = [1, 2, 3, 4].map(key);
const breaks = (act: () => void, why: RegExp): void =>
  assert.throws(
    act,
    (error) => error instanceof Breach && error.guarantee === 'epoch' && why.test(error.message),
  );

function world(): Epochs {
  return new Epochs({ genesisHash: block('0'), keys, liars: new Set([key(4)]) });
}

function prepare(epochs: Epochs, start: number, height: number, blockHash: Hash): void {
  const place = { epoch: toHeight(start), from: 0, view: toView(0), height: toHeight(height), blockHash };
  const message = { kind: 'prepare', ...place, signature: '' } as unknown as PbftMessage;
  epochs.of(start, () => 'it').signatures.shows(message);
}

test('who is in an epoch that no block began is told so', () => {
  const epochs = world();
  assert.equal(epochs.of(0, () => 'node 1').validators.keys.length, 4);
  breaks(() => epochs.of(5, () => 'node 1'), /node 1 is of an epoch from 5 on/);
  epochs.begin(5, block('5'), [key(1), key(4)]);
  assert.equal(epochs.latest.start, 5);
  assert.deepEqual([...epochs.latest.lying], [1]);
  assert.equal(epochs.latest.protection, null, 'one liar of two is more than any quorum stands');
});

test('an honest key signs nothing in an epoch before its last one', () => {
  const epochs = world();
  epochs.signs(key(1), 0);
  epochs.signs(key(1), 5);
  epochs.signs(key(2), 0);
  breaks(() => epochs.signs(key(1), 0), /after it signed in that from 5/);
});

test('a vote on the last block of an epoch is seen, whether the vote or the end comes first', () => {
  for (const first of ['vote', 'end']) {
    const epochs = world();
    const { protection } = epochs.latest;
    protection?.onLink(block('a'), 1, block('0'));
    protection?.onLink(block('b'), 2, block('a'));
    protection?.onLink(block('c'), 2, block('d'));
    // Higher than the end on another branch: of a view before.
    prepare(epochs, 0, 2, block('c'));
    const vote = (): void => {
      const place = { epoch: toHeight(0), from: 1, view: toView(0), height: toHeight(2) };
      const message = { kind: 'prepare', ...place, blockHash: block('b'), signature: '' };
      epochs.of(0, () => 'it').signatures.shows(message as unknown as PbftMessage);
    };
    const end = (): void => epochs.begin(1, block('a'), keys.toReversed());
    const acts = first === 'vote' ? [vote, end] : [end, vote];
    acts[0]?.();
    breaks(() => acts[1]?.(), /on its last one at 1/);
  }
});
