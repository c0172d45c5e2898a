import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import type { NamespaceMode } from '../../src/ledger/namespace.ts';
import type { SetNamespace } from '../../src/ledger/namespace-operation.ts';
import { type Operation, operationCodec } from '../../src/ledger/operation.ts';
import { namespaceOf } from '../../src/ledger/record-key.ts';
import { State } from '../../src/ledger/state.ts';
import { zeroHash } from '../../src/crypto/hash.ts';
import { execute, keyOf, stateWith, transaction } from './samples.ts';

const people = ['alice', 'bob', 'carol'];
const keysOf = (...names: string[]) => names.map(keyOf).toSorted();
const write = (key: string, value = 'x'): Operation => ({ type: 'put', key, value: utf8(value) });
const give = (key: string, to: string): Operation => ({ type: 'give', key, to: keyOf(to) });
const remove = (key: string): Operation => ({ type: 'delete', key });
const open = (name: string, mode: NamespaceMode = 'open', ...writers: string[]): Operation => ({
  type: 'open-namespace',
  name,
  mode,
  writers: keysOf(...writers),
});
const set = (name: string, change: Partial<SetNamespace>): Operation => ({
  type: 'set-namespace',
  name,
  owner: undefined,
  mode: undefined,
  writers: undefined,
  ...change,
});

/** A chain that goes on transaction by transaction. */
class Story {
  state: State = stateWith(Object.fromEntries(people.map((name) => [name, 1_000n])));
  #height = 0;

  /** What becomes of one transaction; empty when it was applied. */
  does(from: string, ...operations: Operation[]): string {
    const { nonce } = this.state.account(keyOf(from));
    this.#height += 1;
    const done = execute(this.state, [transaction({ from, nonce }, ...operations)], this.#height);
    this.state = done.state;
    return done.receipts[0]?.code ?? 'no receipt';
  }
}

const applied = '';

test('a key without a slash is of no namespace, and any other of what stands before its first one', () => {
  assert.equal(namespaceOf('deed'), undefined);
  assert.equal(namespaceOf('shop/a'), 'shop');
  assert.equal(namespaceOf('shop/a/b'), 'shop');
});

describe('a namespace', () => {
  test('is claimed once, before anything is written in it', () => {
    const story = new Story();
    assert.equal(story.does('alice', write('shop/1')), 'transaction/no-such-namespace');
    assert.equal(story.does('alice', remove('shop/1')), 'transaction/no-such-namespace');
    assert.equal(story.does('alice', give('shop/1', 'bob')), 'transaction/no-such-namespace');
    assert.equal(story.does('alice', set('shop', { mode: 'open' })), 'transaction/no-such-namespace');
    assert.equal(story.state.record('shop/1'), undefined);
    assert.equal(story.does('alice', open('shop'), write('shop/1')), applied, 'in one transaction');
    for (const from of ['alice', 'bob']) {
      assert.equal(story.does(from, open('shop')), 'transaction/namespace-taken');
    }
    assert.deepEqual(story.state.namespaceRules('shop')?.owner, keyOf('alice'));
    assert.equal(story.does('alice', write('shop/a/b')), applied, 'namespaces do not nest');
    assert.equal(story.does('alice', write('a/b')), 'transaction/no-such-namespace');
  });

  test('has nothing to do with the record of its name', () => {
    const story = new Story();
    assert.equal(story.does('bob', write('shop', 'mine')), applied);
    assert.equal(story.does('alice', open('shop', 'append-only', 'alice')), applied);
    assert.equal(story.does('bob', write('shop', 'still mine')), applied);
    assert.equal(story.does('alice', write('shop')), 'transaction/not-owner');
    assert.equal(story.does('bob', remove('shop')), applied);
    assert.equal(story.state.namespace('shop')?.entries, 0);
    assert.equal(toHex(story.state.namespace('shop')?.root ?? new Uint8Array()), zeroHash);
  });

  test('that failed to be opened with its transaction is not open', () => {
    const story = new Story();
    const broke = { type: 'transfer', to: keyOf('bob'), amount: 9_999n, memo: '' } as const;
    assert.equal(story.does('alice', open('shop'), broke), 'transaction/insufficient-balance');
    assert.equal(story.state.namespace('shop'), undefined);
    assert.equal(story.does('bob', open('shop')), applied);
  });

  test('counts every key that was ever written, deleted ones too', () => {
    const story = new Story();
    const entries = (): number | undefined => story.state.namespace('shop')?.entries;
    assert.equal(story.does('alice', open('shop'), write('shop/1'), write('shop/2')), applied);
    assert.equal(entries(), 2);
    assert.equal(story.does('alice', write('shop/1', 'y'), remove('shop/2')), applied);
    assert.equal(entries(), 2);
    assert.equal(story.state.record('shop/2'), undefined);
    assert.equal(story.does('bob', write('shop/2'), write('shop/3')), applied);
    assert.equal(entries(), 3);
    assert.deepEqual(story.state.record('shop/2')?.owner, keyOf('bob'));
    assert.equal(story.state.record('shop/2')?.version, 3);
    assert.equal(State.fromEntries(story.state.entries()).root, story.state.root);
  });
});

describe('in mode open', () => {
  test('anybody creates records, and each belongs to its creator', () => {
    const story = new Story();
    assert.equal(story.does('alice', open('shop')), applied);
    assert.equal(story.does('bob', write('shop/bob')), applied);
    assert.equal(story.does('alice', write('shop/bob')), 'transaction/not-owner');
    assert.equal(story.does('alice', remove('shop/bob')), 'transaction/not-owner');
    assert.equal(story.does('alice', give('shop/bob', 'alice')), 'transaction/not-owner');
    assert.equal(story.does('bob', give('shop/bob', 'carol')), applied);
    assert.equal(story.does('carol', write('shop/bob', 'now hers')), applied);
  });
});

describe('in mode writers', () => {
  test('they alone write, and any of them any record, which stays its creator’s', () => {
    const story = new Story();
    assert.equal(story.does('carol', open('shop', 'writers', 'alice', 'bob')), applied);
    assert.equal(story.does('carol', write('shop/1')), 'transaction/not-writer', 'the owner is no writer');
    assert.equal(story.does('alice', write('shop/1', 'a')), applied);
    assert.equal(story.does('bob', write('shop/1', 'b')), applied);
    assert.deepEqual(story.state.record('shop/1')?.owner, keyOf('alice'));
    assert.deepEqual(story.state.record('shop/1')?.value, utf8('b'));
    assert.equal(story.does('carol', remove('shop/1')), 'transaction/not-writer');
    assert.equal(story.does('carol', give('shop/1', 'carol')), 'transaction/not-writer');
    assert.equal(story.does('bob', remove('shop/2')), 'transaction/no-such-record');
    assert.equal(story.does('bob', give('shop/1', 'carol')), applied);
    assert.equal(story.does('carol', write('shop/1')), 'transaction/not-writer', 'to own is not to write');
    assert.equal(story.does('bob', remove('shop/1')), applied);
    assert.equal(story.does('bob', write('shop/1')), applied);
    assert.deepEqual(story.state.record('shop/1')?.owner, keyOf('bob'));
  });
});

describe('in mode append-only', () => {
  test('writers create records, and nobody ever changes, deletes or gives one away', () => {
    const story = new Story();
    assert.equal(story.does('alice', open('log', 'append-only', 'alice', 'bob')), applied);
    assert.equal(story.does('carol', write('log/1')), 'transaction/not-writer');
    assert.equal(story.does('bob', write('log/1')), applied);
    for (const from of ['alice', 'bob']) {
      assert.equal(story.does(from, write('log/1')), 'transaction/append-only');
      assert.equal(story.does(from, remove('log/1')), 'transaction/append-only');
      assert.equal(story.does(from, give('log/1', 'carol')), 'transaction/append-only');
    }
    assert.equal(story.does('alice', write('log/2'), write('log/2')), 'transaction/append-only');
    assert.equal(story.does('alice', remove('log/2')), 'transaction/no-such-record');
    assert.equal(story.state.record('log/1')?.version, 1);
  });

  test('it never ends, though its writers and its owner may change', () => {
    const story = new Story();
    assert.equal(story.does('alice', open('log', 'writers', 'alice')), applied);
    assert.equal(story.does('alice', write('log/1'), write('log/gone'), remove('log/gone')), applied);
    assert.equal(story.does('alice', set('log', { mode: 'append-only' })), applied);
    for (const mode of ['open', 'writers'] as const) {
      assert.equal(story.does('alice', set('log', { mode })), 'transaction/append-only');
    }
    const everybody = set('log', { mode: 'open', writers: [] });
    assert.equal(story.does('alice', everybody), 'transaction/append-only');
    assert.equal(story.does('alice', write('log/1')), 'transaction/append-only');
    assert.equal(story.does('alice', write('log/gone')), applied, 'what was deleted before is no record');
    assert.equal(story.does('alice', set('log', { mode: 'append-only', writers: keysOf('bob') })), applied);
    assert.equal(story.does('alice', write('log/2')), 'transaction/not-writer');
    assert.equal(story.does('bob', write('log/2')), applied);
    assert.equal(story.does('alice', set('log', { owner: keyOf('carol') })), applied);
    assert.equal(story.does('carol', set('log', { mode: 'open' })), 'transaction/append-only');
  });
});

describe('the rules of a namespace', () => {
  test('are changed by its owner alone, who may give it away', () => {
    const story = new Story();
    assert.equal(story.does('alice', open('shop', 'writers', 'bob')), applied);
    assert.equal(story.does('bob', set('shop', { mode: 'open' })), 'transaction/not-namespace-owner');
    assert.equal(story.does('bob', set('shop', { owner: keyOf('bob') })), 'transaction/not-namespace-owner');
    assert.equal(story.does('alice', set('shop', { owner: keyOf('bob') })), applied);
    assert.deepEqual(story.state.namespaceRules('shop')?.writers, keysOf('bob'), 'the rest stays as it is');
    assert.equal(story.does('alice', set('shop', { mode: 'open' })), 'transaction/not-namespace-owner');
    assert.equal(story.does('bob', set('shop', { writers: keysOf('alice', 'carol') })), applied);
    assert.equal(story.does('bob', write('shop/1')), 'transaction/not-writer');
    assert.equal(story.does('carol', write('shop/1')), applied);
  });

  test('count from the next operation on', () => {
    const story = new Story();
    assert.equal(story.does('alice', open('shop', 'writers', 'bob')), applied);
    const me = set('shop', { writers: keysOf('alice') });
    assert.equal(story.does('alice', me, write('shop/1'), set('shop', { mode: 'open' })), applied);
    assert.equal(story.does('carol', write('shop/2')), applied);
  });

  test('name writers just where the mode asks for them', () => {
    const story = new Story();
    assert.equal(story.does('alice', open('shop')), applied);
    for (const mode of ['writers', 'append-only'] as const) {
      assert.equal(story.does('alice', set('shop', { mode })), 'transaction/namespace-writers');
    }
    assert.equal(
      story.does('alice', set('shop', { writers: keysOf('bob') })),
      'transaction/namespace-writers',
    );
    assert.equal(story.does('alice', set('shop', { mode: 'writers', writers: keysOf('bob') })), applied);
    assert.equal(story.does('alice', set('shop', { writers: [] })), 'transaction/namespace-writers');
    assert.equal(story.does('alice', set('shop', { mode: 'open' })), applied);
    assert.deepEqual(story.state.namespaceRules('shop')?.writers, []);
    assert.equal(story.does('carol', write('shop/1')), applied);
  });

  test('leave records to their owners when everybody may write again', () => {
    const story = new Story();
    assert.equal(story.does('alice', open('shop', 'writers', 'alice', 'bob'), write('shop/1')), applied);
    assert.equal(story.does('alice', set('shop', { mode: 'open' })), applied);
    assert.equal(story.does('bob', write('shop/1')), 'transaction/not-owner');
    assert.equal(story.does('alice', write('shop/1')), applied);
  });
});

describe('an operation on a namespace', () => {
  const codeOf = (operation: Operation): string => {
    try {
      const decoded = decode(operationCodec, encode(operationCodec, operation), 'operation');
      return decoded instanceof Problem ? decoded.code : 'fine';
    } catch (error) {
      const { cause } = error as Error;
      return cause instanceof Problem ? cause.code : (error as Problem).code;
    }
  };

  test('has a name that can be the first segment of a key', () => {
    for (const name of ['', '.', '..', '/', 'a/b', 'a/', '/a']) {
      assert.equal(codeOf(open(name)), 'transaction/namespace-name', name);
      assert.equal(codeOf(set(name, { mode: 'open' })), 'transaction/namespace-name', name);
    }
    const longest = 'n'.repeat(limits.maxNamespaceNameBytes);
    for (const name of ['a', '...', ' ', 'é', longest]) assert.equal(codeOf(open(name)), 'fine', name);
    assert.notEqual(codeOf(open(`${longest}n`)), 'fine');
  });

  test('lists each writer once, in order, not too many, and just where the mode asks for them', () => {
    const [first, second] = keysOf('a', 'b') as [ReturnType<typeof keyOf>, ReturnType<typeof keyOf>];
    const many = (count: number) => keysOf(...Array.from({ length: count }, (_, i) => `w${i}`));
    for (const [mode, writers, code] of [
      ['writers', [first, second], 'fine'],
      ['append-only', many(limits.maxNamespaceWriters), 'fine'],
      ['open', [], 'fine'],
      ['writers', many(limits.maxNamespaceWriters + 1), 'transaction/namespace-writers'],
      ['writers', [first, first], 'transaction/namespace-writers'],
      ['writers', [second, first], 'transaction/namespace-writers'],
      ['writers', [], 'transaction/namespace-writers'],
      ['append-only', [], 'transaction/namespace-writers'],
      ['open', [first], 'transaction/namespace-writers'],
    ] as const) {
      const opening = { type: 'open-namespace', name: 'n', mode, writers } as const;
      assert.equal(codeOf(opening), code, `${mode} ${writers.length}`);
      assert.equal(codeOf(set('n', { mode, writers })), code, `${mode} ${writers.length}`);
    }
    assert.throws(() => encode(operationCodec, set('n', {})), /it changes nothing/);
  });
});

test('entries may come as Buffers, as a store gives them: they stay as they are, and the state is the same', () => {
  const story = new Story();
  assert.equal(story.does('alice', open('shop'), write('shop/1'), write('shop/2')), applied);
  const entries = [...story.state.entries()];
  const buffers = entries.map(([key, value]) => [Buffer.from(key), Buffer.from(value)] as const);
  assert.equal(State.fromEntries(buffers).root, story.state.root);
  assert.equal(State.empty.with(buffers.map(([key, value]) => ({ key, value }))).root, story.state.root);
  for (const [key] of buffers) assert.notEqual(story.state.get(key), undefined);
  assert.deepEqual(
    buffers.map(([key, value]) => [toHex(key), toHex(value)]),
    entries.map(([key, value]) => [toHex(key), toHex(value)]),
  );
});
