import type { Effect, Input } from '../../consensus/engine.ts';
import type { EngineStart } from '../../consensus/protocol.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import type { Clock } from '../../node/process/clock.ts';
import type { Plan } from '../plan/plan.ts';
import type { SimulatedChain } from '../plan/simulated-chain.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import type { VirtualDisk } from '../world/virtual-disk.ts';
import type { ChainChecker } from './chain-checker.ts';
import type { Epochs } from './epochs.ts';

/** What a node's process runs on. */
export interface Machine {
  readonly disk: Pick<VirtualDisk, 'peek' | 'isGoing'>;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** How far a block's time may be ahead of the clock of whoever votes for it. Said here once more. */
export const maxAheadMs = 10_000;

/** What the monitor of either engine works with. */
export interface MonitorGround {
  readonly plan: Plan;
  readonly simulated: SimulatedChain;
  readonly scheme: SignatureScheme;
  readonly chain: ChainChecker;
  readonly epochs: Epochs;
  readonly keyOf: (node: number) => PublicKey;
  readonly machineOf: (node: number) => Machine | undefined;
  /** A node's views begin at 0 again: it is in another epoch (PBFT). */
  readonly onEpoch: (node: number) => void;
  /** A node begins to lead (Raft). */
  readonly onLeading: (node: number) => void;
}

/** What nodes of one engine have to keep, besides what holds for all. Hears of all that honest nodes do. */
export interface EngineMonitor {
  diskLost(node: number): void;
  corrupted(node: number): void;
  started(node: number, start: EngineStart, engine: object): void;
  input(node: number, input: Input<object>): void;
  effect(node: number, effect: Effect<object>): void;
  /** The whole of a step, after each of its effects. */
  step(node: number, input: Input<object>, effects: readonly Effect<object>[], engine: object): void;
  /** A block was proposed, by whomever. */
  proposed(blockHash: Hash, header: BlockHeader): void;
  /** The validators that lie, as the node numbers them now. */
  lyingAt(node: number): ReadonlySet<number>;
}
