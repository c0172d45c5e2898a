import { Problem } from '../../base/problem.ts';
import type { Monitor } from '../checkers/monitor.ts';
import type { NodePlan, Plan } from '../plan/plan.ts';
import type { SimulatedChain } from '../plan/simulated-chain.ts';
import type { Counters } from '../world/counters.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import { Governance } from './governance.ts';
import type { Load } from './load.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Targets } from './targets.ts';

interface TargetsWorld {
  /** Its nodes may turn into liars by hand. */
  readonly plan: Plan & { readonly nodes: NodePlan[] };
  readonly nodes: readonly SimulatedNode[];
  readonly monitor: Monitor;
  readonly load: Load;
  readonly chain: SimulatedChain;
  readonly scheme: SignatureScheme;
  readonly counters: Counters;
  /** False for a node that is to stay down. */
  readonly mayStart: (node: number) => boolean;
  /** A client of a Raft chain reads from it. */
  readonly read: (node: number) => void;
  readonly reconcile: () => void;
}

/** What is done to the nodes of a run, by faults and by hand. */
export function targetsOf(world: TargetsWorld): Targets {
  const { plan, nodes, monitor, load, chain, scheme, counters } = world;
  const at = (index: number): SimulatedNode => nodes[index] as SimulatedNode;
  const governance = new Governance({
    plan,
    chain,
    scheme,
    validators: () => monitor.epochs.latest.validators,
    submit: (transaction) => load.govern(transaction),
    isFinal: (hash) => monitor.chain.heightOf(hash) !== undefined,
  });
  return {
    count: nodes.length,
    keys: chain.nodeKeys.map(({ publicKey }) => publicKey),
    crash: (node, made) => {
      const lost = at(node).crash(made);
      if (lost > 0) counters.add('fault/lost-writes', lost);
    },
    start: (node) => {
      if (world.mayStart(node)) at(node).start();
    },
    stallDisk: (node, forMs) => at(node).disk.stall(forMs),
    slowDisk: (node, upToMs) => at(node).disk.slow(upToMs),
    failDisk: (node) => at(node).disk.fail(),
    wipeDisk: (node) => at(node).wipe(),
    pause: (node) => at(node).pause(),
    resume: (node, timersLast) => {
      // Clients waited at its door: what it answers now comes from what it believed then.
      world.read(node);
      at(node).resume(timersLast);
    },
    shiftClock: (node, byMs) => at(node).shiftClock(byMs),
    speedClock: (node, by) => at(node).speedClock(by),
    hasItsLog: (node) => at(node).hasItsLog(),
    request: (request) => {
      for (const node of nodes) {
        node.request(request, (result) => {
          if (!(result instanceof Problem)) counters.add(`request/${request.kind}`);
        });
      }
    },
    changeValidators: () => governance.change(),
    corrupt: (node, liar) => {
      at(node).crash();
      plan.nodes[node] = { validator: plan.nodes[node]?.validator ?? null, liar };
      monitor.corrupted(node);
      at(node).start();
    },
    ask: (node, question) => at(node).ask(question),
    reconcile: () => world.reconcile(),
  };
}
