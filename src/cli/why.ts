import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer } from './terminal.ts';

export function whyCommand(): CommandUnknownOpts {
  return new Command('why')
    .description('say in one sentence what progress waits for')
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const why = unwrap(await connect(options).why());
      answer(options.json, why, () => harmless(why.why));
    });
}
