import type { Roster } from '../../consensus/protocol.ts';
import type { Height } from '../../ledger/block.ts';
import type { Member } from '../../ledger/members.ts';

/** What the engine said last, for the parts that ask between its steps. */
export class Decided {
  /** The last height that it called final. Storage is behind it by what is being written. */
  finalHeight: Height;
  /** Set when the engine says that they changed, or were not those of the genesis file when it started. */
  members: readonly Member[] | undefined;
  /** Who signs what, from which height on. */
  roster: Roster;

  /** For parts that ask each time. */
  readonly rosterNow = (): Roster => this.roster;

  constructor(finalHeight: Height, roster: Roster) {
    this.finalHeight = finalHeight;
    this.roster = roster;
  }

  /** The same object for as long as nothing changes. */
  setMembers(members: readonly Member[], epoch: Height): void {
    this.members = members;
    this.roster = { keys: members.map(({ key }) => key), epoch };
  }
}
