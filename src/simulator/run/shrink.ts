import type { Fault, Plan } from '../plan/plan.ts';
import type { Verdict } from './verdict.ts';

/** Runs a plan and says what came of it. */
type Run = (plan: Plan) => Promise<Verdict>;

/** What shrinking tells while it works. */
type ShrinkProgress = (tried: number, plan: Plan) => void;

/**
 * Makes a failing plan smaller for as long as it breaks the same guarantee: fewer faults and liars, better
 * weather, less load, an earlier end. What is left is what mattered. Greedy, and bounded by a number of runs.
 */
export async function shrink(
  plan: Plan,
  options: { run: Run; budget: number; progress?: ShrinkProgress },
): Promise<{ plan: Plan; verdict: Verdict; runs: number }> {
  let verdict = await options.run(plan);
  let runs = 1;
  const guarantee = verdict.breach?.guarantee;
  if (guarantee === undefined) return { plan, verdict, runs };
  let current = plan;
  let improved = true;
  while (improved && runs < options.budget) {
    improved = false;
    for (const smaller of smallerPlans(current, verdict)) {
      if (runs >= options.budget) break;
      const attempt = await options.run(smaller);
      runs++;
      if (attempt.breach?.guarantee !== guarantee) continue;
      current = smaller;
      verdict = attempt;
      improved = true;
      options.progress?.(runs, current);
      break;
    }
  }
  return { plan: current, verdict, runs };
}

const calm = { delayMs: [5, 5], loss: 0, duplication: 0, reordering: 0 } as const;

/** Plans that are a step simpler, the boldest steps first. */
function* smallerPlans(plan: Plan, verdict: Verdict): Generator<Plan> {
  const half = Math.floor(plan.faults.length / 2);
  if (half > 1) {
    yield { ...plan, faults: plan.faults.slice(0, half) };
    yield { ...plan, faults: plan.faults.slice(half) };
  }
  for (const fault of plan.faults) yield { ...plan, faults: plan.faults.filter((other) => other !== fault) };
  for (const [index, { liar }] of plan.nodes.entries()) {
    if (liar === null || liar === 'twin') continue;
    yield { ...plan, nodes: plan.nodes.map((node, i) => (i === index ? { ...node, liar: null } : node)) };
  }
  const last = plan.nodes.at(-1);
  if (plan.nodes.length > plan.validators && last?.validator === null && plan.shape === undefined) {
    yield {
      ...plan,
      nodes: plan.nodes.slice(0, -1),
      faults: plan.faults.filter(avoids(plan.nodes.length - 1)),
      ...(plan.clocks && { clocks: plan.clocks.filter(({ node }) => node !== plan.nodes.length - 1) }),
    };
  }
  if (plan.oneByOne === true) yield { ...plan, oneByOne: false };
  if (plan.retention !== undefined) {
    const { retention: _, ...unpruned } = plan;
    yield unpruned;
  }
  if (plan.shape !== undefined) {
    const { shape: _, ...meshed } = plan;
    yield meshed;
  }
  for (const clock of plan.clocks ?? [])
    yield { ...plan, clocks: (plan.clocks ?? []).filter((other) => other !== clock) };
  for (const node of plan.broken) yield { ...plan, broken: plan.broken.filter((other) => other !== node) };
  const { links, load } = plan;
  for (const key of ['loss', 'duplication', 'reordering'] as const) {
    if (links[key] > 0) yield { ...plan, links: { ...links, [key]: 0 } };
  }
  if (links.delayMs[0] !== links.delayMs[1]) yield { ...plan, links: { ...links, delayMs: calm.delayMs } };
  if (load.transactions > 1) {
    yield { ...plan, load: { ...load, transactions: Math.floor(load.transactions / 2) } };
    yield { ...plan, load: { ...load, transactions: load.transactions - 1 } };
  }
  if (load.gaps !== undefined) {
    const { gaps: _, ...others } = load;
    yield { ...plan, load: others };
  }
  if (load.senders > 1) yield { ...plan, load: { ...load, senders: load.senders - 1 } };
  const endedAt = verdict.breach?.at ?? plan.healAt;
  if (verdict.outcome === 'stuck') {
    const shorter = Math.floor(plan.healAt / 2);
    if (shorter > 200) {
      yield {
        ...plan,
        healAt: shorter,
        faults: plan.faults.filter(({ at }) => at < shorter).map(endingBy(shorter)),
      };
    }
  } else if (plan.faults.some(({ at }) => at > endedAt)) {
    yield { ...plan, faults: plan.faults.filter(({ at }) => at <= endedAt) };
  }
  for (const [index, fault] of plan.faults.entries()) {
    if (fault.forMs < 100) continue;
    const shorter = { ...fault, forMs: Math.floor(fault.forMs / 2) };
    yield { ...plan, faults: plan.faults.map((other, i) => (i === index ? shorter : other)) };
  }
}

function endingBy(end: number): (fault: Fault) => Fault {
  return (fault) => ({ ...fault, forMs: Math.min(fault.forMs, end - fault.at) });
}

function avoids(node: number): (fault: Fault) => boolean {
  return (fault) => {
    if ('node' in fault) return fault.node !== node;
    if (fault.kind === 'clog') return fault.from !== node && fault.to !== node;
    return true;
  };
}
