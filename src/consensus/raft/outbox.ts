import { defined } from '../../base/invariant.ts';
import type { Hash } from '../../crypto/hash.ts';
import { Problem, type ProblemCode } from '../../base/problem.ts';
import type { BlockName, Effect, RequestId, ValidatorIndex } from '../engine.ts';
import { trace as traceStep } from '../shared/step.ts';
import { hashAt } from './log.ts';
import { nameOf, type RaftMessage } from './message.ts';
import type { Raft, State } from './state.ts';

type SendEffect = Extract<Effect<RaftMessage>, { readonly type: 'send' }>;
/** A message without what every message has: the sender and the term. */
export type Unaddressed = RaftMessage extends infer M
  ? M extends RaftMessage
    ? Omit<M, 'from' | 'term'>
    : never
  : never;

/** The messages that must not wait behind entries. */
const urgent: ReadonlySet<RaftMessage['kind']> = new Set([
  'heartbeat',
  'heartbeat-answer',
  'vote-request',
  'vote',
  'timeout-now',
  'read-request',
  'read-answer',
]);

/** A message of this member in its current term, or in the given one. Undefined for a node that has no index. */
export function letter(
  state: State,
  to: readonly ValidatorIndex[],
  body: Unaddressed,
  term = state.term,
): SendEffect | undefined {
  if (state.self === null || to.length === 0) return undefined;
  const message = { ...body, from: state.self, term } as RaftMessage;
  return { type: 'send', to, message, ...(urgent.has(message.kind) ? { urgent: true } : {}) };
}

export function send(raft: Raft, to: readonly ValidatorIndex[], body: Unaddressed): void {
  const effect = letter(raft.state, to, body);
  if (effect !== undefined) raft.out.push(effect);
}

/**
 * Sends once everything that was decided so far is on disk: at once when it is. It takes the place of what waits there of its type for
 * the same member, so that a stalled disk does not pile them up.
 */
export function sendWhenDurable(raft: Raft, to: readonly ValidatorIndex[], body: Unaddressed): void {
  const effect = letter(raft.state, to, body);
  if (effect === undefined) return;
  const last = raft.state.writes.pending.at(-1);
  if (last === undefined) {
    raft.out.push(effect);
    return;
  }
  const { kept } = last;
  const [member] = to;
  kept.after = kept.after.filter(
    (waiting) => waiting.type !== 'send' || waiting.message.kind !== body.kind || waiting.to[0] !== member,
  );
  kept.after.push(effect);
}

export function trace(
  raft: Raft,
  event: string,
  data: Readonly<Record<string, string | number | boolean>> = {},
): void {
  traceStep(raft, event, { term: raft.state.term, ...data });
}

export function answer(
  raft: Raft,
  id: RequestId,
  result: { readonly height: State['commit'] } | Problem,
): void {
  raft.out.push({ type: 'answer', id, result });
}

/** A problem of the moment: the same request may do better later, or at the leader. */
export function notNow(state: State, code: ProblemCode, why: string, remedy: string): Problem {
  const leader = knownLeader(state);
  return new Problem(code, why, {
    remedy,
    details: {
      term: state.term,
      leader,
      leaderKey: leader === null ? null : (state.configuration[leader]?.key ?? null),
    },
  });
}

/** Who leads as far as this member knows. */
export function knownLeader(state: State): ValidatorIndex | null {
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
export function committed(state: State): BlockName {
  const hash: Hash = defined(hashAt(state.log, state.commit), 'the hash of the committed block');
  return nameOf(state.commit, hash);
}
