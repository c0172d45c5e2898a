import { fromHex } from '../base/bytes.ts';
import { plainCase } from './corner-cases.ts';
import { useSign } from './keys.ts';
import { nativeSign } from './native.ts';
import { verifySignature } from './verify.ts';
import { useClaimCheck } from './zip215.ts';

/**
 * From now on this process signs natively, and checks so what proofs hold: the same bytes and the same
 * verdicts, some ten times as fast. Where the libraries do not sign as RFC 8032 says, nothing of it is used.
 */
export function useNativeEd25519(): void {
  const { secretKey, message, signature } = plainCase;
  if (nativeSign(fromHex(secretKey), fromHex(message)) !== signature) return;
  useSign(nativeSign);
  useClaimCheck((claim) => verifySignature(claim, false));
}
