import { canLease } from '../../ledger/lease.ts';
import { byzantineQuorum, majority, maxFaulty } from '../../ledger/quorum.ts';
import { Chance } from '../world/chance.ts';
import { drawDiskTrouble } from './draw-disk-trouble.ts';
import { drawChanges, drawConditions, drawFaults, drawSetChanges } from './draw-faults.ts';
import { drawRepetition } from './draw-repetition.ts';
import { type Drawn, drawSurroundings } from './draw-surroundings.ts';
import {
  type BrokenNode,
  liarNames,
  type LiarName,
  type NodePlan,
  type PbftTiming,
  type Plan,
  type RaftTiming,
  strangerNames,
} from './plan.ts';

/**
 * What a run may draw for a validator. A block of `full-blocks` has 2 MiB, and a run with it takes as long as
 * fifty others: only a real network meets it, in `npm run malicious`.
 */
export const drawnLiars = liarNames.filter((name) => name !== 'full-blocks');

/**
 * Draws a run from its seed, swarm style (Groce and others, "Swarm testing", 2012): each run has its own
 * selection of faults, and so some runs have much of one kind, which a mix of everything never has.
 */
export function drawPlan(seed: number, engine: Plan['engine'] = 'pbft'): Plan {
  const chance = new Chance(seed, `plan ${engine}`);
  const validators = drawSize(chance, engine);
  const tolerated = engine === 'pbft' ? maxFaulty(validators) : validators - majority(validators);
  const nodes = drawNodes(chance, engine, validators);
  const membersChange = engine === 'raft' && chance.happens(0.35);
  const validatorsChange = new Chance(seed, 'change of validators');
  const setChanges = engine === 'pbft' && validatorsChange.happens(1 / 3);
  if (membersChange) nodes.push(...drawSpares(chance));
  if (setChanges) nodes.push(...drawNoted(seed, drawSpares(validatorsChange)));
  const healAt = chance.between(3_000, 9_000);
  const liars = nodes.flatMap(({ liar, validator }) => (liar === null ? [] : [validator]));
  const consensus = engine === 'pbft' ? drawPbft(chance) : drawRaft(chance);
  const room = tolerated - new Set(liars).size;
  const broken =
    membersChange || setChanges
      ? drawAway(new Chance(seed, `away ${engine}`), { engine, nodes, room })
      : drawBroken(chance, nodes, room);
  const scope = { engine, nodes, healAt, room: room - broken.length };
  const plan: Drawn = {
    seed,
    engine,
    validators,
    nodes,
    consensus,
    ...(engine === 'raft' && drawRetention(new Chance(seed, 'retention'))),
    ...(engine === 'raft' && { oneByOne: chance.happens(0.5) }),
    links: drawConditions(chance),
    diskMs: chance.happens(0.7) ? [1, 3] : [5, 40],
    load: {
      senders: chance.between(2, 5),
      transactions: chance.between(8, 40),
      untilMs: chance.between(1_000, healAt),
    },
    faults: [
      ...(membersChange ? drawChanges(chance, scope) : []),
      ...(setChanges ? [drawSetChanges(validatorsChange, healAt)] : []),
      ...drawFaults(chance, scope),
    ],
    healAt,
    broken,
    boundMs: boundOf(consensus, validators),
    signatures: 'fast',
  };
  const trouble = new Chance(seed, 'disk trouble');
  const around = trouble.happens(0.15) ? drawDiskTrouble(plan, trouble) : drawSurroundings(plan, scope.room);
  const surrounded: Plan = { ...plan, ...around };
  const again = new Chance(seed, `repetition ${engine}`);
  const drawn = again.happens(0.15) ? { ...surrounded, ...drawRepetition(surrounded, again) } : surrounded;
  return { ...drawn, load: { ...drawn.load, ...drawGaps(drawn) } };
}

/**
 * Transactions that wait for ever. Nobody suspects a PBFT primary for making no empty block, so only where
 * each may be relied on: no liar, nobody broken, no lost log and no wrong clock.
 */
function drawGaps({ seed, engine, nodes, broken, faults, clocks }: Plan): { gaps?: number } {
  const chance = new Chance(seed, `gaps ${engine}`);
  const isDoubtful =
    nodes.some(({ liar }) => liar !== null) ||
    broken.length > 0 ||
    clocks !== undefined ||
    faults.some(({ kind }) => kind === 'disk-loss' || kind === 'change-validators');
  const happens = chance.happens(engine === 'raft' ? 0.15 : 0.7);
  return happens && (engine === 'raft' || !isDoubtful) ? { gaps: chance.between(1, 3) } : {};
}

function drawSize(chance: Chance, engine: Plan['engine']): number {
  if (engine === 'raft') return chance.pick([1, 2, 3, 3, 3, 4, 5, 5, 5, 7]);
  return chance.happens(0.7) ? 4 : chance.pick([1, 2, 3, 5, 5, 6, 6, 7, 7, 7]);
}

function drawNodes(chance: Chance, engine: Plan['engine'], validators: number): NodePlan[] {
  const nodes: NodePlan[] = Array.from({ length: validators }, (_, validator) => ({ validator, liar: null }));
  if (engine === 'pbft' && chance.happens(0.75)) {
    const count = chance.between(1, maxFaulty(validators));
    const lying = maxFaulty(validators) === 0 ? [] : chance.sample([...nodes.keys()], count);
    for (const index of lying) {
      const liar: LiarName = chance.pick(drawnLiars);
      nodes[index] = { validator: index, liar };
      if (liar === 'twin') nodes.push({ validator: index, liar });
    }
  }
  if (chance.happens(engine === 'raft' ? 0.25 : 0.1)) nodes.push({ validator: null, liar: null });
  // Whoever holds no validator's key does not count among the f.
  if (engine === 'pbft' && chance.happens(0.15)) {
    nodes.push({ validator: null, liar: chance.pick(strangerNames) });
  }
  return nodes;
}

/** Observers who wait to be made members. */
function drawSpares(chance: Chance): NodePlan[] {
  return Array.from({ length: chance.between(1, 2) }, () => ({ validator: null, liar: null, moves: true }));
}

/** Machines that were set up long before their keys are proposed, and others. */
function drawNoted(seed: number, spares: readonly NodePlan[]): NodePlan[] {
  const chance = new Chance(seed, 'noted keys');
  return spares.map((spare) => ({ ...spare, ...(chance.happens(0.5) && { noted: true }) }));
}

function drawPbft(chance: Chance): PbftTiming {
  const viewTimeoutMs = chance.pick([150, 300, 300, 600, 1_000]);
  return {
    window: chance.pick([1, 2, 3, 4, 8]),
    viewTimeoutMs,
    viewTimeoutCapMs: viewTimeoutMs * chance.pick([2, 4, 8]),
    blocksPerPrimary: chance.happens(0.25) ? chance.between(1, 4) : 0,
    heartbeatMs: chance.happens(0.15) ? 500 : 0,
    censorshipMs: chance.pick([1_000, 2_000]),
    blockIntervalMs: chance.pick([0, 10, 50, 100]),
  };
}

function drawRaft(chance: Chance): RaftTiming {
  const heartbeatMs = chance.pick([20, 20, 50, 100]);
  const timing = { heartbeatMs, electionTimeoutMs: heartbeatMs * chance.pick([5, 10]) };
  return {
    ...timing,
    blockIntervalMs: chance.pick([0, 10, 50]),
    leaseReads: chance.happens(0.25) && canLease(timing),
  };
}

/** Some runs prune so early that whoever is away for a while comes back to a snapshot. */
function drawRetention(chance: Chance): Pick<Plan, 'retention'> {
  if (chance.happens(0.5)) return {};
  return {
    retention: { snapshotEvery: chance.pick([1, 2, 3, 5, 8]), keepBlocks: chance.pick([0, 1, 2, 5]) },
  };
}

/**
 * Some of the honest stay broken when the liars leave room for it: together never more than can be tolerated.
 */
function drawBroken(chance: Chance, nodes: readonly NodePlan[], room: number): BrokenNode[] {
  const honest = [...nodes.keys()].filter(
    (index) => nodes[index]?.liar === null && nodes[index]?.validator !== null,
  );
  const count = chance.happens(0.5) ? chance.between(0, Math.max(0, room)) : 0;
  return chance
    .sample(honest, count)
    .map((node) => ({ node, how: chance.pick(['down', 'isolated'] as const) }));
}

/**
 * Where sets and members change, one of those who began the chain may be away. In Raft from the start on: a
 * leader lets nobody go who is needed without it; whoever goes later might be one of the few who are left.
 */
function drawAway(
  chance: Chance,
  { engine, nodes, room }: { engine: Plan['engine']; nodes: readonly NodePlan[]; room: number },
): BrokenNode[] {
  if (room < 1 || !chance.happens(0.3)) return [];
  const honest = [...nodes.keys()].filter(
    (index) => nodes[index]?.liar === null && nodes[index]?.validator !== null,
  );
  const how = engine === 'raft' ? 'absent' : chance.pick(['down', 'isolated', 'absent'] as const);
  return [{ node: chance.pick(honest), how }];
}

/**
 * How long a healed quorum may take. A view that fails costs its capped timeout, once to give up and once to
 * change; at worst every broken primary has its turn, after timers that had grown to the cap. On top comes
 * what catching up costs: a few requests that time out before they find a healed peer.
 */
function boundOf(consensus: PbftTiming | RaftTiming, validators: number): number {
  if ('electionTimeoutMs' in consensus) return consensus.electionTimeoutMs * 40 + 20_000;
  const turns = validators - byzantineQuorum(validators) + 2;
  return consensus.viewTimeoutCapMs * 2 * turns + consensus.censorshipMs * 2 + 25_000;
}
