import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { grouped } from '../client/plain-words.ts';
import { accountHistoryCommand, accountKeysCommand } from './account-lists.ts';
import { readAccount, withAccount } from './account-read.ts';
import { answer, facts } from './terminal.ts';

export function accountCommand(): CommandUnknownOpts {
  return new Command('account')
    .description('show balance and nonce of an account, its keys, or its transactions')
    .addCommand(showCommand(), { isDefault: true })
    .addCommand(accountKeysCommand())
    .addCommand(accountHistoryCommand());
}

function showCommand(): CommandUnknownOpts {
  return withAccount(new Command('show'))
    .description('show balance and nonce of an account; the word itself may be left out')
    .action(async (name, options) => {
      const account = await readAccount(name, options);
      answer(options.json, account, () =>
        facts([
          ['address', account.address],
          ['public key', account.publicKey],
          ['balance', grouped(account.balance)],
          ...(account.held === '0' ? [] : [['held', grouped(account.held)] as [string, string]]),
          [
            'next nonce',
            account.pendingNonce === account.nonce
              ? String(account.nonce)
              : `${account.pendingNonce} (${account.nonce} in the final state)`,
          ],
          ...(account.keys === null
            ? []
            : [
                [
                  'keys',
                  `${account.keys.threshold} of ${account.keys.keys.length}: ${account.keys.keys.join(', ')}`,
                ] as [string, string],
              ]),
          ['read at', `height ${grouped(account.height)}, ${account.consistency}`],
        ]),
      );
    });
}
