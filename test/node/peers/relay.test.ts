import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../../src/base/bytes.ts';
import { Problem } from '../../../src/base/problem.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../../src/crypto/native.ts';
import { verifySignature } from '../../../src/crypto/verify.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { Relay } from '../../../src/node/peers/relay.ts';
import { Cluster, signedTransaction, testGenesis } from '../cluster.ts';

const keys = [0, 1, 2].map((index) => developmentKeyPair(`validator-${index}`));
const relayOf = (index: number, salt = 0, chainId = 'aa'.repeat(32) as Hash, epoch = 0): Relay =>
  new Relay({
    chainId,
    sign: nativeSigner(keys[index]?.secretKey ?? assert.fail()),
    roster: () => ({ keys: keys.map(({ publicKey }) => publicKey), epoch: toHeight(epoch) }),
    salt,
  });
const message = utf8('a message of some engine');
const isGood = (relay: Relay, bytes: Uint8Array): boolean => {
  const opened = relay.open(bytes);
  return typeof opened === 'object' && !(opened instanceof Problem) && verifySignature(opened.claim, false);
};

describe('a seal', () => {
  test('makes each repetition new to gossip, and leaves the message as it is', () => {
    const relay = relayOf(1);
    const [first, second] = [relay.seal(1, message), relay.seal(1, message)];
    assert.notDeepEqual(first, second);
    for (const bytes of [first, second]) {
      const opened = relayOf(2).open(bytes);
      assert.ok(typeof opened === 'object' && !(opened instanceof Problem));
      assert.deepEqual(opened.message, message);
      assert.ok(verifySignature(opened.claim, false));
    }
  });

  test('differs from those of the process before, and the salt starts anew after the last one', () => {
    assert.notDeepEqual(relayOf(1, 2 ** 20).seal(1, message), relayOf(1, 2 ** 21).seal(1, message));
    assert.ok(isGood(relayOf(0), relayOf(1, 2 ** 48 - 1).seal(1, message)));
    assert.ok(isGood(relayOf(0), relayOf(1, 2 ** 68).seal(1, message)));
  });

  test('can be made by the validator that it names only, for one chain, message and time', () => {
    const sealed = relayOf(1).seal(1, message);
    assert.ok(isGood(relayOf(2), sealed));
    assert.ok(!isGood(relayOf(2), relayOf(1).seal(0, message)), 'in the name of another');
    assert.ok(!isGood(relayOf(2), relayOf(1, 0, 'bb'.repeat(32) as Hash).seal(1, message)));
    for (const place of [7, 13, 26, sealed.length - 1]) {
      const changed = Uint8Array.from(sealed);
      changed[place] = (changed[place] ?? 0) ^ 1;
      assert.ok(!isGood(relayOf(2), changed), `byte ${place}`);
    }
  });

  test('of another epoch is nobody’s fault: who made it may be behind, or this node is', () => {
    const chainId = 'aa'.repeat(32) as Hash;
    const sealed = relayOf(1, 0, chainId, 7).seal(1, message);
    assert.equal(relayOf(2).open(sealed), 'other-epoch');
    assert.equal(relayOf(2, 0, chainId, 9).open(sealed), 'other-epoch');
    assert.ok(isGood(relayOf(2, 0, chainId, 7), sealed));
    const moved = Uint8Array.from(sealed);
    moved[5] = 8;
    assert.ok(!isGood(relayOf(2, 0, chainId, 8), moved), 'the seal covers its epoch');
  });

  test('that is cut off, or of nobody, is refused unread', () => {
    assert.ok(relayOf(0).open(relayOf(1).seal(1, message).subarray(0, 77)) instanceof Problem);
    const nobody = relayOf(0).open(relayOf(1).seal(9, message));
    assert.ok(nobody instanceof Problem);
    assert.equal(nobody.code, 'consensus/unknown-relay');
  });
});

describe('validators that reach each other only through others', () => {
  const shapes: Record<string, readonly (readonly [number, number])[]> = {
    star: [
      [1, 2],
      [1, 3],
      [2, 3],
    ],
    line: [
      [0, 2],
      [0, 3],
      [1, 3],
    ],
  };
  for (const [shape, gaps] of Object.entries(shapes)) {
    test(`are in contact when idle, and quick when there is work: in a ${shape}`, async () => {
      const genesis = testGenesis(4);
      const cluster = await Cluster.start(4, genesis);
      for (const [a, b] of gaps) cluster.net.cut(`validator-${a}`, `validator-${b}`);
      cluster.time.run(30_000);
      for (const { driver } of cluster.all) {
        assert.equal(driver.engine.status().quorumContact, true, driver.engine.why());
      }
      for (const nonce of [0, 1]) {
        cluster.submit('validator-3', signedTransaction(genesis, 'alice', { nonce }));
        const done = (): boolean => cluster.nonces('alice').every((at) => at === nonce + 1);
        assert.ok(cluster.time.runUntil(done, 1_500), cluster.why());
        cluster.time.run(20_000);
      }
      assert.ok(cluster.all.every(({ driver }) => driver.engine.status().view === 0));
    });
  }
});
