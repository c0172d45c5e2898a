import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import { engineWords } from '../client/engine-words.ts';
import { approveCommand } from './chain.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, styled, table } from './terminal.ts';
import { proposeValidatorsCommand } from './validators-propose.ts';

export function validatorsCommand(): CommandUnknownOpts {
  return new Command('validators')
    .description('see who agrees on blocks, and (PBFT) change who does with the approval of those who do now')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(proposeValidatorsCommand())
    .addCommand(approveCommand());
}

function listCommand(): CommandUnknownOpts {
  return new Command('list')
    .description('list who agrees on blocks, who leads, and whom the node is connected to')
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      const listed = unwrap(await connect(options).validators());
      const unreached = (listed.unreached ?? []).map(
        ({ address, why, remedy }) =>
          `\n${styled('red', 'not reached')} ${harmless(address)}: ${harmless(why)}. ${harmless(remedy)}`,
      );
      const text = (): string =>
        table(
          ['#', 'name', 'address', 'connection', 'role'],
          listed.validators.map((one) => [
            String(one.index),
            harmless(one.name),
            one.address,
            one.self ? 'this node' : one.connected ? styled('green', 'connected') : styled('red', 'none'),
            one.primary ? engineWords[listed.engine].leader : '',
          ]),
        ) + unreached.join('');
      answer(options.json, listed, text);
    });
}
