import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import type { ListedTransactionAnswer } from '../client/answers.ts';
import { encodeAddress } from '../crypto/address.ts';
import { shortAddress, whatText } from './block.ts';
import { keysOption } from './key-directory.ts';
import { cursorOption, limitOption, oldestOption, pageFooter, pageOf } from './list-options.ts';
import { accountNamed } from './names.ts';
import { connect, consistencyOption, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, facts, grouped, harmless, styled, table } from './terminal.ts';

/** How an account may be named on the command line. */
export const accountWords = 'an address (qr1…), a public key in hex, a key’s name, or a development name';

export function accountHistoryCommand(): CommandUnknownOpts {
  return new Command('history')
    .description('list final transactions that an account sent, or that touched or named it')
    .argument('<account>', accountWords)
    .addOption(oldestOption)
    .addOption(limitOption)
    .addOption(cursorOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (name, options) => {
      const client = connect(options);
      const publicKey = await accountNamed(name, { directory: options.keys, client });
      const page = unwrap(await client.accountTransactions(encodeAddress(publicKey), pageOf(options)));
      answer(options.json, page, () => `${transactionTable(page.transactions)}\n${pageFooter(page)}`);
    });
}

export function accountKeysCommand(): CommandUnknownOpts {
  return new Command('keys')
    .description('show which keys sign for an account, and how many of them it takes')
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
      const { engine, chainId, address, height } = account;
      // Until its keys are set, the key that its address names signs alone.
      const { keys, threshold } = account.keys ?? { keys: [address], threshold: 1 };
      answer(options.json, { engine, chainId, address, height, threshold, keys }, () =>
        facts([
          ['address', address],
          ['signs', `${threshold} of ${keys.length}`],
          ...keys.map((key) => ['key', harmless(key)] as const),
          ['read at', `height ${grouped(height)}, ${account.consistency}`],
        ]),
      );
    });
}

/** A line for each. */
export function transactionTable(transactions: readonly ListedTransactionAnswer[]): string {
  if (transactions.length === 0) return 'There is no transaction.';
  return table(
    ['height', 'transaction', 'sender', 'result', 'what'],
    transactions.map(({ height, transaction, receipt }) => [
      grouped(height),
      harmless(transaction.hash),
      shortAddress(transaction.sender),
      receipt.status === 'applied'
        ? styled('green', 'applied')
        : styled('red', `failed: ${harmless(receipt.code)}`),
      whatText(transaction),
    ]),
  );
}
