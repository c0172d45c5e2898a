import type { Chance } from '../world/chance.ts';
import type { LinkConditions } from '../world/links.ts';
import { blows, type Fault, type FaultKind, type NodePlan, type Plan } from './plan.ts';

const stormKinds = [
  'pre-prepare',
  'prepare',
  'commit',
  'view-change',
  'new-view',
  'suspect',
  'status',
] as const;
const raftKinds = [
  'append',
  'accepted',
  'rejected',
  'vote-request',
  'vote',
  'heartbeat',
  'heartbeat-answer',
  'snapshot-offer',
  'snapshot-answer',
] as const;

/** Leaders more than others, and then candidates and voters. */
const raftStrikes = [
  'append',
  'append',
  'append',
  'heartbeat',
  'vote-request',
  'vote-request',
  'vote',
  'vote',
  'accepted',
  'timeout-now',
] as const;

interface FaultScope {
  readonly engine: Plan['engine'];
  readonly nodes: readonly NodePlan[];
  readonly healAt: number;
  /** How many more validators may be silent for good. */
  readonly room: number;
}

/** Those that `drawFault` draws; others have a draw of their own. */
type PlainFault = Exclude<FaultKind, 'change-members' | 'change-validators' | 'clocks-jump' | 'clock-drift'>;

/** How to draw one fault of each kind, with the weight of the kind among those of a run. */
const faultKinds: readonly (readonly [PlainFault, number])[] = [
  ['partition', 2],
  ['one-way', 2],
  ['rotating-partition', 1],
  ['clog', 1],
  ['crash', 3],
  ['crash-all', 1],
  ['crash-loop', 1],
  ['disk-stall', 1],
  ['disk-error', 1],
  ['disk-loss', 0.3],
  ['clock-jump', 1],
  ['pause', 1],
  ['freeze', 1],
  ['weather', 1],
  ['drop-kinds', 4],
  ['disk-slow', 2],
  ['strike', 4],
  ['hand-over', 1],
];

export function drawFaults(chance: Chance, scope: FaultScope): Fault[] {
  const chosen = faultKinds.filter(([, weight]) => chance.happens(Math.min(0.6, weight * 0.2)));
  if (chosen.length === 0) return [];
  const bag = chosen.flatMap(([kind, weight]) => Array.from({ length: Math.ceil(weight) }, () => kind));
  const count = chance.between(1, 10);
  const faults: Fault[] = [];
  for (let i = 0; i < count; i++) faults.push(drawFault(chance, chance.pick(bag), scope));
  // Whoever lost its votes keeps silent for a while, perhaps for good: it takes the place of a broken node.
  let room = scope.room;
  const kept = faults.filter((fault) => {
    if (fault.kind === 'hand-over') return scope.engine === 'raft';
    if (fault.kind !== 'disk-loss') return true;
    // Raft trusts that disks keep what they acknowledged.
    if (scope.engine === 'raft') return false;
    const { validator, liar } = scope.nodes[fault.node] as NodePlan;
    return validator !== null && liar === null && room-- > 0;
  });
  if (scope.engine === 'raft' && chance.happens(0.4)) kept.push(...drawStruggle(chance, scope));
  return kept.sort((a, b) => a.at - b.at);
}

/**
 * A struggle for the lead, from early on to the end: what Raft's rules are for shows when leaders and
 * candidates fail in a row.
 */
function drawStruggle(chance: Chance, scope: FaultScope): Fault[] {
  const at = chance.between(0, 1_000);
  const always = { at, forMs: scope.healAt - at };
  const kinds: Parameters<typeof drawFault>[1][] = ['strike'];
  if (chance.happens(0.6)) kinds.push('strike');
  if (chance.happens(0.5)) kinds.push('hand-over');
  if (chance.happens(0.5)) kinds.push('disk-slow');
  return kinds.map((kind) => ({ ...drawFault(chance, kind, scope), ...always }));
}

/**
 * An operator who never rests; and perhaps a member that loses its log, and is trusted again when
 * it was taken out and in.
 */
export function drawChanges(chance: Chance, { nodes, healAt, room }: FaultScope): Fault[] {
  const all = [...nodes.keys()];
  const everyMs = chance.pick([100, 300, 1_000]);
  const change = { kind: 'change-members', everyMs, at: 0, forMs: healAt } as const;
  if (room === 0 || chance.happens(0.7)) return [{ ...change, outgoing: all }];
  const lost = chance.pick(all);
  const at = chance.between(0, healAt / 2);
  return [
    { ...change, outgoing: all.filter((node) => node === lost || nodes[node]?.validator === null) },
    { kind: 'disk-loss', node: lost, at, forMs: chance.pick([20, 300, 1_000]) },
  ];
}

/** Another set as soon as the last one is decided, or now and then. */
export function drawSetChanges(chance: Chance, healAt: number): Fault {
  return { kind: 'change-validators', everyMs: chance.pick([50, 200, 600]), at: 0, forMs: healAt };
}

function drawFault(chance: Chance, kind: PlainFault, scope: FaultScope): Fault {
  const at = chance.between(0, scope.healAt - 200);
  const forMs = Math.min(scope.healAt - at, chance.pick([100, 300, 800, 2_000, 5_000]));
  const episode = { at, forMs };
  const all = [...scope.nodes.keys()];
  const node = chance.pick(all);
  const some = (): number[] => chance.sample(all, chance.between(1, Math.max(1, all.length - 1)));
  switch (kind) {
    case 'partition':
      return { kind, side: some(), ...episode };
    case 'one-way':
      return { kind, from: some(), to: some(), ...episode };
    case 'rotating-partition':
      return { kind, everyMs: chance.between(80, 800), ...episode };
    case 'clog':
      return {
        kind,
        from: node,
        to: chance.pick(all),
        bytesPerMs: chance.pick([0.05, 0.3, 1, 5, 20]),
        ...episode,
      };
    case 'crash-all':
      return { kind, at, forMs: Math.min(forMs, 800) };
    case 'crash-loop':
      return { kind, node, everyMs: chance.pick([40, 100, 300, 1_000]), ...episode };
    case 'clock-jump':
      return { kind, node, byMs: chance.pick([-3_600_000, -20_000, -500, 500, 9_000, 60_000]), ...episode };
    case 'weather':
      return { kind, conditions: drawConditions(chance), ...episode };
    case 'drop-kinds': {
      const kinds = scope.engine === 'pbft' ? stormKinds : raftKinds;
      return {
        kind,
        kinds: chance.sample(kinds, chance.between(1, 2)),
        share: chance.pick([0.3, 0.5, 0.7, 0.9]),
        everyMs: chance.between(50, 600),
        ...episode,
      };
    }
    case 'hand-over':
      return { kind, everyMs: chance.pick([200, 1_000]), ...episode };
    case 'disk-slow':
      return { kind, node, upToMs: chance.pick([50, 100, 300]), ...episode };
    case 'strike':
      return {
        kind,
        kinds: [chance.pick(scope.engine === 'pbft' ? stormKinds : raftStrikes)],
        share: chance.pick([0.05, 0.2, 0.5]),
        how: chance.sample(blows, chance.between(1, 2)),
        relay: chance.happens(0.3),
        ...episode,
      };
    case 'crash':
    case 'disk-stall':
    case 'disk-error':
    case 'disk-loss':
    case 'pause':
    case 'freeze':
      return { kind, node, ...episode };
  }
}

export function drawConditions(chance: Chance): LinkConditions {
  return {
    delayMs: chance.pick([
      [1, 5],
      [1, 20],
      [5, 40],
      [20, 60],
    ] as const),
    loss: chance.happens(0.4) ? chance.between(1, 30) / 100 : 0,
    duplication: chance.happens(0.3) ? chance.between(1, 50) / 100 : 0,
    reordering: chance.happens(0.4) ? chance.between(1, 50) / 100 : 0,
  };
}
