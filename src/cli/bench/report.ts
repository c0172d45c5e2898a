import { styled, table } from '../terminal.ts';
import type { BenchOptions } from './options.ts';
import type { NamedRun } from './page.ts';
import { sendersOf } from './prepare.ts';
import { type Cells, nodeRows, resultRows, whole } from './rows.ts';
import type { Measured } from './run.ts';
import { keepsUp, saturation } from './sweep.ts';

/** The tables of some runs, and what was compared in the end. */
export function runsText(runs: readonly NamedRun[]): string[] {
  const last = runs.at(-1)?.measured;
  return [
    tableOf(resultRows(runs)),
    '',
    ...saturationText(runs),
    ...(last === undefined
      ? []
      : [tableOf(nodeRows(last)), '', ...notes(last), ...runs.map(({ measured }) => verdict(measured))]),
  ];
}

function tableOf({ head, rows }: Cells): string {
  return table(head, rows);
}

function notes({ client, usedUp, pace, lateness, foreign, seconds }: Measured): string[] {
  const lines = [
    `The client used ${client.cpuSeconds.toFixed(1)} s of processor time; its own loop was late by ${client.loopP99Ms.toFixed(0)} ms (p99).`,
  ];
  if (pace.kind === 'open') {
    lines.push(
      `Transactions were sent ${lateness.p50.toFixed(1)} ms (p50) and ${lateness.p99.toFixed(1)} ms (p99) after they were due; that is in their latency.`,
    );
  }
  if (usedUp) lines.push(`What was signed was used up after ${seconds.toFixed(1)} s.`);
  if (foreign > 0) lines.push(`${whole(foreign)} transactions of others were in the blocks.`);
  return lines;
}

/** What was compared in the end. */
function verdict({ checked, ended }: Measured): string {
  const { once, sent, nodes, heights, stateRoot, receipts, breaches } = checked;
  const wrong = [...breaches, ...ended];
  if (wrong.length > 0) return wrong.map((text) => styled('red', text)).join('\n');
  return styled(
    'green',
    `${whole(once)} of ${whole(sent)} transactions are final exactly once (${receipts} receipts read: applied); ${nodes} nodes agree on ${whole(heights)} blocks, state root ${stateRoot.slice(0, 16)}…`,
  );
}

/** Of a sweep. */
function saturationText(runs: readonly NamedRun[]): string[] {
  if (runs.length < 2) return [];
  const kept = saturation(runs);
  const lost = runs.find(({ measured }) => !keepsUp(measured))?.measured.pace;
  if (kept === undefined) return ['No rate was kept up.', ''];
  const above = lost?.kind === 'open' ? `, ${whole(lost.perSecond)}/s was not` : '; all were';
  return [`${whole(kept)}/s was kept up${above}.`, ''];
}

/** What was run, in one line. */
export function aboutText(
  options: BenchOptions,
  chain: { readonly engine: string; readonly nodes: number; readonly brought: number },
): string {
  const { mix, payload, operations } = options;
  const { engine, nodes, brought } = chain;
  const senders = sendersOf(options, brought);
  const accounts = Math.max(senders, options.accounts);
  const kinds = [...new Set(mix)].map((kind) => {
    const share = Math.round((100 * mix.filter((one) => one === kind).length) / mix.length);
    return `${share} % ${kind}`;
  });
  return [
    `${engine}, ${nodes} nodes${brought === nodes ? '' : `, load brought to ${brought} of them`}`,
    `${whole(accounts)} accounts, ${whole(senders)} senders`,
    `${operations === 1 ? 'one operation' : `${operations} operations`} a transaction: ${kinds.join(', ')}` +
      (mix.every((kind) => kind === 'transfer') ? '' : `, records of ${payload} bytes`),
  ].join('; ');
}

/** The plots' points are for the files. */
export function withoutSeries({ name, measured }: NamedRun): object {
  const { series: _, gauges: __, ...rest } = measured;
  return { name, measured: rest };
}
