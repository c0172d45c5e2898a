import type { EngineRequest, RequestId } from '../engine.ts';
import { count } from '../shared/step.ts';
import { staysVoter } from './configuration.ts';
import { lastHeight } from './log.ts';
import { bestHeir } from './membership.ts';
import { answer, knownLeader, notNow, send, trace } from './outbox.ts';
import { type Leader, type Raft } from './state.ts';

/** An operator, or a node that shuts down, asks the leader to hand over (dissertation, section 3.10). */
export function onTransferRequest(
  raft: Raft,
  id: RequestId,
  { to }: Extract<EngineRequest, { readonly kind: 'transfer' }>,
): void {
  const { state, options } = raft;
  const { role } = state;
  if (role.kind !== 'leader') {
    answer(raft, id, notNow(state, 'consensus/not-leader', 'this node does not lead', 'Ask the leader.'));
    return;
  }
  if (role.transfer !== null || state.transfer !== null) {
    answer(raft, id, notNow(state, 'consensus/busy', 'a transfer is on its way', 'Wait for its end.'));
    return;
  }
  if (to === state.self) {
    answer(raft, id, { height: state.commit });
    return;
  }
  const heir = to ?? bestHeir(raft, role);
  if (heir === null || !staysVoter(state.configuration, heir)) {
    answer(
      raft,
      id,
      notNow(
        state,
        'consensus/no-heir',
        'there is no such voter to hand over to',
        'Name another voter that runs.',
      ),
    );
    return;
  }
  const deadline = state.now + options.electionTimeoutMs;
  role.transfer = { to: heir, deadline, told: false };
  state.transfer = { id, to: heir, deadline: deadline + options.electionTimeoutMs };
  trace(raft, 'transfer', { to: heir });
}

/** Tells the heir to campaign once it has everything; gives up in time, and then takes on work again. */
export function driveTransfer(raft: Raft, role: Leader): void {
  const { state } = raft;
  const { transfer } = role;
  if (transfer === null) return;
  if (state.now >= transfer.deadline) {
    role.transfer = null;
    trace(raft, 'transfer-failed', { to: transfer.to });
    return;
  }
  // A block in the making still goes out before: the heir must have it, or it is forgotten with the office.
  if (transfer.told || role.making !== null) return;
  if (role.progress.get(transfer.to)?.match !== lastHeight(state.log)) return;
  transfer.told = true;
  role.heirTold = true;
  send(raft, [transfer.to], { kind: 'timeout-now' });
}

/** Tells who asked how it ended: when another leader shows itself, or time is up. */
export function finishTransfer(raft: Raft): void {
  const { state } = raft;
  const { transfer } = state;
  if (transfer === null) return;
  const leader = knownLeader(state);
  const over = leader !== null && leader !== state.self;
  if (over && leader === transfer.to) {
    count(raft, 'transfers');
    state.transfer = null;
    answer(raft, transfer.id, { height: state.commit });
    return;
  }
  const kept = state.role.kind === 'leader' && state.role.transfer === null;
  if (!over && !kept && state.now < transfer.deadline) return;
  state.transfer = null;
  answer(
    raft,
    transfer.id,
    notNow(
      state,
      'consensus/transfer-failed',
      'the lead did not pass to that voter',
      'See who leads now, and try again.',
    ),
  );
}
