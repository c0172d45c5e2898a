import { limits } from '../../base/limits.ts';
import type { BlockHeader, Height } from '../../ledger/block.ts';
import type { Term } from './message.ts';
import { trace } from './outbox.ts';
import { unusedIncarnation } from './read-context.ts';
import { unprovenKey } from './records.ts';
import { isAmnesiac, type Replica } from './replica.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import { write } from './writing.ts';

/**
 * A block by this member's key, of a later term than its log knew when it started, in which this process did
 * not lead. Whoever leads has its vote for itself on disk, with the term, before it counts. So the log is not
 * the one that the key was used with last: the node's whole directory is an old copy, or another process
 * signs with the key. From then on the member is one whose log is lost. When a leader has told it what was
 * committed since, no block of its own can be of a later term than that leader's: one that is can only be
 * another process's.
 */
export function noticeOwnUse(replica: Replica, { proposer, view, height }: BlockHeader): void {
  const { state } = replica;
  if (proposer !== replica.key || isExplained(state, view)) return;
  const again = state.keyUse.trust === 'doubted';
  trace(replica, 'key-used-elsewhere', { view, height, again });
  state.keyUse.trust = 'doubted';
  if (!isAmnesiac(state)) distrustLog(replica, 'its key is used elsewhere');
}

/**
 * A chain of this height runs already. The empty log of a voter of the genesis file, of whose key this
 * machine knows no use, may be that of one that came back without its log: had it acknowledged a block, it
 * would now vote for a candidate that lacks it. So it is one whose log is lost.
 */
export function onRunningChain(replica: Replica, height: Height): void {
  const { state } = replica;
  if (!state.unproven || height <= limits.raftBeginning) return;
  trace(replica, 'chain-runs-already', { height });
  state.unproven = false;
  state.staleRecords.push(unprovenKey);
  if (!isAmnesiac(state)) distrustLog(replica, 'its key may have been used before');
}

/** From now on the member is one whose log is lost. */
function distrustLog(replica: Replica, why: string): void {
  const { state } = replica;
  if (state.role.kind !== 'follower') becomeFollower(replica, state.term, null, why);
  state.guard = { name: 'asking', asked: null };
  state.held = null;
  state.incarnation = unusedIncarnation(state.random);
  // Whatever waits to be said was decided by a member that seemed to know all its promises.
  for (const { kept } of state.writes.pending) kept.after = [];
  write(replica, {});
}

function isExplained({ guard, keyUse }: RaftState, term: Term): boolean {
  if (keyUse.trust === 'vouched' || guard.name === 'asking') return true;
  return term <= keyUse.upTo || keyUse.led.has(term);
}
