import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { contentFromJson } from '../../src/client/content-json.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { conditionJson } from '../../src/ledger/condition.ts';
import { operationJson } from '../../src/ledger/operation-json.ts';

const bob = developmentKeyPair('bob').publicKey;
const carol = developmentKeyPair('carol').publicKey;
const address = encodeAddress(bob);
const hash = 'ab'.repeat(32);

const operations = [
  { type: 'transfer', to: address, amount: '5', memo: 'hi' },
  { type: 'put', key: 'a/b', value: '00ff' },
  { type: 'delete', key: 'a' },
  { type: 'give', key: 'a', to: address },
  { type: 'set-keys', keys: [bob, carol].toSorted().map(encodeAddress), threshold: 2, force: true },
  { type: 'open-namespace', name: 'shop', mode: 'open', writers: [] },
  {
    type: 'open-namespace',
    name: 'shop',
    mode: 'append-only',
    writers: [bob, carol].toSorted().map(encodeAddress),
  },
  { type: 'set-namespace', name: 'shop', owner: null, mode: 'writers', writers: [address] },
  { type: 'set-namespace', name: 'shop', owner: address, mode: null, writers: null },
  { type: 'reserve', to: address, amount: '5', expiryHeight: 900, memo: 'order 7' },
  { type: 'post', reservation: `${address}:7:255`, amount: '4' },
  { type: 'void', reservation: `${address}:281474976710655:0` },
];
const conditions = [
  { type: 'record-version', key: 'a', version: 3 },
  { type: 'record-absent', key: 'b' },
  { type: 'record-exists', key: 'c' },
  { type: 'record-hash', key: 'c', hash },
  { type: 'balance-at-least', account: address, amount: '18446744073709551615' },
  { type: 'height-at-most', height: 9 },
  { type: 'time-at-most', time: 1_767_225_600_000 },
];

test('what the API shows of operations and conditions is read back as it is', () => {
  const content = unwrap(contentFromJson({ operations, conditions, reference: '0a0b' }));
  assert.deepEqual(content.operations.map(operationJson), operations);
  assert.deepEqual((content.conditions ?? []).map(conditionJson), conditions);
  assert.deepEqual(content.reference, Uint8Array.of(10, 11));
});

test('text stands for a value, memos and conditions may be left out, and keys come in any order', () => {
  const keys = [bob, carol].toSorted().toReversed();
  const content = unwrap(
    contentFromJson({
      operations: [
        { type: 'put', key: 'k', text: 'grüße' },
        { type: 'transfer', to: bob, amount: '1' },
        { type: 'set-keys', keys, threshold: 1 },
      ],
    }),
  );
  assert.deepEqual(content, {
    operations: [
      { type: 'put', key: 'k', value: utf8('grüße') },
      { type: 'transfer', to: bob, amount: 1n, memo: '' },
      { type: 'set-keys', keys: keys.toSorted(), threshold: 1, force: false },
    ],
    conditions: [],
    reference: new Uint8Array(),
  });
});

test('what is wrong is named by its place, and nothing unknown is passed over', () => {
  const put = { type: 'put', key: 'k', text: 'v' };
  const wrong: readonly [unknown, RegExp][] = [
    [null, /the content is no object/],
    [[], /the content is no object/],
    [{}, /operations is no list/],
    [{ operations: [] }, /operations is empty/],
    [{ operations: [put], condition: [] }, /unknown field "condition"/],
    [{ operations: [7] }, /operations\[0\] is no object/],
    [{ operations: [{}] }, /operations\[0\]\.type undefined is no operation/],
    [{ operations: [put, { type: 'pay' }] }, /operations\[1\]\.type "pay"/],
    [{ operations: [{ ...put, keyy: 'x' }] }, /operations\[0\] has the unknown field "keyy"/],
    [{ operations: [{ ...put, value: '00' }] }, /operations\[0\] needs either "value" \(hex\) or "text"/],
    [{ operations: [{ type: 'put', key: 'k' }] }, /needs either/],
    [{ operations: [{ type: 'put', key: 'k', value: '0G' }] }, /operations\[0\]\.value is no text of lower/],
    [{ operations: [{ type: 'put', key: 7, text: '' }] }, /operations\[0\]\.key is no text/],
    [{ operations: [{ type: 'transfer', to: address, amount: 5 }] }, /\.amount is no amount .* in quotes/],
    [{ operations: [{ type: 'transfer', to: address, amount: '1e3' }] }, /\.amount is no amount/],
    [{ operations: [{ type: 'transfer', to: 'bob', amount: '5' }] }, /operations\[0\]\.to: /],
    [{ operations: [{ type: 'set-keys', keys: address, threshold: 1 }] }, /\.keys is no list/],
    [{ operations: [{ type: 'set-keys', keys: [], threshold: 0.5 }] }, /\.threshold is no whole number/],
    [{ operations: [{ type: 'set-keys', keys: [], threshold: 1, force: 'yes' }] }, /\.force is no boolean/],
    [{ operations: [put], conditions: [{ type: 'x' }] }, /conditions\[0\]\.type "x" is no condition/],
    [
      { operations: [put], conditions: [{ type: 'record-hash', key: 'k', hash: 'AB' }] },
      /conditions\[0\]\.hash/,
    ],
    [{ operations: [put], reference: 'text' }, /reference is no text of lower-case hex/],
  ];
  for (const [json, expected] of wrong) {
    const problem = contentFromJson(json);
    assert.ok(problem instanceof Problem && problem.code === 'transaction/content');
    assert.match(problem.message, expected);
  }
});
