import { defined } from '../../base/invariant.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { BlockName, ValidatorIndex } from '../engine.ts';
import { isHeard } from '../shared/contact.ts';
import type { Step } from '../shared/step.ts';
import { entryAt, hashAt } from './log.ts';
import { nameOf, type RaftMessage } from './message.ts';
import type { RaftOptions } from './options.ts';
import type { Leader, RaftState } from './state.ts';

/** What the parts of the protocol work on: constants, the state, and the effects of the step in progress. */
export interface Replica extends Step<RaftMessage> {
  readonly chainId: Hash;
  readonly key: PublicKey;
  readonly options: RaftOptions;
  readonly state: RaftState;
}

/** Its log was lost, and it is not trusted again yet: it decides nothing. */
export function isAmnesiac(state: RaftState): boolean {
  return state.guard.name !== 'off';
}

export function ownIndex(state: RaftState): ValidatorIndex {
  return state.self ?? -1;
}

/** Who leads as far as this member knows. */
export function knownLeader(state: RaftState): ValidatorIndex | null {
  switch (state.role.kind) {
    case 'leader':
      return state.self;
    case 'follower':
      return state.role.leader;
    case 'candidate':
      return null;
  }
}

/** The highest block that is known to be committed, by name. */
export function committed(state: RaftState): BlockName {
  const hash: Hash = defined(hashAt(state.log, state.commit), 'the hash of the committed block');
  return nameOf(state.commit, hash);
}

/** Height of the first block above the applied one, up to `to`, that starts a configuration. */
export function unappliedConfiguration(state: RaftState, to: Height): Height | null {
  const arriving = state.arriving[0];
  if (arriving !== undefined && arriving.height <= to) return arriving.height;
  const from = Math.max(state.applied, state.log.base.height) + 1;
  for (let height = toHeight(from); height <= to; height = toHeight(height + 1)) {
    if ((entryAt(state.log, height)?.configuration.length ?? 0) > 0) return height;
  }
  return null;
}

/** The member answered this leader within the last election timeout. */
export function answersLately({ state, options }: Replica, role: Leader, member: ValidatorIndex): boolean {
  return isHeard(role.contact, member, { now: state.now, withinMs: options.electionTimeoutMs });
}

/** The leader that was heard last was not heard for the shortest election timeout. */
export function isLeaderSilent({ state, options }: Replica): boolean {
  return state.leaderHeardAt !== null && state.now - state.leaderHeardAt >= options.electionTimeoutMs;
}

/**
 * The block of the log at this height is known to be committed. What is staged in its place, or below, is of
 * a leader that was deposed and has not heard of that: it goes, with all that follows it.
 */
export function noteCommitted(state: RaftState, height: Height): void {
  const { role } = state;
  state.commit = toHeight(Math.max(state.commit, height));
  if (role.kind !== 'follower') return;
  // Whoever leads has it, too.
  role.matched = toHeight(Math.max(role.matched, state.commit));
  const staged = role.staging[0]?.entry.header.height;
  if (staged !== undefined && staged <= state.commit) role.staging = [];
}
