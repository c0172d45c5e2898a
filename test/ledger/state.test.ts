import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat, fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';
import { type Hash, sha256, zeroHash } from '../../src/crypto/hash.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import {
  accountStateKey,
  decodeAccount,
  encodeAccount,
  encodeRecord,
  namespaceStateKey,
  recordStateKey,
  type StateChange,
  statePath,
  writeStatePath,
  noAccount,
  type RecordEntry,
} from '../../src/ledger/state-entry.ts';
import {
  hashValue,
  type StateProof,
  stateProofCodec,
  verifyStateProof,
} from '../../src/ledger/state-proof.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { bitAt } from '../../src/ledger/path-range.ts';
import { encodeNamespaceRules, type NamespaceRules } from '../../src/ledger/namespace.ts';
import { State } from '../../src/ledger/state.ts';
import { hashOf, keyOf, pairHashOf, stateWith, zeroBytes } from './samples.ts';

/** Few keys, so that changes meet each other. */
const changeOf = fc
  .tuple(fc.nat(40), fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: null }))
  .map(([number, value]): StateChange => ({ key: recordStateKey(`record ${number}`), value }));
const batches = fc.array(fc.array(changeOf, { maxLength: 15 }), { maxLength: 8 });

type Model = Map<string, Uint8Array>;

function applyToModel(model: Model, changes: readonly StateChange[]): void {
  for (const { key, value } of changes) {
    if (value === null) model.delete(toHex(key));
    else model.set(toHex(key), value);
  }
}

/** A state as text, to see whether it changed. */
const show = (state: State): string =>
  JSON.stringify([...state.entries()].map(([key, value]) => [toHex(key), toHex(value)]));

const fromModel = (model: Model): State =>
  State.fromEntries([...model].map(([key, value]) => [fromHex(key), value] as const));

test('an empty state has the zero root, no accounts and no records', () => {
  assert.equal(State.empty.root, zeroHash);
  assert.deepEqual(State.empty.account(keyOf('alice')), noAccount);
  assert.equal(State.empty.record('anything'), undefined);
  assert.equal(State.fromEntries([]).root, zeroHash);
});

test('accounts and records are read as they were written', () => {
  const keys = { keys: [keyOf('a'), keyOf('b')].toSorted(), threshold: 2 };
  const account = { balance: 2n ** 64n - 1n, nonce: 2 ** 48 - 1, held: 2n ** 64n - 1n, keys };
  const record: RecordEntry = {
    type: 'record',
    owner: keyOf('alice'),
    value: utf8('deed of the house'),
    version: 2 ** 48 - 1,
    changed: { height: toHeight(2 ** 48 - 1), transaction: 4_095, operation: 255 },
    previous: { height: toHeight(0), transaction: 0, operation: 0 },
  };
  const rules: NamespaceRules = { owner: keyOf('alice'), mode: 'writers', writers: [keyOf('bob')] };
  const state = State.empty.with([
    { key: accountStateKey(keyOf('alice')), value: encodeAccount(account) },
    { key: recordStateKey('house/1'), value: encodeRecord(record) },
    { key: recordStateKey('house'), value: encodeRecord({ ...record, version: 1 }) },
    { key: namespaceStateKey('house'), value: encodeNamespaceRules(rules) },
  ]);
  assert.deepEqual(state.account(keyOf('alice')), account);
  assert.deepEqual(state.record('house/1'), record);
  assert.deepEqual(
    state.record('house')?.version,
    1,
    'a record that is called as a namespace is another thing',
  );
  assert.equal(state.namespace('house')?.entries, 1);
  assert.deepEqual(state.namespaceRules('house')?.writers, rules.writers);
  assert.equal(state.namespace('house/1'), undefined);
  assert.deepEqual(state.account(keyOf('bob')), noAccount);
  assert.equal(encodeAccount({ ...noAccount, balance: 0n }), null, 'an account that never was has no entry');
  assert.notEqual(encodeAccount({ ...noAccount, nonce: 1 }), null, 'an emptied account keeps its nonce');
});

test('many accounts are read as one after the other: plain ones, those with more, and those that are not there', () => {
  const [keyed, holder] = [keyOf('with keys'), keyOf('with something held')];
  const keys = { keys: [keyed, holder].toSorted(), threshold: 2 };
  const unusual = new Map([
    [keyed, { balance: 5n, held: 0n, nonce: 1, keys }],
    [holder, { balance: 5n, held: 7n, nonce: 2, keys: undefined }],
  ]);
  const crowd = Array.from({ length: 1_000 }, (_, i) => keyOf(`one of many ${i}`));
  const all = [
    ...crowd.map((key, i) => [key, { balance: BigInt(i), held: 0n, nonce: i, keys: undefined }] as const),
    ...unusual,
  ];
  const entries = all.map(([key, account]) => [accountStateKey(key), encodeAccount(account)] as const);
  const state = State.fromEntries(entries.flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
  // One that it remembers already.
  state.account(crowd[300] as PublicKey);
  for (const asked of [
    [],
    [keyed],
    [keyOf('nobody')],
    [...crowd.slice(0, 256), keyOf('nobody'), keyed, ...crowd.slice(250), holder, keyOf('nobody else')],
  ]) {
    assert.deepEqual(
      state.peekAccounts(asked),
      asked.map((key) => state.peekAccount(key)),
    );
    assert.deepEqual(
      State.empty.peekAccounts(asked),
      asked.map(() => noAccount),
    );
  }
  assert.deepEqual(state.peekAccounts([...unusual.keys()]), [...unusual.values()]);
});

test('a path is the hash of the whole key, whichever others were asked for before it', () => {
  const prefix = utf8('quorate/v1/state-key\0');
  const keys = [
    accountStateKey('0'.repeat(64) as PublicKey),
    // The same first bits of the key, another kind, another length: none is taken for another.
    ...['ab', 'cd', 'cdcd'].map((end) => accountStateKey(`1234${end.padStart(60, '0')}` as PublicKey)),
    accountStateKey(`1235${'0'.repeat(60)}` as PublicKey),
    recordStateKey('r'.repeat(32)),
    accountStateKey(`1234${'cd'.padStart(60, '0')}` as PublicKey).slice(0, 32),
    Uint8Array.of(1),
  ];
  for (const key of [...keys, ...keys.toReversed(), ...keys]) {
    const room = new Uint8Array(40);
    writeStatePath(key, room, 5);
    assert.deepEqual(room.slice(5, 37), sha256(concat(prefix, key)));
    assert.deepEqual([...room.slice(0, 5), ...room.slice(37)], Array(8).fill(0));
  }
});

test('an account and a record never share a key, whatever the record is called', () => {
  const raw = String.fromCharCode(...fromHex('61'.repeat(32)));
  assert.notDeepEqual(accountStateKey(hashOf('x') as never), recordStateKey(raw));
  assert.notEqual(toHex(accountStateKey('61'.repeat(32) as never)), toHex(recordStateKey(raw)));
});

test('the state does what a map does, and its root depends on the entries alone', () => {
  fc.assert(
    fc.property(batches, (runs) => {
      const model: Model = new Map();
      let state = State.empty;
      for (const changes of runs) {
        state = state.with(changes);
        applyToModel(model, changes);
      }
      for (let number = 0; number <= 40; number++) {
        const key = recordStateKey(`record ${number}`);
        assert.deepEqual(state.get(key), model.get(toHex(key)));
      }
      const listed = [...state.entries()].map(([key, value]) => [toHex(key), value] as const);
      assert.deepEqual(new Map(listed), model);
      const reversed = [...model].toReversed();
      assert.equal(state.root, fromModel(model).root);
      assert.equal(state.root, fromModel(new Map(reversed)).root);
      let oneByOne = State.empty;
      for (const [key, value] of reversed) oneByOne = oneByOne.with([{ key: fromHex(key), value }]);
      assert.equal(state.root, oneByOne.root);
    }),
    { seed: 31, numRuns: 150 },
  );
});

test('states are values: what comes later changes neither their entries nor their root', () => {
  fc.assert(
    fc.property(batches, fc.boolean(), (runs, readEarly) => {
      const kept: { state: State; entries: string; root: Hash | undefined }[] = [];
      let state = State.empty;
      for (const changes of runs) {
        state = state.with(changes);
        kept.push({ state, entries: show(state), root: readEarly ? state.root : undefined });
      }
      for (const { state: old, entries, root } of kept) {
        assert.equal(show(old), entries);
        assert.equal(old.root, State.fromEntries(old.entries()).root);
        if (root !== undefined) assert.equal(old.root, root);
      }
    }),
    { seed: 32, numRuns: 80 },
  );
});

test('undoing changes restores the earlier root', () => {
  fc.assert(
    fc.property(fc.array(changeOf), fc.array(changeOf), (first, second) => {
      const before = State.empty.with(first);
      const after = before.with(second);
      const undo = second.map(({ key }) => ({ key, value: before.get(key) ?? null }));
      assert.equal(after.with(undo).root, before.root);
    }),
    { seed: 33, numRuns: 150 },
  );
});

test('of two changes to one key in one batch the later counts', () => {
  const key = recordStateKey('k');
  const once = State.empty.with([{ key, value: utf8('two') }]);
  const twice = State.empty.with([
    { key, value: utf8('one') },
    { key, value: utf8('two') },
  ]);
  assert.equal(twice.root, once.root);
  assert.equal(
    once.with([
      { key, value: utf8('x') },
      { key, value: null },
    ]).root,
    zeroHash,
  );
});

test('every entry has a proof of presence, every other key one of absence', () => {
  fc.assert(
    fc.property(fc.array(changeOf, { maxLength: 60 }), (changes) => {
      const state = State.empty.with(changes);
      const root = state.root;
      for (let number = 0; number <= 45; number++) {
        const key = recordStateKey(`record ${number}`);
        const value = state.get(key) ?? null;
        const proof = state.prove(key);
        assert.ok(verifyStateProof({ root, key, value, proof }));
        assert.ok(!verifyStateProof({ root, key, value: value === null ? utf8('x') : null, proof }));
      }
    }),
    { seed: 34, numRuns: 100 },
  );
});

const isSame = (one: Uint8Array | undefined, other: Uint8Array): boolean =>
  one !== undefined && toHex(one) === toHex(other);

/** A state with enough entries that absent keys meet both an empty place and the leaf of another key. */
const crowd = stateWith(
  Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`holder ${i}`, BigInt(i + 1)])),
);
const strangers = Array.from({ length: 100 }, (_, i) => accountStateKey(keyOf(`stranger ${i}`)));
const presentKey = accountStateKey(keyOf('holder 7'));

test('both kinds of absence occur, and both are proven', () => {
  const kinds = new Set<string>();
  for (const key of strangers) {
    const proof = crowd.prove(key);
    kinds.add(proof.other === undefined ? 'empty place' : 'another leaf');
    assert.ok(verifyStateProof({ root: crowd.root, key, value: null, proof }));
  }
  assert.deepEqual(kinds, new Set(['empty place', 'another leaf']));
});

test('a proof of one key says nothing about another key', () => {
  const root = crowd.root;
  const value = crowd.get(presentKey) as Uint8Array;
  const proof = crowd.prove(presentKey);
  for (const key of strangers) {
    assert.equal(verifyStateProof({ root, key, value, proof }), false);
    assert.equal(verifyStateProof({ root, key, value: null, proof }), false);
  }
  const empty = strangers.find((key) => crowd.prove(key).other === undefined) as Uint8Array;
  assert.equal(verifyStateProof({ root, key: presentKey, value: null, proof: crowd.prove(empty) }), false);
});

test('a leaf that is there cannot be denied by calling it "another leaf"', () => {
  const value = crowd.get(presentKey) as Uint8Array;
  const { siblings } = crowd.prove(presentKey);
  const stranger = strangers.find((key) => crowd.prove(key).other !== undefined) as Uint8Array;
  const own = { path: statePath(presentKey), valueHash: hashValue(value) };
  for (const other of [own, crowd.prove(stranger).other]) {
    assert.equal(
      verifyStateProof({ root: crowd.root, key: presentKey, value: null, proof: { siblings, other } }),
      false,
    );
    assert.equal(
      verifyStateProof({ root: crowd.root, key: presentKey, value, proof: { siblings, other } }),
      false,
      'presence has one form: without another leaf',
    );
  }
});

test('a leaf elsewhere in the tree is no proof of absence here: it must stand where the key would', () => {
  // A true leaf with its true siblings, claimed for keys whose way leads elsewhere.
  const { siblings } = crowd.prove(presentKey);
  const path = statePath(presentKey);
  const valueHash = hashValue(crowd.get(presentKey) as Uint8Array);
  const proof = { siblings, other: { path, valueHash } };
  for (const key of strangers) {
    const standsThere = isSame(crowd.prove(key).other?.path, path);
    assert.equal(verifyStateProof({ root: crowd.root, key, value: null, proof }), standsThere);
  }
});

test('every proof with one byte changed anywhere, or one level more or less, fails', () => {
  const root = crowd.root;
  const keys = [presentKey, ...strangers.slice(0, 8)];
  for (const key of keys) {
    const value = crowd.get(key) ?? null;
    const proof = crowd.prove(key);
    const bytes = encode(stateProofCodec, proof);
    for (let at = 0; at < bytes.length; at++) {
      for (const difference of [1 << (at % 8), 0xff, (at * 31 + 7) & 0xff || 1]) {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] as number) ^ difference;
        const decoded = decode(stateProofCodec, damaged, 'proof');
        if (decoded instanceof Problem) continue;
        for (const claimed of [value, null, utf8('x')]) {
          assert.equal(verifyStateProof({ root, key, value: claimed, proof: decoded }), false, `byte ${at}`);
        }
      }
    }
    const longer: StateProof = { ...proof, siblings: [...proof.siblings, zeroBytes] };
    const shorter: StateProof = { ...proof, siblings: proof.siblings.slice(0, -1) };
    assert.equal(verifyStateProof({ root, key, value, proof: longer }), false);
    assert.equal(verifyStateProof({ root, key, value, proof: shorter }), false);
    assert.equal(verifyStateProof({ root: hashOf('other root'), key, value, proof }), false);
  }
  const value = crowd.get(presentKey) as Uint8Array;
  const proof = crowd.prove(presentKey);
  for (let at = 0; at < value.length; at++) {
    const other = value.slice();
    other[at] = (other[at] as number) ^ 1;
    assert.equal(verifyStateProof({ root, key: presentKey, value: other, proof }), false);
  }
});

test('a branch is no leaf and a leaf no branch: no proof goes on below a leaf, or ends above it', () => {
  const root = crowd.root;
  const value = crowd.get(presentKey) as Uint8Array;
  const path = statePath(presentKey);
  const { siblings } = crowd.prove(presentKey);
  const tries: StateProof[] = [];
  // What a leaf is made of, as if it were the children of a branch: below it all would be absent.
  for (const below of [hashValue(value), path, zeroBytes]) {
    tries.push({ siblings: [...siblings, below], other: undefined });
  }
  // The children of a branch on the way, as if they were path and value hash of another leaf.
  for (let depth = 0; depth < siblings.length; depth++) {
    const sibling = siblings[depth] as Uint8Array;
    const beside = siblings.slice(0, depth);
    for (const other of [
      { path: sibling, valueHash: sibling },
      { path, valueHash: sibling },
      { path: sibling, valueHash: hashValue(value) },
    ]) {
      tries.push({ siblings: beside, other });
    }
    tries.push({ siblings: beside, other: undefined });
  }
  for (const proof of tries) {
    assert.equal(verifyStateProof({ root, key: presentKey, value: null, proof }), false);
    for (const claimed of [siblings.at(-1), path, hashValue(value)]) {
      assert.equal(verifyStateProof({ root, key: presentKey, value: claimed ?? null, proof }), false);
    }
  }
});

test('a record whose value is made to look like a branch is a leaf all the same', () => {
  // The message that its value is hashed in has 64 bytes, as a branch's: it is never a node by itself.
  const filler = new Uint8Array(64 - 'quorate/v1/state-value'.length - 1).fill(7);
  const key = recordStateKey('forged');
  const state = crowd.with([{ key, value: filler }]);
  const { siblings } = state.prove(key);
  assert.ok(
    verifyStateProof({ root: state.root, key, value: filler, proof: { siblings, other: undefined } }),
  );
  for (const below of [filler.slice(-32), zeroBytes]) {
    const proof = { siblings: [...siblings, below], other: undefined };
    assert.equal(verifyStateProof({ root: state.root, key, value: null, proof }), false);
  }
});

test('nonsense where a proof should be is answered with false, and oversized proofs are not even decoded', () => {
  const claim = { root: crowd.root, key: presentKey, value: null };
  for (const nonsense of ['nonsense', 7, null, undefined, new Uint8Array(31), new Uint8Array(33)]) {
    const bytes = nonsense as Uint8Array;
    assert.equal(verifyStateProof({ ...claim, proof: { siblings: [bytes], other: undefined } }), false);
    const other = { path: bytes, valueHash: bytes };
    assert.equal(verifyStateProof({ ...claim, proof: { siblings: [], other } }), false);
  }
  const text = 'nonsense' as string as Hash;
  assert.equal(verifyStateProof({ ...claim, root: text, proof: { siblings: [], other: undefined } }), false);
  const endless = { siblings: Array.from({ length: 257 }, () => zeroBytes), other: undefined };
  assert.equal(verifyStateProof({ ...claim, proof: endless }), false);
  // Even when somebody made a root to match: no path has a 257th bit.
  const path = statePath(presentKey);
  let made = zeroBytes;
  for (let depth = 256; depth >= 0; depth--) {
    made = bitAt(path, depth) === 0 ? pairHashOf(made, zeroBytes) : pairHashOf(zeroBytes, made);
  }
  assert.equal(verifyStateProof({ ...claim, root: toHex(made) as Hash, proof: endless }), false);
  assert.throws(() => encode(stateProofCodec, endless));
  const tooLong = new Uint8Array(2 + 257 * 32 + 1);
  tooLong.set([1, 1]);
  assert.ok(decode(stateProofCodec, tooLong, 'proof') instanceof Problem);
});

test('proofs survive their codec', () => {
  for (const key of [presentKey, ...strangers]) {
    const proof = crowd.prove(key);
    assert.deepEqual(decode(stateProofCodec, encode(stateProofCodec, proof), 'proof'), proof);
  }
});

test('a value that is no account stops the program: storage and proofs have vouched for it', () => {
  assert.throws(() => decodeAccount(Uint8Array.of(1, 2, 3)), /broken invariant/);
});

const value = (i: number): Uint8Array | null =>
  encodeAccount({ ...noAccount, balance: BigInt(i + 1), nonce: 1 });

test('10,000 accounts take 1,000 updates in a small part of a block', (t) => {
  const names = Array.from({ length: 10_000 }, (_, i) => accountStateKey(keyOf(`n${i}`)));
  let state = State.empty.with(names.map((key, i) => ({ key, value: value(i) })));
  void state.root;
  const times: number[] = [];
  for (let round = 1; round <= 9; round++) {
    const changes = names.slice(0, 1_000).map((key, i) => ({ key, value: value(i + round) }));
    const begin = process.cpuUsage();
    state = state.with(changes);
    void state.root;
    times.push(process.cpuUsage(begin).user / 1_000);
  }
  const median = times.toSorted((a, b) => a - b)[4] as number;
  t.diagnostic(`1,000 updates: ${median.toFixed(1)} ms`);
  // Processor time, far above what it needs: catches work that grows with the square, not a neighbour.
  assert.ok(median < 1_000, `took ${median} ms`);
});

test('the version of a record is read without its value', () => {
  const changed = { height: toHeight(1), transaction: 0, operation: 0 };
  const record = (value: Uint8Array, version: number): Uint8Array =>
    encodeRecord({ type: 'record', owner: keyOf('alice'), value, version, changed, previous: undefined });
  const rules = encodeNamespaceRules({ owner: keyOf('alice'), mode: 'open', writers: [] });
  const long = 'k'.repeat(120);
  const versions = new Map([
    ['empty', record(new Uint8Array(0), 1)],
    ['small', record(utf8('x'), 2 ** 48 - 1)],
    ['large', record(new Uint8Array(4_096).fill(1), 258)],
    [long, record(new Uint8Array(4_096).fill(1), 3)],
    ['shop/large', record(new Uint8Array(4_096).fill(1), 4)],
    ['gone', encodeRecord({ type: 'tombstone', version: 7, changed, previous: undefined })],
  ]);
  const state = State.empty.with([
    { key: namespaceStateKey('shop'), value: rules },
    ...[...versions].map(([key, value]) => ({ key: recordStateKey(key), value })),
  ]);
  for (const key of [...versions.keys(), 'never', 'shop/never', 'closed/never']) {
    assert.equal(state.recordVersion(key), state.record(key)?.version ?? 0, key);
  }
  assert.deepEqual(
    [...versions.keys()].map((key) => state.recordVersion(key)),
    [1, 2 ** 48 - 1, 258, 3, 4, 0],
  );
});
