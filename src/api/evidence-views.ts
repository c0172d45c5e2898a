import type { Hash } from '../crypto/hash.ts';
import type { PublicKey, Signature } from '../crypto/signature.ts';
import type { Height, View } from '../ledger/block.ts';

/** Proof that a validator signed what no correct validator signs. */
export interface EvidenceView {
  readonly accused: number;
  readonly publicKey: PublicKey;
  readonly kind: string;
  /** The signed contradiction, as stored and gossiped. */
  readonly bytes: Uint8Array;
  /** The two messages in it, by the validators' epoch; null where this program cannot read them. */
  readonly contradiction: ContradictionView | null;
}

interface ContradictionView {
  readonly epoch: Height;
  readonly messages: readonly [SignedWordView, SignedWordView];
}

interface SignedWordView {
  readonly kind: string;
  readonly view: View;
  readonly height: Height;
  readonly blockHash: Hash | null;
  readonly certificate: { readonly phase: string; readonly view: View; readonly height: Height } | null;
  readonly signature: Signature;
}
