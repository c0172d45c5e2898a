import type { TelemetryBackend } from '../../api/telemetry-views.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { Network } from '../../network/port.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Clock } from '../process/clock.ts';
import type { Driver } from '../core/driver.ts';

export interface NodeBackendOptions {
  readonly driver: Driver<object>;
  readonly store: ChainStore;
  readonly network: Pick<Network, 'peers' | 'stats' | 'unreached'>;
  /** How many addresses of others "peers" of config.json names. */
  readonly peersNamed: number;
  readonly genesis: Genesis;
  readonly clock: Clock;
  readonly telemetry: TelemetryBackend;
  readonly version: string;
  /** What checks signatures here, in words. */
  readonly signatureCheck: string;
}
