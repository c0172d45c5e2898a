import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import { Problem } from '../../../src/base/problem.ts';
import type { Input, Verified } from '../../../src/consensus/engine.ts';
import { indexOf, genesisConfiguration } from '../../../src/consensus/raft/configuration.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import { defaultRaftOptions } from '../../../src/consensus/raft/options.ts';
import { raftProtocol } from '../../../src/consensus/raft/protocol.ts';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import { hashHeader, toHeight } from '../../../src/ledger/block.ts';
import type { FinalityCertificate, LeaderSignature } from '../../../src/ledger/certificate.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { Cluster } from './cluster.ts';
import { entriesOn, nameOfEntry, Solo } from './solo.ts';
import { chainId, genesisHeader, keyOf } from './world.ts';
import type { Configuration } from '../../../src/ledger/members.ts';

// A snapshot that sync found: the way for nodes that no leader offers one.

type Offered = Extract<Input<never>, { type: 'offered' }>;

const members = (count: number): Configuration =>
  Array.from({ length: count }, (_, index) => ({ key: keyOf(index), role: 'voter' }));
const protocol = (validators: number) =>
  raftProtocol({
    chainId,
    validators: validatorSet(members(validators).map(({ key }) => key)),
    options: defaultRaftOptions,
  });

/** The snapshot of a block far above, after which these are the members. */
function offer(
  configuration: Configuration,
  made: { leader?: number; from?: readonly number[] } = {},
): Offered {
  const leader = made.leader ?? 0;
  const entries = entriesOn(genesisHeader(3), [1, 2, 2, 2, 2], { leader, configuration });
  const { proposal, signature } = defined(entries.at(-1), 'an entry');
  const name = nameOfEntry(defined(entries.at(-1), 'an entry'));
  const certificate: FinalityCertificate = {
    engine: 'raft',
    term: proposal.header.view,
    ...name,
    leader,
    signature,
    configuration: new Uint8Array(),
  };
  return {
    type: 'offered',
    header: proposal.header,
    blockHash: name.blockHash,
    certificate: protocol(3).snapshotCertificate(certificate, configuration) as Verified<FinalityCertificate>,
    holders: made.from ?? [2],
  };
}

const installed = ({ header, blockHash, certificate }: Offered): Input<RaftMessage> => ({
  type: 'installed',
  header,
  blockHash,
  certificate,
});

const observer = (): Solo => new Solo(5, 3);
const four = members(4);

describe('a snapshot that sync found', () => {
  test('is installed by an observer, with the members after it, which are on disk before', () => {
    const node = observer();
    const found = offer(four, { leader: 3 });
    node.give(found);
    assert.deepEqual(node.one('install'), {
      type: 'install',
      snapshot: { height: toHeight(5), blockHash: found.blockHash },
      holders: [2],
    });
    const written = node.effects.findIndex(
      (effect) =>
        effect.type === 'persist' && effect.records.some(({ key }) => key.startsWith('raft/configuration/')),
    );
    assert.ok(written >= 0 && written < node.effects.indexOf(node.one('install')));
    node.give({ type: 'installing', height: toHeight(5), received: 1, total: 3 });
    assert.match(node.engine.why(), /a snapshot of height 5 is being fetched, 33 % are here/);
    node.sync().give(installed(found));
    assert.deepEqual(node.state.configuration, four);
    assert.deepEqual(node.one('members').members, four);
    assert.equal(node.state.applied, 5);
    assert.match(node.engine.why(), /no member/);
  });

  test('makes a learner of one that became a member by then', () => {
    const node = new Solo(3, 3);
    node.give(offer([...members(3), { key: keyOf(3), role: 'learner' }]));
    node.sync().give(installed(offer([...members(3), { key: keyOf(3), role: 'learner' }])));
    assert.equal(node.state.self, 3);
  });

  test('ends the campaigns of a member that was removed meanwhile', () => {
    const node = new Solo(2, 3);
    const without: Configuration = members(3).map((member, index) =>
      index === 2 ? { ...member, role: 'removed' } : member,
    );
    node.tick(700);
    assert.equal(node.state.role.kind, 'candidate');
    node.give(offer(without));
    node.one('install');
    assert.equal(node.tick(700).state.role.kind, 'follower');
    node.sync().give(installed(offer(without)));
    assert.equal(node.sync().tick(700).state.role.kind, 'follower');
    assert.match(node.engine.why(), /no member/);
  });

  test('twice, or another one while it is fetched, changes nothing; after a failure the next one is taken', () => {
    const node = observer();
    node.give(offer(four));
    assert.equal(node.give(offer(four)).all('install').length, 0);
    assert.equal(node.give(offer(members(5))).all('install').length, 0);
    node.give({ type: 'install-failed', height: toHeight(5), reason: 'nobody has it' });
    assert.equal(node.give(offer(members(5))).one('install').snapshot.blockHash, offer(members(5)).blockHash);
    node.give(installed(offer(four)));
    assert.equal(node.state.applied, 0, 'that one is not wanted any more');
    assert.equal(node.give(installed(offer(members(5)))).state.configuration.length, 5);
  });

  test('of a leader takes its place, and that leader hears how it goes', () => {
    const node = new Solo(2, 3);
    const found = offer(members(3));
    node.give(found);
    const snapshot = { height: toHeight(5), blockHash: found.blockHash };
    node.hear('snapshot-offer', 0, 2, { snapshot, configuration: configurationOf(found) });
    assert.equal(node.all('install').length, 0, 'it is on its way');
    assert.equal(node.sent('snapshot-answer')[0]?.state, 'receiving');
    node.give({ type: 'install-failed', height: toHeight(5), reason: 'nobody has it' });
    assert.equal(node.sent('snapshot-answer')[0]?.state, 'failed');
  });

  test('is not needed for blocks that are in the log or final: they stay', () => {
    const entries = entriesOn(genesisHeader(3), [1, 2, 2, 2, 2, 2], { leader: 0, configuration: members(3) });
    const node = new Solo(2, 3);
    node.append(0, 2, entries).sync();
    node.give(offer(members(3)));
    assert.equal(node.all('install').length, 0);
    assert.equal(node.state.commit, 5, 'that it is final is news');
    assert.equal(node.state.log.entries.length, 6);
    node.give(offer(four));
    assert.equal(node.all('install').length, 0);
  });

  test('holds back what becomes committed while it is fetched: the driver must not store both', () => {
    const entries = entriesOn(genesisHeader(3), [1, 1, 1], { leader: 0 });
    const node = new Solo(2, 3);
    node.append(0, 1, entries).sync();
    node.give(offer(four)).sync();
    const committed = node.hear('heartbeat', 0, 2, {
      commit: nameOfEntry(defined(entries[1], 'an entry')),
      round: 1,
    });
    assert.equal(committed.state.commit, 2);
    assert.deepEqual(node.all('commit'), []);
    node.give({ type: 'install-failed', height: toHeight(5), reason: 'nobody has it' });
    assert.deepEqual(
      node.all('commit').map(({ link }) => link.height),
      [1, 2],
    );
  });

  const [first, , third] = members(3);
  const unfit: Record<string, Offered> = {
    'members that the header does not name': changed({ configuration: configurationOf(offer(members(3))) }),
    'no members': changed({ configuration: new Uint8Array() }),
    'a signer who did not propose its block': changed({ leader: 1 }),
    'other keys for known members': offer([
      defined(first, 'a member'),
      { key: keyOf(7), role: 'voter' },
      defined(third, 'a member'),
    ]),
  };
  for (const [what, wrong] of Object.entries(unfit)) {
    test(`with ${what} is left alone`, () => {
      const node = observer();
      const before = structuredClone({ ...node.state, random: null });
      node.give(wrong);
      assert.deepEqual(node.all('install'), []);
      assert.deepEqual({ ...node.state, random: null, highestKnown: 0 }, before);
      node.give(offer(four)).one('install');
    });
  }
});

function configurationOf({ certificate }: Offered): Uint8Array {
  return certificate.engine === 'raft' ? certificate.configuration : new Uint8Array();
}

function changed(change: Partial<LeaderSignature>): Offered {
  const found = offer(four);
  return { ...found, certificate: { ...found.certificate, ...change } };
}

describe('the certificate of a snapshot', () => {
  test('names the members, those of the genesis where they never changed', () => {
    const { certificate } = offer(four, { leader: 3 });
    const genesis = protocol(3).snapshotCertificate(certificate);
    assert.deepEqual(
      genesis,
      protocol(3).snapshotCertificate(
        certificate,
        genesisConfiguration(validatorSet(members(3).map(({ key }) => key))),
      ),
    );
  });

  test('is checked under the key of a member that only it names', () => {
    const { certificate } = offer(four, { leader: 3 });
    const signer = (
      given: FinalityCertificate,
      keys: readonly PublicKey[],
    ): PublicKey | Problem | undefined => {
      const roster = protocol(3).snapshotRoster(given, { keys, epoch: toHeight(0) });
      const claims = protocol(3).certificateClaims(given, roster);
      return claims instanceof Problem ? claims : claims[0]?.publicKey;
    };
    const founders = members(3).map(({ key }) => key);
    assert.equal(signer(certificate, founders), keyOf(3));
    assert.equal(signer(certificate, [...founders, keyOf(9)]), keyOf(9), 'who is known is not told anew');
    const bare = { ...certificate, configuration: new Uint8Array() } as FinalityCertificate;
    const problem = signer(bare, founders);
    assert.ok(problem instanceof Problem && problem.code === 'certificate/unknown-member');
  });

  test('alone is: whoever makes up members with a block is nobody here', () => {
    const { certificate } = offer(four, { leader: 3 });
    const problem = protocol(3).certificateClaims(certificate);
    assert.ok(problem instanceof Problem && problem.code === 'certificate/unknown-member');
  });
});

test('a change of the members is followed by a snapshot where blocks were pruned: one from before it cannot be offered', () => {
  const cluster = Cluster.ledBy(0, {
    members: 3,
    spares: 1,
    options: { snapshotEvery: 5, keepBlocks: 1, tail: 1 },
  });
  for (let i = 0; i < 8; i++) {
    cluster.submit(`${i}`);
    cluster.run(30);
  }
  const leader = cluster.host(0);
  const { firstBlock, snapshot } = defined(leader.state.compacted ?? undefined, 'a snapshot');
  leader.ask({ kind: 'members', changes: [{ key: keyOf(3), role: 'voter' }], forced: true });
  cluster.host(3).start();
  cluster.until(() => indexOf(leader.state.configuration, keyOf(3)) !== null, 'the new member');
  cluster.until(() => cluster.settled(), 'all level');
  cluster.run(200);
  for (const index of [0, 1, 2]) {
    const { compacted, configurationHeight } = cluster.host(index).state;
    assert.ok(compacted !== null && compacted.snapshot.height >= configurationHeight);
    assert.ok(compacted.snapshot.height > snapshot.height && compacted.firstBlock >= firstBlock);
  }
  assert.equal(hashHeader(cluster.host(3).disk.final.header), leader.disk.final.hash);
});
