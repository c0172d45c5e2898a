import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { EpochAnswer, HeaderItem, TransactionAnswer } from '../client/answers.ts';
import { type FinalBlockEvent, finalBlocks } from '../client/events.ts';
import type { HttpClient } from '../client/http-client.ts';
import { verifyHeader } from '../client/verify.ts';
import { hashHeader, toHeight } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { shortAddress, whatText } from './block.ts';
import { connect, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { stopOnSignals } from './signals.ts';
import {
  answer,
  grouped,
  harmless,
  moment,
  printError,
  styled,
  styledError,
  surviveClosedOutput,
} from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';

const stopDeadlineMs = 2_000;

export function watchCommand(): CommandUnknownOpts {
  return new Command('watch')
    .description('show blocks as they become final, until Ctrl-C')
    .option('--from <height>', 'begin with this block; without it with the next one', wholeNumber(1, 2 ** 47))
    .option('--transactions', 'with what each transaction does')
    .option('--genesis <file>', 'check each block against this genesis file, and end when one is not proven')
    .option('--blocks <number>', 'end after this many', wholeNumber(1, 2 ** 47))
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (options) => {
      surviveClosedOutput();
      const stop = stopOnSignals(stopDeadlineMs);
      const client = connect(options);
      const { genesis } = options;
      const check = genesis === undefined ? undefined : checkAgainst(await readGenesis(genesis), client);
      const { chainId } = unwrap(await client.status());
      const names = await namesOf(client);
      const stream = finalBlocks({
        baseUrl: client.baseUrl,
        chainId,
        signal: stop,
        ...(options.from !== undefined && { after: toHeight(options.from - 1) }),
        onTrouble: ({ message }) => printError(styledError('yellow', harmless(message))),
      });
      let left = options.blocks ?? Infinity;
      for await (const block of stream) {
        await check?.(block);
        const isVerified = check !== undefined;
        const transactions = options.transactions === true ? await transactionsOf(client, block) : undefined;
        answer(
          options.json,
          { ...block, ...(isVerified && { verified: true }), ...(transactions && { transactions }) },
          () =>
            [
              lineOf(block, names, isVerified),
              ...(transactions ?? []).map((one) => `          ${transactionLine(one)}`),
            ].join('\n'),
        );
        left -= 1;
        if (left === 0) break;
      }
    });
}

/** Throws what does not hold: whoever asked for proof must not read on as if there was one. */
function checkAgainst(genesis: Genesis, client: HttpClient): (block: HeaderItem) => Promise<void> {
  let epochs: readonly EpochAnswer[] = [];
  return async ({ hash, header: { height } }) => {
    const proof = unwrap(await client.finality(height));
    let verified = verifyHeader(proof, { genesis, epochs });
    if (verified instanceof Problem && verified.code === 'proof/unknown-validators') {
      // They changed since; what is known of that is asked for once.
      epochs = unwrap(await client.allEpochs());
      verified = verifyHeader(proof, { genesis, epochs });
    }
    const proven = hashHeader(unwrap(verified).header);
    if (proven === hash) return;
    throw new Problem('proof/headers', `block ${height} is another one than the node told of`, {
      remedy: 'Believe nothing of it, and ask another node.',
      details: { height, told: hash, proven },
    });
  };
}

async function namesOf(client: HttpClient): Promise<ReadonlyMap<string, string>> {
  const { validators } = unwrap(await client.validators());
  return new Map(validators.map(({ address, name }) => [address, name]));
}

async function transactionsOf(
  client: HttpClient,
  { header }: FinalBlockEvent,
): Promise<readonly TransactionAnswer[]> {
  return unwrap(await client.block(header.height, { full: true })).transactions ?? [];
}

function lineOf(
  { hash, header, transactionCount }: HeaderItem,
  names: ReadonlyMap<string, string>,
  isVerified: boolean,
): string {
  return [
    styled('dim', moment(header.timestamp).slice(11, 19)),
    `block ${grouped(header.height).padStart(6)}`,
    `${grouped(transactionCount).padStart(6)} transactions`,
    harmless(names.get(header.proposer) ?? header.proposer),
    hash.slice(0, 16),
    ...(isVerified ? [styled('green', 'verified')] : []),
  ].join('  ');
}

function transactionLine(transaction: TransactionAnswer): string {
  const { hash, sender } = transaction;
  return `${hash.slice(0, 12)}… ${shortAddress(sender)}  ${whatText(transaction)}`;
}
