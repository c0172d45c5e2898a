import { type Axis, chart, escapeHtml, linearAxis, type Line, logarithmicAxis } from './chart.ts';
import type { Measured } from './run.ts';
import { type Cells, nodeRows, resultRows } from './rows.ts';

/** What a page shows besides its runs. */
interface PageHead {
  readonly title: string;
  /** Names and values: machine, software, load. */
  readonly facts: readonly (readonly [string, string])[];
}

export interface NamedRun {
  readonly name: string;
  readonly measured: Measured;
}

/** Between two looks at a node's processor time: it is counted in steps. */
const leastSeconds = 0.25;

const style = `
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem; color: #111; background: #fff }
  table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
  th, td { text-align: right; padding: .25rem .75rem; border-bottom: 1px solid #e5e7eb; white-space: nowrap }
  th:first-child, td:first-child { text-align: left }
  .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(34rem, 1fr)); gap: 1.5rem }
  figure { margin: 0 } figcaption { font-weight: 600 }
  svg { width: 100%; height: auto } .grid { stroke: #e5e7eb } .mark { font-size: 11px; fill: #555 } .axis { font-size: 12px; fill: #333 }
  .key { margin-right: 1rem; white-space: nowrap } .key i { display: inline-block; width: .8em; height: .8em; margin-right: .35em }
  .bad { color: #b91c1c } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem } dt { color: #555 } dd { margin: 0 }
`;

/** One page with the tables and plots of all runs, which needs nothing else to be shown. */
export function page(head: PageHead, runs: readonly NamedRun[], extra: readonly Cells[] = []): string {
  const facts = head.facts
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('');
  const breaches = runs.flatMap(({ name, measured }) =>
    [...measured.checked.breaches, ...measured.ended].map(
      (text) => `<p class="bad">${escapeHtml(`${name}: ${text}`)}</p>`,
    ),
  );
  const last = runs.at(-1);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta name="viewport" content="width=device-width"><title>${escapeHtml(head.title)}</title><style>${style}</style></head><body>`,
    `<h1>${escapeHtml(head.title)}</h1><dl>${facts}</dl>`,
    htmlTable(resultRows(runs)),
    ...extra.map((cells) => htmlTable(cells)),
    ...(last === undefined ? [] : [htmlTable(nodeRows(last.measured))]),
    ...breaches,
    '<div class="charts">',
    ...(runs.length > 1 ? [rateChart(runs)] : []),
    percentileChart(runs),
    throughputChart(runs),
    waitChart(runs),
    ...(last === undefined ? [] : nodeCharts(last)),
    '</div></body></html>\n',
  ].join('\n');
}

function htmlTable({ head, rows }: Cells): string {
  const row = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${row(head, 'th')}${rows.map((cells) => row(cells, 'td')).join('')}</table>`;
}

/** Latency by percentile, each step of the axis a tenth of what is left to 100 per cent. */
function percentileChart(runs: readonly NamedRun[]): string {
  const left = (percentile: number): number => 1 / Math.max(1e-5, 1 - percentile / 100);
  const lines = runs.map(({ name, measured }): Line => {
    const rounds = measured.latency.curve.filter(([percentile]) => percentile < 100);
    return { name, points: rounds.map(([percentile, ms]) => [left(percentile), ms]) };
  });
  const most = Math.max(100, ...lines.flatMap(({ points }) => points.map(([x]) => x)));
  const marks = [0, 90, 99, 99.9, 99.99, 99.999]
    .map((percentile) => ({ at: left(percentile), text: `${percentile} %` }))
    .filter(({ at }) => at <= most);
  const x: Axis = { label: 'percentile', marks, least: 1, most, logarithmic: true };
  return chart({ title: 'Latency by percentile', x, y: logarithmicAxis('ms', valuesOf(lines)), lines });
}

function throughputChart(runs: readonly NamedRun[]): string {
  const lines = runs.map(({ name, measured }): Line => ({
    name,
    points: measured.series.map(({ at, final }) => [at, final]),
  }));
  return overTime('Final transactions in each second', 'transactions', lines);
}

function waitChart(runs: readonly NamedRun[]): string {
  const lines = runs.flatMap(({ name, measured }): Line[] => [
    { name: `${name}, p50`, points: measured.series.map(({ at, p50 }) => [at, p50]) },
    { name: `${name}, p99`, points: measured.series.map(({ at, p99 }) => [at, p99]) },
  ]);
  return overTime('Latency of what became final in each second', 'ms', lines);
}

/** What a sweep is for: latency against the rate that was reached. */
function rateChart(runs: readonly NamedRun[]): string {
  const sorted = runs.toSorted((a, b) => a.measured.transactionsPerSecond - b.measured.transactionsPerSecond);
  const line = (name: string, of: (measured: Measured) => number): Line => ({
    name,
    points: sorted.map(({ measured }) => [measured.transactionsPerSecond, of(measured)]),
  });
  const lines = [line('p50', ({ latency }) => latency.p50), line('p99', ({ latency }) => latency.p99)];
  const rates = sorted.map(({ measured }) => measured.transactionsPerSecond);
  const x = linearAxis('transactions a second, reached', rates);
  return chart({ title: 'Latency by rate', x, y: logarithmicAxis('ms', valuesOf(lines)), lines });
}

function nodeCharts({ measured }: NamedRun): string[] {
  const begin = Math.min(...measured.gauges.flatMap(({ series }) => series.map(({ at }) => at)));
  const seconds = (at: number): number => (at - begin) / 1_000;
  const plot = (title: string, unit: string, of: (series: Gauges) => [number, number][]): string =>
    overTime(
      title,
      unit,
      measured.gauges.map(({ name, series }) => ({ name, points: of(series) })),
    );
  return [
    plot('Processor time of each node', '% of a core', (series) =>
      series.slice(1).flatMap((gauge, index): [number, number][] => {
        const before = series[index];
        if (before?.cpuSeconds == null || gauge.cpuSeconds === null) return [];
        const passed = (gauge.at - before.at) / 1_000;
        if (passed < leastSeconds) return [];
        const share = (gauge.cpuSeconds - before.cpuSeconds) / passed;
        return [[seconds(gauge.at), share * 100]];
      }),
    ),
    plot('Resident memory of each node', 'MB', (series) =>
      series.flatMap(({ at, residentBytes }): [number, number][] =>
        residentBytes === null ? [] : [[seconds(at), residentBytes / 1e6]],
      ),
    ),
    plot('Delay of each node’s event loop, p99 of each second', 'ms', (series) =>
      series.flatMap(({ at, loopP99Ms }): [number, number][] =>
        loopP99Ms === null ? [] : [[seconds(at), loopP99Ms]],
      ),
    ),
  ];
}

type Gauges = Measured['gauges'][number]['series'];

function overTime(title: string, unit: string, lines: readonly Line[]): string {
  const x = linearAxis(
    'seconds',
    lines.flatMap(({ points }) => points.map(([at]) => at)),
  );
  return chart({ title, x, y: linearAxis(unit, valuesOf(lines)), lines });
}

function valuesOf(lines: readonly Line[]): number[] {
  return lines.flatMap(({ points }) => points.map(([, value]) => value));
}
