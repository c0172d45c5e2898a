import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { unwrap } from '../../../src/base/problem.ts';
import { drawPlan } from '../../../src/simulator/plan/draw-plan.ts';
import type { Plan } from '../../../src/simulator/plan/plan.ts';
import { parsePlan } from '../../../src/simulator/plan/plan-file.ts';
import { simulate, Simulation } from '../../../src/simulator/run/simulation.ts';
import { Trace } from '../../../src/simulator/world/trace.ts';
import { describeVerdict, exitCodes, type Verdict } from '../../../src/simulator/run/verdict.ts';
import { allMutations } from '../mutations/all-mutations.ts';
import { mutations } from '../mutations/mutations.ts';
import { raftMutations } from '../mutations/raft-mutations.ts';
import { misfits } from '../mutations/patched-copy.ts';

const regressions = join(import.meta.dirname, '..', 'regressions');

/** A quiet run of four validators, to be spoilt. */
const quiet: Plan = {
  seed: 7,
  engine: 'pbft',
  validators: 4,
  nodes: [0, 1, 2, 3].map((validator) => ({ validator, liar: null })),
  consensus: {
    window: 4,
    viewTimeoutMs: 300,
    viewTimeoutCapMs: 1_200,
    blocksPerPrimary: 0,
    heartbeatMs: 0,
    censorshipMs: 1_000,
    blockIntervalMs: 10,
  },
  links: { delayMs: [1, 10], loss: 0, duplication: 0, reordering: 0 },
  diskMs: [1, 3],
  load: { senders: 3, transactions: 12, untilMs: 800 },
  faults: [],
  healAt: 1_500,
  broken: [],
  boundMs: 10_000,
  signatures: 'fast',
};

async function verdictOf(plan: Plan): Promise<Verdict> {
  return (await simulate(plan)).verdict;
}

describe('a run', () => {
  test('is a function of its plan: the same trace to the byte', async () => {
    for (const engine of ['pbft', 'raft'] as const) {
      for (const seed of [2, 11, 20]) {
        const plan = drawPlan(seed, engine);
        const [first, second] = [
          await simulate(plan, { keepTrace: true }),
          await simulate(plan, { keepTrace: true }),
        ];
        assert.ok(first.trace.length > 100);
        assert.deepEqual(second.trace, first.trace);
        assert.deepEqual(second.verdict, first.verdict);
        const untraced = await simulate(plan);
        assert.equal(untraced.verdict.trace, first.verdict.trace, 'keeping the lines changes nothing');
      }
    }
    assert.notEqual((await verdictOf(drawPlan(2))).trace, (await verdictOf(drawPlan(3))).trace);
  });

  test('without faults passes quickly, with a final block for the load and nothing suspected', async () => {
    const verdict = await verdictOf(quiet);
    assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
    assert.ok((verdict.counts['run/blocks'] ?? 0) > 0);
    assert.equal(verdict.counts['event/suspect'] ?? 0, 0);
    assert.equal(verdict.counts['run/views'], 0);
  });

  test('in which all stand still for longer than any timeout, as on a machine with too much to do, sees no election and no view change', async () => {
    const { consensus } = drawPlan(1, 'raft');
    const raft = { ...consensus, heartbeatMs: 20, electionTimeoutMs: 200 } as typeof consensus;
    for (const plan of [quiet, { ...quiet, engine: 'raft', consensus: raft } as const]) {
      // In these something is unfinished then.
      for (const seed of [4, 7, 8, 10, 12]) {
        // They stop in the middle of a block, one after the other, and wake up so, in the same order or the other way round.
        const faults = [0, 1, 2, 3].map((node) => {
          const apart = seed % 2 === 0 ? 2 * node : -2 * node;
          return { kind: 'pause', node, at: 600 + 2 * node, forMs: 800 + apart } as const;
        });
        const verdict = await verdictOf({ ...plan, seed, faults });
        assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
        assert.equal(verdict.counts['run/views'], plan.engine === 'raft' ? 1 : 0, `seed ${seed}`);
      }
    }
  });

  test('ends with nothing that waits: a chain that rests comes to the expiry of what never can be final', async () => {
    const raft = drawPlan(1, 'raft').consensus;
    for (const plan of [quiet, { ...quiet, engine: 'raft', consensus: raft } as const]) {
      const verdict = await verdictOf({ ...plan, load: { ...plan.load, gaps: 2 } });
      assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
      assert.ok((verdict.counts['gap/accepted'] ?? 0) >= 4);
    }
    // Nobody suspects a primary for making no empty block: of a dead one the run says what is not gone.
    const outcomes = [];
    for (const { validator } of quiet.nodes) {
      const broken = [{ node: validator ?? 0, how: 'down' }] as const;
      outcomes.push(await verdictOf({ ...quiet, broken, load: { ...quiet.load, gaps: 1 } }));
    }
    const stuck = outcomes.filter(({ outcome }) => outcome === 'stuck');
    assert.equal(stuck.length, 1);
    assert.match(stuck[0]?.breach?.message ?? '', /what waits for a nonce that never comes is not gone/);
    assert.ok(outcomes.filter(({ outcome }) => outcome === 'pass').length === 3);
  });

  test('with real signatures gives the same verdict', async () => {
    const verdict = await verdictOf({
      ...quiet,
      signatures: 'ed25519',
      load: { ...quiet.load, transactions: 4 },
    });
    assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
  });

  test('drawn from a seed passes, in both modes', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const verdict = await verdictOf(drawPlan(seed));
      assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
    }
    for (let seed = 1; seed <= 30; seed++) {
      const verdict = await verdictOf(drawPlan(seed, 'raft'));
      assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
    }
  });

  for (const file of readdirSync(regressions).filter((name) => name.endsWith('.json'))) {
    test(`that failed once passes now: ${file}`, async () => {
      const verdict = await verdictOf(unwrap(parsePlan(readFileSync(join(regressions, file), 'utf8'))));
      assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
    });
  }
});

describe('what is not promised is seen', () => {
  test('in which events make each other for ever ends with that as the reason', async () => {
    const simulation = new Simulation(quiet, new Trace(false));
    simulation.begin();
    const { scheduler } = simulation.cluster;
    const again = (): void => void scheduler.at(scheduler.now, again);
    scheduler.at(1_234, again);
    await simulation.playTo(Infinity);
    const { outcome, breach } = await simulation.end();
    assert.equal(outcome, 'unsafe');
    assert.equal(breach?.guarantee, 'bounds');
    assert.match(breach.message, /events within a second of virtual time/);
    assert.equal(breach.at, 1_234);
  });

  test('f + 1 validators with two copies each fork the chain, and the run is unsafe', async () => {
    const twin = (validator: number) => ({ validator, liar: 'twin' }) as const;
    const fork = await verdictOf({
      ...quiet,
      seed: 10,
      nodes: [twin(0), twin(1), { validator: 2, liar: null }, { validator: 3, liar: null }, twin(0), twin(1)],
      faults: [{ kind: 'partition', side: [0, 1, 2], at: 0, forMs: 1_500 }],
    });
    assert.equal(fork.breach?.guarantee, 'agreement', describeVerdict(fork));
    assert.equal(fork.outcome, 'unsafe');
    assert.equal(exitCodes[fork.outcome], 10);
  });

  test('one validator with two copies, between the same two sides, forks nothing', async () => {
    const verdict = await verdictOf({
      ...quiet,
      nodes: [
        { validator: 0, liar: 'twin' },
        ...[1, 2, 3].map((validator) => ({ validator, liar: null })),
        { validator: 0, liar: 'twin' },
      ],
      faults: [{ kind: 'partition', side: [0, 1, 2], at: 0, forMs: 1_500 }],
    });
    assert.equal(verdict.outcome, 'pass', describeVerdict(verdict));
  });

  test('with f + 1 validators down for good the run is stuck, and says what it waits for', async () => {
    const stuck = await verdictOf({
      ...quiet,
      load: { ...quiet.load, untilMs: 1_400 },
      faults: [{ kind: 'partition', side: [0, 1], at: 0, forMs: 1_500 }],
      broken: [
        { node: 1, how: 'down' },
        { node: 2, how: 'isolated' },
      ],
    });
    assert.equal(stuck.outcome, 'stuck', describeVerdict(stuck));
    assert.equal(exitCodes[stuck.outcome], 11);
    assert.match(stuck.breach?.message ?? '', /12 of 12 transactions are not final/);
  });
});

test('every mutation still finds the line that it breaks', () => {
  assert.deepEqual(allMutations.flatMap(misfits), []);
  assert.ok(mutations.length >= 10 && raftMutations.length >= 10);
  assert.equal(new Set(allMutations.map(({ name }) => name)).size, allMutations.length);
  for (const { directed, name } of allMutations) {
    if (directed === undefined) continue;
    const source = readFileSync(join(import.meta.dirname, '..', '..', '..', directed.file), 'utf8');
    assert.ok(source.includes(directed.test), `${name}: ${directed.file} has no such test`);
  }
  assert.ok(raftMutations.filter(({ directed }) => directed === undefined).length >= 10);
});
