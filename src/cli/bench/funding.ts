import { limits } from '../../base/limits.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import { problemOf } from '../../client/outcomes.ts';
import { isRetryable } from '../../client/transport.ts';
import { Wallet } from '../../client/wallet.ts';
import { developmentKeyPair } from '../../crypto/development-keys.ts';
import { nativeSigner } from '../../crypto/native.ts';
import { toHeight } from '../../ledger/block.ts';
import type { Operation } from '../../ledger/operation.ts';
import type { Accounts } from './accounts.ts';
import { pause } from './clock.ts';
import { reaches, type Testbed } from './testbed.ts';

/** What a sender needs for its fees and transfers, with much to spare. */
const senderCoins = 1_000_000_000n;
/** Transactions of the bank that are brought at once: each has as many operations as one may have. */
const atOnce = 16;
const deadlineMs = 120_000;

/**
 * Alice, whose key everybody has, gives coins to all accounts, so that they are in the state; and every node
 * knows of it. Throws problems.
 */
export async function fund(
  testbed: Testbed,
  accounts: Accounts,
  { stop, onProgress }: { readonly stop: AbortSignal; readonly onProgress: (done: number) => void },
): Promise<void> {
  const honest = testbed.nodes.filter(({ lies }) => !lies);
  const [first] = honest;
  if (first === undefined) return;
  const { client } = first;
  const alice = developmentKeyPair('alice');
  const bank = new Wallet({
    chainId: testbed.chainId,
    keyPair: alice,
    signer: nativeSigner(alice.secretKey),
  });
  const { pendingNonce } = unwrap(await client.account(alice.publicKey));
  const { finalHeight } = unwrap(await client.status());
  const expiryHeight = toHeight(finalHeight + limits.maxExpiryAhead / 2);
  const gifts: Operation[] = [
    ...accounts.senders.map(({ publicKey }) => gift(publicKey, senderCoins)),
    ...accounts.others.map((publicKey) => gift(publicKey, 1n)),
  ];
  let nonce = pendingNonce;
  for (let from = 0; from < gifts.length;) {
    const batch = Array.from({ length: atOnce }, (_, index) =>
      gifts.slice(from + index * limits.maxOperations, from + (index + 1) * limits.maxOperations),
    ).filter((operations) => operations.length > 0);
    const transactions = batch.map((operations, index) =>
      unwrap(
        bank.build({ operations }, { nonce: nonce + index, fee: BigInt(operations.length), expiryHeight }),
      ),
    );
    await submit(client, transactions, stop);
    const last = transactions.at(-1);
    if (last !== undefined) {
      const outcome = unwrap(await client.waitFinal(last.hash, { deadlineMs }));
      if (outcome.inclusion.receipt.status === 'failed') throw bankFailed();
    }
    nonce += transactions.length;
    from += batch.length * limits.maxOperations;
    onProgress(Math.min(from, gifts.length));
  }
  const { finalHeight: height } = unwrap(await client.status());
  for (const node of honest) await reaches(node, height, { deadlineMs, stop });
}

function gift(to: Accounts['others'][number], amount: bigint): Operation {
  return { type: 'transfer', to, amount, memo: '' };
}

async function submit(
  client: Testbed['nodes'][number]['client'],
  transactions: Parameters<typeof client.submitBatch>[0],
  stop: AbortSignal,
): Promise<void> {
  for (;;) {
    const answers = await client.submitBatch(transactions);
    const refused = answers.find(({ status }) => status === 'refused');
    if (refused?.status !== 'refused') return;
    const problem = problemOf(refused.problem);
    if (!isRetryable(problem) && !problem.code.startsWith('mempool/')) throw problem;
    await pause(200, stop);
  }
}

function bankFailed(): Problem {
  return new Problem('cli/bench-refused', 'alice, who pays for the load, has not enough coins', {
    remedy: 'Use a fresh test network, on which alice has what its genesis gave her.',
  });
}
