import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { keyPairFromSeed, sign } from '../../src/crypto/keys.ts';
import { keyFault } from '../../src/crypto/key-fault.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { verifyClaimZip215 } from '../../src/crypto/zip215.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Condition } from '../../src/ledger/condition.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import {
  assembleTransaction,
  decodeTransaction,
  encodeBody,
  transactionClaims,
  transactionSigningBytes,
  unitsOf,
} from '../../src/ledger/transaction.ts';
import type { TransactionBody } from '../../src/ledger/transaction-body.ts';
import { chainId, hashOf, keyOf, put, remove, someSignature, transaction, transfer } from './samples.ts';

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex);
const text = (maxBytes: number, minLength = 0) =>
  fc
    .string({ unit: 'grapheme', minLength, maxLength: maxBytes })
    .filter((value) => utf8(value).length <= maxBytes && utf8(value).length >= minLength);

/** Records as the codec makes them: with the usual prototype. */
const plain = { noNullPrototype: true } as const;

const key = hex(32)
  .map((value) => value as ReturnType<typeof keyOf>)
  .filter((value) => keyFault(value) === undefined);
const segment = text(20, 1)
  .map((value) => value.replaceAll('/', '-'))
  .filter((value) => value !== '.' && value !== '..');
const recordKey = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('/'))
  .filter((value) => utf8(value).length <= limits.maxRecordKeyBytes);
const keys = fc.uniqueArray(key, { minLength: 1, maxLength: 4 }).map((some) => some.toSorted());
const height = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map(toHeight);

const reservation = fc.record(
  {
    sender: key,
    nonce: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    operation: fc.integer({ min: 0, max: 65_535 }),
  },
  plain,
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record(
    {
      type: fc.constant('transfer' as const),
      to: key,
      amount: fc.bigInt(1n, 2n ** 64n - 1n),
      memo: text(limits.maxMemoBytes),
    },
    plain,
  ),
  fc.record(
    {
      type: fc.constant('put' as const),
      key: recordKey,
      value: fc.uint8Array({ maxLength: limits.maxRecordValueBytes }),
    },
    plain,
  ),
  fc.record({ type: fc.constant('delete' as const), key: recordKey }, plain),
  fc.record({ type: fc.constant('give' as const), key: recordKey, to: key }, plain),
  fc.record(
    {
      type: fc.constant('reserve' as const),
      to: key,
      amount: fc.bigInt(1n, 2n ** 64n - 1n),
      expiryHeight: height,
      memo: text(limits.maxMemoBytes),
    },
    plain,
  ),
  fc.record(
    { type: fc.constant('post' as const), reservation, amount: fc.bigInt(1n, 2n ** 64n - 1n) },
    plain,
  ),
  fc.record({ type: fc.constant('void' as const), reservation }, plain),
  fc.record(
    {
      type: fc.constant('open-namespace' as const),
      name: fc.constantFrom('n', 'länder', 'n'.repeat(126)),
      mode: fc.constantFrom('writers' as const, 'append-only' as const),
      writers: keys,
    },
    plain,
  ),
  fc.record(
    {
      type: fc.constant('set-namespace' as const),
      name: fc.constantFrom('n', 'länder'),
      owner: fc.option(key, { nil: undefined }),
      mode: fc.constant('append-only' as const),
      writers: fc.option(keys, { nil: undefined }),
    },
    plain,
  ),
  fc.record(
    { type: fc.constant('set-keys' as const), keys, threshold: fc.constant(1), force: fc.boolean() },
    plain,
  ),
);

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record(
    {
      type: fc.constant('record-version' as const),
      key: recordKey,
      version: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
    },
    plain,
  ),
  fc.record(
    { type: fc.constantFrom('record-absent' as const, 'record-exists' as const), key: recordKey },
    plain,
  ),
  fc.record(
    {
      type: fc.constant('record-hash' as const),
      key: recordKey,
      hash: hex(32).map((value) => value as Hash),
    },
    plain,
  ),
  fc.record(
    { type: fc.constant('balance-at-least' as const), account: key, amount: fc.bigInt(0n, 2n ** 64n - 1n) },
    plain,
  ),
  fc.record({ type: fc.constant('height-at-most' as const), height }, plain),
  fc.record({ type: fc.constant('time-at-most' as const), time: height }, plain),
);

const anyBody: fc.Arbitrary<TransactionBody> = fc.record(
  {
    chainId: hex(32).map((value) => value as typeof chainId),
    sender: key,
    nonce: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fee: fc.bigInt(0n, 2n ** 64n - 1n),
    expiryHeight: height,
    reference: fc.uint8Array({ maxLength: limits.maxReferenceBytes }),
    conditions: fc.array(condition, { maxLength: 4 }),
    operations: fc.array(operation, { minLength: 1, maxLength: 4 }),
    signers: keys,
  },
  plain,
);
/** Most are signed by the sender's own key alone. */
const body = fc.oneof(
  anyBody,
  anyBody.map((one): TransactionBody => ({ ...one, signers: [one.sender] })),
);
const signature = hex(64).map((value) => value as Signature);

test('every transaction survives its bytes, and its hash with it', () => {
  fc.assert(
    fc.property(body, signature, (body, signature) => {
      const made = assembleTransaction(
        body,
        body.signers.map(() => signature),
      );
      const decoded = unwrap(decodeTransaction(made.bytes));
      assert.deepEqual(decoded, made);
      for (const { signatures } of [made, decoded]) {
        assert.deepEqual(
          signatures,
          body.signers.map(() => signature),
        );
      }
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
        assert.deepEqual(assembleTransaction(decoded, decoded.signatures).bytes, bytes);
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
    transaction(
      {
        from: 'alice',
        nonce: 6,
        signers: ['bob', 'carol'],
        reference: utf8('order 7'),
        conditions: [{ type: 'record-version', key: 'deed', version: 2 }],
      },
      { type: 'give', key: 'deed', to: keyOf('bob') },
      { type: 'set-keys', keys: [keyOf('a'), keyOf('b')].toSorted(), threshold: 2, force: false },
    ),
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
          assert.match(decoded.code, /^(codec\/malformed|transaction\/(record-key|off-curve-key))$/);
        } else {
          assert.notEqual(decoded.hash, hash);
          assert.deepEqual(assembleTransaction(decoded, decoded.signatures).bytes, changed);
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
  reference: new Uint8Array(),
  conditions: [],
  operations: [{ type: 'transfer', to: keyOf('bob'), amount: 1n, memo: '' }],
  signers: [keyOf('alice')],
};

test('fields outside their limits cannot be encoded, and the problem says so', () => {
  const transferOf = (amount: bigint, memo = ''): Partial<TransactionBody> => ({
    operations: [{ type: 'transfer', to: keyOf('bob'), amount, memo }],
  });
  const [one = operationOf(base)] = base.operations;
  const keySet = (names: string[], threshold: number): Partial<TransactionBody> => ({
    operations: [{ type: 'set-keys', keys: names.map(keyOf).toSorted(), threshold, force: true }],
  });
  const many = Array.from({ length: 17 }, (_, index) => `key ${index}`);
  const absent = { type: 'record-absent', key: 'k' } as const;
  const wrong: [string, Partial<TransactionBody>][] = [
    ['amount above 64 bits', transferOf(2n ** 64n)],
    ['negative amount', transferOf(-1n)],
    ['long memo', transferOf(1n, 'ü'.repeat(65))],
    ['long key', { operations: [{ type: 'delete', key: 'k'.repeat(129) }] }],
    ['large value', { operations: [{ type: 'put', key: 'k', value: new Uint8Array(4097) }] }],
    ['no operation', { operations: [] }],
    ['257 operations', { operations: Array.from({ length: 257 }, () => one) }],
    ['17 conditions', { conditions: Array.from({ length: 17 }, () => absent) }],
    ['a version of 0', { conditions: [{ type: 'record-version', key: 'k', version: 0 }] }],
    ['a long reference', { reference: new Uint8Array(33) }],
    ['no keys', keySet([], 0)],
    ['0 of 1 keys', keySet(['a'], 0)],
    ['2 of 1 keys', keySet(['a'], 2)],
    ['17 keys', keySet(many, 1)],
    ['a key twice', keySet(['a', 'a'], 1)],
    ['no signer', { signers: [] }],
    ['17 signers', { signers: many.map(keyOf).toSorted() }],
    ['a signer twice', { signers: [keyOf('a'), keyOf('a')] }],
    ['unsorted signers', { signers: [keyOf('a'), keyOf('b')].toSorted().toReversed() }],
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
  for (const key of ['', '.', '..', 'a/', '/a', 'a//b', 'a/./b', '../a', '/']) {
    const operations = [{ type: 'delete', key } as const];
    assert.throws(() => encodeBody({ ...base, operations }), { code: 'transaction/record-key' }, key);
    const conditions = [{ type: 'record-exists', key } as const];
    assert.throws(() => encodeBody({ ...base, conditions }), { code: 'transaction/record-key' }, key);
  }
  for (const key of ['a', '...', '.a', 'a.', 'a/b', 'a/.b', ' ', '%2e']) {
    assert.ok(encodeBody({ ...base, operations: [{ type: 'delete', key }] }));
  }
});

test('one signature for each signer, neither more nor fewer', () => {
  for (const signatures of [[], [someSignature, someSignature]]) {
    assert.throws(() => assembleTransaction(base, signatures), { code: 'transaction/malformed' });
  }
});

test('the sender alone is not listed among the signers: that would be a second encoding', () => {
  const { bytes } = assembleTransaction(base, [someSignature]);
  const at = bytes.length - 64 - 1;
  assert.equal(bytes[at], 0, 'no signer is listed');
  const listed = concat(
    bytes.subarray(0, at),
    Uint8Array.of(1),
    fromHex(base.sender),
    bytes.subarray(at + 1),
  );
  const decoded = decodeTransaction(listed);
  assert.ok(decoded instanceof Problem && /not listed/.test(decoded.message));
});

test('the largest transactions fit, and what is larger is refused', () => {
  const operations = Array.from({ length: 256 }, () => operationOf(base));
  const signers = Array.from({ length: 16 }, (_, index) => keyOf(`key ${index}`)).toSorted();
  const made = assembleTransaction(
    { ...base, operations, signers },
    signers.map(() => someSignature),
  );
  assert.deepEqual(unwrap(decodeTransaction(made.bytes)), made);
  const records = Array.from({ length: 8 }, (_, index) => ({
    type: 'put' as const,
    key: `k${index}`,
    value: new Uint8Array(limits.maxRecordValueBytes),
  }));
  const large = assembleTransaction({ ...base, operations: records }, [someSignature]);
  const refused = decodeTransaction(large.bytes);
  assert.ok(refused instanceof Problem && refused.code === 'transaction/oversize');
});

test('a key that is nobody’s makes it no transaction, wherever the key stands', () => {
  for (const [code, nobody] of [
    ['transaction/forgeable-key', '00'.repeat(32) as typeof base.sender],
    ['transaction/off-curve-key', `02${'00'.repeat(31)}` as typeof base.sender],
  ] as const) {
    const reservation = { sender: nobody, nonce: 0, operation: 0 };
    const operations: Operation[] = [
      { type: 'transfer', to: nobody, amount: 1n, memo: '' },
      { type: 'give', key: 'k', to: nobody },
      { type: 'set-keys', keys: [nobody], threshold: 1, force: true },
      { type: 'reserve', to: nobody, amount: 1n, expiryHeight: toHeight(9), memo: '' },
      { type: 'post', reservation, amount: 1n },
      { type: 'void', reservation },
      { type: 'open-namespace', name: 'n', mode: 'writers', writers: [nobody] },
      { type: 'set-namespace', name: 'n', owner: undefined, mode: undefined, writers: [nobody] },
      { type: 'set-namespace', name: 'n', owner: nobody, mode: undefined, writers: undefined },
    ];
    for (const operation of operations) {
      const isRefused = (error: unknown): boolean => error instanceof Problem && error.code === code;
      const body = { ...base, operations: [...base.operations, operation] };
      assert.throws(() => encodeBody(body), isRefused, operation.type);
      // As somebody else's program may write it.
      const bytes = bytesWith(operation, nobody);
      const decoded = decodeTransaction(bytes);
      assert.ok(
        isRefused(decoded),
        `${operation.type}: ${decoded instanceof Problem ? decoded.code : 'taken'}`,
      );
    }
  }
  const forgeable = '00'.repeat(32) as typeof base.sender;
  for (const change of [{ sender: forgeable }, { signers: [forgeable, ...base.signers] }]) {
    assert.throws(() => encodeBody({ ...base, ...change }), { code: 'transaction/forgeable-key' });
  }
});

/** The bytes of a transaction with an operation, in which another key stands for bob's. */
function bytesWith(operation: Operation, nobody: string): Uint8Array {
  const bob = keyOf('bob');
  const named = JSON.stringify(operation, (_, value) =>
    typeof value === 'bigint' ? { big: `${value}` } : value,
  ).replaceAll(nobody, bob);
  const sound = JSON.parse(named, (_, value) =>
    typeof value?.big === 'string' ? BigInt(value.big) : value,
  ) as Operation;
  const { bytes } = assembleTransaction({ ...base, operations: [sound] }, [someSignature]);
  return fromHex(toHex(bytes).replace(bob, nobody));
}

test('each operation is paid for, and each signature after the first', () => {
  const operations = Array.from({ length: 5 }, () => operationOf(base));
  assert.equal(unitsOf(base), 1);
  assert.equal(unitsOf({ ...base, operations, signers: ['a', 'b', 'c'].map(keyOf).toSorted() }), 7);
});

test('a huge length in the bytes is refused before anything of that size is read', () => {
  const bytes = put({ from: 'alice', nonce: 4 }, 'deed', 'x').bytes.slice();
  const lengthAt = bytes.length - 64 - 1 - 1 - 2;
  assert.deepEqual(bytes.slice(lengthAt, lengthAt + 2), Uint8Array.of(0, 1));
  bytes.set([0xff, 0xff], lengthAt);
  const problem = decodeTransaction(bytes);
  assert.ok(problem instanceof Problem && /above the limit/.test(problem.message));
  const oversize = decodeTransaction(new Uint8Array(limits.maxTransactionBytes + 1));
  assert.ok(oversize instanceof Problem && oversize.code === 'transaction/oversize');
});

test('text that is not UTF-8 is refused', () => {
  const bytes = transfer({ from: 'alice', nonce: 0 }, 'bob', 1n, 'ab').bytes.slice();
  bytes.set([0xc3, 0x28], bytes.length - 64 - 1 - 2);
  assert.ok(decodeTransaction(bytes) instanceof Problem);
});

test('text keeps every character, a byte order mark too; half a character cannot be signed', () => {
  const marked = remove({ from: 'alice', nonce: 0 }, '\ufeffdeed');
  const decoded = unwrap(decodeTransaction(marked.bytes));
  assert.deepEqual(decoded.operations, [{ type: 'delete', key: '\ufeffdeed' }]);
  assert.throws(() => remove({ from: 'alice', nonce: 0 }, 'deed \ud83d'), { code: 'transaction/malformed' });
});

test('a decoded transaction does not change with the buffer that it came from', () => {
  const original = put({ from: 'alice', nonce: 0 }, 'k', 'value');
  const buffer = original.bytes.slice();
  const decoded = unwrap(decodeTransaction(buffer));
  buffer.fill(0);
  assert.deepEqual(decoded, original);
});

test('each signer has a claim of its key, its signature and the body, wherever they stand in the bytes', () => {
  const alice = { from: 'alice', nonce: 0 } as const;
  for (const signers of [undefined, ['b'], ['alice', 'b'], ['a', 'b', 'c', 'd']]) {
    const made = transaction(
      { ...alice, ...(signers !== undefined && { signers }) },
      { type: 'delete', key: 'k' },
    );
    const { signatures: _s, hash: _h, bytes: _b, ...body } = made;
    assert.deepEqual(
      transactionClaims(made).map(({ publicKey, message, signature }) => ({ publicKey, message, signature })),
      made.signers.map((publicKey, index) => ({
        publicKey,
        message: transactionSigningBytes(encodeBody(body)),
        signature: made.signatures[index],
      })),
    );
  }
});

test('the signature covers every byte of the body and the purpose, and no byte more', () => {
  const pair = keyPairFromSeed(new Uint8Array(32).fill(9));
  const bodyBytes = encodeBody({ ...base, sender: pair.publicKey, signers: [pair.publicKey] });
  const signature = sign(pair.secretKey, transactionSigningBytes(bodyBytes));
  const own = { ...base, sender: pair.publicKey, signers: [pair.publicKey] };
  const made = assembleTransaction(own, [signature]);
  const [claim] = transactionClaims(made);
  const message = claim?.message ?? new Uint8Array();
  assert.equal(claim?.publicKey, pair.publicKey);
  assert.deepEqual(message, transactionSigningBytes(bodyBytes));
  assert.ok(verifyClaimZip215({ publicKey: pair.publicKey, message, signature }));
  const other = transactionSigningBytes(encodeBody({ ...own, chainId: hashOf('other') }));
  assert.ok(!verifyClaimZip215({ publicKey: pair.publicKey, message: other, signature }));
  assert.ok(
    !verifyClaimZip215({ publicKey: pair.publicKey, message: bodyBytes, signature }),
    'no domain, no signature',
  );
});

test('the format is frozen: these bytes and this hash never change', () => {
  type Key = typeof base.sender;
  const made = assembleTransaction(
    {
      chainId: '11'.repeat(32) as typeof chainId,
      sender: '22'.repeat(32) as Key,
      nonce: 7,
      fee: 258n,
      expiryHeight: toHeight(1000),
      reference: utf8('ab'),
      conditions: [{ type: 'record-version', key: 'k', version: 3 }],
      operations: [
        { type: 'transfer', to: '33'.repeat(32) as Key, amount: 65_536n, memo: 'hi' },
        { type: 'give', key: 'k', to: '33'.repeat(32) as Key },
      ],
      signers: ['44'.repeat(32) as Key, '55'.repeat(32) as Key],
    },
    [someSignature, 'cd'.repeat(64) as Signature],
  );
  const expected = [
    '11'.repeat(32),
    '22'.repeat(32),
    '000000000007',
    '0000000000000102',
    '0000000003e8',
    '026162',
    '0101016b000000000003',
    '0002',
    `01${'33'.repeat(32)}0000000000010000026869`,
    `04016b${'33'.repeat(32)}`,
    `02${'44'.repeat(32)}${'55'.repeat(32)}`,
    'ab'.repeat(64),
    'cd'.repeat(64),
  ];
  assert.equal(toHex(made.bytes), expected.join(''));
  assert.deepEqual(fromHex(toHex(made.bytes)), made.bytes);
  assert.equal(made.hash, 'a018f56d05e9bd95501cdd6c29bb4000eea65d7b4b01d359fd5c3e034442a5b0');
});

function operationOf({ operations: [first] }: TransactionBody): Operation {
  assert.ok(first);
  return first;
}
