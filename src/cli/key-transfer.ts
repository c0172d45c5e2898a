import { limits } from '../base/limits.ts';
import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import { strictText } from '../base/strict-text.ts';
import { encodeAddress } from '../crypto/address.ts';
import { encryptKey, readKeyFile } from '../crypto/keystore.ts';
import { readInput } from './input-file.ts';
import {
  checkKeyName,
  keyFileText,
  keysOption,
  openKeyFile,
  passwordFileOption,
  refuseNeedlessPassword,
  replaceKeyFile,
  storedFile,
  storeKeyFile,
} from './key-directory.ts';
import { jsonOption } from './options.ts';
import { readPassword } from './password.ts';
import { answer, print } from './terminal.ts';

/** The way of a key to another machine: its file as it is, under the password that it has. */
export function exportCommand(): CommandUnknownOpts {
  return (
    new Command('export')
      .description(
        'print a key file as it is stored (encrypted, when it has a password), to be kept or imported elsewhere',
      )
      .argument('<name>', 'a stored key’s name, a key file, or a development name')
      .addOption(keysOption)
      // A key file is JSON: programs get the same, to the byte.
      .addOption(jsonOption)
      .action((name, options) => print(keyFileText(options.keys, name).text.trimEnd()))
  );
}

export function importCommand(): CommandUnknownOpts {
  return new Command('import')
    .description('store a key file that was made elsewhere; it keeps its password')
    .argument('<file>', 'the key file; - is standard input')
    .argument('[name]', 'what you will call it (default: the name in the file)')
    .addOption(keysOption)
    .addOption(jsonOption)
    .action(async (from, given, options) => {
      const read = strictText(await readInput(from, { maxBytes: limits.keyFileBytes }));
      if ('fault' in read) {
        throw new Problem('keys/malformed', `${from} is no key file: ${read.fault}`, {
          remedy: 'Take the file as "quorate keys export NAME" printed it.',
        });
      }
      const { text } = read;
      const key = unwrap(readKeyFile(text));
      const name = given ?? key.name;
      checkKeyName(name);
      const file = await storeKeyFile(options.keys, name, text);
      const { publicKey, kind } = key;
      const value = { name, address: encodeAddress(publicKey), publicKey, kind, file };
      answer(options.json, value, () => `${name} (${value.address}) is stored in ${file}, ${words(kind)}.`);
    });
}

export function passwordCommand(): CommandUnknownOpts {
  return new Command('password')
    .description('give a stored key another password')
    .argument('<name>', 'a stored key’s name, or a key file')
    .addOption(passwordFileOption)
    .option(
      '--new-password-file <file>',
      'a file that holds the new password and nothing else; otherwise QUORATE_NEW_PASSWORD, or a question on the terminal',
    )
    .addOption(
      new Option('--no-new-password', 'store it unencrypted: whoever reads the file has the key').conflicts(
        'newPasswordFile',
      ),
    )
    .addOption(keysOption)
    .addOption(jsonOption)
    .action(async (name, options) => {
      const file = storedFile(options.keys, name);
      const old = keyFileText(options.keys, name);
      refuseNeedlessPassword(options.passwordFile, [old.kind]);
      const { keyPair } = await openKeyFile(options.keys, name, options.passwordFile);
      const password = options.newPassword
        ? await readPassword({
            passwordFile: options.newPasswordFile,
            variable: 'QUORATE_NEW_PASSWORD',
            purpose: `from now on, of the key "${name}"`,
            confirm: true,
          })
        : undefined;
      replaceKeyFile(file, encryptKey(keyPair, password, { name: old.name }));
      const kind = password === undefined ? 'plain' : 'encrypted';
      answer(
        options.json,
        { name, kind, file },
        () =>
          `${name} has ${kind === 'plain' ? 'no password any more' : 'another password now'}; ${file} is ${words(kind)}.`,
      );
    });
}

function words(kind: 'plain' | 'encrypted'): string {
  return kind === 'plain' ? 'NOT encrypted' : 'encrypted';
}
