import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import { transactionTable } from './account-lists.ts';
import { exitCodes } from './exit-codes.ts';
import { pageFooter, pageOf, withPage } from './list-options.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer } from './terminal.ts';
import { parseReference } from './tx-send.ts';

export function txFindCommand(): CommandUnknownOpts {
  return withPage(new Command('find'))
    .description('list final transactions with a reference (--reference), whoever sent them')
    .argument('<reference>', 'the number or name that they were sent with', parseReference)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nWhen the node knows none it gives exit code 5.')
    .action(async (reference, options) => {
      const found = unwrap(await connect(options).transactionsByReference(reference, pageOf(options)));
      answer(options.json, found, () => `${transactionTable(found.transactions)}\n${pageFooter(found)}`);
      if (found.transactions.length === 0) process.exitCode = exitCodes.notFound;
    });
}
