import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { native } from '../../../crypto/native.ts';
import { useNativeHash } from '../../../crypto/native-hash.ts';
import { jsonOption, wholeNumber } from '../../options.ts';
import { ProgressLine } from '../../progress.ts';
import { answer, facts, table } from '../../terminal.ts';
import { type MachineFacts, machineFacts, machineText } from '../machine.ts';
import { whole } from '../rows.ts';
import { measureMicro, type MicroResult } from './micro.ts';

/** What the pieces of a node cost on this machine, beside what the machine can do at most. */
export function microCommand(): CommandUnknownOpts {
  return new Command('micro')
    .description('signatures, hashes, tree, codec, mempool, engine and store, each by itself')
    .option('--samples <number>', 'of each piece', wholeNumber(1, 1_000), 15)
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nProcessor time, which others on the machine change little; time that passes where a piece waits for the disk or a thread.',
    )
    .action(async ({ samples, json }) => {
      useNativeHash();
      const progress = new ProgressLine();
      const result = await measureMicro(samples, (text) => {
        if (process.stderr.isTTY) progress.show(text);
      });
      progress.end();
      const machine = machineFacts();
      answer(json, { machine, ...result }, () => show(machine, result));
    });
}

function show(machine: MachineFacts, { bounds, pieces }: MicroResult): string {
  const rows = pieces.map(({ group, name, micros, perSecond, bound, ratio }) => [
    group,
    name,
    short(micros.least),
    short(micros.median),
    whole(perSecond),
    `${short(ratio)} × ${bound}`,
  ]);
  return [
    facts([
      ['machine', machineText(machine)],
      ['software', `${machine.software}, Node ${machine.node}`],
      ['verifications/s', `${whole(bounds.verificationsPerSecond)}, one core, one by one by ${native.name}`],
      ['hashes/s', `${whole(bounds.hashesPerSecond)}, one core, SHA-256 of 64 bytes one by one`],
      ['synced writes/s', `${whole(bounds.syncsPerSecond)}, of 4 KiB, one after the other`],
    ]),
    '',
    table(['', 'piece', 'µs: least', 'median', 'a second', 'of the machine'], rows),
  ].join('\n');
}

function short(value: number): string {
  return value >= 100 ? whole(value) : value.toPrecision(3);
}
