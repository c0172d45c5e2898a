import type { Signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import { problemOf } from '../client/outcomes.ts';
import { grouped } from '../client/plain-words.ts';
import { Wallet } from '../client/wallet.ts';
import { parseAddress } from '../crypto/address.ts';
import { developmentKeyPair } from '../crypto/development-keys.ts';
import type { Hash } from '../crypto/hash.ts';
import type { KeyPair } from '../crypto/keys.ts';
import { decryptKey } from '../crypto/keystore.ts';
import { toHeight } from '../ledger/block.ts';
import type { Condition } from '../ledger/condition.ts';
import type { Operation } from '../ledger/operation.ts';
import { receiptJson } from '../ledger/receipt.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { everybodysKeys } from './names.ts';
import { node } from './node.ts';
import type { CheckResult } from './parts.tsx';
import { storedKeys } from './stored-keys.ts';
import { becameText, remedyText } from './text.ts';
import { addressOf, referenceBytes } from './typed-parts.ts';
import { knownChecker } from './trust.ts';

/** What became of a transaction so far, with the time since it was signed. */
export interface Sent {
  readonly hash: string;
  readonly steps: readonly (readonly [what: string, ms: number])[];
  readonly verdict: CheckResult;
  /** What to do about one that failed. */
  readonly remedy?: string | undefined;
}

/** What the page asks to be sent, and where it shows what comes of it. */
export interface Sending {
  /** The name of a stored key, or of one that everybody has. */
  readonly from: Signal<string>;
  readonly password: Signal<string>;
  readonly fee: Signal<string>;
  /** Whose transaction it is, where that is not the key's own account. */
  readonly account: Signal<string>;
  readonly cosigners: Signal<readonly Cosigner[]>;
  readonly reference: Signal<string>;
  /** Empty: the node is asked for the next one. */
  readonly nonce: Signal<string>;
  /** How many blocks it may wait. */
  readonly ahead: Signal<string>;
  readonly conditions: Signal<readonly Condition[]>;
  readonly operations: Signal<readonly Operation[]>;
  readonly wrong: Signal<Problem | undefined>;
  readonly sent: Signal<Sent | undefined>;
  readonly isSending: Signal<boolean>;
  /** What was sent and may or may not have been taken, and what it was made of. */
  readonly unsure: Signal<Unsure | undefined>;
}

/** Another key that signs. */
export interface Cosigner {
  readonly name: string;
  readonly password: string;
}

export interface Unsure {
  readonly transaction: Transaction;
  readonly same: readonly unknown[];
}

/** Who can sign here: the stored keys first, and on a chain for development those that everybody has. */
export function signerNames(): readonly string[] {
  return [...storedKeys.value.map(({ name }) => name), ...everybodysKeys()];
}

export function isStored(name: string): boolean {
  return storedKeys.value.some((key) => key.name === name);
}

/** Signs what was put together, sends it, and follows it until it is final and proven. */
export async function send(sending: Sending): Promise<void> {
  const { wrong, isSending } = sending;
  // A second click is no second transaction.
  if (isSending.value) return;
  isSending.value = true;
  wrong.value = undefined;
  try {
    wrong.value = await sendOnce(sending);
  } finally {
    isSending.value = false;
  }
}

async function sendOnce(sending: Sending): Promise<Problem | undefined> {
  const { operations, conditions, reference, sent, unsure } = sending;
  const checker = await knownChecker();
  if (checker instanceof Problem) return checker;
  const same = sameness(sending);
  const { value: done } = operations;
  // Of one whose fate is not known, the same bytes are sent again: signed anew, it could count twice.
  const again = unsure.value?.same.every((one, index) => one === same[index])
    ? unsure.value.transaction
    : undefined;
  if (again === undefined) sent.value = undefined;
  const signed = again ?? (await sign(sending, checker.genesis.chainId));
  if (signed instanceof Problem) return signed;
  const { hash } = signed;
  const start = performance.now();
  const step = (what: string, verdict?: Sent['verdict']): void => {
    const before = sent.value?.hash === hash ? sent.value.steps : [];
    sent.value = { hash, steps: [...before, [what, performance.now() - start]], verdict };
  };
  step(again === undefined ? 'signed in this page' : 'sent again');
  const answer = await node.submit(signed);
  const isUnsure = answer instanceof Problem && answer.details['outcome'] === 'unknown';
  unsure.value = isUnsure ? { transaction: signed, same } : undefined;
  if (answer instanceof Problem) return answer;
  if (answer.status === 'refused') return problemOf(answer.problem);
  if (operations.value === done) {
    operations.value = [];
    conditions.value = [];
    reference.value = '';
    sending.nonce.value = '';
  }
  step('taken by the node');
  const final = await node.waitFinal(hash);
  if (final instanceof Problem) return final;
  step('final, as the node says');
  const verified = await checker.receipt(final, hash);
  if (verified instanceof Problem) step('not proven', verified);
  else {
    const { receipt, height } = verified.inclusion;
    const became = becameText(receiptJson(receipt));
    const verdict = receipt.status === 'applied' ? 'final' : 'failed';
    step(`its receipt verified by this page: ${became} in block ${grouped(height)}`, verdict);
    const remedy = remedyText(receiptJson(receipt));
    if (sent.value !== undefined) sent.value = { ...sent.value, remedy };
  }
  return undefined;
}

/** What must not have changed for the same bytes to be sent again. */
function sameness(sending: Sending): readonly unknown[] {
  const { from, fee, account, cosigners, reference, nonce, ahead, conditions, operations } = sending;
  const others = cosigners.value.map(({ name }) => name).join('\n');
  return [
    from.value,
    fee.value,
    account.value,
    others,
    reference.value,
    nonce.value,
    ahead.value,
    conditions.value,
    operations.value,
  ];
}

/** For the chain of the genesis file: a node of another one could have it signed for that. */
async function sign(sending: Sending, chainId: Hash): Promise<Transaction | Problem> {
  const { from, password, account, cosigners, nonce, ahead } = sending;
  const keyPair = keyPairOf(from.value, password.value);
  const others = cosigners.value.map((one) => keyPairOf(one.name, one.password));
  password.value = '';
  cosigners.value = cosigners.value.map(({ name }) => ({ name, password: '' }));
  const locked = [keyPair, ...others].find((one) => one instanceof Problem);
  if (locked !== undefined) return locked;
  const own = account.value.trim();
  const sender = own === '' ? (keyPair as KeyPair).publicKey : parseAddress(addressOf(own));
  if (sender instanceof Problem) return sender;
  const [now, stands] = await Promise.all([node.status(), node.account(sender)]);
  if (now instanceof Problem) return now;
  if (stands instanceof Problem) return stands;
  if (now.chainId !== chainId) {
    return new Problem('api/other-chain', 'this node is on another chain than the genesis file names', {
      remedy: 'Nothing was signed. See on the page Trust which chain is meant, and ask a node of that chain.',
      details: { wanted: chainId, found: now.chainId },
    });
  }
  const wallet = new Wallet({
    chainId,
    keyPair: keyPair as KeyPair,
    account: sender,
    cosigners: others as KeyPair[],
  });
  return wallet.build(
    {
      operations: sending.operations.value,
      conditions: sending.conditions.value,
      reference: referenceBytes(sending.reference.value),
    },
    {
      nonce: nonce.value === '' ? stands.pendingNonce : Number(nonce.value),
      fee: BigInt(sending.fee.value),
      expiryHeight: toHeight(now.finalHeight + Number(ahead.value)),
    },
  );
}

function keyPairOf(name: string, password: string): KeyPair | Problem {
  const stored = storedKeys.value.find((key) => key.name === name);
  return stored === undefined ? developmentKeyPair(name) : decryptKey(stored.text, password);
}
