import type { Hangover } from './hangover.ts';
import { type Cells, shortMs, whole } from './rows.ts';
import type { UnderResult, UnderRow } from './under.ts';

/** The rate of each case beside the clean one. */
export function underRows({ clean, rows }: Pick<UnderResult, 'rows'> & { readonly clean: Clean }): Cells {
  const cleanRow = [
    'clean',
    '',
    whole(clean.transactionsPerSecond),
    '',
    '100 %',
    '',
    shortMs(clean.latency.p99),
  ];
  return {
    head: ['under', 'who and what', 'tx/s', 'settled', 'of clean', 'wanted', 'p99 ms', 'views', 'lies', ''],
    rows: [cleanRow, ...rows.map(underRow)],
  };
}

interface Clean {
  readonly transactionsPerSecond: number;
  readonly latency: { readonly p99: number };
}

function underRow(row: UnderRow): string[] {
  const { name, does, perSecond, settledPerSecond, share, p99Ms, views, viewsMeasured } = row;
  const or = (value: number | null, text: (value: number) => string): string =>
    value === null ? '–' : text(value);
  return [
    name,
    does,
    or(perSecond, whole),
    or(settledPerSecond, whole),
    or(share, percent),
    percent(row.wanted),
    or(p99Ms, shortMs),
    views === null ? '–' : `${views}, ${viewsMeasured} measured`,
    row.lies === 0 ? '–' : whole(row.lies),
    row.problem ??
      (row.breaches.length > 0 ? row.breaches.join('; ') : row.isReached ? 'reached' : 'not reached'),
  ];
}

/** One case by itself, when it is over. */
export function rowText(row: UnderRow): string {
  const { name, share, wanted } = row;
  const left = share === null ? '' : ` ${percent(share)} of the clean rate, wanted ${percent(wanted)}:`;
  return `${name}:${left} ${underRow(row).at(-1)}`;
}

/** One row. */
export function hangoverRows(found: Omit<Hangover, 'measured'>): Cells {
  const seconds = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(1)} s` : 'never');
  return {
    head: [
      'stopped',
      'for',
      'load',
      'capacity',
      'backlog',
      'gone after',
      'at least',
      'p99 before',
      'normal after',
      'views',
    ],
    rows: [
      [
        found.stopped.join(', '),
        seconds(found.stallSeconds),
        `${whole(found.perSecond)}/s`,
        `${whole(found.capacity)}/s`,
        whole(found.backlog),
        seconds(found.goneAfterSeconds),
        seconds(found.leastSeconds),
        `${shortMs(found.p99BeforeMs)} ms`,
        found.normalAfterSeconds === null ? 'not in time' : seconds(found.normalAfterSeconds),
        String(found.views),
      ],
    ],
  };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
