import { Command, type CommandUnknownOpts, InvalidArgumentError } from '@commander-js/extra-typings';
import { grouped } from '../../client/plain-words.ts';
import { useNativeHash } from '../../crypto/native-hash.ts';
import { jsonOption, wholeNumber } from '../options.ts';
import { whileWaiting } from '../progress.ts';
import { answer, facts, table } from '../terminal.ts';
import { type MachineFacts, machineFacts, machineText } from './machine.ts';
import { measureStart, type StartFigures } from './state-start.ts';
import { measureUpdates, type UpdateFigures } from './state-updates.ts';

const mostAccounts = 10_000_000;

export function stateCommand(): CommandUnknownOpts {
  return new Command('state')
    .description('the state tree: updates with their root, memory, and the start of a node')
    .option(
      '--accounts <numbers>',
      'sizes of the state, as 1000,100000',
      parseSizes,
      [1_000, 100_000, 1_000_000],
    )
    .option('--rounds <number>', 'blocks of 500 transfers on each', wholeNumber(1, 10_000), 100)
    .option(
      '--start <number>',
      'accounts, and as many records, of the node that starts; 0 for none',
      wholeNumber(0, mostAccounts),
      1_000_000,
    )
    .addOption(jsonOption)
    .action(async (options) => {
      useNativeHash();
      const updates: UpdateFigures[] = [];
      for (const accounts of options.accounts) {
        updates.push(
          await whileWaiting(`${grouped(accounts)} accounts`, () => measureUpdates(accounts, options.rounds)),
        );
      }
      const size = options.start;
      const start =
        size === 0
          ? undefined
          : await whileWaiting('filling a database, and starting from it', () => measureStart(size, size));
      const machine = machineFacts();
      answer(options.json, { ...machine, updates, start }, () => show(machine, updates, start));
    });
}

function show(
  machine: MachineFacts,
  updates: readonly UpdateFigures[],
  start: StartFigures | undefined,
): string {
  const us = (value: number): string => value.toFixed(1);
  const rows = updates.map(({ accounts, root, block, bytesPerAccount }) => [
    grouped(accounts),
    `${us(root.median)} (${us(root.least)})`,
    `${us(block.median)} (${us(block.least)})`,
    bytesPerAccount.toFixed(0),
  ]);
  const parts = [
    table(['accounts', 'µs a transfer: root', 'whole block', 'bytes an account'], rows),
    'Processor time, median and least of all blocks of 500 transfers between random accounts.',
  ];
  if (start !== undefined) {
    const { accounts, records, seconds, cpuSeconds } = start;
    parts.push(
      `A node with ${grouped(accounts)} accounts and ${grouped(records)} records has its state after ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time).`,
    );
  }
  parts.push(
    facts([
      ['machine', machineText(machine)],
      ['software', `${machine.software}, Node ${machine.node}`],
      ['tree hasher', machine.hasher],
    ]),
  );
  return parts.join('\n\n');
}

function parseSizes(text: string): number[] {
  const sizes = text.split(',').map(Number);
  if (sizes.every((size) => Number.isInteger(size) && size >= 1 && size <= mostAccounts)) return sizes;
  throw new InvalidArgumentError(`Write whole numbers from 1 to ${mostAccounts}, with commas between.`);
}
