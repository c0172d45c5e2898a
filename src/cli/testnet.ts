import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { engineNames } from '../ledger/engine-names.ts';
import { collectByzantine, strategies } from './byzantine-strategies.ts';
import { defaultApiPort, jsonOption, wholeNumber } from './options.ts';
import { maxDevelopmentValidators } from './testnet/development-genesis.ts';

export function testnetCommand(): CommandUnknownOpts {
  return new Command('testnet')
    .description('run a development chain on this machine: several nodes, stopped together')
    .option(
      '--nodes <n>',
      'how many validators (default: 4 for pbft, 3 for raft)',
      wholeNumber(1, maxDevelopmentValidators),
    )
    .addOption(
      new Option('--engine <name>', 'pbft: members may lie; raft: they may only crash')
        .choices(engineNames)
        .default('pbft' as const),
    )
    .option(
      '--byzantine <node:strategy>',
      'make a node lie, for example 0:equivocate; may be given for several nodes',
      collectByzantine,
    )
    .option(
      '--data <directory>',
      'keep the nodes’ data there, with what you change in their config.json (default: a temporary one, removed at the end)',
    )
    .option(
      '--base-port <port>',
      'node i serves its API on port + 2i and its peers on port + 2i + 1; 0 takes free ports',
      wholeNumber(0, 65_535 - 2 * maxDevelopmentValidators),
      defaultApiPort,
    )
    .addOption(jsonOption)
    .addHelpText(
      'after',
      `\nStrategies of --byzantine: ${strategies.join(', ')}.\n` +
        'Of 4 nodes one may lie; with two liars nothing is promised any more.\n' +
        '\nRuns until Ctrl-C. With --json: one event per line (starting, ready, second, ended, stopped).',
    )
    .action(async (options) => {
      const { runTestnet } = await import('./testnet/run-testnet.ts');
      await runTestnet(options);
    });
}
