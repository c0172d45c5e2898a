import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { Problem } from '../base/problem.ts';
import { encodeAddress } from '../crypto/address.ts';
import { developmentKeyNames, developmentKeyPair } from '../crypto/development-keys.ts';
import { generateKeyPair } from '../crypto/keys.ts';
import {
  checkKeyName,
  keysOption,
  listKeys,
  looksLikeFile,
  passwordFileOption,
  publicKeyOf,
  refuseExisting,
  storeKey,
} from './key-directory.ts';
import { exportCommand, importCommand, passwordCommand } from './key-transfer.ts';
import { jsonOption } from './options.ts';
import { readPassword } from './password.ts';
import { answer, facts, table } from './terminal.ts';

export function keysCommand(): CommandUnknownOpts {
  return new Command('keys')
    .description('make, show and move keys')
    .addCommand(newCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand())
    .addCommand(passwordCommand());
}

function newCommand(): CommandUnknownOpts {
  return new Command('new')
    .description('make a key and store it under a password')
    .argument('<name>', 'what you will call it')
    .addOption(
      new Option('--no-password', 'store it unencrypted: whoever reads the file has the key').conflicts(
        'passwordFile',
      ),
    )
    .addOption(passwordFileOption)
    .addOption(keysOption)
    .addOption(jsonOption)
    .action(async (name, options) => {
      checkKeyName(name);
      refuseExisting(options.keys, name);
      const { passwordFile } = options;
      const password = options.password
        ? await readPassword({ passwordFile, purpose: `for the new key "${name}"`, confirm: true })
        : undefined;
      const keyPair = generateKeyPair();
      const file = await storeKey(options.keys, { name, keyPair, password });
      const { publicKey } = keyPair;
      const kind = password === undefined ? 'plain' : 'encrypted';
      const value = { name, address: encodeAddress(publicKey), publicKey, kind, file };
      answer(options.json, value, () =>
        facts([
          ['name', name],
          ['address', value.address],
          ['public key', publicKey],
          ['file', `${file} (${kind === 'plain' ? 'NOT encrypted' : 'encrypted'})`],
        ]),
      );
    });
}

function listCommand(): CommandUnknownOpts {
  return new Command('list')
    .description('list the stored keys')
    .addOption(keysOption)
    .addOption(jsonOption)
    .action((options) => {
      const keys = listKeys(options.keys).map(({ called, publicKey, kind, file }) => ({
        name: called,
        address: encodeAddress(publicKey),
        publicKey,
        kind,
        file,
      }));
      answer(options.json, { directory: options.keys, keys }, () =>
        keys.length === 0
          ? `There are no keys in ${options.keys}. Make one with: quorate keys new NAME`
          : table(
              ['name', 'address', 'kind'],
              keys.map((key) => [key.name, key.address, key.kind]),
            ),
      );
    });
}

function showCommand(): CommandUnknownOpts {
  return new Command('show')
    .description('show the public side of a key')
    .argument('<name>', 'a stored key’s name, a key file, or a development name')
    .addOption(keysOption)
    .addOption(jsonOption)
    .action((name, options) => {
      const stored = publicKeyOf(options.keys, name);
      const development = stored === undefined && developmentKeyNames.includes(name);
      const publicKey = development ? developmentKeyPair(name).publicKey : stored;
      if (publicKey === undefined) {
        throw new Problem(
          'cli/not-found',
          `there is no key ${looksLikeFile(name) ? name : `named "${name}"`}`,
          {
            remedy: 'See "quorate keys list", or make one with "quorate keys new NAME".',
            details: { name, directory: options.keys },
          },
        );
      }
      const value = { name, address: encodeAddress(publicKey), publicKey, development };
      answer(options.json, value, () =>
        facts([
          ['name', development ? `${name} (a development key: everybody knows its secret)` : name],
          ['address', value.address],
          ['public key', publicKey],
        ]),
      );
    });
}
