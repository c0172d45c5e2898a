import { hash as digest } from 'node:crypto';
import { fromHex } from '../../base/bytes.ts';
import { keyPairFromSeed } from '../../crypto/keys.ts';
import { nativeSign } from '../../crypto/native.ts';
import type { Signature, SignatureClaim } from '../../crypto/signature.ts';
import { verifySignature } from '../../crypto/verify.ts';
import type { SignatureScheme, SimulatedKey } from './fast-signatures.ts';

/** The node's own signatures: for a few runs, to show that the fast scheme hides nothing. */
export class RealSignatures implements SignatureScheme {
  key(name: string): SimulatedKey {
    return keyPairFromSeed(fromHex(digest('sha256', `secret ${name}`, 'hex')));
  }

  sign(secretKey: Uint8Array, message: Uint8Array): Signature {
    return nativeSign(secretKey, message);
  }

  verify(claim: SignatureClaim): boolean {
    return verifySignature(claim, false);
  }
}
