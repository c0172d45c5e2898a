import { Problem } from '../../base/problem.ts';
import { toHeight } from '../../ledger/block.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { TransactionBody } from '../../ledger/transaction-body.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { Driver } from '../../node/core/driver.ts';
import { lacksLeader, noLeader } from '../../node/core/leaderless.ts';
import type { SignatureScheme } from '../world/fast-signatures.ts';
import { signed } from '../world/signed.ts';

/** What somebody asks a node by hand, as a client does: about one record, x. */
export type ClientQuestion = { readonly kind: 'write'; readonly value: number } | { readonly kind: 'read' };

interface Asked {
  readonly driver: Driver<object>;
  readonly scheme: SignatureScheme;
  readonly genesis: Pick<Genesis, 'chainId'>;
  /** A transaction was made. */
  readonly transacted: (transaction: Transaction) => void;
  readonly answer: (text: string) => void;
}

const recordKey = 'x';

/** The record as the node's final state has it. */
export function readX({ chain }: Driver<object>): string | null {
  const record = chain.final.state.record(recordKey);
  return record === undefined ? null : new TextDecoder().decode(record.value);
}

/** Answers as the node's API does: by the same rules, in fewer words. */
export function askByHand(question: ClientQuestion, asked: Asked): void {
  if (question.kind === 'write') write(question.value, asked);
  else read(asked);
}

function write(value: number, { driver, scheme, genesis, transacted, answer }: Asked): void {
  const what = `asked to write x = ${value}`;
  if (lacksLeader(driver)) return answer(`${what}: refused, ${noLeader(0).message}`);
  const { publicKey, secretKey } = scheme.key('client');
  const { nonce } = driver.chain.final.state.account(publicKey);
  const body: TransactionBody = {
    chainId: genesis.chainId,
    sender: publicKey,
    nonce: Math.max(nonce, driver.mempool.pendingNonce(publicKey)),
    fee: 0n,
    expiryHeight: toHeight(90_000),
    reference: new Uint8Array(),
    conditions: [],
    operations: [{ type: 'put', key: recordKey, value: new TextEncoder().encode(`${value}`) }],
    signers: [publicKey],
  };
  const transaction = signed(scheme, secretKey, body);
  transacted(transaction);
  driver.submit([transaction], ([result]) =>
    answer(
      result?.status === 'refused'
        ? `${what}: refused, ${result.problem.message}`
        : `${what}: taken, not final yet`,
    ),
  );
}

/** The newest, if the engine vouches for it; and what the node has itself, marked as stale, if not. */
function read({ driver, answer }: Asked): void {
  driver.request({ kind: 'read' }, (result) => {
    const own = `x = ${readX(driver) ?? 'nothing'}, of height ${driver.chain.final.height}`;
    answer(
      result instanceof Problem
        ? `asked for the newest x: refused, ${result.message}; its own, stale: ${own}`
        : `asked for the newest x: ${own}`,
    );
  });
}
