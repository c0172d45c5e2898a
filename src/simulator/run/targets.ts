import type { EngineRequest } from '../../consensus/engine.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { LiarName } from '../plan/plan.ts';
import type { ClientQuestion } from './hand-client.ts';

/** What faults can be done to. */
export interface Targets {
  readonly count: number;
  /** The key that each holds. */
  readonly keys: readonly PublicKey[];
  /** kill -9. Of what was not synced a part is lost, unless all of it shall be. */
  crash(node: number, made?: 'some' | 'none'): void;
  /** Starts a node that is down; does nothing to one that runs. */
  start(node: number): void;
  stallDisk(node: number, forMs: number): void;
  /** Each write takes up to this long; null for as long as before. */
  slowDisk(node: number, upToMs: number | null): void;
  failDisk(node: number): void;
  wipeDisk(node: number): void;
  pause(node: number): void;
  /** All that waited happens now; its timers last or in their turn. */
  resume(node: number, timersLast?: boolean): void;
  shiftClock(node: number, byMs: number): void;
  /** Its clocks run this many times as fast as they did. */
  speedClock(node: number, by: number): void;
  /** It runs, and knows that its log holds all that its key signed (Raft). */
  hasItsLog(node: number): boolean;
  /** All are asked, and whoever leads does it (Raft). */
  request(request: EngineRequest): void;
  /** Those who hold the validators' keys propose another set (PBFT). */
  changeValidators(): void;
  /** Somebody takes the machine over: it runs a liar from now on (PBFT). */
  corrupt(node: number, liar: LiarName): void;
  /** A client asks one node. */
  ask(node: number, question: ClientQuestion): void;
  /** Links were cut or mended. */
  reconcile(): void;
}
