import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricFamily } from './backend.ts';

/**
 * What is measured of the process itself. One for the process, because its observers cannot be taken down.
 */
let ofProcess: Registry | undefined;

function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess, prefix: 'quorate_' });
  }
  return ofProcess;
}

/** The page that Prometheus reads: the node's metrics, the API's own, and those of the process. */
export class MetricsPage {
  readonly contentType: string;
  readonly #own = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #families: () => readonly MetricFamily[];

  constructor(families: () => readonly MetricFamily[]) {
    this.#families = families;
    this.contentType = this.#own.contentType;
    this.#requests = new Histogram({
      name: 'quorate_http_request_duration_seconds',
      help: 'Time to answer HTTP requests.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers: [this.#own],
    });
  }

  /** `route` is the pattern, never the path: the number of series is bounded. */
  answered(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly ms: number;
  }): void {
    const { method, route, status, ms } = request;
    this.#requests.labels({ method, route, status: `${status}` }).observe(ms / 1_000);
  }

  async render(): Promise<string> {
    const ofNode = new Registry();
    for (const { name, help, type, samples } of this.#families()) {
      // Registered, a gauge without a value would show 0.
      if (samples.length === 0) continue;
      const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
      const options = { name, help, labelNames, registers: [ofNode] };
      if (type === 'counter') {
        const counter = new Counter(options);
        for (const { labels, value } of samples) counter.inc({ ...labels }, value);
      } else {
        const gauge = new Gauge(options);
        for (const { labels, value } of samples) gauge.set({ ...labels }, value);
      }
    }
    const pages = [ofNode, this.#own, processRegistry()].map((registry) => registry.metrics());
    return (await Promise.all(pages)).join('\n');
  }
}
