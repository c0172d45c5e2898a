import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawPlan } from '../../src/simulator/plan/draw-plan.ts';
import type { Fault, Plan } from '../../src/simulator/plan/plan.ts';
import { parsePlan } from '../../src/simulator/plan/plan-file.ts';
import { simulate } from '../../src/simulator/run/simulation.ts';
import { describeVerdict, type Verdict } from '../../src/simulator/run/verdict.ts';

/** Three members and an observer (node 3), who make a snapshot of each second block and keep nothing below it. */
const pruned: Plan = {
  seed: 1,
  engine: 'raft',
  validators: 3,
  nodes: [0, 1, 2, null].map((validator) => ({ validator, liar: null })),
  consensus: { heartbeatMs: 50, electionTimeoutMs: 250, blockIntervalMs: 10, leaseReads: false },
  retention: { snapshotEvery: 2, keepBlocks: 0 },
  links: { delayMs: [1, 5], loss: 0, duplication: 0, reordering: 0 },
  diskMs: [1, 3],
  load: { senders: 3, transactions: 30, untilMs: 2_500 },
  faults: [],
  healAt: 3_000,
  broken: [],
  boundMs: 20_000,
  signatures: 'fast',
};

async function passes(faults: readonly Fault[], changed: Partial<Plan> = {}): Promise<Verdict['counts']> {
  const { verdict } = await simulate({ ...pruned, faults, ...changed });
  assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
  assert.ok((verdict.counts['run/blocks'] ?? 0) > 10);
  return verdict.counts;
}

test('an observer that starts when everybody has pruned reaches the chain by a snapshot that it finds', async () => {
  const counts = await passes([{ kind: 'crash', node: 3, at: 0, forMs: 2_900 }]);
  assert.ok((counts['event/snapshot-found'] ?? 0) > 0);
  assert.ok((counts['install/done'] ?? 0) > 0);
  assert.equal(counts['event/snapshot-offered'] ?? 0, 0, 'no leader offers it one');
});

test('and so it does when it is killed again and again while it fetches, and loses what was not synced', async () => {
  const faults: Fault[] = [
    { kind: 'crash', node: 3, at: 0, forMs: 2_000 },
    { kind: 'crash-loop', node: 3, everyMs: 60, at: 2_001, forMs: 990 },
  ];
  const counts = await passes(faults, { diskMs: [10, 20] });
  assert.ok((counts['install/cut-off'] ?? 0) > 0);
  assert.ok((counts['install/done'] ?? 0) > 0);
});

test('a member that comes back so late is offered a snapshot by its leader', async () => {
  const counts = await passes([{ kind: 'crash', node: 2, at: 0, forMs: 2_900 }]);
  assert.ok((counts['event/snapshot-offered'] ?? 0) > 0);
  assert.ok((counts['install/done'] ?? 0) > 0);
});

test('half of the plans of Raft prune, none of PBFT, and a stored plan says so', () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);
  const pruning = seeds
    .map((seed) => drawPlan(seed, 'raft'))
    .filter(({ retention }) => retention !== undefined);
  assert.ok(pruning.length > 60 && pruning.length < 140);
  for (const plan of pruning.slice(0, 20)) assert.deepEqual(parsePlan(JSON.stringify({ plan })), plan);
  assert.ok(seeds.every((seed) => drawPlan(seed).retention === undefined));
});
