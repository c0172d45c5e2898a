import { toHeight } from '../../ledger/block.ts';
import type { Status } from './message.ts';
import { trace } from './outbox.ts';
import { quorumOf, type Replica } from './replica.ts';
import { write } from './writing.ts';
import { positionRecord } from './records.ts';

/**
 * A validator that lost its consensus log must not vote where it may have voted before. Its lost votes were at
 * most W above its final height then, and a quorum was at most W behind that: so above h + 2W, with h the
 * highest height that a quorum proves final now, nothing it signs can contradict them.
 */
export function onStatusForGuard(replica: Replica, status: Status): void {
  const { state, options } = replica;
  if (state.guard.name !== 'learning' || status.from === replica.self) return;
  state.guard.proven.set(status.from, status.finalHeight);
  const heights = [...state.guard.proven.values(), state.final.height];
  if (heights.length < quorumOf(replica)) return;
  const until = toHeight(Math.max(...heights) + 2 * options.window);
  state.guard = { name: 'silent', until };
  trace(replica, 'amnesia-silent', { until });
  write(replica, { records: [positionRecord(state)] });
}

export function onFinalForGuard(replica: Replica): void {
  const { state } = replica;
  if (state.guard.name !== 'silent' || state.final.height <= state.guard.until) return;
  state.guard = { name: 'off' };
  trace(replica, 'amnesia-over', { height: state.final.height });
  write(replica, { records: [positionRecord(state)] });
}
