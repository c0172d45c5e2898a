import { toHeight } from '../../ledger/block.ts';
import type { ValidatorIndex } from '../engine.ts';
import { takesPart } from './configuration.ts';
import { catchUp } from './finality.ts';
import { heightShown, type RaftMessage } from './message.ts';
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

/**
 * Its sender was removed, as far as this member knows, and may say anything: it has its key and its index
 * still. Only of the leader that this member follows it is believed for a while that it leads on until the
 * others go by its removal, and hands over; but no answer to a read.
 */
export function isFromFormer({ state, options }: Replica, { from, term, kind }: RaftMessage): boolean {
  const { role, configuration, configurationSince, now } = state;
  if (takesPart(configuration, from)) return false;
  const parts =
    role.kind === 'follower' &&
    role.leader === from &&
    term === state.term &&
    now - configurationSince < 2 * options.electionTimeoutMs;
  return !(parts && (kind === 'heartbeat' || kind === 'timeout-now'));
}

/** Whoever was removed may have come back, and this member be behind: blocks tell, whoever serves them. */
export function onFormer(replica: Replica, message: RaftMessage): void {
  const { role, commit } = replica.state;
  if (role.kind === 'leader' || heightShown(message) <= commit) return;
  catchUp(replica, message.from, toHeight(commit + 1));
}
