import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { AccountAnswer } from '../client/answers.ts';
import { grouped } from '../client/plain-words.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { accountItemJson } from '../ledger/state-json.ts';
import { accountReading } from '../ledger/state-reading.ts';
import { accountHistoryCommand, accountKeysCommand } from './account-lists.ts';
import { readAccount, withAccount } from './account-read.ts';
import { accountNamed } from './names.ts';
import { connect, type ConnectionOptions } from './options.ts';
import { proofOption } from './proof-file.ts';
import { chainIn, placeJson, placeRows, proven, provenOption, told, trustedChain } from './proven-state.ts';
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
    .addOption(provenOption)
    .addOption(proofOption)
    .action(async (name, options) => {
      const genesis = await trustedChain(options);
      if (genesis !== undefined) return showProven(name, genesis, options);
      const account = await readAccount(name, options);
      answer(options.json, account, () =>
        facts([
          ['address', account.address],
          ['public key', account.publicKey],
          ...amountRows(account),
          [
            'next nonce',
            account.pendingNonce === account.nonce
              ? String(account.nonce)
              : `${account.pendingNonce} (${account.nonce} in the final state)`,
          ],
          ...keyRows(account.keys),
          ...told(account).rows,
        ]),
      );
    });
}

async function showProven(
  name: string,
  genesis: Genesis,
  options: ConnectionOptions & {
    readonly keys: string;
    readonly proof?: string | undefined;
    readonly json?: true | undefined;
  },
): Promise<void> {
  const client = connect(options);
  const publicKey = await accountNamed(name, { directory: options.keys, client: chainIn(genesis) });
  const verified = await proven(client, genesis, accountReading, {
    name: publicKey,
    ask: client.accountProof(publicKey),
    keep: { file: options.proof, proves: 'account', name: encodeAddress(publicKey) },
  });
  const account = accountItemJson(publicKey, verified.value);
  answer(options.json, { ...account, ...placeJson(genesis, verified) }, () =>
    facts([...accountRows(account), ...placeRows(verified)]),
  );
}

/** What is shown of an account as the final state has it. */
export function accountRows(account: ReturnType<typeof accountItemJson>): (readonly [string, string])[] {
  return [
    ['address', account.address],
    ['public key', account.publicKey],
    ...amountRows(account),
    ['next nonce', String(account.nonce)],
    ...keyRows(account.keys),
  ];
}

type Shown = Pick<AccountAnswer, 'balance' | 'held' | 'keys'>;

function amountRows({ balance, held }: Shown): (readonly [string, string])[] {
  return [['balance', grouped(balance)], ...(held === '0' ? [] : [['held', grouped(held)] as const])];
}

function keyRows(keys: Shown['keys']): (readonly [string, string])[] {
  return keys === null ? [] : [['keys', `${keys.threshold} of ${keys.keys.length}: ${keys.keys.join(', ')}`]];
}
