import type { NodeUse } from './gauges.ts';
import type { LoadPace } from './load.ts';
import type { Measured } from './run.ts';

/** A table: what stands above its columns, and its rows. */
export interface Cells {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One row a run. */
export function resultRows(runs: readonly { readonly name: string; readonly measured: Measured }[]): Cells {
  return {
    head: [
      'run',
      'load',
      'seconds',
      'tx/s',
      'operations/s',
      'p50 ms',
      'p90',
      'p99',
      'p99.9',
      'max',
      'blocks/s',
      'tx/block',
      'refused',
    ],
    rows: runs.map(({ name, measured }) => {
      const { latency, transactions, seconds, blocks } = measured;
      return [
        name,
        paceText(measured.pace),
        seconds.toFixed(1),
        whole(measured.transactionsPerSecond),
        whole(measured.operationsPerSecond),
        ...[latency.p50, latency.p90, latency.p99, latency.p999, latency.max].map(shortMs),
        (blocks / seconds).toFixed(1),
        whole(transactions / Math.max(1, blocks)),
        whole(measured.refusals),
      ];
    }),
  };
}

/** One row a node. */
export function nodeRows({ nodes, transactions }: Measured): Cells {
  const each = (use: NodeUse): readonly string[] => [
    use.name,
    known(use.cpuSeconds, (value) => value.toFixed(1)),
    known(use.cpuMicrosPerTransaction, whole),
    known(use.peakResidentBytes, megabytes),
    known(use.loopP99Ms, shortMs),
    known(use.loopMaxMs, shortMs),
    known(use.readBytes, (bytes) => perTransaction(bytes, transactions)),
    known(use.writtenBytes, (bytes) => perTransaction(bytes, transactions)),
    known(use.diskBytes, (bytes) => perTransaction(bytes, transactions)),
  ];
  return {
    head: [
      'node',
      'CPU s',
      'µs/tx',
      'RSS MB',
      'loop p99 ms',
      'max',
      'read B/tx',
      'written B/tx',
      'to disk B/tx',
    ],
    rows: nodes.map(each),
  };
}

function paceText(pace: LoadPace): string {
  return pace.kind === 'closed' ? `${whole(pace.inFlight)} in flight` : `${whole(pace.perSecond)}/s`;
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** With as many digits as mean something. */
export function shortMs(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : whole(ms);
}

function megabytes(bytes: number): string {
  return whole(bytes / 1e6);
}

function perTransaction(bytes: number, transactions: number): string {
  return transactions === 0 ? '–' : whole(bytes / transactions);
}

function known(value: number | null, text: (value: number) => string): string {
  return value === null ? '–' : text(value);
}
