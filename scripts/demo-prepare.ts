import { limits } from '../src/base/limits.ts';
import { Problem, unwrap } from '../src/base/problem.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { problemOf } from '../src/client/outcomes.ts';
import { Wallet } from '../src/client/wallet.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
import { nativeSigner } from '../src/crypto/native.ts';
import { type Height, toHeight } from '../src/ledger/block.ts';
import { headAt } from './demo-compare.ts';
import { fee, funding, newSenders, type Sender, signWorkload } from './demo-workload.ts';

export interface Prepared {
  readonly senders: readonly Sender[];
  /** Every node knows the funded senders from here on, and none of their own transactions stands at or below it. */
  readonly height: Height;
  readonly signSeconds: number;
}

/** Signs everything, lets alice fund the senders, and waits until every node knows of it. Throws problems. */
export async function prepare(options: {
  readonly clients: readonly HttpClient[];
  readonly count: number;
  readonly senders: number;
  readonly deadlineMs: number;
}): Promise<Prepared> {
  const { clients, count, deadlineMs } = options;
  const [first] = clients;
  if (first === undefined) throw new Problem('cli/usage', 'no node is named', { remedy: 'Give --nodes.' });
  const { chainId, chainName, development, finalHeight } = unwrap(await first.status());
  if (!development) {
    throw new Problem('cli/development-key', `${chainName} is not a development chain`, {
      remedy: 'Run this against a test network (npm run testnet): it spends what everybody can spend.',
    });
  }
  const expiryHeight = toHeight(finalHeight + limits.maxExpiryAhead / 2);
  const begin = performance.now();
  const keyPairs = newSenders(Math.min(options.senders, count));
  const senders = signWorkload({ chainId, senders: keyPairs, count, expiryHeight });
  const signSeconds = (performance.now() - begin) / 1000;

  const alice = developmentKeyPair('alice');
  const bank = new Wallet({ chainId, keyPair: alice, signer: nativeSigner(alice.secretKey) });
  const { pendingNonce } = unwrap(await first.account(alice.publicKey));
  const grants = keyPairs.map(({ publicKey }, index) =>
    unwrap(bank.transfer(publicKey, funding, { nonce: pendingNonce + index, fee, expiryHeight })),
  );
  for (const answer of await first.submitBatch(grants)) {
    if (answer.status === 'refused') throw problemOf(answer.problem);
  }
  const last = grants.at(-1);
  if (last !== undefined) unwrap(await first.waitFinal(last.hash, { deadlineMs }));
  const { finalHeight: height } = unwrap(await first.status());
  for (const client of clients) unwrap(await headAt(client, height, deadlineMs));
  return { senders, height, signSeconds };
}
