import { Command, type CommandUnknownOpts, InvalidArgumentError } from '@commander-js/extra-typings';
import { fromHex, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { MissingNonceAnswer } from '../client/answers.ts';
import { type HttpClient, problemOf, untilExpiry } from '../client/http-client.ts';
import { Wallet } from '../client/wallet.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import { toHeight } from '../ledger/block.ts';
import type { Payload, Transaction } from '../ledger/transaction.ts';
import { reportFailure } from './failure.ts';
import { keysOption, passwordFileOption } from './key-directory.ts';
import { accountNamed, signerNamed } from './names.ts';
import { readInput } from './input-file.ts';
import { connect, jsonOption, nodeOption, parseAmount, timeoutOption } from './options.ts';
import { whileWaiting } from './progress.ts';
import { answer } from './terminal.ts';
import { onInterrupt } from './signals.ts';
import {
  chainIdOption,
  defaultWaitSeconds,
  expiryOption,
  type Expiry,
  feeOption,
  fromOption,
  nonceOption,
  waitOption,
} from './transaction-terms.ts';
import { showFinal, txStatusCommand } from './tx-status.ts';

export function txCommand(): CommandUnknownOpts {
  return new Command('tx')
    .description('sign a transaction and submit it; say what became of one')
    .addCommand(transferCommand())
    .addCommand(putCommand())
    .addCommand(deleteCommand())
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

function withTerms(command: Command) {
  return command
    .addOption(fromOption)
    .addOption(feeOption)
    .addOption(nonceOption)
    .addOption(expiryOption)
    .addOption(waitOption)
    .addOption(chainIdOption)
    .addOption(keysOption)
    .addOption(passwordFileOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .addHelpText(
      'after',
      '\nWhat starts with - and is no option stands behind --, after all options: quorate tx put KEY --from ME -- -5',
    );
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
  return readInput(options.file, limits.maxRecordValueBytes);
}

interface SendOptions {
  readonly from: string;
  readonly fee: bigint;
  readonly nonce?: number | undefined;
  readonly expiry: Expiry;
  readonly wait?: number | true | undefined;
  readonly chainId?: string | undefined;
  readonly keys: string;
  readonly passwordFile?: string | undefined;
  readonly node: string;
  readonly timeout: number;
  readonly json?: true | undefined;
}

async function send(options: SendOptions, payload: (client: HttpClient) => Promise<Payload>): Promise<void> {
  const client = connect(options);
  const status = unwrap(await client.status());
  if (options.chainId !== undefined && options.chainId !== status.chainId) {
    throw new Problem('cli/other-chain', `${options.node} is on chain ${status.chainId}`, {
      remedy: 'Ask a node of the chain that you named, or correct --chain-id. Nothing was signed.',
      details: { wanted: options.chainId, found: status.chainId },
    });
  }
  const { from: name, keys: directory, passwordFile } = options;
  const keyPair = await signerNamed(name, { directory, status, passwordFile });
  const wallet = new Wallet({ chainId: status.chainId, keyPair });
  const { fee, expiry } = options;
  const nonce = options.nonce ?? unwrap(await client.account(encodeAddress(keyPair.publicKey))).pendingNonce;
  const expiryHeight = toHeight('ahead' in expiry ? status.finalHeight + expiry.ahead : expiry.height);
  const transaction = unwrap(wallet.build(await payload(client), { nonce, fee, expiryHeight }));

  const { hash } = transaction;
  // From here on it may be anywhere, whoever answers.
  onInterrupt(() => reportFailure(stoppedWaiting(hash), options.json === true));
  const submitted = unwrap(await client.submit(transaction));
  if (submitted.status === 'refused') throw problemOf(submitted.problem);
  if (options.wait === undefined) {
    const { engine, chainId, status: taken } = submitted;
    const value = { engine, chainId, hash: transaction.hash, status: taken, nonce, expiryHeight };
    const missing = submitted.status === 'accepted' ? submitted.missing : null;
    answer(options.json, { ...value, missing }, () => acceptedText(transaction, submitted.status, missing));
    return;
  }
  const seconds = options.wait === true ? defaultWaitSeconds : options.wait;
  const final = unwrap(
    await whileWaiting(`waiting until ${hash.slice(0, 12)}… is final`, () =>
      client.waitFinal(hash, { deadlineMs: seconds * 1000 }),
    ),
  );
  showFinal(final, options.json);
}

/** Whoever stops waiting must still be able to ask. */
function stoppedWaiting(hash: Hash): Problem {
  return new Problem('cli/interrupted', `stopped while waiting for ${hash}`, {
    remedy: `It may have been taken and become final. Ask with: quorate tx status ${hash}`,
    details: { hash, outcome: 'unknown' },
  });
}

function acceptedText({ hash }: Transaction, status: string, missing: MissingNonceAnswer | null): string {
  if (status === 'known') return `${hash} is known to the node already.`;
  const accepted = `${hash} accepted; it is not final yet (--wait waits for that).`;
  // A node of another version may not say it.
  return missing?.nonce === undefined
    ? accepted
    : `${accepted}\nIt stands in no block until a transaction of ${missing.sender} with nonce ${missing.nonce} comes, which the node does not have${untilExpiry(missing)}.`;
}
