import { join } from 'node:path';
import { Command, type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { grouped } from '../client/plain-words.ts';
import { useNativeHash } from '../crypto/native-hash.ts';
import { type EngineName, engineNames } from '../ledger/engine-names.ts';
import { drawPlan } from '../simulator/plan/draw-plan.ts';
import type { Plan } from '../simulator/plan/plan.ts';
import { parsePlan } from '../simulator/plan/plan-file.ts';
import { describeCounts, neverExercised } from '../simulator/run/report.ts';
import { runPool, type Summary } from '../simulator/run/run-pool.ts';
import { shrink } from '../simulator/run/shrink.ts';
import { simulate, type SimulationResult } from '../simulator/run/simulation.ts';
import { limits } from '../base/limits.ts';
import {
  describeVerdict,
  exitCodes,
  playAddress,
  replayCommand,
  type Verdict,
} from '../simulator/run/verdict.ts';
import { unwrap } from '../base/problem.ts';
import { jsonOption, refuseInVain, wholeNumber } from './options.ts';
import { ProgressLine } from './progress.ts';
import { answer, notice, styled } from './terminal.ts';
import { fileProblem } from './file-problem.ts';
import { prepareDirectory, writeWhole } from './output-file.ts';
import { readTextFile } from './text-file.ts';

const shrinkRuns = 400;

export function simulateCommand(): CommandUnknownOpts {
  return new Command('simulate')
    .description('run clusters of this node under seeded faults and lies, and check every promise')
    .addHelpText(
      'after',
      `
A run is a function of its seed. Exit codes: 0 all passed, 10 a run was unsafe, 11 a run got stuck,
1 something that --require-coverage asks for was never exercised.`,
    )
    .addOption(
      new Option('--seeds <first..last>', 'run each seed of a range')
        .argParser(parseRange)
        .conflicts(['seed', 'plan', 'trace']),
    )
    .addOption(
      new Option('--seed <number>', 'run one seed (default: 1)')
        .argParser(wholeNumber(0, 2 ** 48))
        .conflicts('plan'),
    )
    .option('--plan <file>', 'run a stored plan')
    .addOption(
      new Option('--engine <name>', 'the engine of drawn plans')
        .choices(engineNames)
        .default('pbft' as const)
        .conflicts('plan'),
    )
    .option('--jobs <number>', 'worker threads for a range', wholeNumber(1, 64), 2)
    .option('--trace', 'print every event of a single run')
    .option('--shrink', 'make a failing plan as small as possible; of a range each that --keep stores')
    .option('--keep <directory>', 'store the plan of each failure there')
    .option('--report', 'print how often everything was exercised')
    .option('--require-coverage', 'of a range: fail when a fault or liar was never exercised')
    .addOption(
      new Option(
        '--real-signatures',
        'use Ed25519 instead of the fast scheme; fifty times slower (a plan says by itself which)',
      ).conflicts('plan'),
    )
    .addOption(jsonOption)
    .action(async (options, command) => {
      const { seeds, keep: keptIn } = options;
      refuseInVain(command, seeds !== undefined, {
        without: '--seeds',
        options: ['jobs', 'requireCoverage'],
      });
      if (seeds !== undefined) {
        refuseInVain(command, keptIn !== undefined, { without: '--keep', options: ['shrink'] });
      }
      prepareDirectory(keptIn, '--keep');
      useNativeHash();
      const signatures = options.realSignatures === true ? 'ed25519' : 'fast';
      if (seeds !== undefined) {
        await runRange(seeds, { ...options, signatures });
        return;
      }
      const plan: Plan =
        options.plan === undefined
          ? { ...drawPlan(options.seed ?? 1, options.engine), signatures }
          : unwrap(
              parsePlan(
                await readTextFile(options.plan, {
                  what: 'the plan',
                  remedy: 'Check --plan.',
                  maxBytes: limits.planFileBytes,
                }),
              ),
            );
      await runOne(plan, { ...options, drawn: options.plan === undefined });
    });
}

interface OneOptions {
  readonly drawn: boolean;
  readonly trace?: true | undefined;
  readonly shrink?: true | undefined;
  readonly keep?: string | undefined;
  readonly report?: true | undefined;
  readonly json?: true | undefined;
}

async function runOne(plan: Plan, options: OneOptions): Promise<void> {
  let result: SimulationResult = await simulate(plan, { keepTrace: options.trace === true });
  let failing = plan;
  if (result.verdict.outcome !== 'pass' && options.shrink === true) {
    failing = await shrinkPlan(plan);
    result = await simulate(failing, { keepTrace: options.trace === true });
  }
  const { verdict } = result;
  const drawn = options.drawn && failing === plan;
  const play = drawn ? playAddress(plan) : undefined;
  const told = options.trace === true ? result.trace : [];
  const value = { ...verdict, plan: failing, play, lines: options.trace && told };
  answer(options.json, value, () => {
    const lines = [...told, describeVerdict(verdict), `trace ${verdict.trace}`];
    if (options.report === true) lines.push(describeCounts(verdict.counts));
    if (verdict.outcome !== 'pass') lines.push(`again: ${replayCommand(failing, drawn)}`);
    if (play !== undefined) lines.push(seeIt(play));
    if (!options.drawn) lines.push('see it: the playground of any node opens the file');
    return lines.join('\n');
  });
  process.exitCode = exitCodes[verdict.outcome];
  if (verdict.outcome !== 'pass' && options.keep !== undefined) keep(options.keep, failing, verdict);
}

interface RangeOptions {
  readonly engine: EngineName;
  readonly signatures: Plan['signatures'];
  readonly jobs: number;
  readonly shrink?: true | undefined;
  readonly keep?: string | undefined;
  readonly report?: true | undefined;
  readonly requireCoverage?: true | undefined;
  readonly json?: true | undefined;
}

async function runRange(range: readonly [number, number], options: RangeOptions): Promise<void> {
  const [firstSeed, lastSeed] = range;
  const total = lastSeed - firstSeed + 1;
  const progress = new ProgressLine();
  const summary = await runPool({
    engine: options.engine,
    signatures: options.signatures,
    firstSeed,
    lastSeed,
    jobs: options.jobs,
    onVerdict: (verdict, soFar) => {
      if (verdict.outcome !== 'pass') {
        progress.end();
        notice(describeVerdict(verdict));
      }
      const rate = soFar.runs / soFar.seconds;
      progress.show(
        `${grouped(soFar.runs)} of ${grouped(total)} runs, ${soFar.failures.length} failed, ${rate.toFixed(1)} a second`,
      );
    },
  });
  progress.end();
  const missing = neverExercised(summary.counts, options.engine);
  answer(options.json, { ...summary, neverExercised: missing }, () =>
    describeSummary(summary, options, missing),
  );
  const worst = summary.failures.some(({ outcome }) => outcome === 'unsafe') ? 'unsafe' : 'stuck';
  if (summary.failures.length > 0) process.exitCode = exitCodes[worst];
  else if (options.requireCoverage === true && missing.length > 0) process.exitCode = 1;
  if (options.keep === undefined) return;
  for (const failure of summary.failures) {
    const drawn = { ...drawPlan(failure.seed, options.engine), signatures: options.signatures };
    keep(options.keep, options.shrink === true ? await shrinkPlan(drawn) : drawn, failure);
  }
}

function describeSummary(summary: Summary, options: RangeOptions, missing: readonly string[]): string {
  const { counts } = summary;
  const sum = (prefix: string): string =>
    grouped(
      Object.entries(counts)
        .filter(([name]) => name.startsWith(prefix))
        .reduce((total, [, value]) => total + value, 0),
    );
  const lines = [
    `${grouped(summary.runs)} runs of ${options.engine} in ${summary.seconds.toFixed(1)} s: ` +
      styled(summary.failures.length === 0 ? 'green' : 'red', `${summary.failures.length} failed`),
    `  ${sum('fault/')} faults, ${sum('liar/')} lies, ${sum('link/')} messages lost, doubled or late`,
    `  ${grouped(counts['run/blocks'] ?? 0)} blocks, ${grouped(counts['run/views'] ?? 0)} views, ` +
      `${grouped(Math.round((counts['run/virtual-ms'] ?? 0) / 1000))} virtual seconds, ${grouped(counts['run/events'] ?? 0)} events`,
  ];
  for (const failure of summary.failures.slice(0, 20)) {
    lines.push(
      `  ${describeVerdict(failure)}`,
      `    again: ${replayCommand({ ...options, seed: failure.seed }, true)}`,
    );
    const play = playAddress({ ...failure, ...options });
    if (play !== undefined) lines.push(`    ${seeIt(play)}`);
  }
  if (options.report === true) lines.push(describeCounts(counts));
  if (missing.length > 0) lines.push(`never exercised: ${missing.join(', ')}`);
  return lines.join('\n');
}

function seeIt(play: string): string {
  return `see it: ${play} behind the address of a node`;
}

async function shrinkPlan(plan: Plan): Promise<Plan> {
  const progress = new ProgressLine();
  const { plan: small } = await shrink(plan, {
    run: async (candidate) => (await simulate(candidate)).verdict,
    budget: shrinkRuns,
    progress: (runs, current) =>
      progress.show(`seed ${plan.seed}: ${runs} tries, ${current.faults.length} faults left`),
  });
  progress.end();
  return small;
}

function keep(directory: string, plan: Plan, verdict: Verdict): void {
  const file = join(
    directory,
    `${verdict.breach?.guarantee ?? verdict.outcome}-${plan.engine}-${plan.seed}.json`,
  );
  try {
    writeWhole(file, `${JSON.stringify({ found: verdict.breach, plan }, null, 2)}\n`);
  } catch (cause) {
    throw fileProblem(file, cause, '--keep');
  }
  notice(`kept ${file}, which opens in the playground of any node`);
}

function parseRange(text: string): readonly [number, number] {
  const match = /^(\d{1,14})\.\.(\d{1,14})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || first > last) throw new InvalidArgumentError('Write it like 1..5000.');
  return [first, last];
}
