import { Command, type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { limits } from '../../../base/limits.ts';
import { grouped } from '../../../client/plain-words.ts';
import { type EngineName, engineNames } from '../../../ledger/engine-names.ts';
import { jsonOption, refuseInVain } from '../../options.ts';
import { ProgressLine } from '../../progress.ts';
import { answer, table } from '../../terminal.ts';
import { type ScaleFigures, simulateScale } from './simulate-scale.ts';

const mostDelayMs = 5_000;
/** Virtual milliseconds of a synced write. */
const diskMs = 1;
/** Each row of the first table is the mean of this many blocks, with this many transactions in each. */
const sizeBlocks = 10;
const sizeBatch = 100;
const sizeDelayMs = 5;
/** One block for each of those bursts, and none in between. */
const sizeEveryMs = 200;

const usualValidators: Readonly<Record<EngineName, number>> = { pbft: 4, raft: 3 };
const hasWindow: Readonly<Record<EngineName, boolean>> = { pbft: true, raft: false };

/** What one block costs all nodes of a chain together, and what links cost it in time. */
export function scaleCommand(): CommandUnknownOpts {
  return new Command('scale')
    .description(
      'in the simulator: messages, bytes and checks a block by the size of the chain; rates by the delay of links',
    )
    .addOption(new Option('--engine <name>', 'of the chain').choices(engineNames).default('pbft' as const))
    .addOption(
      new Option('--validators <numbers>', 'sizes, as 4,7,16')
        .argParser(numbers(1, limits.maxValidators))
        .default([4, 7, 16, 31, 64], '4,7,16,31,64'),
    )
    .addOption(
      new Option('--delays <ms>', 'of links, one way, as 1,50,150')
        .argParser(numbers(0, mostDelayMs))
        .default([1, 50, 150], '1,50,150'),
    )
    .addOption(
      new Option('--windows <numbers>', 'PBFT: blocks under agreement at once')
        .argParser(numbers(1, limits.maxPbftWindow))
        .default([1, 8], '1,8'),
    )
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nThe shipped nodes on a virtual clock, network and disk (a synced write takes 1 ms): the same figures on any machine, and no processor time in them.',
    )
    .action(async ({ engine, validators, delays, windows, json }, command) => {
      refuseInVain(command, hasWindow[engine], { without: '--engine pbft', options: ['windows'] });
      const progress = new ProgressLine();
      const say = (text: string): void => {
        if (process.stderr.isTTY) progress.show(text);
      };
      const sizes: ScaleFigures[] = [];
      for (const size of validators) {
        say(`${size} validators`);
        sizes.push(await simulateScale(sizeRun(engine, size)));
      }
      const links: ScaleFigures[] = [];
      for (const delayMs of delays) {
        for (const window of hasWindow[engine] ? windows : [undefined]) {
          say(`links of ${delayMs} ms${window === undefined ? '' : `, window ${window}`}`);
          links.push(await simulateScale(linkRun(engine, delayMs, window)));
        }
      }
      progress.end();
      answer(json, { engine, sizes, links }, () => show(engine, sizes, links));
    });
}

/** Bursts far apart, so that each is a block. */
export function sizeRun(engine: EngineName, validators: number): Parameters<typeof simulateScale>[0] {
  return {
    engine,
    validators,
    delayMs: sizeDelayMs,
    diskMs,
    blockIntervalMs: 0,
    batch: sizeBatch,
    everyMs: sizeEveryMs,
    batches: sizeBlocks,
  };
}

/** A transaction every few milliseconds, so that there is always something for the next block. */
export function linkRun(
  engine: EngineName,
  delayMs: number,
  window: number | undefined,
): Parameters<typeof simulateScale>[0] {
  // As many blocks under slow links as under fast ones.
  const everyMs = Math.max(2, Math.ceil(delayMs / 25));
  return {
    engine,
    validators: usualValidators[engine],
    ...(window !== undefined && { window }),
    delayMs,
    diskMs,
    blockIntervalMs: 0,
    batch: 1,
    everyMs,
    batches: 600,
  };
}

function show(engine: EngineName, sizes: readonly ScaleFigures[], links: readonly ScaleFigures[]): string {
  const each = (value: number, { blocks }: ScaleFigures): string => (value / blocks).toFixed(1);
  const whole = (value: number, { blocks }: ScaleFigures): string => grouped(Math.round(value / blocks));
  const bySize = sizes.map((run) => {
    const { counts, validators } = run;
    return [
      String(validators),
      each(counts.messages, run),
      whole(counts.messageBytes, run),
      each(counts.messageChecks, run),
      each(counts.messageChecks / validators, run),
      each(counts.transactionChecks / validators, run),
      each(counts.syncs / validators, run),
      whole(counts.hashes / validators, run),
      `${run.latencyMs.p50}`,
    ];
  });
  const byLink = links.map((run) => [
    String(run.delayMs),
    run.window === null ? '–' : String(run.window),
    run.blocksPerSecond.toFixed(1),
    grouped(Math.round(run.blocksPerSecond * limits.maxBlockTransactions)),
    grouped(run.latencyMs.p50),
    grouped(run.latencyMs.max),
  ]);
  return [
    table(
      [
        'validators',
        'messages/block',
        'bytes/block',
        'checks/block',
        'a node',
        'of transactions, a node',
        'syncs, a node',
        'hashes, a node',
        'latency ms',
      ],
      bySize,
    ),
    `${engine}, blocks of ${sizeBatch} transactions, links of ${sizeDelayMs} ms. Messages are those between validators; checks are signatures of theirs, then of transactions.`,
    '',
    table(['link ms', 'window', 'blocks/s', 'tx/s if all are full', 'latency ms: p50', 'max'], byLink),
    `There is always a transaction for the next block. A full block has ${grouped(limits.maxBlockTransactions)}: what processors and lines take for it is not in these figures.`,
  ].join('\n');
}

function numbers(least: number, most: number): (text: string) => number[] {
  return (text) => {
    const found = text.split(',').map((part) => (/^\d{1,6}$/.test(part.trim()) ? Number(part) : Number.NaN));
    if (found.every((one) => one >= least && one <= most)) return found;
    throw new InvalidArgumentError(`Write whole numbers from ${least} to ${most}, with commas between.`);
  };
}
