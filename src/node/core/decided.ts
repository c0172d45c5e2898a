import type { PublicKey } from '../../crypto/signature.ts';
import type { Height } from '../../ledger/block.ts';
import type { Member } from '../../ledger/members.ts';

/** What the engine said last, for the parts that ask between its steps. */
export class Decided {
  /** The last height that it called final. Storage is behind it by what is being written. */
  finalHeight: Height;
  /** Set by an engine that can change them. */
  members: readonly Member[] | undefined;

  constructor(finalHeight: Height) {
    this.finalHeight = finalHeight;
  }

  /** The members' keys, by index. */
  keys(): readonly PublicKey[] | undefined {
    return this.members?.map(({ key }) => key);
  }
}
