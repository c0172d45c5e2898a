import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { Problem, unwrap } from '../base/problem.ts';
import type { FinalTransaction } from '../client/http-client.ts';
import { problemOf, waitingWords } from '../client/outcomes.ts';
import { failureText, grouped } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import type { VerifiedReceipt } from '../client/verify.ts';
import type { Hash } from '../crypto/hash.ts';
import { failureRemedy } from '../ledger/failure-remedies.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { effectText } from './chain-text.ts';
import { exitCodes } from './exit-codes.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { writeProof } from './proof-file.ts';
import { provenOption, stepRows } from './proven-state.ts';
import { answer, facts, moment, print, styled, toJson } from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';

export function txStatusCommand(): CommandUnknownOpts {
  return new Command('status')
    .description(
      'say what became of a transaction: final, gone (no block can hold it any more), pending, or unknown to this node',
    )
    .argument('<hash>', 'the transaction’s hash')
    .addOption(provenOption)
    .option('--proof <file>', 'once it is final, write all that proves it: "quorate verify" checks that')
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (text, options) => {
      const hash = parseHash(text);
      const genesis = options.genesis === undefined ? undefined : await readGenesis(options.genesis);
      const client = connect(options);
      const status = unwrap(await client.transaction(hash));
      switch (status.status) {
        case 'final': {
          const checker = genesis && new ProofChecker(genesis, client);
          const verified = checker && unwrap(await checker.receipt(status, hash));
          if (options.proof !== undefined) {
            // From the genesis file alone one can follow them to those who signed.
            const epochs = checker?.epochs ?? unwrap(await client.allEpochs());
            writeProof(options.proof, { ...status, epochs });
          }
          if (genesis === undefined || verified === undefined) return showFinal(status, options.json);
          showVerified(verified, genesis, options.json);
          if (verified.inclusion.receipt.status === 'failed') process.exitCode = exitCodes.failed;
          return;
        }
        case 'gone':
          throw problemOf(status.problem);
        case 'pending':
          // Whoever asks for a proof goes on with its file.
          if (options.proof !== undefined) throw notProven(hash, waitingWords(status));
          return answer(options.json, status, () => `${hash} is pending: ${waitingWords(status)}.`);
        case 'unknown':
          answer(options.json, status, () =>
            [
              `${hash} is not at this node: ${waitingWords(status)}.`,
              'Another node may have it, and it may still become final; the same bytes may be submitted again.',
            ].join('\n'),
          );
          process.exitCode = exitCodes.notFound;
      }
    });
}

/** What is proven of a transaction, read from the proof itself. */
export function showVerified(
  { inclusion, steps }: VerifiedReceipt,
  { chainId }: Genesis,
  json: true | undefined,
): void {
  const { height, blockHash, header, receipt, transaction } = inclusion;
  const { status, code } = receipt;
  const value = { chainId, hash: transaction.hash, status, code, height, blockHash, steps };
  answer(json, value, () =>
    facts([
      ['transaction', transaction.hash],
      ['became', status === 'applied' ? styled('green', 'applied') : styled('red', `failed (${code})`)],
      ['in block', `${grouped(height)}, ${moment(header.timestamp)}`],
      ...stepRows(steps),
    ]),
  );
}

function notProven(hash: Hash, why: string): Problem {
  return new Problem('api/not-final', `${hash} is pending: ${why}; so no proof was written`, {
    remedy: 'Run the same command again when it is final. "quorate why" says what progress waits for.',
    details: { hash },
  });
}

export function parseHash(text: string): Hash {
  if (/^[0-9a-f]{64}$/.test(text)) return text as Hash;
  throw new Problem('cli/usage', `${JSON.stringify(text)} is no hash of a transaction`, {
    remedy: 'Give the 64 hex digits that submitting it printed.',
  });
}

/**
 * Where it stands and what came of it, and then `more` when it was applied; the exit code tells a transaction
 * that failed.
 */
export function showFinal(
  final: FinalTransaction,
  json: true | undefined,
  more: readonly string[] = [],
): void {
  const { engine, chainId, hash } = final;
  const { height, blockHash, receipt, transaction } = final.inclusion;
  if (json === true) {
    const { nonce } = transaction;
    print(toJson({ engine, chainId, hash, status: 'final', nonce, height, blockHash, receipt }));
  } else {
    const result =
      receipt.status === 'applied'
        ? styled('green', 'applied')
        : styled('red', `failed (${failureText(receipt)}); it changed nothing but its fee and nonce`);
    print(`${hash} is final at height ${grouped(height)} (${engine}): ${result}.`);
    for (const line of effectText(receipt)) print(line);
    if (receipt.status === 'applied') for (const line of more) print(line);
    const remedy = failureRemedy(receipt.code);
    if (receipt.status === 'failed' && remedy !== undefined) print(`  what to do: ${remedy}`);
  }
  if (receipt.status === 'failed') process.exitCode = exitCodes.failed;
}
