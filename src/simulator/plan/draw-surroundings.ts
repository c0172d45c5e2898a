import { limits } from '../../base/limits.ts';
import { Chance } from '../world/chance.ts';
import { type ClockPlan, type Fault, isHonest, type Plan, type Shape } from './plan.ts';

/** The rest of a plan, drawn before. */
export type Drawn = Omit<Plan, 'clocks' | 'shape'>;

/**
 * Wrong clocks and a network with gaps, for some of the runs. They are drawn from streams of their own, after
 * everything else: so what a seed draws besides does not depend on them.
 */
export function drawSurroundings(plan: Drawn, room: number): Pick<Plan, 'faults' | 'clocks' | 'shape'> {
  const chance = new Chance(plan.seed, `clocks ${plan.engine}`);
  const handOvers = drawHandOvers(new Chance(plan.seed, `hand-overs ${plan.engine}`), plan);
  const faults = [...plan.faults, ...drawClockFaults(chance, plan), ...handOvers].sort((a, b) => a.at - b.at);
  const clocks = drawClocks(chance, plan, room);
  const shape = drawShape(new Chance(plan.seed, `shape ${plan.engine}`), plan);
  return {
    faults,
    ...(clocks.length > 0 && { clocks }),
    ...(shape !== undefined && { shape }),
  };
}

/** Raft's lease reads trust that clocks run about alike. */
function drawRate(chance: Chance, engine: Plan['engine']): number {
  return engine === 'raft' ? chance.pick([0.97, 1.03]) : chance.pick([0.5, 0.8, 1.25, 2]);
}

function drawClockFaults(chance: Chance, { engine, healAt, nodes }: Drawn): Fault[] {
  const episode = (): { at: number; forMs: number } => {
    const at = chance.between(0, healAt - 200);
    return { at, forMs: Math.min(healAt - at, chance.pick([300, 1_000, 3_000])) };
  };
  const faults: Fault[] = [];
  if (chance.happens(0.12)) {
    const byMs = chance.pick([-3_600_000, 20_000, 300_000, 3_600_000]);
    faults.push({ kind: 'clocks-jump', byMs, ...episode() });
  }
  if (chance.happens(0.12)) {
    const node = chance.pick([...nodes.keys()]);
    faults.push({ kind: 'clock-drift', node, rate: drawRate(chance, engine), ...episode() });
  }
  return faults;
}

/**
 * Leaders hand over again and again, and hear nothing of what comes of it: each goes on to believe that it
 * leads while its successor does, as nobody has to wait for an election timeout.
 */
function drawHandOvers(chance: Chance, { engine, healAt, validators }: Drawn): Fault[] {
  if (engine !== 'raft' || validators < 3 || !chance.happens(0.12)) return [];
  const at = chance.between(0, healAt / 2);
  const always = { at, forMs: healAt - at };
  return [
    { kind: 'hand-over', everyMs: chance.pick([200, 1_000]), ...always },
    { kind: 'strike', kinds: ['timeout-now'], share: 1, how: ['deaf'], relay: false, ...always },
  ];
}

/**
 * All a little off, so that no two are further apart than a block may be early; or one by hours, which
 * costs the chain a validator.
 */
function drawClocks(chance: Chance, plan: Drawn, room: number): ClockPlan[] {
  if (chance.happens(0.12)) {
    return plan.nodes.map((_, node) => ({
      node,
      offsetMs: chance.between(-3_000, 3_000),
      rate: 1 + chance.between(-20, 20) / 1_000,
    }));
  }
  const spare = room - plan.faults.filter(({ kind }) => kind === 'disk-loss').length;
  if (plan.engine === 'raft' || spare < 1 || !chance.happens(0.15)) return [];
  const wrong = chance.pick(usable(plan).filter((node) => plan.nodes[node]?.validator !== null));
  return [{ node: wrong, offsetMs: chance.pick([-3_600_000, 3_600_000]), rate: 1 }];
}

/** Honest, and not broken for good. */
function usable(plan: Drawn): number[] {
  return [...plan.nodes.keys()].filter(
    (node) => isHonest(plan, node) && !plan.broken.some((broken) => broken.node === node),
  );
}

/**
 * Who stands between others passes on what it hears. Consensus messages are passed on to members only, so
 * those are validators; and where validators come and go, all are at the same one. Where views are short, so
 * many hops would take longer than they last.
 */
function drawShape(chance: Chance, plan: Drawn): Shape | undefined {
  const patient = 'viewTimeoutMs' in plan.consensus && plan.consensus.viewTimeoutMs >= 600;
  if (!patient || plan.nodes.length < 3) return undefined;
  const between = usable(plan).filter((node) => plan.nodes[node]?.validator !== null);
  const mayLeave = plan.faults.some(({ kind }) => kind === 'change-validators');
  if (!chance.happens(0.25)) return mayLeave ? undefined : drawBridge(chance, plan, between);
  if (between.length === 0) return undefined;
  const ends = [...plan.nodes.keys()].filter((node) => !between.includes(node));
  if (mayLeave || ends.length > 2 || chance.happens(0.5)) {
    return { kind: 'star', centre: chance.pick(between) };
  }
  const [first, second] = ends;
  return {
    kind: 'line',
    order: [
      ...(first === undefined ? [] : [first]),
      ...chance.sample(between, between.length),
      ...(second === undefined ? [] : [second]),
    ],
  };
}

/**
 * Only in larger networks a node has so many to talk to that it does not pass on everything to all of them:
 * there transactions stay in one of the two groups until the other one asked for them.
 */
function drawBridge(chance: Chance, { nodes }: Drawn, between: readonly number[]): Shape | undefined {
  const few = limits.gossipFewMembers;
  if (nodes.length < few + 2 || between.length < 2 || !chance.happens(0.3)) return undefined;
  const [inside, outside] = chance.sample(between, 2) as [number, number];
  const others = [...nodes.keys()].filter((node) => node !== inside && node !== outside);
  const group = [inside, ...chance.sample(others, chance.between(few - 1, others.length))];
  return { kind: 'bridge', group, ends: [inside, outside] };
}
