import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from '../../src/base/codec.ts';
import { messageCodec } from '../../src/consensus/pbft/message-codec.ts';
import type { Draft, PbftMessage } from '../../src/consensus/pbft/message.ts';
import { Problem } from '../../src/base/problem.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import { majority, maxFaulty } from '../../src/ledger/quorum.ts';
import { drawnLiars, drawPlan } from '../../src/simulator/plan/draw-plan.ts';
import { kindOf } from '../../src/simulator/plan/message-kinds.ts';
import { type Fault, lyingValidators, type Plan } from '../../src/simulator/plan/plan.ts';
import { parsePlan } from '../../src/simulator/plan/plan-file.ts';
import { shrink } from '../../src/simulator/run/shrink.ts';
import type { Verdict } from '../../src/simulator/run/verdict.ts';

const seeds = Array.from({ length: 400 }, (_, seed) => seed);

describe('plans', () => {
  test('a plan is a function of its seed', () => {
    for (const seed of seeds.slice(0, 50)) assert.deepEqual(drawPlan(seed), drawPlan(seed));
    assert.notDeepEqual(drawPlan(1), drawPlan(2));
  });

  test('never more lies, broken nodes and lost disks together than the protocol tolerates', () => {
    for (const seed of seeds) {
      const plan = drawPlan(seed);
      const lost = plan.faults.filter(({ kind }) => kind === 'disk-loss').length;
      const wrong = lyingValidators(plan).size + plan.broken.length + lost;
      assert.ok(wrong <= maxFaulty(plan.validators), `seed ${seed}: ${wrong} of ${plan.validators}`);
    }
  });

  test('in Raft mode nobody lies, and a majority stays', () => {
    for (const seed of seeds) {
      const plan = drawPlan(seed, 'raft');
      assert.equal(lyingValidators(plan).size, 0);
      assert.ok(plan.validators - plan.broken.length >= majority(plan.validators));
    }
  });

  test('in a third of the runs of Raft members come and go, and in some of those one is away from the beginning', () => {
    const plans = seeds.map((seed) => drawPlan(seed, 'raft'));
    const changing = plans.filter(({ faults }) => faults.some(({ kind }) => kind === 'change-members'));
    assert.ok(changing.length > 100 && changing.length < 180, `${changing.length}`);
    const away = changing.filter(({ broken }) => broken.length > 0);
    assert.ok(away.length > 15 && away.length < 60, `${away.length}`);
    for (const plan of changing) {
      assert.ok(plan.nodes.length > plan.validators);
      assert.ok(plan.broken.every(({ how }) => how === 'absent'));
      assert.deepEqual(parsePlan(JSON.stringify(plan)), plan);
    }
  });

  test('in some runs all are hit at once, or one is again and again, also at the edge of what leases allow', () => {
    const many = Array.from({ length: 2_000 }, (_, seed) => seed);
    const plans = many.flatMap((seed) => [drawPlan(seed), drawPlan(seed, 'raft')]);
    const count = (plan: Plan, kind: Fault['kind']): number =>
      plan.faults.filter((fault) => fault.kind === kind).length;
    const standing = plans.filter(
      (plan) => count(plan, 'pause') >= plan.nodes.length && plan.nodes.length > 4,
    );
    assert.ok(standing.length >= 20, `${standing.length} stand still`);
    const dark = plans.filter((plan) => count(plan, 'crash-all') >= 5);
    assert.ok(dark.length >= 20, `${dark.length} without power`);
    const edges = plans.filter(
      ({ consensus, clocks = [] }) =>
        'leaseReads' in consensus && consensus.leaseReads && clocks.some(({ rate }) => rate === 1.15),
    );
    assert.ok(edges.length >= 20, `${edges.length} at the edge`);
    for (const plan of edges) {
      const rates = (plan.clocks ?? []).map(({ rate }) => rate);
      assert.ok(Math.max(...rates) / Math.min(...rates) <= 4 / 3);
      assert.equal(count(plan, 'clock-drift'), 0);
    }
    for (const plan of [...standing, ...dark, ...edges]) {
      assert.deepEqual(parsePlan(JSON.stringify(plan)), plan);
      for (const { at, forMs } of plan.faults) assert.ok(at >= 0 && forMs > 0 && at + forMs <= plan.healAt);
    }
  });

  test('where the validators change, half of the keys that come are noted for long', () => {
    const plans = seeds.map((seed) => drawPlan(seed));
    const changing = plans.filter(({ faults }) => faults.some(({ kind }) => kind === 'change-validators'));
    const nodes = changing.flatMap((plan) => plan.nodes);
    const come = nodes.filter(({ noted }) => noted === true).length;
    assert.ok(come > changing.length / 2 && come < changing.length, `${come} in ${changing.length}`);
    for (const plan of changing) assert.deepEqual(parsePlan(JSON.stringify(plan)), plan);
    for (const { validator, liar, noted } of nodes) {
      assert.ok(noted === undefined || (validator === null && liar === null));
    }
  });

  test('every fault is over before the second act', () => {
    for (const seed of seeds) {
      const plan = drawPlan(seed);
      for (const fault of plan.faults) assert.ok(fault.at + fault.forMs <= plan.healAt);
    }
  });

  test('a few hundred seeds draw every kind of fault and liar', () => {
    const plans = seeds.map((seed) => drawPlan(seed));
    const faults = new Set(plans.flatMap((plan) => plan.faults.map(({ kind }) => kind)));
    assert.equal(faults.size, 20);
    const liars = new Set(plans.flatMap((plan) => plan.nodes.flatMap(({ liar }) => liar ?? [])));
    assert.deepEqual([...liars].sort(), [...drawnLiars].sort());
  });

  test('something waits for ever in some runs of both engines; in PBFT only where each primary can be relied on', () => {
    for (const engine of ['pbft', 'raft'] as const) {
      const plans = Array.from({ length: 300 }, (_, seed) => drawPlan(seed, engine));
      const withGaps = plans.filter(({ load }) => load.gaps !== undefined);
      assert.ok(withGaps.length >= 30, `${withGaps.length} of ${engine}`);
      if (engine === 'raft') continue;
      for (const { nodes, broken } of withGaps) {
        assert.ok(nodes.every(({ liar }) => liar === null) && broken.length === 0);
      }
    }
  });

  test('a stored plan is read back as it was, and a wrong one is refused with its place', () => {
    for (const seed of seeds.slice(0, 100)) {
      const plan = drawPlan(seed);
      assert.deepEqual(parsePlan(JSON.stringify({ found: null, plan })), plan);
    }
    const wrong = parsePlan(JSON.stringify({ ...drawPlan(1), healAt: 'soon' }));
    assert.ok(wrong instanceof Problem);
    assert.match(wrong.message, /healAt/);
    assert.ok(parsePlan('{') instanceof Problem);
    for (const [change, why] of [
      [{ nodes: 5 }, /wrong at nodes: it must be a list/],
      [{ faults: [{ kind: 'flood' }] }, /wrong at faults\.0\.kind: none of what it may be/],
      [
        { faults: [{ kind: 'crash', node: 0.5, at: 0, forMs: 1 }] },
        /faults\.0\.node: it must be a whole number/,
      ],
      [{ extra: 1 }, /the unknown field "extra"/],
      [{ links: undefined }, /wrong at links: it must be an object/],
      [{ engine: 'paxos' }, /wrong at engine: it must be one of pbft, raft/],
      [{ signatures: 'none' }, /wrong at signatures: it must be one of fast, ed25519/],
    ] as const) {
      const problem = parsePlan(JSON.stringify({ ...drawPlan(1), ...change }));
      assert.ok(problem instanceof Problem);
      assert.match(problem.message, why);
    }
  });

  test('what does not belong together is refused, and drawn plans are not', () => {
    for (const engine of ['pbft', 'raft'] as const) {
      for (const seed of seeds) {
        const plan = drawPlan(seed, engine);
        assert.deepEqual(parsePlan(JSON.stringify(plan)), plan);
      }
    }
    const plan = drawPlan(1);
    const at = { at: 0, forMs: 5 };
    for (const [change, why] of [
      [{ engine: 'raft' }, /no timing of raft/],
      [{ validators: plan.nodes.length + 1 }, /no node with the key of number/],
      [{ nodes: [...plan.nodes, { validator: 90, liar: null }] }, /a node with the key of number 90/],
      [{ faults: [{ kind: 'crash', node: 99, ...at }] }, /names node 99/],
      [{ faults: [{ kind: 'partition', side: [98], ...at }] }, /names node 98/],
      [{ faults: [{ kind: 'one-way', from: [0], to: [97], ...at }] }, /names node 97/],
      [{ clocks: [{ node: 96, offsetMs: 0, rate: 1 }] }, /names node 96/],
      [{ broken: [{ node: 95, how: 'down' }] }, /names node 95/],
      [{ shape: { kind: 'star', centre: 94 } }, /names node 94/],
      [{ shape: { kind: 'line', order: [93] } }, /names node 93/],
    ] as const) {
      const wrong = parsePlan(JSON.stringify({ ...plan, ...change }));
      assert.ok(wrong instanceof Problem && wrong.code === 'simulator/plan', String(why));
      assert.match(wrong.message, why);
      assert.match(wrong.remedy, /--keep/);
    }
  });
});

test('the first byte of a message names its kind', () => {
  const blockHash = 'aa'.repeat(32) as Hash;
  const view = toView(1);
  const height = toHeight(1);
  const drafts: Draft[] = [
    { kind: 'prepare', from: 0, view, height, blockHash },
    { kind: 'commit', from: 0, view, height, blockHash },
    { kind: 'suspect', from: 0, view, height, reason: 'no-progress', sequence: 1 },
    {
      kind: 'view-change',
      from: 0,
      view,
      finalHeight: height,
      finalCertificate: undefined,
      highest: undefined,
    },
    { kind: 'new-view', from: 0, view, viewChanges: [] },
    { kind: 'status', from: 0, view, changing: false, finalHeight: height, finalCertificate: undefined },
  ];
  for (const draft of drafts) {
    const message = { ...draft, epoch: toHeight(0), signature: '00'.repeat(64) as Signature } as PbftMessage;
    assert.equal(kindOf('pbft', encode(messageCodec, message)), draft.kind);
  }
});

function withEverything(): Plan {
  const plan = seeds
    .map((seed) => drawPlan(seed))
    .find(
      ({ faults, links, nodes }) =>
        links.loss > 0 &&
        faults.filter(({ kind }) => kind === 'crash').length > 0 &&
        faults.length > 4 &&
        nodes.some(({ liar }) => liar !== null && liar !== 'twin'),
    );
  assert.ok(plan);
  return plan;
}

// A made-up bug: it shows whenever a crash falls into a run with loss.
async function madeUpBug(candidate: Plan): Promise<Verdict> {
  return {
    outcome: 'unsafe',
    seed: candidate.seed,
    trace: '',
    breach:
      candidate.faults.some(({ kind }) => kind === 'crash') && candidate.links.loss > 0
        ? { guarantee: 'agreement', message: 'made up', at: 5_000 }
        : null,
    counts: {},
  };
}

describe('shrinking', () => {
  test('leaves what the failure needs and nothing else', async () => {
    const plan = withEverything();
    const crash = plan.faults.find(({ kind }) => kind === 'crash');
    const { plan: small } = await shrink(plan, { run: madeUpBug, budget: 500 });
    assert.equal(small.faults.length, 1);
    assert.equal(small.faults[0]?.kind, crash?.kind);
    assert.ok(small.links.loss > 0);
    assert.equal(small.links.duplication, 0);
    assert.equal(small.load.transactions, 1);
    assert.equal(lyingValidators(small).size, 0);
  });

  test('another failure on the way is not taken for the same one', async () => {
    const plan = withEverything();
    const run = async (candidate: Plan): Promise<Verdict> => ({
      outcome: 'unsafe',
      seed: candidate.seed,
      trace: '',
      breach: {
        guarantee: candidate.faults.length === plan.faults.length ? 'agreement' : 'validity',
        message: '',
        at: 0,
      },
      counts: {},
    });
    const { plan: small } = await shrink(plan, { run, budget: 500 });
    assert.deepEqual(small.faults.length, plan.faults.length);
  });
});
