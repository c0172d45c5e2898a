import type { Brand } from '../base/brand.ts';
import { type Codec, hexOf, knownHex } from '../base/codec.ts';

/**
 * An Ed25519 public key (RFC 8032) as 64 characters of lower-case hex. It names an account or a validator.
 */
export type PublicKey = Brand<string, 'PublicKey'>;
/** An Ed25519 signature as 128 characters of lower-case hex. */
export type Signature = Brand<string, 'Signature'>;

export const publicKeyCodec: Codec<PublicKey> = knownHex(hexOf<PublicKey>(32));
export const signatureCodec: Codec<Signature> = hexOf<Signature>(64);
export const zeroPublicKey: PublicKey = '0'.repeat(64) as PublicKey;

/** "This key signed these bytes", to be checked. `message` already starts with its domain prefix. */
export interface SignatureClaim {
  readonly publicKey: PublicKey;
  readonly message: Uint8Array;
  readonly signature: Signature;
}

/**
 * Checks claims away from the caller. `done` is called later, once, with one answer per claim, in order. The
 * consensus rule decides (see `verify.ts`); only where that is cheaper, `strict` refuses more: what the fast
 * verifier of this machine does not accept. Claims that are not `urgent` may wait behind those that are:
 * unless given, strict claims are not.
 */
export interface Verifier {
  verify(
    claims: readonly SignatureClaim[],
    strict: boolean,
    done: (valid: readonly boolean[]) => void,
    urgent?: boolean,
  ): void;
  close(): Promise<void>;
}
