import { Command, type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { engineNames } from '../ledger/engine-names.ts';
import { parseMix } from './bench/mix.ts';
import { microCommand } from './bench/micro/micro-command.ts';
import { scaleCommand } from './bench/scale/scale-command.ts';
import { stateCommand } from './bench/state-command.ts';
import { caseNames, parseCases } from './bench/under-cases.ts';
import { parseUrl } from './node-url.ts';
import { givenOf, jsonOption, refuseInVain, wholeNumber } from './options.ts';
import { maxDevelopmentValidators } from './testnet/development-genesis.ts';

const largestRate = 1_000_000;

/** Measures a chain under load; its subcommands measure parts of it. */
export function benchCommand(): CommandUnknownOpts {
  return (
    new Command('bench')
      .description('measure a chain under load, or parts of it')
      // Each of the commands below has its own --json.
      .enablePositionalOptions()
      .option(
        '--nodes <n or urls>',
        'how many processes to start (default: 4 for pbft, 3 for raft); or addresses of nodes that run, with commas between',
        parseNodes,
      )
      .addOption(
        new Option('--engine <name>', 'of the chain that is started')
          .choices(engineNames)
          .default('pbft' as const),
      )
      .option('--accounts <n>', 'accounts in the state', wholeNumber(1, 1_000_000), 10_000)
      .option(
        '--senders <n>',
        'how many of them send, rounded up to 4 or a multiple of it for each node',
        wholeNumber(1, 10_000),
        256,
      )
      .addOption(
        new Option('--mix <kinds>', 'what operations do: transfer, put, update, delete, with shares')
          .argParser(parseMix)
          .default(parseMix('transfer'), 'transfer'),
      )
      .option('--payload <bytes>', 'the value of a record', wholeNumber(0, limits.maxRecordValueBytes), 100)
      .option('--operations <n>', 'operations in each transaction', wholeNumber(1, limits.maxOperations), 1)
      .option(
        '--in-flight <n>',
        'closed loop: this many transactions are under way',
        wholeNumber(1, 40_000),
        4_000,
      )
      .addOption(
        new Option('--rate <n>', 'open loop: this many transactions a second, whatever becomes of them')
          .argParser(wholeNumber(1, largestRate))
          .conflicts(['inFlight', 'sweep']),
      )
      .addOption(
        new Option(
          '--sweep [rates]',
          'open loop at rising rates, as 500,1000; by itself at shares of what a closed loop reaches',
        )
          .argParser(parseRates)
          .conflicts(['under', 'hangover']),
      )
      .addOption(
        new Option(
          '--under <names>',
          'PBFT: the rate beside a clean one, on a chain in trouble; "all", or some of those below',
        )
          .argParser(parseCases)
          .conflicts(['rate', 'sweep', 'hangover', 'nodes', 'engine']),
      )
      .addOption(
        new Option(
          '--hangover',
          'how a chain comes back after a quorum of it stood still under load; it lasts as long as that takes',
        ).conflicts(['sweep', 'duration']),
      )
      .option('--stall <seconds>', 'for how long it stands still', wholeNumber(1, 600), 30)
      .option('--duration <seconds>', 'what is measured of each run', wholeNumber(1, 3_600), 15)
      .option('--warm-up <seconds>', 'load before it', wholeNumber(1, 600), 3)
      .option('--out <directory>', 'where result.json and page.html go (default: a new temporary directory)')
      .option('--keep', 'keep the data and logs of the nodes')
      .addOption(jsonOption)
      .addHelpText(
        'after',
        `\nNames of --under: ${caseNames.join(', ')}.\n` +
          '\nEvery transaction is signed beforehand. In the end the nodes are compared: each transaction is final exactly once, and all have one state root.\n' +
          'Exit code 0: all of that held. 1: something did not, and the last lines say what.',
      )
      .hook('preSubcommand', (command, below) => refuseAboveOf(command, below.name()))
      .action(async (options, command) => {
        const { hangover, mix, nodes } = options;
        refuseInVain(command, hangover === true, { without: '--hangover', options: ['stall'] });
        const writes = mix.some((kind) => kind !== 'transfer');
        refuseInVain(command, writes, { without: '--mix put', options: ['payload'] });
        const isOurs = typeof nodes !== 'object';
        refuseInVain(command, isOurs, { without: 'nodes of its own', options: ['engine'] });
        const { benchmark } = await import('./bench/benchmark.ts');
        await benchmark(options);
      })
      .addCommand(microCommand())
      .addCommand(scaleCommand())
      .addCommand(stateCommand())
  );
}

/** Its own options are none of what is measured by a command below it. */
function refuseAboveOf(command: CommandUnknownOpts, below: string): void {
  const [given] = givenOf(command);
  if (given === undefined) return;
  throw new Problem('cli/usage', `${given.long} stands before "${below}", which does not see it`, {
    remedy: `Write it behind that word, if "quorate bench ${below} --help" has it. Nothing was tried.`,
    details: { option: given.long ?? null },
  });
}

function parseNodes(text: string): number | readonly string[] {
  if (!/^\d+$/.test(text)) return text.split(',').map((url) => parseUrl(url.trim(), '--nodes'));
  return wholeNumber(1, maxDevelopmentValidators)(text);
}

function parseRates(text: string): readonly number[] {
  const rates = text.split(',').map(Number);
  if (rates.every((rate) => Number.isInteger(rate) && rate >= 1 && rate <= largestRate)) return rates;
  throw new InvalidArgumentError(`Write rates from 1 to ${largestRate} a second, with commas between.`);
}
