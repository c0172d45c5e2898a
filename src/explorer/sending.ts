import type { Signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import { problemOf } from '../client/http-client.ts';
import { verifyReceipt } from '../client/verify.ts';
import { Wallet } from '../client/wallet.ts';
import { developmentKeyNames, developmentKeyPair } from '../crypto/development-keys.ts';
import type { KeyPair } from '../crypto/keys.ts';
import { decryptKey } from '../crypto/keystore.ts';
import { toHeight } from '../ledger/block.ts';
import type { Operation } from '../ledger/operation.ts';
import { node, status } from './node.ts';
import { storedKeys } from './stored-keys.ts';
import { checkAgainstGenesis } from './trust.ts';

/** How many blocks a transaction may wait. */
const expiryAhead = 100;

/** What became of a transaction so far, with the time since it was signed. */
export interface Sent {
  readonly hash: string;
  readonly steps: readonly (readonly [what: string, ms: number])[];
  readonly verdict: 'final' | Problem | undefined;
}

/** What the page asks to be sent, and where it shows what comes of it. */
export interface Sending {
  /** The name of a stored key, or of one that everybody has. */
  readonly from: Signal<string>;
  readonly password: Signal<string>;
  readonly fee: Signal<string>;
  readonly operations: Signal<readonly Operation[]>;
  readonly wrong: Signal<Problem | undefined>;
  readonly sent: Signal<Sent | undefined>;
}

/** Who can sign here: the stored keys first, and on a chain for development those that everybody has. */
export function signerNames(): readonly string[] {
  const everybodys = status.value?.development === true ? developmentKeyNames : [];
  return [...storedKeys.value.map(({ name }) => name), ...everybodys];
}

export function isStored(name: string): boolean {
  return storedKeys.value.some((key) => key.name === name);
}

/** Signs what was put together, sends it, and follows it until it is final and proven. */
export async function send(sending: Sending): Promise<void> {
  const { from, password, fee, operations, wrong, sent } = sending;
  wrong.value = undefined;
  const fail = (problem: Problem): void => void (wrong.value = problem);
  const keyPair = keyPairOf(from.value, password.value);
  password.value = '';
  if (keyPair instanceof Problem) return fail(keyPair);
  const [now, account] = await Promise.all([node.status(), node.account(keyPair.publicKey)]);
  if (now instanceof Problem) return fail(now);
  if (account instanceof Problem) return fail(account);
  const wallet = new Wallet({ chainId: now.chainId, keyPair });
  const transaction = wallet.build(
    { operations: operations.value },
    {
      nonce: account.pendingNonce,
      fee: BigInt(fee.value),
      expiryHeight: toHeight(now.finalHeight + expiryAhead),
    },
  );
  if (transaction instanceof Problem) return fail(transaction);
  const { hash } = transaction;
  const start = performance.now();
  const step = (what: string, verdict?: Sent['verdict']): void => {
    const before = sent.value?.hash === hash ? sent.value.steps : [];
    sent.value = { hash, steps: [...before, [what, performance.now() - start]], verdict };
  };
  step('signed in this page');
  const answer = await node.submit(transaction);
  if (answer instanceof Problem) return fail(answer);
  if (answer.status === 'refused') return fail(problemOf(answer.problem));
  operations.value = [];
  step('taken by the node');
  const final = await node.waitFinal(hash);
  if (final instanceof Problem) return fail(final);
  const { receipt, height } = final.inclusion;
  step(`final in block ${height}: ${receipt.status === 'applied' ? 'applied' : `failed (${receipt.code})`}`);
  const verified = await checkAgainstGenesis((known) => verifyReceipt(final, { ...known, hash }));
  if (verified === undefined) return;
  if (verified instanceof Problem) step('not proven', verified);
  else step('its receipt verified by this page', 'final');
}

function keyPairOf(name: string, password: string): KeyPair | Problem {
  const stored = storedKeys.value.find((key) => key.name === name);
  return stored === undefined ? developmentKeyPair(name) : decryptKey(stored.text, password);
}
