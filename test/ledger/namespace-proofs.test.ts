import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { compareBytes, utf8 } from '../../src/base/bytes.ts';
import { type Codec, decode, encode } from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';
import { hashToBytes } from '../../src/crypto/hash.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { type Listing, listingProofCodec, verifyListing } from '../../src/ledger/listing-proof.ts';
import { encodeNamespaceRules } from '../../src/ledger/namespace.ts';
import { verifyNamespaceProof } from '../../src/ledger/namespace-proof.ts';
import { proveRecord, recordProofCodec, verifyRecordProof } from '../../src/ledger/record-proof.ts';
import {
  accountStateKey,
  encodeAccount,
  encodeRecord,
  namespaceStateKey,
  noAccount,
  recordStateKey,
  statePath,
  writeStatePath,
} from '../../src/ledger/state-entry.ts';
import { hashValue, verifyStateProof, verifyTreeProof } from '../../src/ledger/state-proof.ts';
import { StateTree } from '../../src/ledger/state-tree.ts';
import { State } from '../../src/ledger/state.ts';
import { hashOf, keyOf } from './samples.ts';

const valueOf = (text: string): Uint8Array =>
  encodeRecord({
    type: 'record',
    owner: keyOf('alice'),
    value: utf8(text),
    version: 1,
    changed: { height: toHeight(1), transaction: 0, operation: 0 },
    previous: undefined,
  });

const rules = (owner: string): Uint8Array =>
  encodeNamespaceRules({ owner: keyOf(owner), mode: 'open', writers: [] });

/** A state with namespaces of so many records, and other things around them. */
function stateOf(sizes: Readonly<Record<string, number>>): State {
  const others = Array.from({ length: 20 }, (_, i) => ({
    key: accountStateKey(keyOf(`holder ${i}`)),
    value: encodeAccount({ ...noAccount, balance: 1n }),
  }));
  const spaces = Object.entries(sizes).flatMap(([name, size]) => [
    { key: namespaceStateKey(name), value: rules(name) },
    ...Array.from({ length: size }, (_, i) => ({
      key: recordStateKey(`${name}/${i}`),
      value: valueOf(`${i}`),
    })),
  ]);
  return State.empty.with([...others, ...spaces]);
}

const sizes = { empty: 0, one: 1, few: 5, many: 24 };
const state = stateOf(sizes);
const root = state.root;
const name = fc.constantFrom(...Object.keys(sizes));

/** Every byte of an encoded proof, changed one at a time: what still decodes. */
function* damaged<T>(codec: Codec<T>, proof: T): Generator<T> {
  const bytes = encode(codec, proof);
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ (1 << (at % 8));
    const decoded = decode(codec, changed, 'proof');
    if (!(decoded instanceof Problem)) yield decoded;
  }
}

/** The same listing with one byte of it changed, one entry less, more, or elsewhere. */
function* altered(listing: Listing): Generator<Listing> {
  const { entries, complete } = listing;
  yield { entries, complete: !complete };
  yield { entries: [...entries, { key: 'few/more', value: valueOf('x') }], complete };
  for (const [at, { key, value }] of entries.entries()) {
    const put = (...middle: Listing['entries']): Listing => ({
      entries: [...entries.slice(0, at), ...middle, ...entries.slice(at + 1)],
      complete,
    });
    yield put();
    yield put({ key, value }, { key, value });
    yield put({ key: `${key}x`, value });
    yield put({ key: key.replace('/', ''), value });
    for (let i = at % 5; i < value.length; i += 5) {
      const changed = value.slice();
      changed[i] = (changed[i] as number) ^ 1;
      yield put({ key, value: changed });
    }
  }
  if (entries.length > 1) yield { entries: entries.toReversed(), complete };
}

describe('a record of a namespace', () => {
  test('is proven present or absent, and nothing else is', () => {
    fc.assert(
      fc.property(name, fc.integer({ min: 0, max: 40 }), (space, number) => {
        const key = `${space}/${number}`;
        const proof = proveRecord(state, key).proof;
        const value = state.get(recordStateKey(key)) ?? null;
        assert.equal(value !== null, number < sizes[space as keyof typeof sizes]);
        assert.ok(verifyRecordProof({ root, key, entry: value, proof }));
        const other = value === null ? valueOf('x') : null;
        assert.ok(!verifyRecordProof({ root, key, entry: other, proof }));
        assert.ok(!verifyRecordProof({ root, key: `${key}0`, entry: valueOf('x'), proof }));
        assert.ok(!verifyRecordProof({ root, key: `${number}`, entry: value, proof }));
        assert.ok(!verifyRecordProof({ root: hashOf('other'), key, entry: value, proof }));
        const { namespace, record } = proof;
        assert.ok(!verifyRecordProof({ root, key, entry: value, proof: { namespace: undefined, record } }));
        assert.ok(!verifyRecordProof({ root, key, entry: value, proof: { namespace, record: undefined } }));
      }),
      { seed: 81, numRuns: 300 },
    );
  });

  test('has a proof of which no byte can be another', () => {
    for (const key of ['one/0', 'few/3', 'many/17', 'many/61', 'empty/0', 'none/0']) {
      const value = state.get(recordStateKey(key)) ?? null;
      let tried = 0;
      for (const proof of damaged(recordProofCodec, proveRecord(state, key).proof)) {
        assert.ok(!verifyRecordProof({ root, key, entry: value, proof }), key);
        tried += 1;
      }
      assert.ok(tried > 32);
    }
  });

  test('is absent where its namespace was never opened, by the proof that it was not', () => {
    const proof = proveRecord(state, 'none/0').proof;
    assert.deepEqual([proof.namespace?.value, proof.record], [null, undefined]);
    assert.ok(verifyRecordProof({ root, key: 'none/0', entry: null, proof }));
    // An open namespace is not shown as one that is not: its record would be gone.
    const hidden = { namespace: { ...state.proveNamespace('few'), value: null }, record: undefined };
    assert.ok(!verifyRecordProof({ root, key: 'few/1', entry: null, proof: hidden }));
  });

  test('is proven neither present nor absent by the main tree alone, where it never stands', () => {
    const key = recordStateKey('few/1');
    assert.throws(() => state.prove(key));
    // An honest proof that nothing stands at that path of the main tree.
    const empty = stateOf({});
    assert.ok(
      verifyRecordProof({ root, key: 'plain', entry: null, proof: proveRecord(state, 'plain').proof }),
    );
    // Honest of the main tree, where such a record never stands, and a lie about the state.
    const entries = [...empty.entries()].map(([at, value]) => ({ key: at, value }));
    const { siblings, end } = StateTree.empty(writeStatePath).with(entries).way(key);
    const other = end && { path: end.path, valueHash: hashValue(end.value) };
    const claim = { root: empty.root, key: recordStateKey('few'), value: null, proof: { siblings, other } };
    assert.ok(!verifyStateProof({ ...claim, key }));
    assert.ok(verifyTreeProof({ ...claim, key, root: hashToBytes(empty.root) }), 'but for that it is good');
  });

  test('of another namespace, or of none, proves nothing', () => {
    const value = state.get(recordStateKey('many/1')) ?? null;
    const { record } = proveRecord(state, 'many/1').proof;
    const { namespace } = proveRecord(state, 'few/1').proof;
    assert.ok(!verifyRecordProof({ root, key: 'many/1', entry: value, proof: { namespace, record } }));
  });
});

describe('a namespace', () => {
  test('is proven with its rules, its root and the number of its entries', () => {
    for (const space of [...Object.keys(sizes), 'none']) {
      const proof = state.proveNamespace(space);
      assert.equal(proof.value === null, space === 'none');
      assert.ok(verifyNamespaceProof({ root, name: space, proof }));
      assert.ok(!verifyNamespaceProof({ root, name: `${space}x`, proof }) || proof.value === null);
      assert.equal(state.namespace(space)?.entries, sizes[space as keyof typeof sizes]);
    }
  });
});

/** All pages of a namespace, one after the other. */
function pagesOf(from: State, space: string, limit: number) {
  const pages: (ReturnType<State['proveListing']> & { readonly after: string | undefined })[] = [];
  for (let after: string | undefined; ;) {
    const page = { after, ...from.proveListing(space, { after, limit }) };
    pages.push(page);
    if (page.listing.complete) return pages;
    after = page.listing.entries.at(-1)?.key;
  }
}

describe('a listing', () => {
  test('of any namespace, in pages of any size, is all there is, in the order of the paths', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 20 }), (size, limit) => {
        const some = stateOf({ few: 3, space: size });
        const pages = pagesOf(some, 'space', limit);
        for (const { after, listing, proof } of pages) {
          assert.ok(verifyListing({ root: some.root, name: 'space', after, listing, proof }));
        }
        const keys = pages.flatMap(({ listing }) => listing.entries.map(({ key }) => key));
        const expected = Array.from({ length: size }, (_, i) => `space/${i}`).toSorted((a, b) =>
          compareBytes(statePath(recordStateKey(a)), statePath(recordStateKey(b))),
        );
        assert.deepEqual(keys, expected);
      }),
      { seed: 82, numRuns: 80 },
    );
  });

  test('that is complete from the first entry needs no proof but the root', () => {
    for (const space of Object.keys(sizes)) {
      const { listing, proof } = state.proveListing(space, { limit: 100 });
      assert.equal(listing.entries.length, sizes[space as keyof typeof sizes]);
      assert.deepEqual([listing.complete, proof.nodes], [true, []]);
    }
    const { listing, proof } = state.proveListing('none', { limit: 100 });
    assert.deepEqual(listing, { entries: [], complete: true });
    assert.ok(verifyListing({ root, name: 'none', after: undefined, listing, proof }));
    assert.ok(!verifyListing({ root, name: 'few', after: undefined, listing, proof }));
  });

  test('has no entry less, more or different, and no proof with another byte', () => {
    for (const [space, limit] of [
      ['empty', 3],
      ['one', 1],
      ['one', 3],
      ['few', 2],
      ['many', 4],
      ['many', 23],
    ] as const) {
      const pages = pagesOf(state, space, limit);
      for (const { after, listing, proof } of [pages[0], pages[1], pages.at(-1)].filter(
        (page) => page !== undefined,
      )) {
        const claim = { root, name: space, after, listing, proof };
        assert.ok(verifyListing(claim));
        for (const other of altered(listing)) assert.ok(!verifyListing({ ...claim, listing: other }));
        for (const other of damaged(listingProofCodec, proof)) {
          assert.ok(!verifyListing({ ...claim, proof: other }), `${space} ${limit}`);
        }
        assert.ok(!verifyListing({ ...claim, root: hashOf('other') }));
        for (const other of Object.keys(sizes)) {
          if (other !== space) assert.ok(!verifyListing({ ...claim, name: other }));
        }
      }
    }
  });

  test('of one page proves nothing of another', () => {
    const pages = pagesOf(state, 'many', 7);
    for (const [i, one] of pages.entries()) {
      for (const [j, other] of pages.entries()) {
        const claim = { root, name: 'many', after: one.after, listing: other.listing, proof: other.proof };
        assert.equal(verifyListing(claim), i === j);
      }
    }
  });

  test('starts behind a key that need not be there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 20 }), (number, limit) => {
        const after = `many/${number}`;
        const { listing, proof } = state.proveListing('many', { after, limit });
        assert.ok(verifyListing({ root, name: 'many', after, listing, proof }));
        const behind = statePath(recordStateKey(after));
        const expected = Array.from({ length: sizes.many }, (_, i) => `many/${i}`).filter(
          (key) => compareBytes(statePath(recordStateKey(key)), behind) > 0,
        );
        assert.equal(listing.entries.length, Math.min(expected.length, limit));
        assert.equal(listing.complete, expected.length <= limit);
      }),
      { seed: 83, numRuns: 100 },
    );
  });

  test('hides no entry as one from outside, and shows none that is outside', () => {
    const [first] = state.proveListing('one', { limit: 1 }).listing.entries;
    assert.ok(first !== undefined);
    const path = statePath(recordStateKey(first.key));
    const keys = Array.from({ length: 50 }, (_, i) => `one/x${i}`);
    const before = keys.find((key) => compareBytes(statePath(recordStateKey(key)), path) < 0);
    const behind = keys.find((key) => compareBytes(statePath(recordStateKey(key)), path) > 0);
    const leaf = { type: 'leaf' as const, path, valueHash: hashValue(first.value) };
    const proof = { namespace: state.proveNamespace('one'), nodes: [leaf] };
    const nothing = { entries: [], complete: true };
    assert.ok(verifyListing({ root, name: 'one', after: behind, listing: nothing, proof }));
    assert.ok(!verifyListing({ root, name: 'one', after: before, listing: nothing, proof }));
    const [page, next] = pagesOf(state, 'many', 7);
    assert.ok(page !== undefined && next !== undefined);
    const { entries, complete } = next.listing;
    for (const more of [
      page.listing.entries.slice(-1),
      page.listing.entries.slice(0, 1),
      page.listing.entries,
    ]) {
      const listing = { entries: [...more, ...entries], complete };
      assert.ok(!verifyListing({ root, name: 'many', after: next.after, listing, proof: next.proof }));
    }
  });

  test('hides nothing behind a subtree that is claimed to be outside, an edge that is claimed to be short, or an end', () => {
    const { listing, proof } = state.proveListing('many', { limit: 10 });
    const claim = { root, name: 'many', after: undefined, listing, proof };
    assert.ok(verifyListing(claim));
    const cut = { ...listing, entries: listing.entries.slice(0, -1) };
    assert.ok(!verifyListing({ ...claim, listing: cut }));
    assert.ok(!verifyListing({ ...claim, listing: { ...listing, complete: true } }));
    // The whole tree as one hash from elsewhere.
    const rootHash = state.namespace('many')?.root ?? new Uint8Array();
    const opaque = { ...proof, nodes: [{ type: 'hash' as const, hash: rootHash }] };
    assert.ok(!verifyListing({ ...claim, proof: opaque }));
    const nothing = { entries: [], complete: true };
    assert.ok(!verifyListing({ ...claim, listing: nothing, proof: opaque }));
    assert.ok(!verifyListing({ ...claim, after: 'many/0', listing: nothing, proof: opaque }));
    assert.ok(!verifyListing({ ...claim, proof: { ...proof, nodes: [...proof.nodes, ...proof.nodes] } }));
  });
});
