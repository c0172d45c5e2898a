import { styled } from '../src/cli/terminal.ts';
import { grouped } from '../src/client/plain-words.ts';
import type { ShortRow } from './hostile-short.ts';
import type { Row } from './hostile-trial.ts';
import { line } from './columns.ts';

/** The rows come one by one, so the widths are set beforehand. Below zero: to the right. */
const columns = [
  ['attack', 22],
  ['before', -7],
  ['during', -7],
  ['after', -7],
  ['gap s', -6],
  ['views', -5],
  ['lost', -4],
  ['MB', -5],
  ['nodes', -10],
  ['attacker', -8],
  ['others', -6],
  ['sent', -9],
  ['MB sent', -7],
  ['opened', -6],
  ['ended', -6],
  ['verdict', 7],
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
  const { deeds, breaches } = row;
  const held = breaches.length === 0;
  const text = line(columns, [
    row.attack,
    grouped(Math.round(row.before)),
    grouped(Math.round(row.during)),
    grouped(Math.round(row.after)),
    (row.gapMs / 1_000).toFixed(1),
    String(row.views),
    String(row.linksLost),
    grouped(Math.round(row.peakBytes / 1024 ** 2)),
    `${Math.round(row.nodesCpuBefore)}>${Math.round(row.nodesCpu)} %`,
    `${Math.round(row.attackerCpu)} %`,
    `${Math.round(row.othersCpu)} %`,
    grouped(deeds.sent),
    (deeds.bytes / 1e6).toFixed(1),
    grouped(deeds.opened),
    grouped(deeds.ended),
    held ? 'held' : 'BREACH',
  ]);
  return [
    held ? text : styled('red', text),
    `  ${row.does}${row.troubles === 0 ? '' : `; ${grouped(row.troubles)} honest requests refused or not answered`}`,
    ...breaches.map((one) => styled('red', `  ${one}`)),
  ].join('\n');
}

export function shortLine({ attack, peakBytes, seconds, deeds, breaches }: ShortRow): string {
  const held = breaches.length === 0;
  const megabytes = Math.round(peakBytes / 1024 ** 2);
  const text = `${attack.padEnd(24)}  ${seconds.toFixed(1).padStart(5)} s  ${String(megabytes).padStart(4)} MB  ${grouped(deeds.sent)} sent, ${grouped(deeds.opened)} opened, ${grouped(deeds.ended)} ended, ${grouped(deeds.refused)} refused  ${held ? 'held' : 'BREACH'}`;
  return [held ? text : styled('red', text), ...breaches.map((one) => styled('red', `  ${one}`))].join('\n');
}
