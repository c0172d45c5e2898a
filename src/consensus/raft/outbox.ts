import { Problem } from '../../base/problem.ts';
import type { ProblemCode } from '../../base/problem-codes.ts';
import type { Effect, RequestId, ValidatorIndex } from '../engine.ts';
import { trace as traceStep } from '../shared/step.ts';
import type { RaftMessage } from './message.ts';
import { knownLeader, type Replica } from './replica.ts';
import type { RaftState } from './state.ts';

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

/**
 * A message of this member in its current term, or in the given one. Undefined for a node that has no index.
 */
export function envelope(
  state: RaftState,
  to: readonly ValidatorIndex[],
  body: Unaddressed,
  term = state.term,
): SendEffect | undefined {
  if (state.self === null || to.length === 0) return undefined;
  const message = { ...body, from: state.self, term } as RaftMessage;
  return { type: 'send', to, message, ...(urgent.has(message.kind) ? { urgent: true } : {}) };
}

export function send(replica: Replica, to: readonly ValidatorIndex[], body: Unaddressed): void {
  const effect = envelope(replica.state, to, body);
  if (effect !== undefined) replica.out.push(effect);
}

/**
 * Sends once everything that was decided so far is on disk: at once when it is. It takes the place of what
 * waits there of its type for the same member, so that a stalled disk does not pile them up.
 */
export function sendWhenDurable(replica: Replica, to: readonly ValidatorIndex[], body: Unaddressed): void {
  const effect = envelope(replica.state, to, body);
  if (effect === undefined) return;
  const last = replica.state.writes.pending.at(-1);
  if (last === undefined) {
    replica.out.push(effect);
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
  replica: Replica,
  event: string,
  data: Readonly<Record<string, string | number | boolean>> = {},
): void {
  traceStep(replica, event, { term: replica.state.term, ...data });
}

/** Says which term it is now, who leads it, and why. */
export function tellTerm(replica: Replica, leader: ValidatorIndex | null, reason: string): void {
  replica.out.push({ type: 'view', view: replica.state.term, leader, reason });
}

export function answer(
  replica: Replica,
  id: RequestId,
  result: { readonly height: RaftState['commit'] } | Problem,
): void {
  replica.out.push({ type: 'answer', id, result });
}

/** A problem of the moment: the same request may do better later, or at the leader. */
export function notNow(state: RaftState, code: ProblemCode, why: string, remedy: string): Problem {
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

/** A request for the leader; the node adds what it knows of the members' addresses. */
export function notLeading(state: RaftState): Problem {
  return notNow(
    state,
    'consensus/not-leader',
    'this node does not lead',
    'See who leads ("quorate members list"), and ask the node of that member (quorate: --node URL).',
  );
}
