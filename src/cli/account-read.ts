import type { Command } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import type { AccountAnswer } from '../client/answers.ts';
import type { ReadOptions } from '../client/http-client.ts';
import { encodeAddress } from '../crypto/address.ts';
import { keysOption } from './key-directory.ts';
import { accountNamed, accountWords } from './names.ts';
import {
  connect,
  type ConnectionOptions,
  consistencyOption,
  jsonOption,
  nodeOption,
  timeoutOption,
} from './options.ts';

/** The argument and the options of a command that reads an account. */
export function withAccount(command: Command) {
  return command
    .argument('<account>', accountWords)
    .addOption(consistencyOption)
    .addOption(keysOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption);
}

export async function readAccount(
  name: string,
  options: ConnectionOptions & { readonly keys: string } & Pick<ReadOptions, 'consistency'>,
): Promise<AccountAnswer> {
  const client = connect(options);
  const publicKey = await accountNamed(name, { directory: options.keys, client });
  const { consistency } = options;
  return unwrap(await client.account(encodeAddress(publicKey), { consistency }));
}
