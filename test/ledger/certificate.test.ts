import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { keyPairFromSeed, sign } from '../../src/crypto/keys.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { verifyClaimZip215 } from '../../src/crypto/zip215.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import {
  type Certificate,
  certificateClaims,
  certificateCodec,
  type FinalityCertificate,
  finalityCodec,
  leaderBytes,
  type Slot,
  voteBytes,
  type VotePhase,
} from '../../src/ledger/certificate.ts';
import { byzantineQuorum } from '../../src/ledger/quorum.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { chainId, hashOf, reason, someSignature } from './samples.ts';

const pairs = Array.from({ length: 4 }, (_, i) => keyPairFromSeed(new Uint8Array(32).fill(i + 1)));
const validators = validatorSet(pairs.map((pair) => pair.publicKey));
const epoch = { chainId, epoch: toHeight(0), validatorsHash: validators.hash };
const slot: Slot = { view: toView(3), height: toHeight(9), blockHash: hashOf('block') };

function certificate(signers: readonly number[], phase: 'prepare' | 'commit' = 'commit'): Certificate {
  const message = voteBytes(phase, epoch, slot);
  const signatures = signers.map((validator) => ({
    validator,
    signature: sign(pairs[validator % 4]?.secretKey as Uint8Array, message),
  }));
  return { epoch: toHeight(0), ...slot, phase, signatures };
}

test('a quorum of signatures in ascending order gives claims that are true', () => {
  for (const phase of ['prepare', 'commit'] as const) {
    for (const signers of [
      [0, 1, 2],
      [1, 2, 3],
      [0, 2, 3],
    ]) {
      const claims = unwrap(certificateClaims(certificate(signers, phase), chainId, validators));
      assert.deepEqual(
        claims.map((claim) => claim.publicKey),
        signers.map((signer) => validators.keys[signer]),
      );
      assert.ok(claims.every(verifyClaimZip215));
    }
  }
});

test('too few, too many, repeated, unordered or unknown signers make it invalid before any signature is checked', () => {
  const wrong: [number[], RegExp][] = [
    [[], /needs exactly 3/],
    [[0, 1], /needs exactly 3/],
    [[0, 1, 2, 3], /needs exactly 3/],
    [[0, 1, 1], /ascending/],
    [[2, 1, 0], /ascending/],
    [[0, 1, 4], /names validator 4/],
    [[0, 1, 65_535], /names validator 65535/],
  ];
  for (const [signers, why] of wrong) {
    const problem = certificateClaims(certificate(signers), chainId, validators);
    assert.ok(problem instanceof Problem && problem.code === 'certificate/invalid');
    assert.match(problem.message, why);
  }
});

test('nobody certifies the block that its epoch stands on, nor one below: its validators were not in force', () => {
  const good = certificate([0, 1, 2]);
  for (const [start, isValid] of [
    [8, true],
    [9, false],
    [10, false],
  ] as const) {
    const claims = certificateClaims({ ...good, epoch: toHeight(start) }, chainId, validators);
    assert.equal(claims instanceof Problem, !isValid, `epoch ${start}`);
  }
});

test('signatures are for one phase, chain, validator set, view, height and block: with any other the claims are false', () => {
  const good = certificate([0, 1, 2]);
  const others: [string, Certificate, typeof chainId][] = [
    ['phase', { ...good, phase: 'prepare' }, chainId],
    ['view', { ...good, view: toView(4) }, chainId],
    ['height', { ...good, height: toHeight(10) }, chainId],
    ['epoch', { ...good, epoch: toHeight(1) }, chainId],
    ['block', { ...good, blockHash: hashOf('other') }, chainId],
    ['chain', good, hashOf('other chain')],
  ];
  for (const [what, changed, chain] of others) {
    const claims = unwrap(certificateClaims(changed, chain, validators));
    assert.ok(!claims.some(verifyClaimZip215), what);
  }
  const reordered = validatorSet(validators.keys.toReversed());
  assert.ok(!unwrap(certificateClaims(good, chainId, reordered)).some(verifyClaimZip215));
});

test('no two votes with different meanings sign the same bytes', () => {
  const phases: VotePhase[] = ['pre-prepare', 'prepare', 'commit'];
  const seen = new Set<string>();
  for (const phase of phases) {
    for (const chain of [chainId, hashOf('other')]) {
      for (const set of [validators.hash, hashOf('set')]) {
        for (const place of [slot, { ...slot, view: toView(9) }, { ...slot, height: toHeight(3) }]) {
          for (const start of [0, 2]) {
            const epoch = { chainId: chain, epoch: toHeight(start), validatorsHash: set };
            seen.add(toHex(voteBytes(phase, epoch, place)));
          }
        }
      }
    }
  }
  assert.equal(seen.size, 3 * 2 * 2 * 3 * 2);
});

test('only the slot is signed, whatever else the object holds', () => {
  const extra = { ...slot, view: slot.view, more: 'x', signatures: [] };
  assert.deepEqual(voteBytes('commit', epoch, extra), voteBytes('commit', epoch, slot));
});

test('the quorum is the one of the set size, for 1 to 100 validators', () => {
  for (let n = 1; n <= 100; n++) {
    const keys = Array.from(
      { length: n },
      (_, i) => hashOf(`v${i}`) as string as (typeof validators.keys)[number],
    );
    const set = validatorSet(keys);
    const signed = (count: number): Certificate => ({
      epoch: toHeight(0),
      ...slot,
      phase: 'commit',
      signatures: Array.from({ length: count }, (_, validator) => ({ validator, signature: someSignature })),
    });
    const quorum = byzantineQuorum(n);
    assert.equal(unwrap(certificateClaims(signed(quorum), chainId, set)).length, quorum);
    assert.ok(certificateClaims(signed(quorum - 1), chainId, set) instanceof Problem);
  }
});

test('certificates survive their codec, and one changed byte never gives the same certificate', () => {
  const good = certificate([0, 1, 2]);
  const bytes = encode(certificateCodec, good);
  assert.deepEqual(decode(certificateCodec, bytes, 'certificate'), good);
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] = (changed[at] as number) ^ (1 << (at % 8));
    const decoded = decode(certificateCodec, changed, 'certificate');
    if (decoded instanceof Problem) continue;
    assert.notDeepEqual(decoded, good);
    assert.deepEqual(encode(certificateCodec, decoded), changed);
  }
});

test('what shows finality says which engine made it, and an unknown engine is refused', () => {
  const pbft: FinalityCertificate = { engine: 'pbft', ...certificate([0, 1, 2]) };
  const raft: FinalityCertificate = {
    engine: 'raft',
    term: toView(2),
    height: toHeight(9),
    blockHash: hashOf('block'),
    leader: 1,
    signature: 'cd'.repeat(64) as Signature,
    configuration: new Uint8Array(0),
  };
  for (const value of [pbft, raft]) {
    const bytes = encode(finalityCodec, value);
    assert.deepEqual(decode(finalityCodec, bytes, 'certificate'), value);
    for (const engine of [0, 3, 255]) {
      bytes[0] = engine;
      assert.ok(decode(finalityCodec, bytes, 'certificate') instanceof Problem);
    }
  }
});

test('more signatures than validators can exist are refused by their count', () => {
  const bytes = encode(certificateCodec, { ...certificate([0, 1, 2]), signatures: [] });
  bytes[bytes.length - 1] = 101;
  assert.match(reason(decode(certificateCodec, bytes, 'certificate')), /above the limit/);
});

test('a Raft leader signs under a domain of its own: no PBFT vote can be made of it', () => {
  const leader = leaderBytes(chainId, slot);
  for (const phase of ['pre-prepare', 'prepare', 'commit'] as const) {
    assert.notDeepEqual(leader.subarray(0, 20), voteBytes(phase, epoch, slot).subarray(0, 20));
  }
  assert.notDeepEqual(leader, leaderBytes(hashOf('other chain'), slot));
  assert.notDeepEqual(leader, leaderBytes(chainId, { ...slot, view: toView(4) }));
});
