import { Telemetry } from '../../src/node/telemetry/telemetry.ts';
import type { TestNode } from './cluster.ts';

/** What a node of a test sees of itself, on a machine that always says the same of itself. */
export function telemetryOf({ driver, clock }: Pick<TestNode, 'driver' | 'clock'>): Telemetry {
  const usage = { now: () => ({ memoryBytes: 3_000, heapBytes: 2_000, diskBytes: 1_000 }) };
  return new Telemetry({ driver, clock, usage });
}
