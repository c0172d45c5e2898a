import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { harmless } from '../base/harmless.ts';
import { unwrap } from '../base/problem.ts';
import type { HeaderItem, TransactionAnswer } from '../client/answers.ts';
import { type FinalBlockEvent, finalBlocks } from '../client/events.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped, timeOfDay } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { certifiedHeader, verifyBlockBody } from '../client/verify.ts';
import { encodeAddress } from '../crypto/address.ts';
import { hashHeader, headerJson, toHeight } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { transactionJson } from '../ledger/transaction.ts';
import { shortAddress, whatText } from './block.ts';
import { connect, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { stopOnSignals } from './signals.ts';
import { answer, printError, styled, styledError, surviveClosedOutput } from './terminal.ts';
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
      const genesis = options.genesis === undefined ? undefined : await readGenesis(options.genesis);
      const checker = genesis && new ProofChecker(genesis, client);
      const chainId = genesis?.chainId ?? unwrap(await client.status()).chainId;
      const names = genesis === undefined ? await namesOf(client) : namesIn(genesis);
      const stream = finalBlocks({
        baseUrl: client.baseUrl,
        chainId,
        signal: stop,
        ...(options.from !== undefined && { after: toHeight(options.from - 1) }),
        onTrouble: ({ message }) => printError(styledError('yellow', harmless(message))),
      });
      let left = options.blocks ?? Infinity;
      const full = options.transactions === true;
      for await (const event of stream) {
        const block =
          checker === undefined ? await told(event, client, full) : await proven(event, client, checker);
        const { transactions = [], ...rest } = block;
        answer(options.json, full ? block : rest, () =>
          [
            lineOf(block, names, checker !== undefined),
            ...(full ? transactions.map((one) => `          ${transactionLine(one)}`) : []),
          ].join('\n'),
        );
        left -= 1;
        if (left === 0) break;
      }
    });
}

interface Shown extends FinalBlockEvent {
  readonly transactions?: readonly TransactionAnswer[];
}

async function told(event: FinalBlockEvent, client: HttpClient, full: boolean): Promise<Shown> {
  if (!full) return event;
  const { transactions = [] } = unwrap(await client.block(event.header.height, { full }));
  return { ...event, transactions };
}

/**
 * The block as it is read from what was proven, and nothing else of what the node says. Throws what does not
 * hold: whoever asked for proof must not read on as if there was one.
 */
async function proven(
  { header: shown }: FinalBlockEvent,
  client: HttpClient,
  checker: ProofChecker,
): Promise<Shown & { readonly verified: true }> {
  const { chainId, consensus } = checker.genesis;
  const { header } = unwrap(await checker.header(unwrap(await client.finality(shown.height))));
  const hash = hashHeader(header);
  unwrap(certifiedHeader(shown, hash));
  const body = unwrap(verifyBlockBody(unwrap(await client.block(hash, { full: true })), header));
  return {
    engine: consensus.engine,
    chainId,
    hash,
    header: headerJson(header),
    transactionCount: body.transactions.length,
    verified: true,
    transactions: body.transactions.map(transactionJson),
  };
}

function namesIn({ validators }: Genesis): ReadonlyMap<string, string> {
  return new Map(validators.map(({ publicKey, name }) => [encodeAddress(publicKey), name]));
}

async function namesOf(client: HttpClient): Promise<ReadonlyMap<string, string>> {
  const { validators } = unwrap(await client.validators());
  return new Map(validators.map(({ address, name }) => [address, name]));
}

function lineOf(
  { hash, header, transactionCount }: HeaderItem,
  names: ReadonlyMap<string, string>,
  isVerified: boolean,
): string {
  return [
    styled('dim', timeOfDay(header.timestamp).slice(0, 8)),
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
