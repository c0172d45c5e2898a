import type { Monitor } from '../checkers/monitor.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters } from '../world/counters.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import type { Scheduler } from '../world/scheduler.ts';
import type { SimulatedChain } from '../plan/simulated-chain.ts';
import type { Trace } from '../world/trace.ts';
import type { VirtualNetwork } from '../world/virtual-network.ts';

/** What a node of the simulator is made of, the same for each of its processes. */
export interface SimulatedNodeOptions {
  readonly index: number;
  readonly plan: Plan;
  readonly chain: SimulatedChain;
  readonly scheme: SignatureScheme;
  readonly scheduler: Scheduler;
  readonly network: VirtualNetwork;
  readonly monitor: Monitor;
  readonly trace: Trace;
  readonly counters: Counters;
}
