import { unwrap } from '../src/base/problem.ts';
import { utf8 } from '../src/base/bytes.ts';
import { nextBelow, type RandomState, seedRandom } from '../src/base/random.ts';
import { Wallet } from '../src/client/wallet.ts';
import type { Hash } from '../src/crypto/hash.ts';
import { generateKeyPair, type KeyPair } from '../src/crypto/keys.ts';
import { nativeSigner } from '../src/crypto/native.ts';
import type { Height } from '../src/ledger/block.ts';
import type { Operation } from '../src/ledger/operation.ts';
import type { Transaction } from '../src/ledger/transaction.ts';

/** One account of the demonstration, with all that it will send, in the order of its nonces. */
export interface Sender {
  readonly keyPair: KeyPair;
  readonly transactions: readonly Transaction[];
}

/** What each transaction pays. */
export const fee = 1n;
/** What a sender needs for its fees and transfers, with much to spare. */
export const funding = 1_000_000n;

/** Keys that were never used, so that every run starts at nonce 0 and two runs never meet. */
export function newSenders(count: number): KeyPair[] {
  return Array.from({ length: count }, () => generateKeyPair());
}

/**
 * Signs `count` transactions, shared evenly by the senders: of each ten, seven transfers, two new records, and the deletion of one
 * of them. Run one after the other by each sender, all of them are applied.
 */
export function signWorkload(options: {
  readonly chainId: Hash;
  readonly senders: readonly KeyPair[];
  readonly count: number;
  readonly expiryHeight: Height;
}): Sender[] {
  const { chainId, senders, count, expiryHeight } = options;
  const random = seedRandom(count);
  return senders.map((keyPair, index) => {
    const wallet = new Wallet({ chainId, keyPair, signer: nativeSigner(keyPair.secretKey) });
    const share = Math.floor(count / senders.length) + (index < count % senders.length ? 1 : 0);
    const transactions = Array.from({ length: share }, (_, nonce) =>
      unwrap(wallet.build(operationAt(nonce, keyPair, senders, random), { nonce, fee, expiryHeight })),
    );
    return { keyPair, transactions };
  });
}

function operationAt(
  nonce: number,
  own: KeyPair,
  senders: readonly KeyPair[],
  random: RandomState,
): Operation {
  const key = (of: number): string => `demo-${own.publicKey.slice(0, 16)}-${of}`;
  switch (nonce % 10) {
    case 3:
    case 6:
      return { type: 'put', key: key(nonce), value: utf8(`record ${nonce} of ${own.publicKey}`) };
    case 9:
      return { type: 'delete', key: key(nonce - 3) };
    default: {
      const to = senders[nextBelow(random, senders.length)] ?? own;
      return { type: 'transfer', to: to.publicKey, amount: 1n, memo: '' };
    }
  }
}
