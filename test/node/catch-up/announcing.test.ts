import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from '../../../src/base/codec.ts';
import { defined } from '../../../src/base/invariant.ts';
import { limits } from '../../../src/base/limits.ts';
import type { Protocol } from '../../../src/consensus/protocol.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import type { Signature, SignatureClaim } from '../../../src/crypto/signature.ts';
import { nativeSigner } from '../../../src/crypto/native.ts';
import { InlineVerifier } from '../../../src/crypto/inline-verifier.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { type FinalityCertificate, leaderBytes } from '../../../src/ledger/certificate.ts';
import { executeBlock } from '../../../src/ledger/execution.ts';
import { encodeConfiguration } from '../../../src/ledger/members.ts';
import type { GossipVerdict } from '../../../src/network/port.ts';
import { Announcing } from '../../../src/node/catch-up/announcing.ts';
import { Verification } from '../../../src/node/peers/verification.ts';
import { announcementCodec } from '../../../src/node/peers/wire.ts';
import { ChainMaker, genesisRoster, type Made } from '../chain-maker.ts';
import { raftGenesis, testGenesis, testProtocol } from '../cluster.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const genesis = testGenesis(4);
const maker = new ChainMaker(genesis);
const [one, two] = maker.run(2) as [Made, Made];

function world(
  options: { self?: string; final?: readonly Made[]; protocol?: Protocol<object>; former?: number } = {},
) {
  const time = new VirtualTime();
  const published: Uint8Array[] = [];
  const ahead: number[] = [];
  const penalties: string[] = [];
  const checked: SignatureClaim[] = [];
  const inline = new InlineVerifier(time.defer);
  const announcing = new Announcing({
    self: developmentKeyPair(options.self ?? 'validator-0').publicKey,
    network: { publish: (topic, bytes) => void (topic === 'blocks' && published.push(bytes)) },
    verification: new Verification<object>({
      protocol: options.protocol ?? testProtocol(genesis),
      verifier: {
        close: () => inline.close(),
        verify: (claims, strict, done) => {
          checked.push(...claims);
          inline.verify(claims, strict, done);
        },
      },
      clock: time.clock(),
      wants: () => true,
      roster: () => genesisRoster(genesis),
      validatorOf: () => undefined,
      penalise: (peer, reason) => void penalties.push(`${peer} ${reason}`),
    }),
    clock: time.clock(),
    roster: () => genesisRoster(genesis),
    isFormer: (certificate) => certificate.engine === 'raft' && certificate.leader === options.former,
    onUnproven: (height) => void ahead.push(height),
    finalHashAt: (height) => options.final?.find(({ header }) => header.height === height)?.hash,
    onAhead: (height) => void ahead.push(height),
  });
  const hear = (bytes: Uint8Array): GossipVerdict => {
    let verdict: GossipVerdict | undefined;
    announcing.heard('peer-1', bytes, (answer) => {
      verdict = answer;
    });
    time.run(0);
    return defined(verdict, 'a verdict');
  };
  const announce = (made: Made, certificate: FinalityCertificate | null): void => {
    const { header, block, hash } = made;
    const { height, timestamp, proposer, validatorsHash } = header;
    const execution = executeBlock(
      maker.start.state,
      { height, timestamp, proposer, chainId: genesis.chainId, validatorsHash },
      [],
    );
    assert.ok('state' in execution);
    announcing.announce({ hash, block, execution, certificate, waits: [] });
  };
  return { hear, announce, published, ahead, penalties, checked, time };
}

const said = (certificate: FinalityCertificate): Uint8Array => encode(announcementCodec, { certificate });

describe('announcements of final blocks', () => {
  test('are made by the proposer, for blocks with a certificate of their own', () => {
    const proposer = world();
    proposer.announce(one, null);
    proposer.announce(one, maker.certificate(one));
    assert.deepEqual(proposer.published, [said(maker.certificate(one))]);
    const other = world({ self: 'validator-1' });
    other.announce(one, maker.certificate(one));
    assert.deepEqual(other.published, []);
  });

  test('of a block that is ahead make a node ask for it, and are passed on', () => {
    const { hear, ahead } = world({ final: [one] });
    assert.equal(hear(said(maker.certificate(two))), 'accept');
    assert.deepEqual(ahead, [2]);
  });

  test('of a block that is final here are dropped at once: no check, no relay, no fault', () => {
    const { hear, ahead, checked, penalties } = world({ final: [one, two] });
    const forged = { ...maker.certificate(one), view: 9 } as FinalityCertificate;
    for (const certificate of [maker.certificate(one), maker.certificate(two), forged]) {
      assert.equal(hear(said(certificate)), 'ignore');
    }
    assert.deepEqual([ahead, checked, penalties], [[], [], []]);
  });

  test('of a block below one that is proven final tell nothing new, and are not checked', () => {
    const { hear, ahead, checked } = world();
    assert.equal(hear(said(maker.certificate(two))), 'accept');
    const { length } = checked;
    assert.equal(hear(said(maker.certificate(one))), 'ignore');
    assert.equal(hear(said(maker.certificate(two))), 'ignore');
    assert.deepEqual(ahead, [2]);
    assert.equal(checked.length, length);
  });

  test('with proofs that cannot be checked now are nobody’s fault, and go no further', () => {
    const { hear, checked, penalties } = world();
    const proof = maker.certificate(two);
    assert.ok(proof.engine === 'pbft');
    let ignored = 0;
    for (let salt = 0; salt < 2 * limits.strangerClaims.rate.burst; salt++) {
      const signatures = proof.signatures.map(({ validator }) => ({
        validator,
        signature: (salt + 1).toString(16).padStart(128, '0') as Signature,
      }));
      if (hear(said({ ...proof, signatures })) === 'unread') ignored += 1;
    }
    assert.ok(ignored > 0);
    assert.equal(penalties.length, limits.peerFaults, 'only for what was checked');
    assert.ok(checked.length <= 3 * limits.peerFaults);
  });

  test('without a proof are stopped and held against the peer, whatever height they claim', () => {
    const { hear, ahead, penalties } = world();
    const forged = { ...maker.certificate(one), height: 1_000_000_000 } as FinalityCertificate;
    assert.equal(hear(said(forged)), 'reject');
    assert.equal(hear(Uint8Array.of(1, 2, 3)), 'reject');
    assert.deepEqual(ahead, []);
    assert.equal(penalties.length, 2);
  });

  test('of another block than the final one at its height go no further', () => {
    const { hear, ahead } = world({ final: [{ ...one, hash: 'ab'.repeat(32) as Hash }] });
    assert.equal(hear(said(maker.certificate(one))), 'ignore');
    assert.deepEqual(ahead, []);
  });

  const ofMember = (leader: number) =>
    ({
      engine: 'raft',
      term: two.header.view,
      height: two.header.height,
      blockHash: two.hash,
      leader,
      signature: '00'.repeat(64) as Signature,
      configuration: new Uint8Array(),
    }) as const;

  test('by a member that this node does not know yet are nobody’s fault, and make it ask (Raft)', () => {
    const { hear, ahead, penalties } = world({ protocol: testProtocol(raftGenesis(4)) });
    const certificate = ofMember(4);
    assert.equal(hear(said(certificate)), 'ignore');
    assert.equal(hear(said({ ...certificate, height: toHeight(1_000) })), 'ignore');
    assert.deepEqual(ahead, [2, 1_000]);
    assert.deepEqual(penalties, []);
    assert.equal(hear(said(ofMember(2))), 'reject');
  });

  test('by somebody who makes itself a member in them go no further (Raft)', () => {
    const raft = raftGenesis(4);
    const { hear, ahead } = world({ protocol: testProtocol(raft) });
    const bob = developmentKeyPair('bob');
    const slot = { view: two.header.view, height: toHeight(1_000_000), blockHash: two.hash };
    const signature = nativeSigner(bob.secretKey)(leaderBytes(raft.chainId, slot));
    const keys = [...genesisRoster(raft).keys, bob.publicKey];
    const configuration = encodeConfiguration(keys.map((key) => ({ key, role: 'voter' })));
    const forged = { ...ofMember(4), height: slot.height, signature, configuration };
    assert.equal(hear(said(forged)), 'ignore');
    // What others announce is heard as before.
    assert.equal(hear(said(ofMember(5))), 'ignore');
    assert.deepEqual(ahead, [1_000_000, 2]);
  });

  test('by one that was removed are not believed, whatever it signs: they are a reason to ask (Raft)', () => {
    const raft = raftGenesis(4);
    const { hear, ahead, checked, penalties } = world({ protocol: testProtocol(raft), former: 1 });
    const slot = { view: two.header.view, height: toHeight(1_000_000), blockHash: two.hash };
    const signedBy = (leader: number) => ({
      ...ofMember(leader),
      height: slot.height,
      signature: nativeSigner(developmentKeyPair(`validator-${leader}`).secretKey)(
        leaderBytes(raft.chainId, slot),
      ),
    });
    assert.equal(hear(said(signedBy(1))), 'ignore');
    assert.equal(checked.length, 0);
    assert.deepEqual(penalties, []);
    assert.equal(hear(said(signedBy(2))), 'accept', 'it did not hide what a member announces');
    assert.deepEqual(ahead, [1_000_000, 1_000_000]);
  });

  test('of a peer that lied too often are not read', () => {
    const { hear } = world();
    for (let index = 0; index < limits.peerFaults; index++) hear(Uint8Array.of(9));
    assert.equal(hear(said(maker.certificate(one))), 'unread');
  });
});
