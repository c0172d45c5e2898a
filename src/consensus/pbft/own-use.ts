import type { Certificate } from '../../ledger/certificate.ts';
import { voteKey } from './signing.ts';
import { trace } from './outbox.ts';
import { stateRecord } from './records.ts';
import type { Replica } from './replica.ts';
import { write } from './writing.ts';

/**
 * A commit certificate above the final block that bears this replica's own signature, while its log has no
 * such vote. A vote is on disk before it leaves, and stays there until its block is stored. So the log is not
 * the one that the key was used with last: the node's whole directory is an old copy, or another process
 * signs with the key. From then on the replica is one whose log is lost: it asks, and votes again where
 * nothing can contradict what was signed. A signature above that place can only be another process's.
 */
export function noticeOwnUse(replica: Replica, certificate: Certificate): void {
  const { state, self } = replica;
  if (self === null || !certificate.signatures.some(({ validator }) => validator === self)) return;
  if (isExplained(replica, certificate)) return;
  const { view, height } = certificate;
  const again = state.keyUse === 'doubted';
  trace(replica, 'key-used-elsewhere', { view, height, again });
  state.keyUse = 'doubted';
  // Also while it is silent: an old copy of that knows nothing of what was signed after it.
  state.guard = { name: 'learning', nonce: replica.nonce, proven: new Map() };
  write(replica, { records: [stateRecord(replica)] });
}

function isExplained({ state }: Replica, { epoch, view, height, blockHash }: Certificate): boolean {
  // What was signed in views that were left is forgotten, and an operator vouched for what is not known.
  if (height <= state.final.height || view < state.view || state.keyUse === 'vouched') return true;
  // The log is known to be lost, or may be.
  if (state.unproven !== null || state.guard.name === 'learning' || height <= state.forgottenUpTo)
    return true;
  const vote = state.own.get(voteKey('commit', { epoch, view, height }));
  return vote?.kind === 'commit' && vote.blockHash === blockHash;
}
