import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decode, encode } from '../../src/base/codec.ts';
import { fromHex } from '../../src/base/bytes.ts';
import { type Hash, hash, zeroHash } from '../../src/crypto/hash.ts';
import {
  type MerkleProof,
  merkleProof,
  merkleProofCodec,
  merkleRoot,
  verifyMerkleProof,
} from '../../src/ledger/merkle.ts';
import { hashOf, pairHashOf } from './samples.ts';

const leavesFor = (count: number): Hash[] => Array.from({ length: count }, (_, i) => hashOf(`leaf ${i}`));

/** RFC 6962, section 2.1, as it is written: recursion at the largest power of two below the count. */
function treeByTheBook(leaves: readonly Hash[]): Uint8Array {
  if (leaves.length === 1) return fromHex(leaves[0] as Hash);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  const left = treeByTheBook(leaves.slice(0, k));
  return pairHashOf(left, treeByTheBook(leaves.slice(k)));
}

test('the root is the tree of RFC 6962 with its count on top, for 1 to 70 leaves', () => {
  for (let count = 1; count <= 70; count++) {
    const leaves = leavesFor(count);
    const expected = hash('quorate/v1/merkle-root', Uint8Array.of(0, 0, 0, count), treeByTheBook(leaves));
    assert.equal(merkleRoot(leaves), expected, `${count} leaves`);
  }
});

test('no leaves have the zero hash as root, and prove nothing', () => {
  assert.equal(merkleRoot([]), zeroHash);
  assert.equal(verifyMerkleProof(zeroHash, zeroHash, { index: 0, count: 0, siblings: [] }), false);
  assert.throws(() => merkleProof([], 0), /one of the leaves/);
});

test('every leaf of every tree of up to 40 leaves has a proof, and no other leaf passes with it', () => {
  for (let count = 1; count <= 40; count++) {
    const leaves = leavesFor(count);
    const root = merkleRoot(leaves);
    for (let index = 0; index < count; index++) {
      const proof = merkleProof(leaves, index);
      for (const [other, leaf] of leaves.entries()) {
        assert.equal(verifyMerkleProof(root, leaf, proof), other === index, `leaf ${other} of ${count}`);
      }
    }
  }
});

test('a proof stands for one position only: another index or count never passes', () => {
  // With a root as in RFC 6962 this fails: leaf 2 of 3 is also leaf 1 of 2.
  for (let count = 1; count <= 20; count++) {
    const leaves = leavesFor(count);
    const root = merkleRoot(leaves);
    for (let index = 0; index < count; index++) {
      const proof = merkleProof(leaves, index);
      for (let otherCount = 0; otherCount <= 24; otherCount++) {
        for (let otherIndex = -1; otherIndex <= 24; otherIndex++) {
          const claimed = { ...proof, index: otherIndex, count: otherCount };
          const same = otherIndex === index && otherCount === count;
          assert.equal(verifyMerkleProof(root, leaves[index] as Hash, claimed), same);
        }
      }
    }
  }
});

test('a proof with any bit changed, a sibling more or a sibling less fails', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat(), fc.nat(), (count, at, which, bit) => {
      const leaves = leavesFor(count);
      const root = merkleRoot(leaves);
      const index = at % count;
      const leaf = leaves[index] as Hash;
      const proof = merkleProof(leaves, index);
      assert.ok(verifyMerkleProof(root, leaf, proof));
      assert.ok(!verifyMerkleProof(flip(root, bit), leaf, proof));
      assert.ok(!verifyMerkleProof(root, flip(leaf, bit), proof));
      const withSiblings = (siblings: readonly Hash[]): MerkleProof => ({ ...proof, siblings });
      assert.ok(!verifyMerkleProof(root, leaf, withSiblings([...proof.siblings, zeroHash])));
      if (proof.siblings.length > 0) {
        assert.ok(!verifyMerkleProof(root, leaf, withSiblings(proof.siblings.slice(1))));
        const changed = which % proof.siblings.length;
        const siblings = proof.siblings.map((sibling, i) => (i === changed ? flip(sibling, bit) : sibling));
        assert.ok(!verifyMerkleProof(root, leaf, withSiblings(siblings)));
      }
    }),
    { seed: 11, numRuns: 200 },
  );
});

test('a node of the tree does not pass for a leaf, nor the leaf hash of two for a node', () => {
  const leaves = leavesFor(2);
  const inner = treeByTheBook(leaves);
  const asLeaf = Buffer.from(inner).toString('hex') as Hash;
  assert.equal(verifyMerkleProof(merkleRoot(leaves), asLeaf, { index: 0, count: 1, siblings: [] }), false);
  assert.notEqual(merkleRoot([asLeaf]), merkleRoot(leaves));
});

test('nonsense where a proof should be is answered with false', () => {
  const leaves = leavesFor(3);
  const root = merkleRoot(leaves);
  const leaf = leaves[0] as Hash;
  const good = merkleProof(leaves, 0);
  for (const index of [-1, 0.5, Number.NaN, Infinity, 2 ** 40]) {
    assert.equal(verifyMerkleProof(root, leaf, { ...good, index }), false);
    assert.equal(verifyMerkleProof(root, leaf, { ...good, count: index }), false);
  }
  const siblings = ['zz', 'zz'] as string[] as Hash[];
  assert.equal(verifyMerkleProof(root, leaf, { ...good, siblings }), false);
  assert.equal(verifyMerkleProof(root, 'short' as Hash, good), false);
});

test('proofs survive their codec, and the order of leaves matters', () => {
  const leaves = leavesFor(100);
  const proof = merkleProof(leaves, 77);
  assert.deepEqual(decode(merkleProofCodec, encode(merkleProofCodec, proof), 'proof'), proof);
  assert.notEqual(merkleRoot(leaves), merkleRoot(leaves.toReversed()));
});

function flip(value: Hash, bit: number): Hash {
  const bytes = fromHex(value);
  const position = bit % 256;
  bytes[position >>> 3] = (bytes[position >>> 3] as number) ^ (1 << (position & 7));
  return Buffer.from(bytes).toString('hex') as Hash;
}
