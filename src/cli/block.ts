import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { fromHex } from '../base/bytes.ts';
import { harmless } from '../base/harmless.ts';
import { Problem, unwrap } from '../base/problem.ts';
import { certifiedBlock } from '../client/certified-block.ts';
import type { HttpClient } from '../client/http-client.ts';
import { grouped } from '../client/plain-words.ts';
import { ProofChecker } from '../client/proof-checker.ts';
import { verifyBlockBody } from '../client/verify.ts';
import type { Hash } from '../crypto/hash.ts';
import { hashHeader, headerJson, type Height, toHeight } from '../ledger/block.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { receiptJson } from '../ledger/receipt.ts';
import { transactionJson } from '../ledger/transaction.ts';
import type { BlockAnswer, OperationAnswer, ReceiptAnswer, TransactionAnswer } from '../client/answers.ts';
import { engineWords } from '../client/engine-words.ts';
import { shortValueText } from './get.ts';
import { connect, jsonOption, nodeOption, timeoutOption } from './options.ts';
import { proofOption, writeProof } from './proof-file.ts';
import { provenOption, stepRows, trustedChain } from './proven-state.ts';
import { answer, facts, moment, styled, table } from './terminal.ts';

export function blockCommand(): CommandUnknownOpts {
  return new Command('block')
    .description('show a final block')
    .argument('[block]', 'a height, a hash, or latest', 'latest')
    .option('--full', 'with its transactions and their receipts')
    .addOption(provenOption)
    .addOption(proofOption)
    .addOption(nodeOption)
    .addOption(timeoutOption)
    .addOption(jsonOption)
    .action(async (text, options) => {
      const name = parseBlockName(text);
      const genesis = await trustedChain(options);
      const client = connect(options);
      if (genesis !== undefined) return showProven(client, genesis, name, options);
      const full = options.full === true;
      const block = unwrap(await client.block(name, { full }));
      answer(options.json, block, () =>
        [describe(block), ...(full ? [transactions(block)] : [])].join('\n\n'),
      );
    });
}

/** The block as it is read from what is proven. */
async function showProven(
  client: HttpClient,
  genesis: Genesis,
  name: Height | Hash | 'latest',
  options: { readonly full?: true; readonly proof?: string; readonly json?: true | undefined },
): Promise<void> {
  const { header, by, steps } = unwrap(await certifiedBlock(client, new ProofChecker(genesis, client), name));
  const hash = hashHeader(header);
  if (options.proof !== undefined) {
    if (by === undefined) throw needsNoProof();
    writeProof(options.proof, by.proof);
  }
  const { engine } = genesis.consensus;
  const body =
    options.full === true
      ? unwrap(verifyBlockBody(unwrap(await client.block(hash, { full: true })), header))
      : undefined;
  const parts = body && {
    transactions: body.transactions.map(transactionJson),
    receipts: body.receipts.map(receiptJson),
  };
  const checked = [...(body?.steps ?? []), ...steps];
  const shown = { engine, chainId: genesis.chainId, hash, header: headerJson(header), ...parts };
  answer(options.json, { ...shown, steps: checked }, () => {
    const said = facts([...headerRows(shown), ...stepRows(checked)]);
    return parts === undefined ? said : `${said}\n\n${transactions(parts)}`;
  });
}

function needsNoProof(): Problem {
  return new Problem('cli/usage', 'block 0 has no certificate: it follows from the genesis file', {
    remedy: 'Keep the genesis file: it is all that shows this block.',
  });
}

function parseBlockName(text: string): Height | Hash | 'latest' {
  if (text === 'latest') return text;
  if (/^[0-9a-f]{64}$/.test(text)) return text as Hash;
  if (/^\d{1,15}$/.test(text) && Number(text) < 2 ** 48) return toHeight(Number(text));
  throw new Problem('cli/usage', `${JSON.stringify(text)} names no block`, {
    remedy: 'Give a height, a block’s hash in hex, or "latest".',
  });
}

function describe({ hash, header, certificate, transactionHashes, engine }: BlockAnswer): string {
  const finality =
    certificate === null
      ? header.height === 0
        ? 'the genesis block'
        : 'by the certificate of a later block'
      : certificate.engine === 'pbft'
        ? `${certificate.phase} certificate of view ${certificate.view}, ${certificate.signatures.length} signatures (validators ${certificate.signatures.map((one) => one.validator).join(', ')})`
        : 'leader' in certificate
          ? `signed by leader ${certificate.leader} of term ${certificate.term}`
          : // A newer node may know more.
            'by a certificate that this program does not know';
  return facts([
    ...headerRows({ hash, header, engine }, [['final', finality]]),
    ['transactions', grouped(transactionHashes.length)],
  ]);
}

type Row = readonly [string, string];

function headerRows(
  { hash, header, engine }: Pick<BlockAnswer, 'hash' | 'header' | 'engine'>,
  finality: readonly Row[] = [],
): Row[] {
  return [
    ['height', grouped(header.height)],
    ['hash', hash],
    ['parent', header.parentHash],
    ['proposed', `${moment(header.timestamp)}, ${engineWords[engine].period} ${header.view}`],
    ['proposer', header.proposer],
    ['protocol', `version ${header.protocolVersion}`],
    ...finality,
    ['state root', header.stateRoot],
    ['transaction root', header.transactionRoot],
    ['receipts root', header.receiptsRoot],
    ['validators hash', header.validatorsHash],
  ];
}

function transactions({
  transactions = [],
  receipts = [],
}: Pick<BlockAnswer, 'transactions' | 'receipts'>): string {
  if (transactions.length === 0) return 'It holds no transactions.';
  return table(
    ['transaction', 'sender', 'nonce', 'fee', 'result', 'what'],
    transactions.map((one, index) => {
      const receipt = receipts[index];
      return [
        one.hash,
        shortAddress(one.sender),
        String(one.nonce),
        grouped(one.fee),
        resultText(receipt),
        whatText(one),
      ];
    }),
  );
}

/** What came of a transaction, in a table of them. */
export function resultText(receipt: ReceiptAnswer | undefined): string {
  return receipt === undefined || receipt.status === 'applied'
    ? styled('green', 'applied')
    : styled('red', `failed: ${harmless(receipt.code)}`);
}

/** The first operation, and how many more there are. */
export function whatText({ operations }: TransactionAnswer): string {
  const [first, ...others] = operations;
  if (first === undefined) return '';
  return others.length === 0 ? operationText(first) : `${operationText(first)}, and ${others.length} more`;
}

function operationText(operation: OperationAnswer): string {
  switch (operation.type) {
    case 'transfer': {
      const memo = operation.memo === '' ? '' : ` (${harmless(operation.memo)})`;
      return `transfer ${grouped(operation.amount)} to ${shortAddress(operation.to)}${memo}`;
    }
    case 'put':
      return `put ${harmless(operation.key)} = ${shortValueText(fromHex(operation.value))}`;
    case 'delete':
      return `delete ${harmless(operation.key)}`;
    case 'give':
      return `give ${harmless(operation.key)} to ${shortAddress(operation.to)}`;
    case 'open-namespace':
      return `open namespace ${harmless(operation.name)} (${operation.mode})`;
    case 'set-namespace':
      return `set namespace ${harmless(operation.name)}`;
    case 'set-keys':
      return `set ${operation.threshold} of ${operation.keys.length} keys`;
    case 'reserve': {
      const { amount, to, expiryHeight } = operation;
      return `reserve ${grouped(amount)} for ${shortAddress(to)} until height ${grouped(expiryHeight)}`;
    }
    case 'post':
      return `post ${grouped(operation.amount)} of ${shortReservation(operation.reservation)}`;
    case 'void':
      return `void ${shortReservation(operation.reservation)}`;
    case 'propose-change':
      return `propose to change the ${operation.change.type}`;
    case 'approve-change':
      return `approve the change ${operation.proposal.slice(0, 12)}…`;
    default:
      // A newer node may know more.
      return `what this program does not know (${harmless((operation as { type: string }).type)})`;
  }
}

function shortReservation(text: string): string {
  const [sender = '', ...place] = harmless(text).split(':');
  return [shortAddress(sender), ...place].join(':');
}

/** Enough of an address to know it again. */
export function shortAddress(address: string): string {
  const text = harmless(address);
  return `${text.slice(0, 9)}…${text.slice(-4)}`;
}
