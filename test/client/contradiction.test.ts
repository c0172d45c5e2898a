import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { verifyContradiction } from '../../src/client/verify.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import type { KeyPair } from '../../src/crypto/keys.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import type { VotePhase } from '../../src/ledger/certificate.ts';
import { changesOf } from './json-changes.ts';
import { doubleVoteOf, genesisOf, pairs } from './proof-samples.ts';

const genesis = genesisOf('pbft');
const other = pairs[3] as KeyPair;

const told = (phase: VotePhase, changes?: readonly [object, object]) => doubleVoteOf(genesis, phase, changes);

const refused = (item: unknown): string => {
  const verdict = verifyContradiction(item, { genesis });
  assert.ok(verdict instanceof Problem, `this proves nothing: ${JSON.stringify(item)}`);
  return verdict.code;
};

test('two votes of one validator for two blocks at one place are shown by their signatures', () => {
  for (const phase of ['pre-prepare', 'prepare', 'commit'] as const) {
    const says = verifyContradiction(told(phase), { genesis });
    assert.equal(says, `one key signed a ${phase} for each of two blocks at height 7 in view 1`);
  }
});

test('and are shown no more when any letter, digit, field or element is another', () => {
  const item = told('commit');
  const { contradiction } = item;
  // What the other certificates say is no part of a vote.
  const votes = contradiction?.messages.map(({ kind, view, height, blockHash, signature }) => {
    return { kind, view, height, blockHash, signature };
  });
  let tried = 0;
  for (const { json, where } of changesOf({
    ...item,
    contradiction: { ...contradiction, messages: votes },
  })) {
    const changed = json as typeof item;
    // Which of the two stands first says nothing.
    if (where.endsWith('reversed')) continue;
    tried += 1;
    assert.match(refused(changed), /^proof\//, where);
  }
  assert.ok(tried > 500, `${tried} changes`);
});

test('two votes that a correct validator may sign accuse nobody', () => {
  const same = { blockHash: 'a'.repeat(64) };
  assert.equal(refused(told('commit', [same, same])), 'proof/contradiction');
  assert.equal(refused(told('commit', [{}, { view: toView(2) }])), 'proof/contradiction');
  assert.equal(refused(told('commit', [{}, { height: toHeight(8) }])), 'proof/contradiction');
});

test('nobody is accused of what another signed, on another chain, or in another epoch', () => {
  const item = told('prepare');
  assert.equal(refused({ ...item, address: encodeAddress(other.publicKey) }), 'proof/contradiction');
  const elsewhere = verifyContradiction(item, { genesis: genesisOf('pbft', 'another') });
  assert.ok(elsewhere instanceof Problem && elsewhere.code === 'proof/contradiction');
  const later = { ...item, contradiction: { ...item.contradiction, epoch: 9 } };
  assert.equal(refused(later), 'proof/unknown-validators');
  for (const none of [null, {}, { ...item, contradiction: null }, 'x', { ...item, contradiction: {} }])
    assert.equal(refused(none), 'proof/malformed');
});
