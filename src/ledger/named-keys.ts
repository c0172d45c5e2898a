import { Problem } from '../base/problem.ts';
import { isForgeableKey } from '../crypto/forgeable-key.ts';
import { keyFault } from '../crypto/key-fault.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { keysNamedIn, type Operation } from './operation.ts';

/**
 * Throws a `Problem` when a transaction names a key that is nobody's (`keyFault`). It is no transaction then,
 * wherever it comes from: from such an account anybody could move coins, and what is sent there is lost.
 * Whether those who sign are points of the curve shows when their signatures are checked.
 */
export function checkKeys<
  T extends {
    readonly sender: PublicKey;
    readonly signers: readonly PublicKey[];
    readonly operations: readonly Operation[];
  },
>(body: T): T {
  const { sender, signers, operations } = body;
  if (isForgeableKey(sender)) throw nobodysKey(sender, 'forgeable');
  for (let index = 0; index < signers.length; index++) {
    const key = signers[index] as PublicKey;
    if (key !== sender && isForgeableKey(key)) throw nobodysKey(key, 'forgeable');
  }
  for (let index = 0; index < operations.length; index++) {
    const operation = operations[index] as Operation;
    // Most are transfers, and need no list.
    if (operation.type === 'transfer') checkNamed(operation.to);
    else keysNamedIn(operation).forEach(checkNamed);
  }
  return body;
}

function checkNamed(key: PublicKey): void {
  const fault = keyFault(key);
  if (fault !== undefined) throw nobodysKey(key, fault);
}

function nobodysKey(publicKey: PublicKey, fault: 'forgeable' | 'off-curve'): Problem {
  const who = fault === 'forgeable' ? 'anybody can sign for' : 'nobody can have: it is no point of the curve';
  return new Problem(`transaction/${fault}-key`, `the transaction names a key that ${who}`, {
    remedy: 'Use the address of an account that somebody holds; no key that was made is one of these.',
    details: { publicKey },
  });
}
