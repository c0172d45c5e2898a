import type { EngineName } from '../../ledger/engine-names.ts';
import type { Mix } from './mix.ts';
import type { Case } from './under-cases.ts';

/** What the command line asks for. */
export interface BenchOptions {
  readonly nodes?: number | readonly string[] | undefined;
  readonly engine: EngineName;
  readonly accounts: number;
  readonly senders: number;
  readonly mix: Mix;
  readonly payload: number;
  readonly operations: number;
  readonly inFlight: number;
  readonly rate?: number | undefined;
  readonly sweep?: readonly number[] | true | undefined;
  readonly under?: readonly Case[] | undefined;
  readonly hangover?: true | undefined;
  readonly stall: number;
  readonly duration: number;
  readonly warmUp: number;
  readonly out?: string | undefined;
  readonly keep?: true | undefined;
  readonly json?: true | undefined;
}
