import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { limits } from '../base/limits.ts';
import { unwrap } from '../base/problem.ts';
import { connect, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { answer, table } from './terminal.ts';

export function evidenceCommand(): CommandUnknownOpts {
  return new Command('evidence')
    .description('list proof that validators signed what no correct validator signs')
    .option('--offset <n>', 'how many to leave out', wholeNumber(0, 2 ** 47), 0)
    .option('--limit <n>', 'how many to list', wholeNumber(1, limits.httpPage), limits.httpPage)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const { offset, limit } = options;
      const listed = unwrap(await connect(options).evidence({ offset, limit }));
      answer(options.json, listed, () =>
        listed.evidence.length === 0
          ? offset === 0
            ? 'There is no evidence against anybody.'
            : `There is none from number ${offset} on.`
          : table(
              ['#', 'validator', 'kind', 'address', 'size'],
              listed.evidence.map((one, index) => [
                String(offset + index),
                String(one.accused),
                harmless(one.kind),
                one.address,
                `${one.bytes.length / 2} bytes`,
              ]),
            ),
      );
    });
}
