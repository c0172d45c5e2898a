import type { ValidatorIndex } from '../engine.ts';
import type { RaftMessage } from './message.ts';
import type { Replica } from './replica.ts';
import type { RaftState } from './state.ts';

/** False when `step` would drop the message in any case, whatever its signatures say. */
export function isWanted({ state }: Replica, message: RaftMessage): boolean {
  if (message.from === state.self) return false;
  // Answers of an old term say nothing any more; requests of one are answered, so that their
  // sender learns of the new term.
  const answers = message.kind === 'accepted' || message.kind === 'vote' || message.kind === 'rejected';
  return !(answers && message.term < state.term);
}

/** It is from a member, and not for somebody else. */
export function isForMe(state: RaftState, message: RaftMessage): boolean {
  if (message.from === state.self || message.from >= state.configuration.length) return false;
  return (message.kind !== 'append' && message.kind !== 'snapshot-offer') || isAddressed(state, message.to);
}

/** The message is for this member. One that has no index yet takes the one that the leader calls it by. */
function isAddressed(state: RaftState, to: ValidatorIndex): boolean {
  if (state.self === null && to >= state.configuration.length) state.self = to;
  return state.self === to;
}
