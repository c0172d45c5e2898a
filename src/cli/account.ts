import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import { accountHistoryCommand, accountKeysCommand, accountWords } from './account-lists.ts';
import { keysOption } from './key-directory.ts';
import { accountNamed } from './names.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, facts, grouped } from './terminal.ts';

export function accountCommand(): CommandUnknownOpts {
  return new Command('account')
    .description('show balance and nonce of an account, its keys, or its transactions')
    .addCommand(showCommand(), { isDefault: true })
    .addCommand(accountKeysCommand())
    .addCommand(accountHistoryCommand());
}

function showCommand(): CommandUnknownOpts {
  return new Command('show')
    .description('show balance and nonce of an account; the word itself may be left out')
    .argument('<account>', accountWords)
    .addOption(consistencyOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (name, options) => {
      const { consistency } = options;
      const client = connect(options);
      const publicKey = await accountNamed(name, { directory: options.keys, client });
      const account = unwrap(
        await client.account(encodeAddress(publicKey), consistency === undefined ? {} : { consistency }),
      );
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
