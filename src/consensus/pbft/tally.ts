import type { Hash } from '../../crypto/hash.ts';
import { type Height, toHeight, toView, type View } from '../../ledger/block.ts';
import type { Certificate, VotePhase } from '../../ledger/certificate.ts';
import type { ValidatorIndex } from '../engine.ts';
import { quorumOf, type Replica, windowEnd } from './replica.ts';
import { type Tally, tallyKey, type TallyVote } from './state.ts';

/** How far back the Commits of views that were left still count. Bounds what old votes can occupy. */
const pastViews = 8;

/** True when the place is one that votes are counted for now: so no more of them are kept than these. */
export function isCounted(replica: Replica, phase: VotePhase, view: View, height: Height): boolean {
  const { state } = replica;
  // The tip of the view, wherever it stands: one that is final here still needs votes, so that others can
  // finish it, and one above the window has this replica's own once its chain is valid.
  if (view === state.view && height === state.viewBase.height) return true;
  if (view > state.view || height > windowEnd(replica)) return false;
  if (view < state.view && (phase !== 'commit' || view < state.view - pastViews)) return false;
  return height > state.final.height;
}

/** The votes for this place, all of them that are counted here. */
export function tallyFor(replica: Replica, view: View, height: Height): Tally {
  const key = tallyKey(view, height);
  let tally = replica.state.tallies.get(key);
  if (tally === undefined) {
    tally = { view, height, prePrepare: new Map(), prepare: new Map(), commit: new Map() };
    replica.state.tallies.set(key, tally);
  }
  return tally;
}

export function votesOf(tally: Tally, phase: VotePhase): Map<ValidatorIndex, TallyVote> {
  return phase === 'pre-prepare' ? tally.prePrepare : tally[phase];
}

/**
 * A certificate of exactly a quorum, of the lowest validators that voted for one block;
 * null while there is none.
 */
export function certificateOf(
  replica: Replica,
  tally: Tally,
  phase: 'prepare' | 'commit',
  wanted?: Hash,
): Certificate | null {
  const quorum = quorumOf(replica);
  const votes = tally[phase];
  if (votes.size < quorum) return null;
  const byBlock = new Map<Hash, ValidatorIndex[]>();
  for (const [from, vote] of votes) {
    const voters = byBlock.get(vote.blockHash);
    if (voters === undefined) byBlock.set(vote.blockHash, [from]);
    else voters.push(from);
  }
  for (const [blockHash, voters] of byBlock) {
    if (voters.length < quorum || (wanted !== undefined && wanted !== blockHash)) continue;
    const signers = voters.toSorted((a, b) => a - b).slice(0, quorum);
    return {
      phase,
      epoch: replica.epoch.height,
      view: toView(tally.view),
      height: toHeight(tally.height),
      blockHash,
      signatures: signers.flatMap((validator) => {
        const vote = votes.get(validator);
        return vote === undefined ? [] : [{ validator, signature: vote.signature }];
      }),
    };
  }
  return null;
}

/** Lets go of the votes that count no more. */
export function forgetTallies(replica: Replica): void {
  const { tallies } = replica.state;
  for (const [key, { view, height }] of tallies) {
    if (!isCounted(replica, 'commit', view, height)) tallies.delete(key);
  }
}
