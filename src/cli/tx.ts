import { Command, type CommandUnknownOpts, InvalidArgumentError } from '@commander-js/extra-typings';
import { fromHex, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { parseStrictJson } from '../base/strict-json.ts';
import { strictText } from '../base/strict-text.ts';
import { contentFromJson } from '../client/content-json.ts';
import type { Content } from '../client/wallet.ts';
import { readInput } from './input-file.ts';
import { accountNamed } from './names.ts';
import { parseAmount, wholeNumber } from './options.ts';
import { postCommand, reserveCommand, voidCommand } from './tx-reserve.ts';
import { send } from './tx-send.ts';
import { withTerms } from './tx-terms.ts';
import { txStatusCommand } from './tx-status.ts';

export function txCommand(): CommandUnknownOpts {
  return new Command('tx')
    .description('sign a transaction and submit it; say what became of one')
    .addCommand(transferCommand())
    .addCommand(putCommand())
    .addCommand(deleteCommand())
    .addCommand(giveCommand())
    .addCommand(reserveCommand())
    .addCommand(postCommand())
    .addCommand(voidCommand())
    .addCommand(setKeysCommand())
    .addCommand(sendCommand())
    .addCommand(txStatusCommand());
}

function transferCommand(): CommandUnknownOpts {
  return withTerms(new Command('transfer'))
    .description('move coins to another account')
    .argument('<to>', 'an address (qr1…), a public key in hex, a stored key’s name, or a development name')
    .argument('<amount>', 'in the smallest unit; 1_000 is 1000', parseAmount)
    .option('--memo <text>', 'a note that everybody can read', '')
    .action((to, amount, options) =>
      send(options, async (client) => ({
        type: 'transfer',
        to: await accountNamed(to, { directory: options.keys, client }),
        amount,
        memo: options.memo,
      })),
    );
}

function putCommand(): CommandUnknownOpts {
  return withTerms(new Command('put'))
    .description('write a record; the first writer of a key owns it')
    .argument('<key>', 'the record’s key')
    .argument('[value]', 'its value as text')
    .option('--hex <bytes>', 'the value in hex instead', parseHexValue)
    .option('--file <path>', 'the value from a file instead; - is standard input')
    .action((key, value, options) =>
      send(options, async () => ({ type: 'put', key, value: await valueOf(value, options) })),
    );
}

function deleteCommand(): CommandUnknownOpts {
  return withTerms(new Command('delete'))
    .description('remove a record that you own')
    .argument('<key>', 'the record’s key')
    .action((key, options) => send(options, async () => ({ type: 'delete', key })));
}

function giveCommand(): CommandUnknownOpts {
  return withTerms(new Command('give'))
    .description('make somebody else the owner of a record that you own')
    .argument('<key>', 'the record’s key')
    .argument('<to>', 'an address (qr1…), a public key in hex, a stored key’s name, or a development name')
    .action((key, to, options) =>
      send(options, async (client) => ({
        type: 'give',
        key,
        to: await accountNamed(to, { directory: options.keys, client }),
      })),
    );
}

function setKeysCommand(): CommandUnknownOpts {
  return withTerms(new Command('set-keys'))
    .description('say which keys sign for an account from now on, and how many of them it takes')
    .argument('<threshold>', 'how many of the keys must sign', wholeNumber(1, limits.maxSigners))
    .argument('<keys...>', 'addresses (qr1…), public keys in hex, names of stored keys')
    .option(
      '--force',
      'also when too few of the new keys sign this (--cosign) to show that somebody has them',
    )
    .action((threshold, keys, options) =>
      send(options, async (client) => {
        const named = await Promise.all(
          keys.map((key) => accountNamed(key, { directory: options.keys, client })),
        );
        const force = options.force === true;
        return { type: 'set-keys', keys: [...new Set(named)].toSorted(), threshold, force };
      }),
    );
}

function sendCommand(): CommandUnknownOpts {
  return withTerms(new Command('send'))
    .description('one transaction of several operations, with conditions, from a JSON file')
    .argument('<file>', 'what it is to do; - is standard input')
    .addHelpText(
      'after',
      '\nThe file: {"operations": [{"type": "transfer", "to": "qr1…", "amount": "5"}, {"type": "put", "key": "a", "text": "b"}],' +
        '\n"conditions": [{"type": "record-version", "key": "a", "version": 3}]}. All is done, or nothing.',
    )
    .action((file, options) => send(options, () => readContent(file)));
}

/** Twice what the hex of the largest transaction needs. */
const maxContentBytes = 4 * limits.maxTransactionBytes;

async function readContent(file: string): Promise<Content> {
  const read = strictText(
    await readInput(file, {
      maxBytes: maxContentBytes,
      smaller: ' What does not fit into one transaction takes several.',
    }),
  );
  if ('fault' in read) throw contentProblem(file, read.fault);
  let json: unknown;
  try {
    json = parseStrictJson(read.text);
  } catch (cause) {
    throw contentProblem(file, (cause as Error).message);
  }
  return unwrap(contentFromJson(json));
}

function contentProblem(file: string, fault: string): Problem {
  return new Problem('cli/file', `${file} cannot be read as JSON: ${fault}`, {
    remedy: 'Correct it, as JSON in UTF-8. Nothing was signed.',
  });
}

function parseHexValue(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new InvalidArgumentError('Give an even number of hex digits.');
  return fromHex(text);
}

async function valueOf(
  text: string | undefined,
  options: { hex?: Uint8Array; file?: string },
): Promise<Uint8Array> {
  const given = [text, options.hex, options.file].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new Problem(
      'cli/usage',
      `the value is given ${given.length === 0 ? 'nowhere' : 'more than once'}`,
      {
        remedy: 'Give the value as text after the key, or with --hex, or with --file.',
      },
    );
  }
  if (options.hex !== undefined) return options.hex;
  if (options.file === undefined) return utf8(text ?? '');
  return readInput(options.file, {
    maxBytes: limits.maxRecordValueBytes,
    check: 'Check --file.',
    smaller: ' Large documents belong elsewhere, and their hash here.',
  });
}
