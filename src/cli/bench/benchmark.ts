import { useNativeHash } from '../../crypto/native-hash.ts';
import { exitCodes } from '../exit-codes.ts';
import { prepareDirectory } from '../output-file.ts';
import { ProgressLine } from '../progress.ts';
import { stopOnSignals } from '../signals.ts';
import { newDirectory } from '../temporary-directory.ts';
import { notice, print, table, toJson } from '../terminal.ts';
import { type Hangover, hangover } from './hangover.ts';
import { hangoverRows, rowText, underRows } from './incident-rows.ts';
import { machineFacts, machineText } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { type NamedRun, page } from './page.ts';
import type { Prepared, Surroundings } from './prepare.ts';
import { aboutText, runsText, withoutSeries } from './report.ts';
import { writeResult } from './result-files.ts';
import type { Cells } from './rows.ts';
import { run } from './run.ts';
import { closedRun, openRun, openTestbed, prepareFor, warmUp } from './session.ts';
import { sweep } from './sweep.ts';
import { notOurs } from './testbed.ts';
import { under, type UnderResult, type UnderRow } from './under.ts';

/** The nodes have their own deadline; then their data is removed. */
const stopDeadlineMs = 30_000;

/** What was measured: runs, and what one of the special questions found. */
interface Found {
  readonly about: string;
  readonly runs: readonly NamedRun[];
  readonly under?: UnderResult;
  readonly hangover?: Omit<Hangover, 'measured'>;
  readonly tables: readonly Cells[];
}

/** Measures what was asked for, prints it, and writes it. Throws problems. */
export async function benchmark(options: BenchOptions): Promise<void> {
  if (typeof options.nodes === 'object') {
    if (options.hangover === true) throw notOurs('processes that were not started here are not stopped');
    if (options.keep === true)
      throw notOurs('the data of nodes that were not started here stays where it is');
  }
  prepareDirectory(options.out, '--out');
  useNativeHash();
  const keptIn = options.keep === true ? newDirectory('kept') : undefined;
  if (keptIn !== undefined) notice(`The data and logs of the nodes stay in ${keptIn}`);
  const stop = stopOnSignals(stopDeadlineMs);
  const progress = new ProgressLine();
  const say = (text: string, share?: number): void => {
    if (process.stderr.isTTY) progress.show(share === undefined ? text : `${bar(share)} ${text}`);
  };
  try {
    const found = await measure(options, { stop, say, keptIn });
    progress.end();
    report(options, found, keptIn);
  } finally {
    progress.end();
  }
}

async function measure(options: BenchOptions, surroundings: Surroundings): Promise<Found> {
  if (options.under !== undefined) {
    const onRow = (row: UnderRow): void => {
      // One takes a minute: what is known is said.
      if (options.json !== true) print(rowText(row));
    };
    const found = await under(options, options.under, { ...surroundings, onRow });
    const about = aboutText(options, { engine: 'pbft', nodes: 4, brought: 3 });
    return {
      about,
      runs: [{ name: 'clean', measured: found.clean }],
      under: found,
      tables: [underRows(found)],
    };
  }
  const testbed = await openTestbed(options, surroundings);
  try {
    const { engine, nodes } = testbed;
    const about = aboutText(options, { engine, nodes: nodes.length, brought: nodes.length });
    const prepared = await prepareFor(testbed, options, surroundings);
    const warm = await warmUp(prepared, options, surroundings);
    if (options.hangover !== true) {
      return { about, runs: await load(prepared, options, { ...surroundings, warm }), tables: [] };
    }
    const { measured, ...found } = await hangover(prepared, options, { ...surroundings, capacity: warm });
    return { about, runs: [{ name: engine, measured }], hangover: found, tables: [hangoverRows(found)] };
  } finally {
    await testbed.close();
  }
}

async function load(
  prepared: Prepared,
  options: BenchOptions,
  { warm, ...surroundings }: Surroundings & { readonly warm: number },
): Promise<readonly NamedRun[]> {
  if (options.sweep !== undefined) return await sweep(prepared, options, { warm, ...surroundings });
  const { rate } = options;
  const asked = rate === undefined ? closedRun(options, warm) : openRun(options, rate);
  const { measured } = await run(prepared, asked, surroundings);
  return [{ name: prepared.testbed.engine, measured }];
}

function report(options: BenchOptions, { about, runs, tables, ...found }: Found, kept?: string): void {
  const machine = machineFacts();
  const facts = [
    ['machine', machineText(machine)],
    ['software', `${machine.software}, Node ${machine.node}, ${machine.signatures}, ${machine.hasher}`],
    ['load', about],
  ] as const;
  const result = { machine, load: about, ...found, runs };
  const files = writeResult(options.out, result, page({ title: 'quorate bench', facts }, runs, tables));
  const breaches = [
    ...runs.flatMap(({ measured }) => [...measured.checked.breaches, ...measured.ended]),
    ...(found.under?.rows ?? []).flatMap((row) => row.breaches),
  ];
  if (options.json === true) {
    const clean = found.under?.clean;
    const { under: _, ...rest } = found;
    const rows = clean === undefined ? {} : { under: found.under?.rows };
    print(
      toJson({
        machine,
        load: about,
        ...rest,
        ...rows,
        runs: runs.map(withoutSeries),
        files: { ...files, kept },
      }),
    );
  } else {
    const special = tables.map(({ head, rows }) => `${table(head, rows)}\n`);
    print([about, '', ...special, ...runsText(runs), `Written: ${files.page} and ${files.json}`].join('\n'));
  }
  if (breaches.length > 0) process.exitCode = exitCodes.problem;
}

const barWidth = 24;

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * barWidth);
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`;
}
