import { unwrap } from '../../../base/problem.ts';
import { utf8 } from '../../../base/bytes.ts';
import { Wallet } from '../../../client/wallet.ts';
import { hash } from '../../../crypto/hash.ts';
import { nativeSigner } from '../../../crypto/native.ts';
import type { SignatureClaim } from '../../../crypto/signature.ts';
import { toHeight } from '../../../ledger/block.ts';
import { type Transaction, transactionClaims } from '../../../ledger/transaction.ts';
import { newAccounts } from '../accounts.ts';

export const sampleChain = hash('quorate/v1/chain', utf8('benchmark'));

/** Signed transfers of this many senders in turn, the nonces of each from 0 on. */
export function sampleTransfers(count: number, senders: number): Transaction[] {
  const wallets = newAccounts(senders, senders).senders.map(
    (keyPair) => new Wallet({ chainId: sampleChain, keyPair, signer: nativeSigner(keyPair.secretKey) }),
  );
  return Array.from({ length: count }, (_, index) => {
    const wallet = wallets[index % senders] as Wallet;
    const to = (wallets[(index + 1) % senders] as Wallet).publicKey;
    const nonce = Math.floor(index / senders);
    return unwrap(wallet.transfer(to, 1n, { nonce, fee: 10n, expiryHeight: toHeight(1_000) }));
  });
}

export function sampleClaims(count: number, senders: number): SignatureClaim[] {
  return sampleTransfers(count, senders).flatMap((transfer) => transactionClaims(transfer));
}
