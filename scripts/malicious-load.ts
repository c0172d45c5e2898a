import { Problem } from '../src/base/problem.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { problemOf } from '../src/client/outcomes.ts';
import { isRetryable } from '../src/client/transport.ts';
import type { Transaction } from '../src/ledger/transaction.ts';
import type { Sender } from './demo-workload.ts';
import { broken, eventually, pause } from './malicious-seats.ts';

/** The load comes in so many waves, so that it lasts for many blocks and not for one. */
const waves = 12;
const betweenWavesMs = 120;

/**
 * Submits everything to honest nodes, each sender at one of them, and waits until all of it is final at the first. Nothing is submitted
 * twice: what an honest node accepted has to become final without any help.
 */
export async function loadAndWait(options: {
  readonly honest: readonly HttpClient[];
  readonly senders: readonly Sender[];
  readonly deadlineMs: number;
}): Promise<void> {
  const { honest, senders, deadlineMs } = options;
  const [first] = honest;
  for (let wave = 0; wave < waves; wave++) {
    await Promise.all(
      senders.map(async ({ transactions }, index) => {
        const part = Math.ceil(transactions.length / waves);
        const client = honest[index % honest.length];
        if (client !== undefined) {
          await submitAll(client, transactions.slice(wave * part, (wave + 1) * part), deadlineMs);
        }
      }),
    );
    await pause(betweenWavesMs);
  }
  await eventually('all transactions are final', deadlineMs, async () => {
    const missing = await Promise.all(
      senders.map(async ({ keyPair, transactions }) => {
        const account = await first?.account(keyPair.publicKey);
        return account instanceof Problem || account === undefined
          ? transactions.length
          : transactions.length - account.nonce;
      }),
    );
    const count = missing.reduce((sum, one) => sum + one, 0);
    if (count === 0) return undefined;
    const why = await first?.why();
    return `${count} are not; ${why === undefined || why instanceof Problem ? '' : why.why}`;
  });
}

/** A node that asks for patience is asked again; any other refusal is a breach. */
async function submitAll(
  client: HttpClient,
  transactions: readonly Transaction[],
  deadlineMs: number,
): Promise<void> {
  if (transactions.length === 0) return;
  for (const answer of await client.submitBatch(transactions, { deadlineMs })) {
    if (answer.status !== 'refused') continue;
    const problem = problemOf(answer.problem);
    const patience = isRetryable(problem) ? ' (and would not in time)' : '';
    throw broken(`an honest node did not take a transaction${patience}: ${problem.message}`);
  }
}
