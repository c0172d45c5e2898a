import { hash as digest } from 'node:crypto';
import { concat, fromHex, utf8 } from '../../base/bytes.ts';
import { keyFault } from '../../crypto/key-fault.ts';
import type { PublicKey, Signature, SignatureClaim } from '../../crypto/signature.ts';

/** The node's key pair, whatever the scheme: the same shape as the real one. */
export interface SimulatedKey {
  readonly publicKey: PublicKey;
  readonly secretKey: Uint8Array;
}

/** What the simulator needs of a signature scheme. */
export interface SignatureScheme {
  /** The same name gives the same key. */
  key(name: string): SimulatedKey;
  sign(secretKey: Uint8Array, message: Uint8Array): Signature;
  verify(claim: SignatureClaim): boolean;
}

/**
 * Stands in for Ed25519, whose checks would be nine tenths of a run's time. A signature is a hash keyed with
 * the secret key, so only code that holds that key can make one; a register that the scheme alone sees maps
 * public keys back, so that it can check. It promises what the protocol relies on (nobody signs for another;
 * one message has one signature) and it shares no code with what it replaces.
 */
export class FastSignatures implements SignatureScheme {
  readonly #secrets = new Map<PublicKey, Uint8Array>();

  key(name: string): SimulatedKey {
    const secretKey = fromHex(digest('sha256', `secret ${name}`, 'hex'));
    const publicKey = publicKeyOf(secretKey);
    this.#secrets.set(publicKey, secretKey);
    return { publicKey, secretKey };
  }

  sign(secretKey: Uint8Array, message: Uint8Array): Signature {
    return digest('sha512', concat(secretKey, message), 'hex') as Signature;
  }

  verify(claim: SignatureClaim): boolean {
    const secretKey = this.#secrets.get(claim.publicKey);
    return secretKey !== undefined && this.sign(secretKey, claim.message) === claim.signature;
  }
}

/** Every second text of 32 bytes is a point of the curve, as a ledger asks of the keys that it is to name. */
function publicKeyOf(secretKey: Uint8Array): PublicKey {
  for (let tried = 0; ; tried++) {
    const key = digest('sha256', concat(utf8(`public ${tried} `), secretKey), 'hex') as PublicKey;
    if (keyFault(key) === undefined) return key;
  }
}
