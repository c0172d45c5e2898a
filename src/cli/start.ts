import { resolve } from 'node:path';
import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import { readKeyFile } from '../crypto/keystore.ts';
import type { StartNodeOptions } from '../node/node.ts';
import { parseStrategy, type Strategy } from './byzantine-strategies.ts';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { passwordFileOption, refuseNeedlessPassword } from './key-directory.ts';
import { jsonOption } from './options.ts';
import { readPassword } from './password.ts';
import { aborted, stopOnSignals } from './signals.ts';
import { answer, surviveClosedOutput } from './terminal.ts';

/** A node that has not ended by then is forced. */
const stopDeadlineMs = 15_000;

export function startCommand(): CommandUnknownOpts {
  return new Command('start')
    .description('run a node from its data directory until it is told to stop')
    .requiredOption('--data <directory>', 'as "quorate init" made it')
    .addOption(
      new Option('--log <level>', 'instead of the level in config.json').choices([
        'debug',
        'info',
        'warn',
        'error',
        'silent',
      ] as const),
    )
    .addOption(new Option('--child', 'stop when the channel to the parent process closes').hideHelp())
    .addOption(
      new Option('--byzantine <strategy>', 'lie this way (development chains only)')
        .argParser(parseStrategy)
        .hideHelp(),
    )
    .option(
      '--assume-first-use',
      'vote at once, at this start and from then on, although the database was lost or is an old copy: for a key that never signed what is missing, or when too many databases are lost for the chain to go on. Wrong otherwise: the validator may contradict itself',
    )
    .addOption(passwordFileOption)
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nSIGTERM, SIGINT and SIGHUP stop it in order, with exit code 0. Its log goes to standard error.',
    )
    .action(async (options) => {
      surviveClosedOutput();
      const stop = stopOnSignals(stopDeadlineMs);
      // A parent that goes away, however it goes, takes its nodes with it (see testnet/node-processes.ts).
      const orphaned = new Promise<void>((done) => {
        if (options.child !== true) return;
        process.once('disconnect', done);
        if (!process.connected) done();
      });
      const { loadConfig } = await import('../node/process/config.ts');
      const { startNode } = await import('../node/node.ts');
      const directory = resolve(options.data);
      const { validatorKeyFile } = await loadConfig(directory);
      const password = await passwordFor(validatorKeyFile, options.passwordFile);
      const { log, byzantine } = options;
      const node = await startNode({
        directory,
        ...(password === undefined ? {} : { password }),
        ...(log === undefined ? {} : { override: { log } }),
        ...(byzantine === undefined ? {} : { wrap: await lyingAs(byzantine) }),
        assumeFirstUse: options.assumeFirstUse === true,
      });
      const { config, apiAddress, peer, addresses } = node;
      const value = {
        event: 'started',
        name: config.name,
        pid: process.pid,
        api: apiAddress,
        peer,
        addresses,
      };
      answer(
        options.json,
        value,
        () => `${config.name} runs. API: ${apiAddress}. Peers reach it at ${addresses.join(', ')}.`,
      );

      const ended = await Promise.race([node.ended, aborted(stop), orphaned]);
      setTimeout(() => process.exit(exitCodes.internal), stopDeadlineMs).unref();
      await node.stop();
      const code = ended === undefined ? exitCodes.ok : reportFailure(ended);
      // Everything is closed, so whatever still keeps the process alive (an idle connection) does not matter.
      process.exit(code);
    });
}

/** How often a node that was told to lie tells its parent process how many lies it told. */
const reportLiesMs = 200;

/** Loads what only liars need, and counts the lies for the parent process. */
async function lyingAs(strategy: Strategy): Promise<NonNullable<StartNodeOptions['wrap']>> {
  const { liarWrap } = await import('./byzantine.ts');
  let lies = 0;
  let reported = 0;
  setInterval(() => {
    if (lies === reported || !process.connected) return;
    reported = lies;
    process.send?.({ strategy, lies });
  }, reportLiesMs).unref();
  return liarWrap(strategy, () => void (lies += 1));
}

async function passwordFor(
  keyFile: string | null,
  passwordFile: string | undefined,
): Promise<string | undefined> {
  const key = keyFile === null ? undefined : unwrap(readKeyFile(keyFile));
  refuseNeedlessPassword(passwordFile, key === undefined ? [] : [key.kind]);
  return key === undefined || key.kind === 'plain'
    ? undefined
    : readPassword({ passwordFile, purpose: `of the validator's key "${key.name}"` });
}
