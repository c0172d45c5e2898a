import assert from 'node:assert/strict';
import type { Problem } from '../../src/base/problem.ts';
import type { EngineRequest, MemberChange } from '../../src/consensus/engine.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { protocolOf } from '../../src/node/core/protocol.ts';
import { Cluster, raftGenesis, signedTransaction } from './cluster.ts';
import type { Member } from '../../src/ledger/members.ts';

export const genesis = raftGenesis(3);

export const transfers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => signedTransaction(genesis, 'alice', { nonce: from + index }));

export function leaderOf(cluster: Cluster): string {
  const leads = (): string | undefined =>
    cluster.all.find(({ driver }) => driver.engine.status().primary === driver.validatorIndex)?.name;
  assert.ok(
    cluster.time.runUntil(() => leads() !== undefined, 10_000),
    cluster.why(),
  );
  return leads() ?? '';
}

/** Makes so many blocks final, one after the other, on all that run. */
export function makeBlocks(cluster: Cluster, count: number, from: number): void {
  for (let nonce = from; nonce < from + count; nonce++) {
    cluster.submit(leaderOf(cluster), ...transfers(1, nonce));
    assert.ok(
      cluster.time.runUntil(() => cluster.nonces('alice').every((at) => at === nonce + 1), 20_000),
      cluster.why(),
    );
  }
}

export function ask(
  cluster: Cluster,
  name: string,
  request: EngineRequest,
): { readonly height: number } | Problem {
  let answer: { readonly height: number } | Problem | undefined;
  cluster.node(name).driver.request(request, (result) => (answer = result));
  assert.ok(
    cluster.time.runUntil(() => answer !== undefined, 20_000),
    cluster.why(),
  );
  return answer as { readonly height: number } | Problem;
}

export const change = (name: string, role: MemberChange['role'], forced = false): EngineRequest => ({
  kind: 'members',
  changes: [{ key: developmentKeyPair(name).publicKey, role }],
  forced,
});

export const rolesAt = (cluster: Cluster, name: string): Member['role'][] =>
  (cluster.node(name).driver.engine.status().members ?? []).map(({ role }) => role);

export const noneEnded = (cluster: Cluster): void =>
  assert.deepEqual(
    cluster.all.flatMap(({ fatal }) => fatal),
    [],
  );

export const noFaults = (cluster: Cluster): void => {
  noneEnded(cluster);
  assert.deepEqual(cluster.net.penalties, []);
};

export const pruning = { protocol: protocolOf(genesis, { snapshotEvery: 5, keepBlocks: 2 }) };

export async function pruningCluster(): Promise<Cluster> {
  const cluster = new Cluster(genesis);
  for (const index of [0, 1, 2]) await cluster.boot(`validator-${index}`, pruning);
  return cluster;
}
