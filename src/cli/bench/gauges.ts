import { readFileSync } from 'node:fs';
import { Problem } from '../../base/problem.ts';
import type { BenchNode } from './testbed.ts';

/** What a node used so far, at one moment. Null where nobody says it. */
export interface Gauge {
  readonly at: number;
  readonly cpuSeconds: number | null;
  readonly residentBytes: number | null;
  /** Since the gauge before. */
  readonly loopP99Ms: number | null;
  readonly loopMaxMs: number | null;
  /** All that the process read and wrote, sockets and files together (proc(5), `io`). */
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  /** What went to the disk. */
  readonly diskBytes: number | null;
}

/** The values of a page in Prometheus' text format that have no labels. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_]\w*) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && Number.isFinite(Number(value))) values.set(name, Number(value));
  }
  return values;
}

async function readGauge(node: BenchNode): Promise<Gauge> {
  const page = await node.client.metrics({ deadlineMs: 0 });
  const values = page instanceof Problem ? new Map<string, number>() : parseMetrics(page);
  const value = (name: string): number | null => values.get(`quorate_${name}`) ?? null;
  const ms = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);
  const io = node.pid === undefined ? new Map<string, number>() : processIo(node.pid);
  return {
    at: performance.now(),
    cpuSeconds: value('process_cpu_seconds_total'),
    residentBytes: value('process_resident_memory_bytes'),
    loopP99Ms: ms(value('nodejs_eventloop_lag_p99_seconds')),
    loopMaxMs: ms(value('nodejs_eventloop_lag_max_seconds')),
    readBytes: io.get('rchar') ?? null,
    writtenBytes: io.get('wchar') ?? null,
    diskBytes: io.get('write_bytes') ?? null,
  };
}

/** Only where there is a /proc. */
function processIo(pid: number): ReadonlyMap<string, number> {
  try {
    const lines = readFileSync(`/proc/${pid}/io`, 'utf8').trim().split('\n');
    return new Map(lines.map((line) => line.split(': ')).map(([name = '', value]) => [name, Number(value)]));
  } catch {
    return new Map();
  }
}

/** Gauges of all nodes, once a second. */
export class GaugeSeries {
  /** By node, in the order of the nodes. */
  readonly series: readonly Gauge[][];
  readonly #nodes: readonly BenchNode[];
  readonly #timer: NodeJS.Timeout;
  /** Nodes that have not answered yet: they are not asked again meanwhile. */
  readonly #asked = new Map<BenchNode, Promise<void>>();

  constructor(nodes: readonly BenchNode[], everyMs: number) {
    this.#nodes = nodes;
    this.series = nodes.map(() => []);
    this.#timer = setInterval(() => void this.look(), everyMs);
  }

  /** One more gauge of each, now. */
  async look(): Promise<void> {
    await Promise.all(
      this.#nodes.map((node, place) => {
        const asking = this.#asked.get(node) ?? this.#lookAt(node, place);
        this.#asked.set(node, asking);
        return asking;
      }),
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #lookAt(node: BenchNode, place: number): Promise<void> {
    this.series[place]?.push(await readGauge(node));
    this.#asked.delete(node);
  }
}

export interface NodeUse {
  readonly name: string;
  readonly cpuSeconds: number | null;
  readonly cpuMicrosPerTransaction: number | null;
  readonly peakResidentBytes: number | null;
  readonly loopP99Ms: number | null;
  readonly loopMaxMs: number | null;
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  readonly diskBytes: number | null;
}

/** What a node used from the first of these gauges to the last, with the worst of those in between. */
export function useOf(name: string, gauges: readonly Gauge[], transactions: number): NodeUse {
  const known = gauges.filter(({ cpuSeconds }) => cpuSeconds !== null);
  const [first, last] = [known[0], known.at(-1)];
  const grown = (of: (gauge: Gauge) => number | null): number | null => {
    const [from, to] = [first && of(first), last && of(last)];
    return from == null || to == null ? null : to - from;
  };
  const worst = (of: (gauge: Gauge) => number | null): number | null => {
    // The first gauge is about the time before.
    const values = known.slice(1).flatMap((gauge) => of(gauge) ?? []);
    return values.length === 0 ? null : Math.max(...values);
  };
  const cpuSeconds = grown((gauge) => gauge.cpuSeconds);
  return {
    name,
    cpuSeconds,
    cpuMicrosPerTransaction:
      cpuSeconds === null || transactions === 0 ? null : (cpuSeconds * 1_000_000) / transactions,
    peakResidentBytes: worst((gauge) => gauge.residentBytes),
    loopP99Ms: worst((gauge) => gauge.loopP99Ms),
    loopMaxMs: worst((gauge) => gauge.loopMaxMs),
    readBytes: grown((gauge) => gauge.readBytes),
    writtenBytes: grown((gauge) => gauge.writtenBytes),
    diskBytes: grown((gauge) => gauge.diskBytes),
  };
}
