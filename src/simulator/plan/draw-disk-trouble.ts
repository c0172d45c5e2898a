import { byzantineQuorum, majority } from '../../ledger/quorum.ts';
import type { Chance } from '../world/chance.ts';
import type { Drawn } from './draw-surroundings.ts';
import type { Fault, NodePlan, Plan } from './plan.ts';

/**
 * Nothing but disks: a few are slow, or stall, while the rest make blocks as fast as they can, and those
 * nodes are killed again and again, or all at once (a power cut). What came to a disk and what did not then
 * differ by as much as they can; other faults would only slow the chain down.
 */
export function drawDiskTrouble(plan: Drawn, chance: Chance): Partial<Plan> {
  const { validators } = plan;
  const nodes: NodePlan[] = Array.from({ length: validators }, (_, validator) => ({ validator, liar: null }));
  const all = [...nodes.keys()];
  const quorum = plan.engine === 'pbft' ? byzantineQuorum(validators) : majority(validators);
  const slow = chance.sample(all, chance.between(1, Math.max(1, validators - quorum)));
  const at = chance.between(0, 300);
  const forMs = Math.min(plan.healAt - at, chance.between(1_500, 4_000));
  const episode = { at, forMs };
  const everyMs = chance.pick([300, 500, 800]);
  const faults: Fault[] = [];
  for (const node of slow) {
    faults.push({ kind: 'disk-slow', node, upToMs: chance.pick([100, 200, 400]), ...episode });
    if (chance.happens(0.5)) faults.push({ kind: 'crash-loop', node, everyMs, ...episode });
  }
  for (let cut = chance.between(0, 3); cut > 0; cut--) {
    const before = chance.between(200, forMs - 200);
    faults.push({ kind: 'crash-all', at: at + before, forMs: chance.between(1, 200) });
    faults.push({ kind: 'disk-stall', node: chance.pick(slow), at: at + before - 200, forMs: 300 });
  }
  return {
    nodes,
    consensus: { ...plan.consensus, blockIntervalMs: 0 },
    links: { delayMs: [1, 5], loss: 0, duplication: 0, reordering: 0 },
    diskMs: [1, 3],
    load: { ...plan.load, transactions: 30 * Math.ceil(forMs / 1_000), untilMs: at + forMs },
    faults: faults.sort((a, b) => a.at - b.at),
    broken: [],
  };
}
