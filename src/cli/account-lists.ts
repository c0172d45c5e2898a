import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { ListedTransactionAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { encodeAddress } from '../crypto/address.ts';
import { resultText, shortAddress, whatText } from './block.ts';
import { readAccount, withAccount } from './account-read.ts';
import { keysOption } from './key-directory.ts';
import { pageFooter, pageOf, withPage } from './list-options.ts';
import { accountNamed, accountWords } from './names.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { answer, facts, table } from './terminal.ts';

export function accountHistoryCommand(): CommandUnknownOpts {
  return withPage(new Command('history'))
    .description('list final transactions that an account sent, or that touched or named it')
    .argument('<account>', accountWords)
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
  return withAccount(new Command('keys'))
    .description('show which keys sign for an account, and how many of them it takes')
    .action(async (name, options) => {
      const account = await readAccount(name, options);
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
      resultText(receipt),
      whatText(transaction),
    ]),
  );
}
