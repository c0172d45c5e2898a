import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { keyPairFromSeed, sign } from '../../src/crypto/keys.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { verifyClaimZip215 } from '../../src/crypto/zip215.ts';
import { toHeight } from '../../src/ledger/block.ts';
import {
  assembleTransaction,
  decodeTransaction,
  encodeBody,
  type Payload,
  type TransactionBody,
  transactionSigningBytes,
  transactionSigningBytesOf,
} from '../../src/ledger/transaction.ts';
import { chainId, hashOf, keyOf, put, remove, someSignature, transfer } from './samples.ts';

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex);
const text = (maxBytes: number, minLength = 0) =>
  fc
    .string({ unit: 'grapheme', minLength, maxLength: maxBytes })
    .filter((value) => utf8(value).length <= maxBytes && utf8(value).length >= minLength);

/** Records as the codec makes them: with the usual prototype. */
const plain = { noNullPrototype: true } as const;

const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record(
    {
      type: fc.constant('transfer' as const),
      to: hex(32).map((key) => key as ReturnType<typeof keyOf>),
      amount: fc.bigInt(1n, 2n ** 64n - 1n),
      memo: text(limits.maxMemoBytes),
    },
    plain,
  ),
  fc.record(
    {
      type: fc.constant('put' as const),
      key: text(limits.maxRecordKeyBytes, 1),
      value: fc.uint8Array({ maxLength: limits.maxRecordValueBytes }),
    },
    plain,
  ),
  fc.record({ type: fc.constant('delete' as const), key: text(limits.maxRecordKeyBytes, 1) }, plain),
);

const body: fc.Arbitrary<TransactionBody> = fc.record(
  {
    chainId: hex(32).map((value) => value as typeof chainId),
    sender: hex(32).map((key) => key as ReturnType<typeof keyOf>),
    nonce: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fee: fc.bigInt(0n, 2n ** 64n - 1n),
    expiryHeight: fc.integer({ min: 0, max: 2 ** 48 - 1 }).map(toHeight),
    payload,
  },
  plain,
);
const signature = hex(64).map((value) => value as Signature);

test('every transaction survives its bytes, and its hash with it', () => {
  fc.assert(
    fc.property(body, signature, (body, signature) => {
      const made = assembleTransaction(body, signature);
      assert.deepEqual(unwrap(decodeTransaction(made.bytes)), made);
      assert.ok(made.bytes.length <= limits.maxTransactionBytes);
    }),
    { seed: 51, numRuns: 300 },
  );
});

test('bytes that decode are the only encoding of what they mean: any bytes at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const decoded = decodeTransaction(bytes);
      if (!(decoded instanceof Problem)) {
        assert.deepEqual(assembleTransaction(decoded, decoded.signature).bytes, bytes);
      }
    }),
    { seed: 52, numRuns: 2_000 },
  );
});

test('every byte of a transaction counts: changed anywhere, it is refused or is another one under another hash', () => {
  const samples = [
    transfer({ from: 'alice', nonce: 3, fee: 5n }, 'bob', 9n, 'für dich'),
    put({ from: 'alice', nonce: 4 }, 'deed', 'of the house'),
    remove({ from: 'alice', nonce: 5 }, 'deed'),
  ];
  let refused = 0;
  for (const { bytes, hash } of samples) {
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = bytes.slice();
        changed[at] = (changed[at] as number) ^ (1 << bit);
        const decoded = decodeTransaction(changed);
        if (decoded instanceof Problem) {
          refused++;
          assert.equal(decoded.code, 'codec/malformed');
        } else {
          assert.notEqual(decoded.hash, hash);
          assert.deepEqual(assembleTransaction(decoded, decoded.signature).bytes, changed);
        }
      }
    }
    for (let length = 0; length < bytes.length; length++) {
      assert.ok(decodeTransaction(bytes.subarray(0, length)) instanceof Problem, `cut to ${length} bytes`);
    }
    assert.ok(decodeTransaction(Uint8Array.of(...bytes, 0)) instanceof Problem, 'a byte too many');
  }
  assert.ok(refused > 0);
});

const base: TransactionBody = {
  chainId,
  sender: keyOf('alice'),
  nonce: 1,
  fee: 2n,
  expiryHeight: toHeight(10),
  payload: { type: 'transfer', to: keyOf('bob'), amount: 1n, memo: '' },
};

test('fields outside their limits cannot be encoded, and the problem says so', () => {
  const wrong: [string, Partial<TransactionBody>][] = [
    ['amount zero', { payload: { type: 'transfer', to: keyOf('bob'), amount: 0n, memo: '' } }],
    [
      'amount above 64 bits',
      { payload: { type: 'transfer', to: keyOf('bob'), amount: 2n ** 64n, memo: '' } },
    ],
    ['negative amount', { payload: { type: 'transfer', to: keyOf('bob'), amount: -1n, memo: '' } }],
    ['long memo', { payload: { type: 'transfer', to: keyOf('bob'), amount: 1n, memo: 'ü'.repeat(65) } }],
    ['empty key', { payload: { type: 'put', key: '', value: new Uint8Array(0) } }],
    ['empty key to delete', { payload: { type: 'delete', key: '' } }],
    ['long key', { payload: { type: 'delete', key: 'k'.repeat(129) } }],
    ['large value', { payload: { type: 'put', key: 'k', value: new Uint8Array(4097) } }],
    ['negative nonce', { nonce: -1 }],
    ['broken nonce', { nonce: 0.5 }],
    ['nonce above 48 bits', { nonce: 2 ** 48 }],
    ['fee above 64 bits', { fee: 2n ** 64n }],
    ['negative fee', { fee: -1n }],
    ['short sender', { sender: 'abcd' as typeof base.sender }],
  ];
  for (const [what, change] of wrong) {
    assert.throws(() => encodeBody({ ...base, ...change }), { code: 'transaction/malformed' }, what);
  }
});

test('a huge length in the bytes is refused before anything of that size is read', () => {
  const bytes = put({ from: 'alice', nonce: 4 }, 'deed', 'x').bytes.slice();
  const lengthAt = bytes.length - 64 - 1 - 2;
  assert.deepEqual(bytes.slice(lengthAt, lengthAt + 2), Uint8Array.of(0, 1));
  bytes.set([0xff, 0xff], lengthAt);
  const problem = decodeTransaction(bytes);
  assert.ok(problem instanceof Problem && /above the limit/.test(problem.message));
  const oversize = decodeTransaction(new Uint8Array(limits.maxTransactionBytes + 1));
  assert.ok(oversize instanceof Problem && oversize.code === 'transaction/oversize');
});

test('text that is not UTF-8 is refused', () => {
  const bytes = transfer({ from: 'alice', nonce: 0 }, 'bob', 1n, 'ab').bytes.slice();
  bytes.set([0xc3, 0x28], bytes.length - 64 - 2);
  assert.ok(decodeTransaction(bytes) instanceof Problem);
});

test('text keeps every character, a byte order mark too; half a character cannot be signed', () => {
  const marked = remove({ from: 'alice', nonce: 0 }, '\ufeffdeed');
  const decoded = unwrap(decodeTransaction(marked.bytes));
  assert.deepEqual(decoded.payload, { type: 'delete', key: '\ufeffdeed' });
  assert.throws(() => remove({ from: 'alice', nonce: 0 }, 'deed \ud83d'), { code: 'transaction/malformed' });
});

test('a decoded transaction does not change with the buffer that it came from', () => {
  const original = put({ from: 'alice', nonce: 0 }, 'k', 'value');
  const buffer = original.bytes.slice();
  const decoded = unwrap(decodeTransaction(buffer));
  buffer.fill(0);
  assert.deepEqual(decoded, original);
});

test('the signature covers every byte of the body and the purpose, and no byte more', () => {
  const pair = keyPairFromSeed(new Uint8Array(32).fill(9));
  const bodyBytes = encodeBody({ ...base, sender: pair.publicKey });
  const signature = sign(pair.secretKey, transactionSigningBytes(bodyBytes));
  const made = assembleTransaction({ ...base, sender: pair.publicKey }, signature);
  const message = transactionSigningBytesOf(made);
  assert.deepEqual(message, transactionSigningBytes(bodyBytes));
  assert.ok(verifyClaimZip215({ publicKey: pair.publicKey, message, signature }));
  const other = transactionSigningBytes(
    encodeBody({ ...base, sender: pair.publicKey, chainId: hashOf('other') }),
  );
  assert.ok(!verifyClaimZip215({ publicKey: pair.publicKey, message: other, signature }));
  assert.ok(
    !verifyClaimZip215({ publicKey: pair.publicKey, message: bodyBytes, signature }),
    'no domain, no signature',
  );
});

test('the format is frozen: these bytes and this hash never change', () => {
  const made = assembleTransaction(
    {
      chainId: '11'.repeat(32) as typeof chainId,
      sender: '22'.repeat(32) as typeof base.sender,
      nonce: 7,
      fee: 258n,
      expiryHeight: toHeight(1000),
      payload: { type: 'transfer', to: '33'.repeat(32) as typeof base.sender, amount: 65_536n, memo: 'hi' },
    },
    someSignature,
  );
  const expected = [
    '11'.repeat(32),
    '22'.repeat(32),
    '000000000007',
    '0000000000000102',
    '0000000003e8',
    `01${'33'.repeat(32)}0000000000010000026869`,
    'ab'.repeat(64),
  ];
  assert.equal(toHex(made.bytes), expected.join(''));
  assert.deepEqual(fromHex(toHex(made.bytes)), made.bytes);
  assert.equal(made.hash, '7a5d2d0b99f74ea1eda1ad5ec22b1375391ea91655cdbc67d67245111c43f967');
});
