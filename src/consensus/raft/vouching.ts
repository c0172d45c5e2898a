import type { BlockName, ValidatorIndex } from '../engine.ts';
import { afterJoint, quorumOf } from './configuration.ts';
import { type Entry, entryAt, holds, lastHeight, newestChange } from './log.ts';
import { nameOf } from './message.ts';
import { isAmnesiac, type Replica, unappliedConfiguration } from './replica.ts';
import type { RaftState } from './state.ts';
import { type Configuration, isJoint } from '../../ledger/members.ts';

/**
 * The end of a joint phase without its leader. In the phase every election needs a majority of the old
 * voters, and those who leave, or who were few, may be gone before the others heard that it is over. But a
 * block is committed when a majority has it on disk in its own term, whoever knows of it. So voters tell in
 * their vote traffic what they hold in that way, and a candidate counts as the block's leader would.
 *
 * Only for its election: what it learns so becomes final when it is elected, because the block's leader
 * answers reads until then, and may not know.
 */

/**
 * What this member tells: a change of the members that its disk had before it saw a
 * later term than the block's.
 */
export function heldInItsTerm({ configuration, held, log }: RaftState): BlockName | undefined {
  return held !== null && isJoint(configuration) && holds(log, held) ? held : undefined;
}

export function onHeld({ state }: Replica, from: ValidatorIndex, held: BlockName | undefined): void {
  if (held !== undefined && isJoint(state.configuration)) state.heldBy.set(from, held);
}

/**
 * A write is done: what the disk has of this member's own term is held in it, and stays so, on
 * disk too, whatever terms come after. Only the newest change of the members matters, and not what
 * a later leader put on it.
 */
export function noteHeld(state: RaftState): void {
  const { log, applied } = state;
  const [from, to] = [applied, state.durable].map((height) => Math.max(height - log.base.height, 0));
  const entry = newestChange(log.entries.slice(from, to));
  if (entry !== undefined && entry.header.view === state.term && !isAmnesiac(state))
    state.held = nameOf(entry.header.height, entry.blockHash);
}

/**
 * Who elects, as far as this member knows: those after the joint phase in force when the block
 * that ends it is committed.
 */
export function electorsOf(state: RaftState): Configuration {
  return heldEnd(state) === undefined ? state.configuration : afterJoint(state.configuration);
}

/**
 * The block that ends the joint phase in force, when a majority of the old and of the new voters holds it.
 */
export function heldEnd(state: RaftState): Entry | undefined {
  const { configuration, log, self } = state;
  const height = isJoint(configuration) ? unappliedConfiguration(state, lastHeight(log)) : null;
  const entry = height === null ? undefined : entryAt(log, height);
  if (entry === undefined) return undefined;
  const isHeld = (index: ValidatorIndex): boolean => {
    // Its leader sent it when its own disk had it.
    if (index === entry.leader) return true;
    const held = index === self ? state.held : state.heldBy.get(index);
    return held?.blockHash === entry.blockHash;
  };
  return quorumOf(configuration, isHeld) ? entry : undefined;
}
