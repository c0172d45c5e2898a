import { invariant } from '../../base/invariant.ts';
import { indexOf, isVoter } from './configuration.ts';
import { hashAt, lastHeight, lastTerm } from './log.ts';
import type { Replica } from './replica.ts';
import { isJoint } from '../../ledger/members.ts';

/**
 * What holds between any two steps of one member, whatever it was told: checked after every step, wherever it
 * runs. Cheap: bounded by the members, and by what is on its way to them and to the disk.
 */
export function checkInvariants({ state, key, options }: Replica): void {
  const { log, role } = state;
  const last = lastHeight(log);
  invariant(state.applied <= state.delivered, 'applied <= delivered');
  invariant(state.delivered <= state.commit, 'delivered <= commit');
  invariant(state.commit <= last, 'commit <= last');
  invariant(state.durable <= last, 'durable <= last');
  invariant(state.executed <= last, 'executed <= last');
  invariant(state.delivered <= state.executed, 'delivered <= executed');
  invariant(log.base.height <= state.commit, 'the base is committed');
  invariant(hashAt(log, state.commit) !== undefined, 'the committed block has a name');
  invariant(lastTerm(log) <= state.term, 'no block of the log is of a later term than the member');
  const index = indexOf(state.configuration, key);
  const called = index === null && state.self !== null && state.self >= state.configuration.length;
  invariant(called || state.self === index, 'the own index is the own key’s');
  let seq = 0;
  for (const pending of state.writes.pending) {
    invariant(pending.seq > seq && pending.seq <= state.writes.last, 'writes are in order');
    invariant(pending.kept.upTo <= last, 'no write vouches for what was cut off');
    seq = pending.seq;
  }
  switch (role.kind) {
    case 'follower': {
      invariant(role.matched <= last, 'the log equals the leader’s no further than it goes');
      let height: number = role.staging[0]?.entry.header.height ?? 0;
      invariant(height === 0 || height > state.commit, 'no committed block is staged again');
      invariant(height <= last + 1, 'the staged entries continue the log or replace its end');
      for (const { entry } of role.staging) {
        invariant(entry.header.height === height, 'staged entries have no gap');
        height += 1;
      }
      break;
    }
    case 'candidate':
      invariant(isVoter(state.configuration, state.self), 'a candidate has a vote');
      invariant(role.pre || state.votedFor === state.self, 'a candidate voted for itself');
      invariant(role.pre || lastTerm(log) < state.term, 'a candidate has no block of its own term');
      break;
    case 'leader':
      invariant(state.votedFor === state.self, 'a leader voted for itself');
      invariant(
        isVoter(state.configuration, state.self) || role.partingUntil !== null,
        'a leader has a vote, or had one until the change that removes it',
      );
      invariant(role.first === null || role.first <= last, 'the first block of the term is in the log');
      invariant(
        role.first !== null || lastTerm(log) < state.term,
        'who was elected had no block of its own term',
      );
      invariant(
        role.making === null || role.making.height === last + 1,
        'the block in the making is the next one',
      );
      invariant(
        last - state.commit <= options.window + 2 || !role.ready,
        'the window bounds what is in flight',
      );
      invariant(
        role.nextConfiguration === null || !isJoint(state.configuration) || !isJoint(role.nextConfiguration),
        'a joint phase ends before the next begins',
      );
      for (const [member, progress] of role.progress) {
        invariant(member !== state.self, 'a leader keeps no progress for itself');
        invariant(progress.match < progress.next, 'what is known to match is not sent again');
        invariant(progress.inFlight.length <= options.inFlightMessages, 'what is on the way is bounded');
        const isOnItsWay = progress.inFlight.length > 0 || progress.probeSentAt !== null;
        invariant(!isOnItsWay || progress.retransmission.since !== null, 'what is on the way is waited for');
      }
      break;
  }
}

/**
 * The log is what it says it is. Tests and the simulator call it after every step; production does not,
 * because it walks the log.
 */
export function checkLog({ state: { log, term } }: Replica): void {
  let parent = log.base;
  invariant(parent.term <= term, 'the base is of no later term than the member');
  for (const { header, blockHash } of log.entries) {
    invariant(header.height === parent.height + 1, 'heights in the log have no gap');
    invariant(header.parentHash === parent.blockHash, 'the log is a hash chain');
    invariant(header.view >= parent.term, 'terms never fall along the log');
    invariant(header.view <= term, 'no entry is of a later term than the member');
    parent = { height: header.height, blockHash, term: header.view };
  }
}
