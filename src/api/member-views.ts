import type { PublicKey } from '../crypto/signature.ts';

export interface ValidatorView {
  readonly index: number;
  readonly name: string;
  readonly publicKey: PublicKey;
  readonly primary: boolean;
  /** Whether this node is the one that answers. */
  readonly self: boolean;
  /** Whether there is a connection to it; true for this node itself. */
  readonly connected: boolean;
  /** Whether it was heard lately and votes; null where this node cannot tell (an observer; in Raft mode). */
  readonly heard: boolean | null;
}

/** `voter` votes; `learner` follows; the others are on their way in or out, or have only kept their index. */
type MemberRole = 'voter' | 'learner' | 'removed' | 'joining' | 'leaving' | 'demoted';

export interface MemberView extends Omit<ValidatorView, 'primary' | 'heard'> {
  readonly role: MemberRole;
  readonly leader: boolean;
  /** Where it says that its API can be reached; null when it says nothing, or is not connected. */
  readonly api: string | null;
}

export interface MemberChangeRequest {
  readonly publicKey: PublicKey;
  readonly role: 'voter' | 'learner' | 'removed';
}
