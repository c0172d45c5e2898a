import { concat, sliceHex } from '../base/bytes.ts';
import type { PublicKey, Signature, SignatureClaim } from './signature.ts';

/** Where the parts of a claim stand. */
interface Places {
  /** The message is the domain's prefix and so many of the first bytes. */
  readonly signed: number;
  readonly key: number;
  readonly signature: number;
}

/**
 * A claim whose key, message and signature stand in one piece of bytes: most are of a transaction, and go to
 * the verifier as bytes (`claim-batch.ts`). It makes text and copies for those alone who look at them.
 */
export class ClaimInBytes implements SignatureClaim {
  readonly prefix: Uint8Array;
  readonly bytes: Uint8Array;
  readonly signed: number;
  readonly keyAt: number;
  readonly signatureAt: number;

  constructor(prefix: Uint8Array, bytes: Uint8Array, { signed, key, signature }: Places) {
    this.prefix = prefix;
    this.bytes = bytes;
    this.signed = signed;
    this.keyAt = key;
    this.signatureAt = signature;
  }

  get publicKey(): PublicKey {
    return sliceHex(this.bytes, this.keyAt, this.keyAt + 32) as PublicKey;
  }

  get message(): Uint8Array {
    return concat(this.prefix, this.bytes.subarray(0, this.signed));
  }

  get signature(): Signature {
    return sliceHex(this.bytes, this.signatureAt, this.signatureAt + 64) as Signature;
  }
}
