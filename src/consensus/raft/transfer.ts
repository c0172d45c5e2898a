import type { EngineRequest, RequestId } from '../engine.ts';
import { count } from '../shared/step.ts';
import { staysVoter } from './configuration.ts';
import { lastHeight } from './log.ts';
import { bestTransferee } from './membership.ts';
import { answer, notLeading, notNow, send, trace } from './outbox.ts';
import { knownLeader, type Replica } from './replica.ts';
import { type Leader } from './state.ts';

/** An operator, or a node that shuts down, asks the leader to hand over (dissertation, section 3.10). */
export function onTransferRequest(
  replica: Replica,
  id: RequestId,
  { to }: Extract<EngineRequest, { readonly kind: 'transfer' }>,
): void {
  const { state, options } = replica;
  const { role } = state;
  if (role.kind !== 'leader') {
    answer(replica, id, notLeading(state));
    return;
  }
  if (role.transfer !== null || state.transfer !== null || role.partingUntil !== null) {
    answer(
      replica,
      id,
      notNow(
        state,
        'consensus/busy',
        'a transfer is on its way',
        'Ask again in some seconds; "quorate members list" shows who leads then.',
      ),
    );
    return;
  }
  if (to === state.self) {
    answer(replica, id, { height: state.commit });
    return;
  }
  const transferee = to ?? bestTransferee(replica, role);
  if (transferee === null || !staysVoter(state.configuration, transferee)) {
    answer(
      replica,
      id,
      notNow(
        state,
        'consensus/no-transferee',
        'there is no such voter to hand over to',
        'Name another voter that runs.',
      ),
    );
    return;
  }
  const deadline = state.now + options.electionTimeoutMs;
  role.transfer = { to: transferee, deadline, told: false };
  state.transfer = { id, to: transferee, deadline: deadline + options.electionTimeoutMs };
  trace(replica, 'transfer', { to: transferee });
}

/**
 * Tells the transferee to campaign once it has everything; gives up in time, and then takes on work again.
 */
export function driveTransfer(replica: Replica, role: Leader): void {
  const { state } = replica;
  const { transfer } = role;
  if (transfer === null) return;
  if (state.now >= transfer.deadline) {
    role.transfer = null;
    trace(replica, 'transfer-failed', { to: transfer.to });
    return;
  }
  // A block in the making still goes out before: the transferee must have it, or it is
  // forgotten with the lead.
  if (transfer.told || role.making !== null) return;
  if (role.progress.get(transfer.to)?.match !== lastHeight(state.log)) return;
  transfer.told = true;
  role.transfereeTold = true;
  send(replica, [transfer.to], { kind: 'timeout-now' });
}

/** Tells who asked how it ended: when another leader shows itself, or time is up. */
export function finishTransfer(replica: Replica): void {
  const { state } = replica;
  const { transfer } = state;
  if (transfer === null) return;
  const leader = knownLeader(state);
  const over = leader !== null && leader !== state.self;
  if (over && leader === transfer.to) {
    count(replica, 'transfers');
    state.transfer = null;
    answer(replica, transfer.id, { height: state.commit });
    return;
  }
  const kept = state.role.kind === 'leader' && state.role.transfer === null;
  if (!over && !kept && state.now < transfer.deadline) return;
  state.transfer = null;
  answer(
    replica,
    transfer.id,
    notNow(
      state,
      'consensus/transfer-failed',
      'the lead did not pass to that voter',
      'See who leads now ("quorate members list"), and try again.',
    ),
  );
}
