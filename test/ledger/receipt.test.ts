import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';
import { zeroHash } from '../../src/crypto/hash.ts';
import { merkleProof, verifyMerkleProof } from '../../src/ledger/merkle.ts';
import {
  hashReceipt,
  type Receipt,
  receiptCodec,
  receiptsCodec,
  receiptsRootOf,
} from '../../src/ledger/receipt.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { hashOf, keyOf } from './samples.ts';

const applied: Receipt = {
  transactionHash: hashOf('one'),
  status: 'applied',
  code: '',
  failure: undefined,
  fee: 3n,
  accounts: [
    { publicKey: keyOf('alice'), balance: 5n, held: 0n },
    { publicKey: keyOf('bob'), balance: 2n ** 64n - 1n, held: 2n ** 63n },
  ],
  records: [
    { operation: 0, version: 1, previous: undefined },
    { operation: 3, version: 2, previous: { height: toHeight(7), transaction: 1, operation: 2 } },
  ],
  changes: [
    { operation: 1, proposal: hashOf('proposal'), approvals: 1, needed: 3, effectiveFrom: undefined },
    { operation: 2, proposal: hashOf('other'), approvals: 3, needed: 3, effectiveFrom: toHeight(9) },
  ],
};
const failed: Receipt = {
  transactionHash: hashOf('two'),
  status: 'failed',
  code: 'transaction/insufficient-balance',
  failure: { part: 'operation', index: 2, found: { type: 'balance', balance: 9n } },
  fee: 2n ** 64n - 1n,
  accounts: [{ publicKey: keyOf('alice'), balance: 0n, held: 0n }],
  records: [],
  changes: [],
};

test('receipts survive their codec, alone and as the list of a block', () => {
  for (const receipt of [applied, failed]) {
    assert.deepEqual(decode(receiptCodec, encode(receiptCodec, receipt), 'receipt'), receipt);
  }
  assert.deepEqual(decode(receiptsCodec, encode(receiptsCodec, [applied, failed]), 'receipts'), [
    applied,
    failed,
  ]);
});

test('applied with a code, or failed without one, has no encoding', () => {
  const lies: Receipt[] = [
    { ...applied, code: 'transaction/not-owner' },
    { ...failed, code: '' },
  ];
  for (const lie of lies) assert.throws(() => encode(receiptCodec, lie), /code stands beside failed/);
  const bytes = encode(receiptCodec, applied);
  bytes[32] = 1;
  assert.ok(decode(receiptCodec, bytes, 'receipt') instanceof Problem);
  bytes[33] = 4;
  assert.ok(decode(receiptCodec, bytes, 'receipt') instanceof Problem, 'a code that does not exist');
});

test('the root commits to every field and to the order, and a receipt can be proven under it', () => {
  const root = receiptsRootOf([applied, failed]);
  const others: Receipt[][] = [
    [failed, applied],
    [applied],
    [applied, { ...failed, code: 'transaction/not-owner' }],
    [applied, { ...failed, fee: 1n }],
    [applied, { ...failed, transactionHash: hashOf('three') }],
  ];
  for (const other of others) assert.notEqual(receiptsRootOf(other), root);
  const leaves = [applied, failed].map(hashReceipt);
  assert.ok(verifyMerkleProof(root, hashReceipt(failed), merkleProof(leaves, 1)));
  assert.equal(receiptsRootOf([]), zeroHash);
});
