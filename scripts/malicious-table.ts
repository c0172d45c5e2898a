import { styled } from '../src/cli/terminal.ts';
import { grouped } from '../src/client/plain-words.ts';
import type { Row } from './malicious-trial.ts';
import { line } from './columns.ts';

/** The rows come one by one, minutes apart, so the widths are set beforehand. */
const columns = [
  ['strategy', 18],
  ['who and what', 62],
  ['lies', -6],
  ['blocks', -6],
  ['final', -9],
  ['view', -4],
  ['s', -5],
  ['verdict', 7],
  ['evidence against', 0],
] as const;

export function headLine(): string {
  return styled(
    'bold',
    line(
      columns,
      columns.map(([name]) => name),
    ),
  );
}

export function rowLine(row: Row): string {
  const held = row.breaches.length === 0;
  const text = line(columns, [
    row.strategy,
    `${row.liars.join(', ')}, ${row.does}`,
    row.lies === null ? '–' : grouped(row.lies),
    grouped(row.blocks),
    `${grouped(row.final)}/${grouped(row.count)}`,
    String(row.views),
    row.seconds.toFixed(1),
    held ? 'held' : 'BREACH',
    row.evidence === '' ? 'nobody' : row.evidence,
  ]);
  return [held ? text : styled('red', text), ...row.breaches.map((one) => styled('red', `  ${one}`))].join(
    '\n',
  );
}
