import { Command } from '@commander-js/extra-typings';
import packageJson from '../../package.json' with { type: 'json' };
import { accountCommand } from './account.ts';
import { blockCommand } from './block.ts';
import { evidenceCommand } from './evidence.ts';
import { exitCodesHelp } from './exit-codes.ts';
import { getCommand } from './get.ts';
import { keysCommand } from './keys.ts';
import { statusCommand } from './status.ts';
import { txCommand } from './tx.ts';
import { validatorsCommand } from './validators.ts';
import { whyCommand } from './why.ts';

/** The whole command line. Errors in it are thrown, and nothing here ends the process. */
export function createProgram(): Command {
  const program = new Command('quorate')
    .description('A Byzantine-tolerant ledger node, and the tools to use one.')
    .version(packageJson.version)
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', exitCodesHelp);
  for (const command of [
    keysCommand(),
    statusCommand(),
    whyCommand(),
    accountCommand(),
    getCommand(),
    blockCommand(),
    validatorsCommand(),
    evidenceCommand(),
    txCommand(),
  ]) {
    program.addCommand(command);
  }
  return program;
}
