import { Breach } from '../checkers/breach.ts';
import { Cluster } from './cluster.ts';
import type { Plan } from '../plan/plan.ts';
import { Counters } from '../world/counters.ts';
import { Trace } from '../world/trace.ts';
import type { Outcome, Verdict } from './verdict.ts';

export interface SimulationResult {
  readonly verdict: Verdict;
  /** A line for each thing that happened, when it was asked for. */
  readonly trace: readonly string[];
}

/** How often the end of the second act is looked for. */
const lookEveryMs = 50;

/**
 * Runs a plan to its verdict. First act: faults and lies, and nothing may go wrong with what is final. Second
 * act: a quorum is healed for good, and everything that was submitted must become final within the bound.
 */
export async function simulate(plan: Plan, options: { keepTrace?: boolean } = {}): Promise<SimulationResult> {
  const trace = new Trace(options.keepTrace === true);
  const counters = new Counters();
  const cluster = new Cluster(plan, trace, counters);
  cluster.begin();
  await playUntil(cluster, plan.healAt);
  let healedAfter = 0;
  if (cluster.breach === null) {
    trace.add(`${cluster.scheduler.now} heal`);
    cluster.heal();
    while (cluster.breach === null) {
      healedAfter = cluster.scheduler.now - plan.healAt;
      if (cluster.isDone()) break;
      if (healedAfter >= plan.boundMs) {
        cluster.fail(new Breach('progress', cluster.describeStuck()));
        break;
      }
      await playUntil(cluster, cluster.scheduler.now + lookEveryMs);
    }
    counters.peak('peak/heal-to-final-ms', healedAfter);
  }
  const endedAt = cluster.scheduler.now;
  if (cluster.breach === null) await cluster.inspectDisks();
  cluster.count();
  counters.add('run/virtual-ms', endedAt);
  counters.add('run/events', cluster.scheduler.events);
  const { breach } = cluster;
  if (breach !== null) trace.add(`${endedAt} broken: ${breach.guarantee}: ${breach.message}`);
  return {
    verdict: {
      outcome: outcomeOf(breach),
      seed: plan.seed,
      trace: trace.digest,
      breach: breach && { guarantee: breach.guarantee, message: breach.message, at: endedAt },
      counts: counters.counts,
    },
    trace: trace.text,
  };
}

/** Lets virtual time pass. What is asynchronous in a node's start runs to its end between two events. */
async function playUntil(cluster: Cluster, until: number): Promise<void> {
  const { scheduler } = cluster;
  await cluster.settle();
  while (cluster.breach === null && scheduler.step(until)) {
    if (cluster.isStarting) await cluster.settle();
  }
}

function outcomeOf(breach: Breach | null): Outcome {
  if (breach === null) return 'pass';
  return breach.guarantee === 'progress' ? 'stuck' : 'unsafe';
}
