import type { Command } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import type { HttpClient } from '../client/http-client.ts';
import type { Operation } from '../ledger/operation.ts';
import { keysOption, passwordFileOption } from './key-directory.ts';
import { connect, jsonOption, nodeOption, parseAmount, timeoutOption } from './options.ts';
import { chainIdOption, expiryOption, fromOption, nonceOption, waitOption } from './transaction-terms.ts';
import { cosignOption, send, senderOption } from './tx-send.ts';

type SendOptions = Parameters<typeof send>[0];

/** The options of what a validator signs. */
export function withValidatorTerms(command: Command) {
  return command
    .addOption(fromOption)
    .addOption(senderOption)
    .addOption(cosignOption)
    .option(
      '--fee <amount>',
      'paid to the block’s proposer; what the chain asks for unless given',
      parseAmount,
    )
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
      '\nOnly validators may: --from is a validator’s key (its key file, keys/validator.json of its data directory). It waits until that is final.',
    );
}

/** Signs what a validator asks of the chain, for the fee that this asks for, and waits until it is final. */
export async function sendAsValidator(
  options: Omit<SendOptions, 'if' | 'reference'>,
  whatOf: (client: HttpClient) => Promise<Operation>,
): Promise<void> {
  const fee = options.fee ?? (await leastFee(options));
  await send({ ...options, fee, if: [], reference: '', wait: options.wait ?? true }, whatOf);
}

/** Of one operation, by whoever signs. */
async function leastFee(options: Pick<SendOptions, 'node' | 'timeout' | 'cosign'>): Promise<bigint> {
  const { feePerOperation } = unwrap(await connect(options).chainParameters());
  return BigInt(feePerOperation) * BigInt(1 + options.cosign.length);
}
