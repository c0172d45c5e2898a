import type { Effect, Input } from '../../../consensus/engine.ts';
import type { RaftMessage } from '../../../consensus/raft/message.ts';
import type { RaftState } from '../../../consensus/raft/state.ts';
import type { Hash } from '../../../crypto/hash.ts';
import type { Member } from '../../../ledger/members.ts';

export type Kind = RaftMessage['kind'];
export type MessageOf<K extends Kind> = Extract<RaftMessage, { readonly kind: K }>;
type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** Where a replica is between two steps: what an operator could read off it. */
export interface Place {
  readonly self: number | null;
  readonly term: number;
  readonly role: Role;
  /** Whom it follows. */
  readonly leader: number | null;
  readonly votedFor: number | null;
  readonly commit: number;
  readonly applied: number;
  readonly executed: number;
  /** Height of the last block in its log, and the term of that block. */
  readonly last: number;
  readonly lastTerm: number;
  /** What is at or below is in the store only. */
  readonly base: number;
  readonly members: readonly Member[];
  /** The block that started this configuration. */
  readonly membersHeight: number;
  /** Its log was lost, and it may decide nothing. */
  readonly forgot: boolean;
  /** And it does not know what was final when it asked. */
  readonly asks: boolean;
  /** Height of the newest snapshot that it could offer. */
  readonly snapshot: number | null;
  /** A final block comes by sync that changes the members, and is not stored yet. */
  readonly arriving: boolean;
}

/** In the place of a message of one that was removed: nobody owes it anything. */
interface Unheard {
  readonly type: 'unheard';
  readonly from: number;
}

/** One step of a replica, as seen from outside. */
export interface Step {
  readonly now: number;
  readonly input: Input<RaftMessage> | Unheard;
  readonly before: Place;
  readonly after: Place;
  readonly effects: readonly Effect<RaftMessage>[];
  readonly sends: readonly Sent[];
}

interface Sent {
  readonly message: RaftMessage;
  readonly to: readonly number[];
}

const noSends: readonly Sent[] = [];

export function placeOf(state: Readonly<RaftState>): Place {
  const { log, role } = state;
  const last = log.entries.at(-1)?.header;
  return {
    self: state.self,
    term: state.term,
    role: role.kind === 'candidate' && role.pre ? 'pre-candidate' : role.kind,
    leader: role.kind === 'follower' ? role.leader : null,
    votedFor: state.votedFor,
    commit: state.commit,
    applied: state.applied,
    executed: state.executed,
    last: last?.height ?? log.base.height,
    lastTerm: last?.view ?? log.base.term,
    base: log.base.height,
    members: state.configuration,
    membersHeight: state.configurationHeight,
    forgot: state.guard.name !== 'off',
    asks: state.guard.name === 'asking',
    snapshot: state.compacted?.snapshot.height ?? null,
    arriving: state.arriving.length > 0,
  };
}

export function stepOf(
  input: Step['input'],
  effects: readonly Effect<RaftMessage>[],
  places: { readonly before: Place; readonly after: Place; readonly now: number },
): Step {
  const { before, after, now } = places;
  const sends = effects.some(({ type }) => type === 'send')
    ? effects.flatMap((effect) =>
        effect.type === 'send' ? [{ message: effect.message, to: effect.to === 'all' ? [] : effect.to }] : [],
      )
    : noSends;
  return { now, input, before, after, effects, sends };
}

/** It sent this member such a message in this step. */
export function sent<K extends Kind>(
  { sends }: Step,
  kind: K,
  to: number,
  fits: (message: MessageOf<K>) => boolean = () => true,
): boolean {
  return sends.some(
    ({ message, to: members }) =>
      message.kind === kind && members.includes(to) && fits(message as MessageOf<K>),
  );
}

/** The message of this step, when one of these kinds came in. */
export function heard<K extends Kind>({ input }: Step, ...kinds: K[]): MessageOf<K> | undefined {
  return input.type === 'message' && (kinds as Kind[]).includes(input.message.kind)
    ? (input.message as unknown as MessageOf<K>)
    : undefined;
}

/** The replica's log, to be looked at: blocks by height. */
export interface LogView {
  hashAt(height: number): Hash | undefined;
  termAt(height: number): number | undefined;
  /** Height of the first block above the applied one that starts a configuration. */
  changeUpTo(height: number): number | null;
  /** The leader of that block. */
  makerAt(height: number): number | undefined;
  /** What is taken in from the leader, and being checked: by height. */
  stagedAt(height: number): Hash | undefined;
  firstStaged(): Hash | undefined;
}

export function logOf(state: Readonly<RaftState>): LogView {
  const { log, role, applied } = state;
  const at = (height: number) => log.entries[height - log.base.height - 1];
  return {
    hashAt: (height) => (height === log.base.height ? log.base.blockHash : at(height)?.blockHash),
    termAt: (height) => (height === log.base.height ? log.base.term : at(height)?.header.view),
    changeUpTo: (to) => {
      for (let height = Math.max(applied, log.base.height) + 1; height <= to; height++) {
        if ((at(height)?.configuration.length ?? 0) > 0) return height;
      }
      return null;
    },
    makerAt: (height) => at(height)?.leader,
    stagedAt: (height) => {
      if (role.kind !== 'follower') return undefined;
      const first = role.staging[0]?.entry.header.height;
      return first === undefined ? undefined : role.staging[height - first]?.entry.blockHash;
    },
    firstStaged: () => (role.kind === 'follower' ? role.staging[0]?.entry.blockHash : undefined),
  };
}
