import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from '../../src/base/codec.ts';
import { unwrap } from '../../src/base/problem.ts';
import { encodeMessage, type RaftMessage } from '../../src/consensus/raft/message.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { hashBytes } from '../../src/crypto/hash.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { toHeight, toView, type View } from '../../src/ledger/block.ts';
import { encodeBlock } from '../../src/ledger/block-body.ts';
import { leaderBytes, type LeaderSignature } from '../../src/ledger/certificate.ts';
import { configurationHash, encodeConfiguration } from '../../src/ledger/members.ts';
import { State } from '../../src/ledger/state.ts';
import {
  blocksResponseCodec,
  checksummedPartCodec,
  snapshotHeadCodec,
  snapshotPartCodec,
} from '../../src/node/peers/wire.ts';
import { ChainMaker, type Made } from './chain-maker.ts';
import { Cluster, raftGenesis } from './cluster.ts';
import {
  ask,
  change,
  genesis,
  leaderOf,
  makeBlocks,
  noneEnded,
  pruning,
  pruningCluster,
  rolesAt,
} from './raft-cluster.ts';

// No member of a Raft chain lies. Others may: who was removed still has its key and its index, and strangers may connect, and are asked
// for blocks like all others.

const maker = new ChainMaker(genesis);
const indexOf = (name: string): number => Number(name.slice(-1));

type Certificate = LeaderSignature & { readonly engine: 'raft' };

/** Another block on top of a node's final one, valid but for who made it. */
function forge(
  cluster: Cluster,
  at: string,
  by: { readonly name: string; readonly index: number; readonly term: View },
  header: Partial<Made['header']> = {},
): { made: Made; certificate: Certificate } {
  const { publicKey, secretKey } = developmentKeyPair(by.name);
  const parent = cluster.node(at).driver.chain.final;
  const made = maker.block(parent, [], { view: by.term, proposer: publicKey, ...header });
  const slot = { view: by.term, height: made.header.height, blockHash: made.hash };
  return {
    made,
    certificate: {
      engine: 'raft',
      term: by.term,
      height: slot.height,
      blockHash: slot.blockHash,
      leader: by.index,
      signature: nativeSigner(secretKey)(leaderBytes(genesis.chainId, slot)),
      configuration: new Uint8Array(),
    },
  };
}

const served = (made: Made, certificate: Certificate): Uint8Array =>
  encode(blocksResponseCodec, {
    blocks: [encodeBlock(made.block)],
    headers: [],
    certificate,
    snapshot: undefined,
  });

/** From now on a node answers all that ask for blocks with this. */
const serve = (cluster: Cluster, name: string, answer: Uint8Array): void => {
  cluster.net.onAnswer = (from, _to, protocol, response) =>
    from === name && protocol === 'blocks' ? answer : response;
};

const othersThan = (cluster: Cluster, ...names: readonly string[]): string[] =>
  cluster.all.map(({ name }) => name).filter((name) => !names.includes(name));

/** Nobody ended, all have what there is, and the same at each height. */
function agree(cluster: Cluster): void {
  noneEnded(cluster);
  assert.ok(
    cluster.time.runUntil(() => new Set(cluster.heights()).size === 1, 20_000),
    cluster.why(),
  );
  for (let height = 1; height <= Math.max(...cluster.heights()); height++) {
    const hashes = cluster.all.map(({ store }) => store.hashAt(toHeight(height)));
    assert.equal(new Set(hashes).size, 1, `one final block at ${height}`);
  }
}

/** Three members, of which a follower was removed some blocks ago. */
async function removed(): Promise<{ cluster: Cluster; leader: string; gone: string; stays: string }> {
  const cluster = await Cluster.start(3, genesis);
  const leader = leaderOf(cluster);
  const [gone = '', stays = ''] = othersThan(cluster, leader);
  makeBlocks(cluster, 1, 0);
  unwrap(ask(cluster, leader, change(gone, 'removed')));
  makeBlocks(cluster, 2, 1);
  return { cluster, leader, gone, stays };
}

describe('who was removed', () => {
  test('leads nobody, whatever it sends', async () => {
    const { cluster, leader, gone, stays } = await removed();
    const from = indexOf(gone);
    const { height, hash: blockHash } = cluster.node(stays).driver.chain.final;
    const term = toView(cluster.node(leader).driver.engine.status().view + 5);
    const { made, certificate } = forge(cluster, stays, { name: gone, index: from, term });
    const say = (message: RaftMessage): void => {
      cluster.node(stays).driver.handlers.onMessage(cluster.net.peer(gone), encodeMessage(message));
      cluster.time.run(20);
    };
    say({ kind: 'heartbeat', from, term, commit: { height, blockHash }, round: 1 });
    const { signature } = certificate;
    const proposal = { header: made.header, transactionHashes: [] };
    say({
      kind: 'append',
      from,
      term,
      to: indexOf(stays),
      previous: { height, blockHash },
      entries: [{ proposal, leader: from, signature, configuration: new Uint8Array() }],
      commit: made.header.height,
    });
    cluster.time.run(200);
    assert.equal(cluster.node(stays).store.hashAt(made.header.height), undefined);
    assert.equal(leaderOf(cluster), leader);
    makeBlocks(cluster, 1, 3);
    agree(cluster);
  });

  test('serves no final block that it made', async () => {
    const { cluster, leader, gone, stays } = await removed();
    const term = toView(cluster.node(leader).driver.engine.status().view + 5);
    const { made, certificate } = forge(cluster, stays, { name: gone, index: indexOf(gone), term });
    serve(cluster, gone, served(made, certificate));
    // Who hears no leader asks whoever is left.
    cluster.net.cut(leader, stays);
    cluster.time.run(20_000);
    assert.equal(cluster.node(stays).store.hashAt(made.header.height), undefined);
    cluster.net.mend(leader, stays);
    makeBlocks(cluster, 1, 3);
    agree(cluster);
  });

  test('and came back, leads those who have not heard of that, once it told them', async () => {
    const five = raftGenesis(5);
    const cluster = await Cluster.start(5, five);
    const leader = leaderOf(cluster);
    const [back = '', behind = '', ...others] = othersThan(cluster, leader);
    const all = [leader, back, ...others];
    cluster.time.run(200);
    unwrap(ask(cluster, leader, change(back, 'removed')));
    cluster.time.run(200);
    assert.equal(rolesAt(cluster, behind)[indexOf(back)], 'removed');
    for (const name of all) cluster.net.cut(behind, name);
    cluster.time.run(100);
    unwrap(ask(cluster, leader, change(back, 'learner')));
    cluster.time.run(200);
    unwrap(ask(cluster, leader, change(back, 'voter')));
    unwrap(ask(cluster, leader, { kind: 'transfer', to: indexOf(back) }));
    assert.equal(cluster.node(back).driver.engine.status().primary, indexOf(back));
    cluster.net.mend(behind, back);
    const { height } = cluster.node(back).driver.chain.final;
    const { driver } = cluster.node(behind);
    assert.ok(
      cluster.time.runUntil(() => driver.chain.final.height >= height, 20_000),
      cluster.why(),
    );
    assert.ok(
      cluster.time.runUntil(() => driver.engine.status().primary === indexOf(back), 5_000),
      cluster.why(),
    );
    agree(cluster);
  });
});

describe('a stranger', () => {
  const bob = developmentKeyPair('bob');
  const founders = [0, 1, 2].map((index) => developmentKeyPair(`validator-${index}`).publicKey);
  const withBob = [...founders, bob.publicKey].map((key) => ({ key, role: 'voter' }) as const);

  for (const victim of ['an observer', 'a member'] as const)
    test(`serves ${victim} no final block that it made, whatever members it names`, async () => {
      const cluster = await Cluster.start(3, genesis);
      await cluster.boot('bob');
      await cluster.boot('carol');
      makeBlocks(cluster, 1, 0);
      const leader = leaderOf(cluster);
      const [follower = ''] = othersThan(cluster, leader, 'bob', 'carol');
      const name = victim === 'an observer' ? 'carol' : follower;
      const { made, certificate } = forge(cluster, name, { name: 'bob', index: 3, term: toView(9) });
      serve(cluster, 'bob', served(made, { ...certificate, configuration: encodeConfiguration(withBob) }));
      for (const other of othersThan(cluster, name, 'bob')) cluster.net.cut(name, other);
      cluster.time.run(20_000);
      assert.equal(cluster.node(name).store.hashAt(made.header.height), undefined);
      for (const other of othersThan(cluster, name, 'bob')) cluster.net.mend(name, other);
      makeBlocks(cluster, 1, 1);
      agree(cluster);
    });

  test('that offers a snapshot of a chain of its own is not believed', async () => {
    const cluster = await pruningCluster();
    makeBlocks(cluster, 12, 0);
    await cluster.boot('bob', pruning);
    cluster.time.run(5_000);
    const { made, certificate } = forge(
      cluster,
      'bob',
      { name: 'bob', index: 3, term: toView(9) },
      {
        height: toHeight(1_000),
        stateRoot: State.empty.root,
        nextValidatorsHash: configurationHash(withBob),
      },
    );
    const head = {
      header: made.header,
      certificate: { ...certificate, configuration: encodeConfiguration(withBob) },
    };
    const offer = { blocks: [], headers: [], certificate: undefined, snapshot: head };
    const part = encode(snapshotPartCodec, { entries: [], last: true });
    let heads = 0;
    cluster.net.onAnswer = (from, _to, protocol, response) => {
      if (from !== 'bob') return response;
      if (protocol === 'blocks') return encode(blocksResponseCodec, offer);
      if (protocol !== 'snapshot') return response;
      heads += 1;
      if (heads === 1) return encode(snapshotHeadCodec, head);
      return encode(checksummedPartCodec, { checksum: hashBytes('quorate/v1/snapshot-part', part), part });
    };
    cluster.net.strangers.add('bob');
    for (const index of [0, 1, 2]) cluster.net.cut('carol', `validator-${index}`);
    const { driver } = await cluster.boot('carol', pruning);
    // Nobody but the stranger is there at first.
    cluster.time.run(20_000);
    assert.equal(driver.chain.final.height, 0);
    for (const index of [0, 1, 2]) cluster.net.mend('carol', `validator-${index}`);
    const { height } = cluster.node(leaderOf(cluster)).driver.chain.final;
    assert.ok(
      cluster.time.runUntil(() => driver.chain.final.height === height, 20_000),
      cluster.why(),
    );
    assert.equal(heads, 0);
    noneEnded(cluster);
  });
});
