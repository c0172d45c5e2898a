import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { setTimeout as pause } from 'node:timers/promises';
import { harmless } from '../base/harmless.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { misshapen } from '../client/answer-shapes.ts';
import type { HeaderItem, TransactionAnswer } from '../client/answers.ts';
import { type FinalBlockEvent, finalBlocks } from '../client/events.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped, timeOfDay } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { isRetryable } from '../client/transport.ts';
import { certifiedHeader, verifyBlockBody } from '../client/verify.ts';
import { wholeEvent } from '../client/whole-shapes.ts';
import { encodeAddress } from '../crypto/address.ts';
import type { Hash } from '../crypto/hash.ts';
import { type Height, hashHeader, headerJson, toHeight } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { transactionJson } from '../ledger/transaction.ts';
import { shortAddress, whatText } from './block.ts';
import { exitCodes } from './exit-codes.ts';
import { connect, jsonOption, nodeOption, timeoutOption, wholeNumber } from './options.ts';
import { onInterrupt } from './signals.ts';
import { answer, forPrograms, notice, printError, styled, styledError, toJson } from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';

/** Between two tries for what belongs to a block. */
const retryMs = 1_000;
/** So often a block that was told of may be missing: of several nodes at one address one may be behind. */
const timesMissing = 5;

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
      // It keeps nothing: whenever it is stopped, it ends at once, whatever it waits for.
      onInterrupt(() => exitCodes.ok);
      const client = connect(options);
      const genesis = options.genesis === undefined ? undefined : await readGenesis(options.genesis);
      const checker = genesis && new ProofChecker(genesis, client);
      const { chainId, name, after } = await beginning(client, genesis, options.from);
      const names = genesis === undefined ? await namesOf(client) : namesIn(genesis);
      if (process.stderr.isTTY) {
        notice(styledError('dim', `Final blocks of ${harmless(name)} at ${client.baseUrl}; Ctrl-C ends it.`));
      }
      const trouble = new Trouble();
      const stream = finalBlocks({
        baseUrl: client.baseUrl,
        chainId,
        after,
        onTrouble: (problem) => trouble.say(problem),
      });
      let left = options.blocks ?? Infinity;
      const full = options.transactions === true;
      for await (const event of whilePresent(stream)) {
        const block = await whenAnswered(trouble, () =>
          checker === undefined ? told(event, client, full) : proven(event, client, checker),
        );
        trouble.isOver();
        const { transactions = [], ...rest } = block;
        answer(options.json, full ? block : rest, () =>
          [
            blockLine(block, {
              proposer: names.get(block.header.proposer),
              isVerified: checker !== undefined,
              columns: process.stdout.columns,
            }),
            ...(full ? transactions.map((one) => `          ${transactionLine(one)}`) : []),
          ].join('\n'),
        );
        left -= 1;
        if (left === 0) break;
      }
    });
}

/** Where blocks are gone, the first that is there is named: perhaps no node keeps more. */
async function* whilePresent(stream: AsyncIterable<FinalBlockEvent>): AsyncGenerator<FinalBlockEvent, void> {
  try {
    yield* stream;
  } catch (failure) {
    if (!(failure instanceof Problem) || failure.code !== 'storage/pruned') throw failure;
    const { message, remedy, details } = failure;
    const { firstBlock } = details;
    if (typeof firstBlock !== 'number') throw failure;
    throw failure.restated(message, {
      remedy: `${remedy} Or begin with the first block that is there: --from ${firstBlock}.`,
      details,
      cause: failure,
    });
  }
}

interface Shown extends FinalBlockEvent {
  readonly transactions?: readonly TransactionAnswer[];
}

async function told(event: FinalBlockEvent, client: HttpClient, full: boolean): Promise<Shown> {
  const wrong = misshapen(event, [wholeEvent], client.baseUrl);
  if (wrong !== undefined) throw wrong;
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

/** What belongs to a block is asked for until the node answers, as its stream is. */
async function whenAnswered<T>(trouble: Trouble, ask: () => Promise<T>): Promise<T> {
  for (let missing = 0; ;) {
    try {
      return await ask();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      const isMissing = problem.code === 'api/no-such-block';
      if (isMissing) missing += 1;
      if (isMissing ? missing >= timesMissing : !isRetryable(problem)) throw problem;
      trouble.say(problem);
      await pause(retryMs);
    }
  }
}

/** Said once, however often it is tried again: until a block comes, or it is something else. */
class Trouble {
  #said = '';

  say({ code, message, remedy, details }: Problem): void {
    if (code === this.#said) return;
    this.#said = code;
    if (forPrograms) {
      printError(toJson({ problem: { code, message, remedy, details }, triedAgain: true }));
      return;
    }
    printError(styledError('yellow', `${harmless(message)}; it is tried again`));
  }

  isOver(): void {
    this.#said = '';
  }
}

/**
 * On which chain it reads, and after which block: named also where the next one is wanted, so that none is
 * missed when the node stops before it told of any. The node is asked for what neither the file nor the
 * command says.
 */
async function beginning(
  client: HttpClient,
  genesis: Genesis | undefined,
  from: number | undefined,
): Promise<{ readonly chainId: Hash; readonly name: string; readonly after: Height }> {
  const asked = from === undefined ? undefined : toHeight(from - 1);
  if (genesis !== undefined && asked !== undefined) {
    return { chainId: genesis.chainId, name: genesis.name, after: asked };
  }
  const { chainId, chainName, finalHeight } = unwrap(await client.status());
  const after = asked ?? finalHeight;
  return genesis === undefined
    ? { chainId, name: chainName, after }
    : { chainId: genesis.chainId, name: genesis.name, after };
}

/** A line for a block. Where the terminal is narrow, what matters least is left out. */
export function blockLine(
  { hash, header, transactionCount }: HeaderItem,
  shown: {
    readonly proposer: string | undefined;
    readonly isVerified: boolean;
    readonly columns: number | undefined;
  },
): string {
  const { proposer, isVerified, columns } = shown;
  // A terminal that nobody gave a size has 0 (ioctl_tty(2)): it is not known then.
  const width = columns === undefined || columns === 0 ? Infinity : columns;
  const time = timeOfDay(header.timestamp).slice(0, 8);
  const count = `${grouped(transactionCount).padStart(6)} ${transactionCount === 1 ? 'transaction ' : 'transactions'}`;
  const parts = [
    { text: time, importance: 2 },
    { text: `block ${grouped(header.height).padStart(6)}`, importance: 5 },
    { text: count, importance: 4 },
    { text: proposer === undefined ? shortAddress(header.proposer) : harmless(proposer), importance: 1 },
    { text: hash.slice(0, 16), importance: 0 },
    ...(isVerified ? [{ text: 'verified', importance: 3 }] : []),
  ];
  const widthOf = (all: typeof parts): number => all.map(({ text }) => text).join('  ').length;
  let kept = parts;
  for (let least = 0; widthOf(kept) > width && kept.length > 1; least++) {
    kept = kept.filter(({ importance }) => importance > least);
  }
  return kept
    .map(({ text }) => {
      if (text === time) return styled('dim', text);
      return text === 'verified' ? styled('green', text) : text;
    })
    .join('  ');
}

function transactionLine(transaction: TransactionAnswer): string {
  const { hash, sender } = transaction;
  return `${hash.slice(0, 12)}… ${shortAddress(sender)}  ${whatText(transaction)}`;
}
