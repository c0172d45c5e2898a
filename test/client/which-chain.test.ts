import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { Ledger } from '../../src/client/ledger.ts';
import type { Surroundings } from '../../src/client/transport.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { formatGenesis, type Genesis } from '../../src/ledger/genesis.ts';
import { raftGenesis, testGenesis } from '../node/cluster.ts';
import { status } from './fake-api.ts';
import { fastTime } from './fake-ledger.ts';

const pbft = testGenesis(4);
const raft = raftGenesis(3);

/** What a node says: of which chain and engine it is, and which genesis file it serves. */
interface Says {
  readonly chainId: Hash;
  readonly engine: string;
  readonly genesis?: Genesis;
}
const honest: Says = { chainId: pbft.chainId, engine: 'pbft', genesis: pbft };
const liar: Says = { ...honest, engine: 'raft' };

/** Connects to nodes that say so, in this order; `silent` says nothing until it is let go, or its time is up. */
async function connected(
  t: TestContext,
  nodes: readonly (Says | 'silent' | 'late')[],
  chainId?: Hash,
): Promise<{ readonly ledger: Ledger | Problem; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const fetch: Surroundings['fetch'] = async (input, init) => {
    const { host, pathname } = new URL(input instanceof Request ? input.url : String(input));
    const at = Number(host.split('.')[0]?.slice(1));
    asked.push(`${at} ${pathname}`);
    const says = nodes[at];
    if (says === 'late') throw new DOMException('late', 'TimeoutError');
    if (says === undefined || says === 'silent') {
      return new Promise((_, reject) =>
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
      );
    }
    const { genesis = pbft, ...origin } = says;
    if (pathname === '/v1/genesis') return Response.json({ ...origin, genesis: formatGenesis(genesis) });
    return Response.json({ ...status, ...origin });
  };
  const surroundings = { ...fastTime(t), fetch };
  const endpoints = nodes.map((_, at) => `http://n${at}.test`);
  const ledger = await Ledger.connect({ endpoints, surroundings, ...(chainId && { chainId }) });
  return { ledger, asked };
}

const isOther = (ledger: Ledger | Problem): boolean =>
  ledger instanceof Problem && ledger.code === 'api/other-chain';

describe('which engine a chain goes by', () => {
  test('is not the word of the first node, where most of all but f say another', async (t) => {
    for (const nodes of [
      [liar, honest, honest],
      [liar, honest, honest, 'silent'],
      [liar, honest, honest, honest],
      [{ ...liar, chainId: raft.chainId }, honest, 'silent', honest],
      [liar, liar, honest, honest, honest, 'silent', 'silent'],
    ] as const) {
      const { ledger } = await connected(t, nodes);
      assert.equal(unwrap(ledger).engine, 'pbft');
      assert.equal(unwrap(ledger).chainId, pbft.chainId);
    }
  });

  test('is not waited for longer than it takes: two of three that agree are enough', async (t) => {
    const { ledger } = await connected(t, [honest, 'silent', honest]);
    assert.equal(unwrap(ledger).engine, 'pbft');
  });

  test('is nobody’s word where the nodes do not agree', async (t) => {
    const other = { ...honest, chainId: raft.chainId };
    const { ledger } = await connected(t, [other, honest]);
    assert.ok(isOther(ledger));
    assert.match((ledger as Problem).message, new RegExp(`agree.*: ${raft.chainId}, ${pbft.chainId}`));
    assert.match((ledger as Problem).remedy, /`chainId`/);
  });

  test('stands in the genesis file, and is nobody’s word', async (t) => {
    const { ledger } = await connected(t, [liar, honest]);
    assert.equal(unwrap(ledger).engine, 'pbft');
  });

  test('is what those say that answer at all', async (t) => {
    for (const nodes of [[honest], [honest, 'late'], ['late', honest, 'late', 'late']] as const) {
      assert.equal(unwrap((await connected(t, nodes)).ledger).engine, 'pbft');
    }
  });

  test('stands in the genesis file of the chain that was named, whoever serves it', async (t) => {
    const { ledger, asked } = await connected(t, [liar, 'silent'], pbft.chainId);
    assert.equal(unwrap(ledger).engine, 'pbft');
    assert.deepEqual(asked, ['0 /v1/genesis']);
    // A file of another chain is passed over, and no file at all is no answer.
    const forger = { ...liar, genesis: raft };
    const second = await connected(t, [forger, honest], pbft.chainId);
    assert.equal(unwrap(second.ledger).engine, 'pbft');
    assert.ok(isOther((await connected(t, [forger, forger], pbft.chainId)).ledger));
    assert.ok(isOther((await connected(t, [honest], raft.chainId)).ledger));
  });
});
