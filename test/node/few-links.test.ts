import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { areLinked, type Shape } from '../../src/simulator/plan/plan.ts';
import { Cluster, signedTransaction, testGenesis } from './cluster.ts';

const name = (index: number): string => `validator-${index}`;

/** Validators that reach each other only as the shape says. */
async function shaped(validators: number, shape: Shape): Promise<Cluster> {
  const cluster = new Cluster(testGenesis(validators));
  for (let a = 0; a < validators; a++) {
    for (let b = 0; b < a; b++) if (!areLinked(shape, a, b)) cluster.net.cut(name(a), name(b));
  }
  for (let index = 0; index < validators; index++) await cluster.boot(name(index));
  return cluster;
}

/** Pays at every third validator, and tells how long it takes until all have it. */
function payments(cluster: Cluster, everyMs: number): number[] {
  const { time, genesis } = cluster;
  const payers = cluster.all.filter((_, index) => index % 3 === 0);
  return payers.map((node) => {
    time.run(everyMs);
    const nonce = Math.max(...cluster.nonces('alice'));
    const from = time.now;
    cluster.submit(node.name, signedTransaction(genesis, 'alice', { nonce }));
    const isFinal = (): boolean => cluster.nonces('alice').every((at) => at > nonce);
    assert.ok(time.runUntil(isFinal, 10_000), cluster.why());
    return time.now - from;
  });
}

describe('honest validators with few links', () => {
  const half = [0, 1, 2, 3, 4];
  for (const [what, validators, shape] of [
    ['two groups of two with one link', 4, { kind: 'bridge', group: [0, 1], ends: [1, 2] }],
    ['two groups of five with one link', 10, { kind: 'bridge', group: half, ends: [0, 5] }],
    ['a line', 7, { kind: 'line', order: [3, 0, 6, 1, 5, 2, 4] }],
    ['a star', 10, { kind: 'star', centre: 4 }],
  ] satisfies [string, number, Shape][]) {
    test(`${what}: what is paid anywhere is final everywhere at once, in the first view`, async () => {
      const cluster = await shaped(validators, shape);
      cluster.time.run(3_000);
      for (const everyMs of [500, 15_000]) {
        const took = payments(cluster, everyMs);
        assert.ok(Math.max(...took) < limits.frameRelayMs, `${took.join(' ')} ms`);
      }
      assert.deepEqual(
        cluster.all.map(({ driver }) => driver.engine.status().view),
        cluster.all.map(() => 0),
      );
    });
  }

  test('find the new link when the only one between two groups moves', async () => {
    const cluster = await shaped(10, { kind: 'bridge', group: half, ends: [0, 5] });
    cluster.time.run(3_000);
    payments(cluster, 100);
    cluster.net.mend(name(1), name(6));
    cluster.net.cut(name(0), name(5));
    cluster.time.run(5_000);
    const took = payments(cluster, 500);
    assert.ok(Math.max(...took) < 100, `${took.join(' ')} ms`);
  });
});
