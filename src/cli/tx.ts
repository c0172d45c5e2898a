import { Command, type CommandUnknownOpts, InvalidArgumentError } from '@commander-js/extra-typings';
import { fromHex, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { asOne, readLines } from './batch-lines.ts';
import { readInput } from './input-file.ts';
import { accountNamed, accountsNamed, accountWords } from './names.ts';
import { parseAmount, wholeNumber } from './options.ts';
import { sendBatch, signedOption } from './tx-batch.ts';
import { txFindCommand } from './tx-find.ts';
import { postCommand, reserveCommand, voidCommand } from './tx-reserve.ts';
import { memoOption, send, type SendOptions } from './tx-send.ts';
import { withSigner, withTerms } from './tx-terms.ts';
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
    .addCommand(batchCommand())
    .addCommand(txStatusCommand())
    .addCommand(txFindCommand());
}

function transferCommand(): CommandUnknownOpts {
  return withTerms(new Command('transfer'))
    .description('move coins to another account')
    .argument('<to>', accountWords)
    .argument('<amount>', 'in the smallest unit; 1_000 is 1000', parseAmount)
    .addOption(memoOption)
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
    .argument('<to>', accountWords)
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
      send(options, async (client) => ({
        type: 'set-keys',
        keys: await accountsNamed(keys, { directory: options.keys, client }),
        threshold,
        force: options.force === true,
      })),
    );
}

function sendCommand(): CommandUnknownOpts {
  return withTerms(new Command('send'))
    .description('send what a file says: one transaction of several operations, or several transactions')
    .argument('[file]', 'what is to be done; - is standard input')
    .option('--file <file>', 'the same, as an option')
    .addOption(signedOption)
    .addHelpText(
      'after',
      '\nThe file: {"operations": [{"type": "transfer", "to": "qr1…", "amount": "5"}, {"type": "put", "key": "a", "text": "b"}],' +
        '\n"conditions": [{"type": "record-version", "key": "a", "version": 3}]}. All is done, or nothing.' +
        '\nOr JSON Lines: an operation on each line for one transaction of all of them; or on each line one such object for a' +
        '\ntransaction each, as "quorate tx batch" sends them.',
    )
    .action(async (argument, { file: option, ...options }) => {
      const file = fileOf(argument, option);
      const input = await readInput(file, { maxBytes: limits.batchBytes });
      const lines = readLines(file, input);
      const content = asOne(lines);
      if (content !== undefined) {
        refuseSigned(options);
        return send(options, async () => content);
      }
      refuseSingleTerms(options);
      return sendBatch(options, { file, input, lines });
    });
}

function batchCommand(): CommandUnknownOpts {
  return withSigner(new Command('batch'))
    .description('send many transactions, one for each line of a file, and say what became of each')
    .argument('<file>', 'an operation, or what a transaction is to do, on each line; - is standard input')
    .addOption(signedOption)
    .addHelpText(
      'after',
      '\nAll are signed first, into the file of --signed; then they are sent, and waited for. Stopped or cut off, run the same' +
        '\ncommand again: it sends the same bytes again, which count once, and says what became of each.',
    )
    .action(async (file, options) => {
      const input = await readInput(file, { maxBytes: limits.batchBytes });
      return sendBatch(options, { file, input, lines: readLines(file, input) });
    });
}

function fileOf(argument: string | undefined, option: string | undefined): string {
  const [file, other] = [argument, option].filter((one) => one !== undefined);
  if (file !== undefined && other === undefined) return file;
  throw new Problem('cli/usage', `the file is given ${file === undefined ? 'nowhere' : 'twice'}`, {
    remedy: 'Name it once, after "send" or with --file.',
  });
}

/** What a single transaction has, and many do not. */
function refuseSingleTerms({ if: conditions, reference, wait }: Partial<SendOptions>): void {
  if (conditions?.length === 0 && reference === '' && wait === undefined) return;
  throw new Problem(
    'cli/usage',
    '--if, --reference and --wait are of one transaction, and the file has several',
    {
      remedy: 'Write conditions and references into its lines; all are waited for. Nothing was signed.',
    },
  );
}

/** What many transactions have, and a single one does not. */
function refuseSigned({ signed }: { readonly signed?: string | undefined }): void {
  if (signed === undefined) return;
  throw new Problem('cli/usage', '--signed is of several transactions, and the file has one', {
    remedy:
      'Leave it out. Or write the transaction on one line, and send the file with "quorate tx batch FILE --from NAME", which keeps what it signed. Nothing was signed.',
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
