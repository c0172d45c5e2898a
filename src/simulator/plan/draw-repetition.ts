import { canLease } from '../../ledger/lease.ts';
import type { Chance } from '../world/chance.ts';
import type { Drawn } from './draw-surroundings.ts';
import { type Fault, isHonest, patienceOf, type Plan } from './plan.ts';

/**
 * What comes to all at once, or to one again and again, and what has to come together to matter: drawn each
 * for itself it would hardly ever meet.
 */
export function drawRepetition(plan: Drawn, chance: Chance): Partial<Plan> {
  const draws = [
    standstills,
    powerCuts,
    laggard,
    ...(plan.engine === 'raft' ? [cutOffInstalls, edgesOfLeases] : []),
  ];
  const drawn = chance.pick(draws)(plan, chance);
  // Clocks at the edge of what is promised must not drift further.
  const before = plan.faults.filter(({ kind }) => drawn.clocks === undefined || kind !== 'clock-drift');
  const faults = [...before, ...(drawn.faults ?? [])].sort((a, b) => a.at - b.at);
  return { ...drawn, faults };
}

/** All stand still at once, as on one machine with too much to do. */
function standstills({ nodes, healAt }: Drawn, chance: Chance): Partial<Plan> {
  const faults: Fault[] = [];
  for (let times = chance.between(1, 3); times > 0; times--) {
    const lastMs = chance.pick([300, 1_000, 2_500]);
    const at = chance.between(0, healAt - lastMs);
    for (const node of nodes.keys()) {
      const later = chance.between(0, 20);
      faults.push({ kind: 'pause', node, at: at + later, forMs: lastMs - later - chance.between(0, 40) });
    }
  }
  return { faults };
}

/** The power goes again and again, before a view or a term has had its time. */
function powerCuts(plan: Drawn, chance: Chance): Partial<Plan> {
  const patienceMs = patienceOf(plan);
  const faults: Fault[] = [];
  let at = chance.between(100, plan.healAt / 2);
  for (let times = chance.between(3, 15); times > 0 && at < plan.healAt - 50; times--) {
    const forMs = chance.between(1, 30);
    faults.push({ kind: 'crash-all', at, forMs });
    at += forMs + chance.between(Math.ceil(patienceMs / 5), Math.ceil(patienceMs * 1.3));
  }
  return { faults };
}

/** A node that was away for long and then restarts faster than it catches up. */
function laggard({ nodes, healAt, load }: Drawn, chance: Chance): Partial<Plan> {
  const node = chance.pick([...nodes.keys()].filter((index) => isHonest({ nodes }, index)));
  const at = chance.between(0, 500);
  const back = at + 1_500;
  const everyMs = chance.pick([20, 40, 100, 300]);
  return {
    load: { ...load, transactions: 60, untilMs: healAt },
    faults: [
      { kind: 'crash', node, at, forMs: back - at },
      { kind: 'crash-loop', node, everyMs, at: back, forMs: healAt - back },
    ],
  };
}

/** Whoever comes back fetches a snapshot, and its disk or its process fails in the middle of it. */
function cutOffInstalls({ nodes, healAt, load }: Drawn, chance: Chance): Partial<Plan> {
  const faults: Fault[] = [];
  for (let times = 4; times > 0; times--) {
    const node = chance.pick([...nodes.keys()]);
    const forMs = chance.pick([800, 2_000]);
    const at = chance.between(0, healAt - forMs);
    faults.push({ kind: 'crash', node, at, forMs });
    for (let hits = 0; hits < 4; hits++) {
      const kind = chance.pick(['disk-error', 'disk-error', 'crash', 'disk-stall'] as const);
      const moment = at + forMs + chance.between(5, 400);
      if (moment < healAt - 200) faults.push({ kind, node, at: moment, forMs: chance.between(20, 200) });
    }
  }
  return {
    retention: { snapshotEvery: chance.pick([1, 2]), keepBlocks: 0 },
    load: { ...load, transactions: 60, untilMs: healAt },
    faults,
  };
}

/** Leases, while leaders change, and clocks run apart by almost as much as leases allow: a third. */
function edgesOfLeases(plan: Drawn, chance: Chance): Partial<Plan> {
  const { consensus, nodes, healAt } = plan;
  if (!('leaseReads' in consensus)) return {};
  const timing = { heartbeatMs: 20, electionTimeoutMs: chance.pick([100, 200, 400]) };
  const always = { at: 0, forMs: healAt };
  const kind = chance.pick(['timeout-now', 'heartbeat', 'append']);
  const how = chance.pick(['freeze', 'deaf', 'cut-off', 'disk-stall'] as const);
  return {
    consensus: { ...consensus, ...timing, leaseReads: canLease(timing) },
    retention: { snapshotEvery: chance.pick([1, 2, 3]), keepBlocks: chance.pick([0, 1]) },
    clocks: [...nodes.keys()].map((node) => ({
      node,
      offsetMs: chance.between(-3_000, 3_000),
      rate: chance.pick([0.87, 1, 1.15]),
    })),
    faults: [
      { kind: 'hand-over', everyMs: chance.pick([100, 200, 1_000]), ...always },
      {
        kind: 'strike',
        kinds: [kind],
        share: chance.pick([0.05, 0.2, 1]),
        how: [how],
        relay: chance.happens(0.5),
        ...always,
      },
    ],
  };
}
