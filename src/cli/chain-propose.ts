import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { ChainParametersAnswer } from '../client/answers.ts';
import { proposalOf } from '../client/chain-proposal.ts';
import type { HttpClient } from '../client/http-client.ts';
import { defaultExpiryAhead } from '../client/ledger-sending.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import type { ChainChange } from '../ledger/chain-change.ts';
import { widestLimits } from '../ledger/chain-parameters.ts';
import { unreadyText } from './chain-text.ts';
import { parseAmount, wholeNumber } from './options.ts';
import { warn } from './terminal.ts';
import { type Expiry, heightOf, parseExpiry } from './transaction-terms.ts';
import { sendAsValidator, withValidatorTerms } from './validator-terms.ts';

export function proposeCommand(): CommandUnknownOpts {
  return new Command('propose')
    .description('propose a change of the chain, and be the first to approve it')
    .addCommand(versionCommand())
    .addCommand(feeFloorCommand())
    .addCommand(limitsCommand());
}

const atOption = () =>
  new Option('--at <height>', 'the first height that it counts for; +N is N above the final block').argParser(
    parseExpiry,
  );

/** The options of a proposal. */
export function withProposal(command: Command) {
  return withValidatorTerms(command)
    .addOption(
      new Option(
        '--until <height>',
        `the last height at which it can be approved; +N is N above the final block; below --at (+${defaultExpiryAhead} or as far as that allows)`,
      ).argParser(parseExpiry),
    )
    .option('--replace', 'take the place of a proposal of yours that is still open');
}

function versionCommand(): CommandUnknownOpts {
  return withProposal(new Command('version'))
    .description('another protocol version, which all nodes have to know when its height comes')
    .argument('<version>', 'above the present one', wholeNumber(1, 2 ** 16 - 1))
    .addOption(atOption().makeOptionMandatory())
    .action((version, options) =>
      propose(options, (_, at) => ({ type: 'protocol-version', version, height: at as Height })),
    );
}

function feeFloorCommand(): CommandUnknownOpts {
  return withProposal(new Command('fee-floor'))
    .description('another least fee for each operation, and each signature after the first')
    .argument('<amount>', 'in the smallest unit; 1_000 is 1000', parseAmount)
    .addOption(atOption())
    .action((feePerOperation, options) =>
      propose(options, (_, height) => ({ type: 'fee-floor', feePerOperation, height })),
    );
}

function limitsCommand(): CommandUnknownOpts {
  const { maxTransactions, maxOperations, maxBytes } = widestLimits;
  return withProposal(new Command('limits'))
    .description('how much a block may hold; what is not named stays')
    .option('--max-transactions <n>', 'transactions', wholeNumber(1, maxTransactions))
    .option('--max-operations <n>', 'operations in all its transactions', wholeNumber(1, maxOperations))
    .option('--max-bytes <n>', 'encoded transactions', wholeNumber(1, maxBytes))
    .addOption(atOption())
    .action((options) => {
      const { maxTransactions: transactions, maxOperations: operations, maxBytes: bytes } = options;
      if ([transactions, operations, bytes].every((limit) => limit === undefined)) {
        throw new Problem('cli/usage', 'nothing is to be changed', {
          remedy: 'Give --max-transactions, --max-operations or --max-bytes. Nothing was signed.',
        });
      }
      return propose(options, ({ limits }, height) => ({
        type: 'limits',
        limits: {
          maxTransactions: transactions ?? limits.maxTransactions,
          maxOperations: operations ?? limits.maxOperations,
          maxBytes: bytes ?? limits.maxBytes,
        },
        height,
      }));
    });
}

interface ProposeOptions {
  readonly at?: Expiry | undefined;
  readonly until?: Expiry | undefined;
  readonly replace?: true | undefined;
}

/** Makes a proposal, as a validator, and waits until it is final. */
export function propose(
  options: Parameters<typeof sendAsValidator>[0] & ProposeOptions,
  changeOf: (
    parameters: ChainParametersAnswer,
    at: Height | undefined,
    client: HttpClient,
  ) => ChainChange | Promise<ChainChange>,
): Promise<void> {
  return sendAsValidator(options, async (client) => {
    const parameters = unwrap(await client.chainParameters());
    const at = options.at && heightOf(options.at, parameters.height);
    const furthest = parameters.height + defaultExpiryAhead;
    const expiryHeight =
      options.until === undefined
        ? toHeight(Math.min(furthest, (at ?? Infinity) - 1))
        : heightOf(options.until, parameters.height);
    const change = await changeOf(parameters, at, client);
    const unready = unreadyText(change, parameters);
    if (unready !== undefined) warn(unready);
    return proposalOf(parameters, change, {
      expiryHeight,
      replaces: options.replace === true,
    });
  });
}
