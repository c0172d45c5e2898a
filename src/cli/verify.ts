import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { unwrap } from '../base/problem.ts';
import { grouped } from '../client/plain-words.ts';
import { verifyHeader, verifyReceipt } from '../client/verify.ts';
import { hashHeader } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { jsonOption } from './options.ts';
import { readProof } from './proof-file.ts';
import { stepRows } from './proven-state.ts';
import { answer, facts, moment } from './terminal.ts';
import { readGenesis } from './trusted-genesis.ts';
import { parseHash, showVerified } from './tx-status.ts';
import { isAboutState, showState } from './verify-state.ts';

export function verifyCommand(): CommandUnknownOpts {
  return new Command('verify')
    .description(
      'check by yourself, offline, what a proof in a file shows: that a transaction is final and what came of it, that a block is, or what there was of an account, a record, a list or a history',
    )
    .argument(
      '<file>',
      'what a command like "quorate tx status" or "quorate get" wrote with --proof, or the explorer; - for standard input',
    )
    .requiredOption('--genesis <file>', 'the chain’s genesis file, which is all that is trusted')
    .option('--transaction <hash>', 'the transaction that is meant', parseHash)
    .addOption(jsonOption)
    .addHelpText('after', '\nWhat does not prove what it should gives exit code 1 and a problem proof/….')
    .action(async (file, options) => {
      const genesis = await readGenesis(options.genesis);
      const { transaction: hash } = options;
      const proof = await readProof(file);
      if (hash === undefined) {
        if (isAboutState(proof)) return showState(proof, genesis, options.json);
        if (isAboutBlock(proof)) return showBlock(proof, genesis, options.json);
      }
      const known = { genesis, ...(hash !== undefined && { hash }) };
      showVerified(unwrap(verifyReceipt(proof, known)), genesis, options.json);
    });
}

/** What `GET /v1/blocks/NAME/finality` answers. */
function isAboutBlock(proof: unknown): boolean {
  return typeof proof === 'object' && proof !== null && 'header' in proof && !('transaction' in proof);
}

function showBlock(proof: unknown, genesis: Genesis, json: true | undefined): void {
  const { header, steps } = unwrap(verifyHeader(proof, { genesis }));
  const { height, timestamp, stateRoot } = header;
  const { chainId } = genesis;
  const hash = hashHeader(header);
  answer(json, { chainId, height, hash, stateRoot, steps }, () =>
    facts([
      ['block', `${grouped(height)}, ${moment(timestamp)}`],
      ['state root', stateRoot],
      ...stepRows(steps),
    ]),
  );
}
