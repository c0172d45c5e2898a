import { toHeight } from '../../ledger/block.ts';
import type { MonotonicMs, ValidatorIndex } from '../engine.ts';
import { hashAt, lastHeight, lastNotAbove, termAt } from './log.ts';
import type { Accepted, HeartbeatAnswer, Rejected } from './message.ts';
import { freshTimeout, noteArrival, runsOut, startWaiting, stopWaiting } from './retransmission.ts';
import type { Replica } from './replica.ts';
import type { Leader, Progress, RaftState } from './state.ts';

/** What a new leader knows of a follower: nothing. It probes right below the end of its own log. */
export function freshProgress(state: RaftState): Progress {
  return {
    kind: 'probe',
    match: toHeight(0),
    next: toHeight(lastHeight(state.log) + 1),
    inFlight: [],
    received: toHeight(0),
    applied: toHeight(0),
    retransmission: freshTimeout(),
    probeSentAt: null,
    probeLast: toHeight(0),
    loadingFrom: null,
    round: 0,
    roundSentAt: Number.NEGATIVE_INFINITY,
    decides: true,
    snapshot: null,
  };
}

function isOnItsWay({ kind, inFlight, probeSentAt }: Progress): boolean {
  return kind === 'probe' ? probeSentAt !== null : kind === 'stream' && inFlight.length > 0;
}

function probe(progress: Progress): void {
  progress.kind = 'probe';
  progress.probeSentAt = null;
  progress.inFlight = [];
}

/** Not at once again: storage would be asked in a circle. A heartbeat's answer wakes the probe. */
export function probeLater(progress: Progress, now: MonotonicMs): void {
  progress.kind = 'probe';
  progress.inFlight = [];
  startWaiting(progress.retransmission, now);
  progress.probeSentAt = now;
}

/** Finds out anew what the follower has: it may have finished, or must be offered a newer one. */
export function backToProbe(progress: Progress): void {
  progress.next = toHeight(progress.match + 1);
  progress.kind = 'probe';
  progress.probeSentAt = null;
  progress.snapshot = null;
}

/** What came in there tells what got lost on the way. */
export function onHeartbeatAnswer(replica: Replica, role: Leader, message: HeartbeatAnswer): void {
  const { state, options } = replica;
  const progress = role.progress.get(message.from);
  if (progress === undefined) return;
  progress.decides = message.round > 0;
  if (message.round > progress.round && message.round <= role.round) {
    progress.round = message.round;
    const sent = role.roundsSent.find(({ round }) => round === message.round);
    progress.roundSentAt = sent?.at ?? Number.NEGATIVE_INFINITY;
  }
  progress.applied = toHeight(Math.max(progress.applied, message.applied));
  const received = toHeight(Math.min(message.received, lastHeight(state.log)));
  if (!isOnItsWay(progress)) {
    // It has less than it acknowledged, or does not know yet that its log fits: find out.
    if (progress.kind === 'stream' && received < progress.match) probe(progress);
    return;
  }
  if (progress.kind === 'stream' && received > progress.received)
    noteArrival(progress.retransmission, state.now);
  progress.received = received;
  if (!runsOut(progress.retransmission, state.now, options)) return;
  // What was sent got lost, or its acknowledgement did: find out, and go on from what is there.
  if (progress.kind === 'stream') progress.next = toHeight(Math.max(progress.match, received) + 1);
  probe(progress);
}

/** A connection came back or broke: what was on the way may be lost. */
export function onConnectionChange(replica: Replica, role: Leader, member: ValidatorIndex): void {
  const progress = role.progress.get(member);
  if (progress === undefined) return;
  // Whether it is there shows when it answers anew.
  progress.round = 0;
  if (progress.kind === 'snapshot') return;
  progress.next = toHeight(
    Math.max(progress.match + 1, Math.min(progress.next, lastHeight(replica.state.log) + 1)),
  );
  Object.assign(progress.retransmission, freshTimeout());
  probe(progress);
}

/** An acknowledgement counts only for the very block that it names. */
export function onAccepted(replica: Replica, role: Leader, { from, block }: Accepted): void {
  const { state } = replica;
  const progress = role.progress.get(from);
  if (progress === undefined) return;
  const own = hashAt(state.log, block.height);
  if (own !== block.blockHash && !(own === undefined && block.height <= state.log.base.height)) return;
  if (block.height > progress.received) noteArrival(progress.retransmission, state.now);
  progress.received = toHeight(Math.max(progress.received, block.height));
  progress.match = toHeight(Math.max(progress.match, block.height));
  progress.inFlight = progress.inFlight.filter(({ last }) => last > progress.match);
  if (
    progress.kind === 'probe' ||
    (progress.kind === 'snapshot' && progress.match >= (progress.snapshot?.block.height ?? 0))
  ) {
    beginStream(progress);
  } else progress.next = toHeight(Math.max(progress.next, progress.match + 1));
  if (!isOnItsWay(progress)) stopWaiting(progress.retransmission);
}

/** The follower's log fits: from now on blocks are sent ahead of the answers. */
function beginStream(progress: Progress): void {
  const { probeSentAt, probeLast, match, next } = progress;
  // When the place that was probed fits, so does what the probe carried. A late answer to
  // something older says less.
  const carried = probeSentAt !== null && match >= next - 1 && probeLast > match;
  progress.next = toHeight((carried ? probeLast : match) + 1);
  progress.inFlight = carried ? [{ last: probeLast, bytes: 0 }] : [];
  progress.kind = 'stream';
  progress.snapshot = null;
  progress.probeSentAt = null;
}

/**
 * Fast back-up (end of section 5.3): one round trip for each conflicting term, and never below
 * what the follower has final.
 */
export function onRejected(replica: Replica, role: Leader, message: Rejected): void {
  const { state } = replica;
  const progress = role.progress.get(message.from);
  if (progress === undefined) return;
  if (progress.kind === 'snapshot') return;
  if (progress.kind === 'probe' ? message.previous !== progress.next - 1 : message.previous <= progress.match)
    return;
  // It acknowledged that once, and lost its log since.
  if (message.previous <= progress.match) progress.match = toHeight(Math.min(progress.match, message.final));
  let next: number = message.next;
  if (message.conflictTerm > 0) {
    const fitting = lastNotAbove(
      state.log,
      toHeight(Math.min(message.previous, lastHeight(state.log))),
      message.conflictTerm,
    );
    if (termAt(state.log, fitting) === message.conflictTerm) next = Math.min(fitting + 1, message.previous);
  }
  progress.next = toHeight(
    Math.max(progress.match + 1, message.final + 1, Math.min(next, lastHeight(state.log) + 1)),
  );
  noteArrival(progress.retransmission, state.now);
  stopWaiting(progress.retransmission);
  probe(progress);
}
