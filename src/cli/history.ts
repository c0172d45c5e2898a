import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { RecordVersionAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { shortAddress } from './block.ts';
import { exitCodes } from './exit-codes.ts';
import { shortValueText } from './get.ts';
import { pageFooter, pageOf, withPage } from './list-options.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, moment, table } from './terminal.ts';

/** Of a value in the table; --json has all of it. */
const longestShown = 60;

export function historyCommand(): CommandUnknownOpts {
  return withPage(new Command('history'))
    .description('show the versions of a record: who made each, when and where, and what it wrote')
    .argument('<key>', 'the record’s key')
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText('after', '\nA record of which the node knows no version gives exit code 5.')
    .action(async (key, options) => {
      const history = unwrap(await connect(options).recordHistory(key, pageOf(options)));
      answer(options.json, history, () => {
        const { versions } = history;
        const rows = versions.length === 0 ? `${harmless(key)} has no version.` : versionTable(versions);
        return `${rows}\n${pageFooter(history)}`;
      });
      if (history.versions.length === 0) process.exitCode = exitCodes.notFound;
    });
}

function versionTable(versions: readonly RecordVersionAnswer[]): string {
  return table(
    ['version', 'height', 'time', 'by', 'what'],
    versions.map((one) => [
      String(one.version),
      grouped(one.made.height),
      moment(one.timestamp),
      shortAddress(one.by),
      changeText(one),
    ]),
  );
}

function changeText({ change, value, to }: RecordVersionAnswer): string {
  if (change === 'put') return `put ${shortValueText(fromHex(value ?? ''), longestShown)}`;
  return change === 'give' ? `give to ${shortAddress(to ?? '')}` : 'delete';
}
