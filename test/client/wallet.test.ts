import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, utf8 } from '../../src/base/bytes.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { Wallet } from '../../src/client/wallet.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { verifySignature } from '../../src/crypto/verify.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { decodeTransaction, type Transaction, transactionClaims } from '../../src/ledger/transaction.ts';

const chainId = 'ab'.repeat(32) as Hash;
const otherChain = 'cd'.repeat(32) as Hash;
const alice = developmentKeyPair('alice');
const bob = developmentKeyPair('bob');
const wallet = new Wallet({ chainId, keyPair: alice });
const terms = { nonce: 7, fee: 3n, expiryHeight: toHeight(1_000) };

test('a wallet’s transfer decodes to what was asked for, and its signature holds by the consensus rule', () => {
  const made = unwrap(wallet.transfer(bob.publicKey, 500n, { ...terms, memo: 'lunch' }));
  const read = unwrap(decodeTransaction(made.bytes));
  assert.deepEqual(read, made);
  assert.deepEqual(read.operations, [{ type: 'transfer', to: bob.publicKey, amount: 500n, memo: 'lunch' }]);
  assert.deepEqual(read.signers, [alice.publicKey]);
  assert.equal(read.sender, alice.publicKey);
  assert.equal(read.chainId, chainId);
  for (const claim of transactionClaims(read)) assert.ok(verifySignature(claim, true));
});

test('the same call gives the same bytes, and any other nonce, fee, expiry or chain another hash', () => {
  const made = unwrap(wallet.put('greeting', utf8('hello'), terms));
  assert.equal(unwrap(wallet.put('greeting', utf8('hello'), terms)).hash, made.hash);
  const others = [
    wallet.put('greeting', utf8('hello'), { ...terms, nonce: 8 }),
    wallet.put('greeting', utf8('hello'), { ...terms, fee: 4n }),
    wallet.put('greeting', utf8('hello'), { ...terms, expiryHeight: toHeight(1_001) }),
    wallet.delete('greeting', terms),
    new Wallet({ chainId: otherChain, keyPair: alice }).put('greeting', utf8('hello'), terms),
  ].map((one) => unwrap(one).hash);
  assert.equal(new Set([made.hash, ...others]).size, 6);
});

test('the native signer gives the same transaction as the portable one', () => {
  const fast = new Wallet({ chainId, keyPair: alice, signer: nativeSigner(alice.secretKey) });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), (value, nonce) => {
      const exact = { ...terms, nonce };
      assert.equal(unwrap(fast.put('k', value, exact)).hash, unwrap(wallet.put('k', value, exact)).hash);
    }),
    { seed: 5, numRuns: 20 },
  );
});

test('a field outside its limits is a problem that says so, and nothing is signed', () => {
  let signed = 0;
  const counting = new Wallet({
    chainId,
    keyPair: alice,
    signer: () => {
      signed++;
      throw new Error('must not be asked');
    },
  });
  const wrong = [
    counting.transfer(bob.publicKey, 0n, terms),
    counting.transfer(bob.publicKey, 2n ** 64n, terms),
    counting.transfer(bob.publicKey, 1n, { ...terms, memo: 'x'.repeat(limits.maxMemoBytes + 1) }),
    counting.put('', utf8('x'), terms),
    counting.put('k'.repeat(limits.maxRecordKeyBytes + 1), utf8('x'), terms),
    counting.put('k', new Uint8Array(limits.maxRecordValueBytes + 1), terms),
    counting.delete('k', { ...terms, nonce: -1 }),
    counting.delete('k', { ...terms, nonce: 2 ** 48 }),
    counting.delete('k', { ...terms, fee: -1n }),
  ];
  for (const problem of wrong) {
    assert.ok(problem instanceof Problem);
    assert.match(problem.code, /^transaction\/(malformed|record-key|zero-amount)$/);
  }
  assert.equal(signed, 0);
});

test('what callers without types leave out or mistake is a problem that names it', () => {
  const untyped = wallet as unknown as Record<string, (...args: unknown[]) => Transaction | Problem>;
  for (const [call, names] of [
    [() => untyped['transfer']?.(bob.publicKey, 5n), /nonce: undefined/],
    [() => untyped['transfer']?.(bob.publicKey, 5, terms), /amount: 5 is not a big integer/],
    [() => untyped['transfer']?.(undefined, 5n, terms), /operations\/0\/to/],
    [() => untyped['put']?.(undefined, utf8('x'), terms), /operations\/0\/key: .*text/],
    [() => untyped['put']?.('k', 'v', terms), /operations\/0\/value: these are not bytes/],
    [() => untyped['build']?.(), /nonce: undefined/],
    [() => untyped['build']?.(undefined, terms), /operations\/0: unknown case/],
    [() => untyped['build']?.('put', terms), /operations\/0: unknown case/],
    [() => untyped['build']?.({ operations: 5 }, terms), /operations: this is not a list/],
    [
      () => untyped['build']?.({ type: 'set-keys', keys: 'x', threshold: 1 }, terms),
      /keys: this is not a list/,
    ],
  ] as const) {
    const problem = call();
    assert.ok(problem instanceof Problem, String(names));
    assert.equal(problem.code, 'transaction/malformed');
    assert.match(problem.message, names);
  }
});

test('JSON.stringify shows a transaction as the API does, and a problem with its message', () => {
  const made = unwrap(wallet.transfer(bob.publicKey, 2n ** 63n, { ...terms, memo: 'lunch' }));
  for (const transaction of [made, unwrap(decodeTransaction(made.bytes))]) {
    const shown = JSON.parse(JSON.stringify({ transaction })) as { transaction: Record<string, unknown> };
    const { hash, fee, operations, sender, bytes } = shown.transaction;
    assert.deepEqual([hash, fee, sender], [made.hash, '3', encodeAddress(alice.publicKey)]);
    assert.deepEqual(operations, [
      {
        type: 'transfer',
        to: encodeAddress(bob.publicKey),
        amount: '9223372036854775808',
        memo: 'lunch',
      },
    ]);
    assert.deepEqual(fromHex(String(bytes)), made.bytes);
  }
  assert.ok(!Object.keys(made).includes('toJSON'));
  const wrong = wallet.transfer('bob' as never, 5n, terms);
  assert.ok(wrong instanceof Problem);
  assert.match(JSON.stringify(wrong), /"message":"the transaction cannot be encoded: operations\/0\/to/);
  assert.match(wrong.remedy, /bigint.*parseAddress/);
});
