import type { Hash } from '../../crypto/hash.ts';
import { type Height, toHeight, toView, type View } from '../../ledger/block.ts';
import type { Certificate, VotePhase } from '../../ledger/certificate.ts';
import type { ValidatorIndex } from '../engine.ts';
import { cast } from '../shared/ballot.ts';
import { compareCommitsWithViewChange, onDoubleVote } from './evidence.ts';
import { onCommitCertificate } from './finality.ts';
import type { Vote } from './message.ts';
import { send } from './outbox.ts';
import { isNormal, mayVote, primaryOf, quorumOf, type Replica, windowEnd } from './replica.ts';
import { write } from './writing.ts';
import { type AcceptedSlot, highestOf, type Tally, tallyKey, type TallyVote } from './state.ts';
import { certificateRecord } from './records.ts';

/** How far back the Commits of views that were left still count. Bounds what old votes can occupy. */
const pastViews = 8;

/** True when the place is one that votes are counted for now; see `tallyFor` for what it bounds. */
export function isCounted(replica: Replica, phase: VotePhase, view: View, height: Height): boolean {
  const { state } = replica;
  // The tip of the view, wherever it stands: one that is final here still needs votes, so that others can finish it, and one
  // above the window has this replica's own once its chain is valid.
  if (view === state.view && height === state.viewBase.height) return true;
  if (view > state.view || height > windowEnd(replica)) return false;
  if (view < state.view && (phase !== 'commit' || view < state.view - pastViews)) return false;
  return height > state.final.height;
}

/** Counts one vote and acts on what it completes. Own votes come here too, once they are on disk. */
export function onVote(replica: Replica, vote: Vote): void {
  if (!isCounted(replica, vote.kind, vote.view, vote.height)) return;
  const tally = tallyFor(replica, vote.view, vote.height);
  if (!countVote(replica, tally, vote.kind, vote.from, vote)) return;
  if (vote.kind === 'commit') compareCommitsWithViewChange(replica, vote.from);
  showOtherProposal(replica, vote);
  advance(replica, vote.view, vote.height);
}

/** True when the vote is new. A second one for another block is evidence, and is not counted. */
export function countVote(
  replica: Replica,
  tally: Tally,
  phase: VotePhase,
  from: ValidatorIndex,
  { blockHash, signature }: TallyVote,
): boolean {
  const earlier = cast(votesOf(tally, phase), from, { blockHash, signature });
  if (earlier === undefined) return true;
  if (earlier.blockHash !== blockHash) {
    onDoubleVote(replica, from, phase, tally, [earlier, { blockHash, signature }]);
  }
  return false;
}

/**
 * Somebody votes for another block than the one accepted here: the primary may have shown each of us its own. With the
 * proposal of this side in hand, the other side can prove it.
 */
function showOtherProposal(replica: Replica, vote: Vote): void {
  const { state } = replica;
  const slot = state.slots.get(vote.height);
  if (slot?.proposal == null || vote.view !== state.view || slot.blockHash === vote.blockHash) return;
  const primary = primaryOf(replica, vote.view, vote.height);
  const proposed = state.tallies.get(tallyKey(vote.view, vote.height))?.prePrepare.get(primary);
  if (proposed?.blockHash !== slot.blockHash || vote.from === replica.self) return;
  send(replica, [vote.from], {
    kind: 'pre-prepare',
    from: primary,
    view: vote.view,
    height: slot.height,
    blockHash: slot.blockHash,
    proposal: slot.proposal,
    signature: proposed.signature,
  });
}

/** The signatures in a certificate are votes too: they complete tallies, and may contradict what its signers told this replica. */
export function countCertificate(replica: Replica, certificate: Certificate): void {
  const { phase, view, height, blockHash } = certificate;
  if (!isCounted(replica, phase, view, height)) return;
  const tally = tallyFor(replica, view, height);
  for (const { validator, signature } of certificate.signatures) {
    if (validator !== replica.self) countVote(replica, tally, phase, validator, { blockHash, signature });
  }
}

export function tallyFor(replica: Replica, view: View, height: Height): Tally {
  const key = tallyKey(view, height);
  let tally = replica.state.tallies.get(key);
  if (tally === undefined) {
    tally = { view, height, prePrepare: new Map(), prepare: new Map(), commit: new Map() };
    replica.state.tallies.set(key, tally);
  }
  return tally;
}

function votesOf(tally: Tally, phase: VotePhase): Map<ValidatorIndex, TallyVote> {
  return phase === 'pre-prepare' ? tally.prePrepare : tally[phase];
}

/** Takes a height as far as its votes allow: prepared, committed, final (PBFT, section 4.2). */
export function advance(replica: Replica, view: View, height: Height): void {
  const tally = replica.state.tallies.get(tallyKey(view, height));
  if (tally === undefined) return;
  const slot = replica.state.slots.get(height);
  if (view === replica.state.view && slot !== undefined) maybeCommit(replica, slot, tally);
  const committed = certificateOf(replica, tally, 'commit');
  if (committed !== null) onCommitCertificate(replica, committed);
}

/** Prepared: the block is accepted and valid here, and a quorum's Prepares are held. Commit goes out once that is on disk. */
function maybeCommit(replica: Replica, slot: AcceptedSlot, tally: Tally): void {
  const { state } = replica;
  if (slot.commitAsked || slot.validity !== 'valid' || !isNormal(replica)) return;
  const prepared = certificateOf(replica, tally, 'prepare', slot.blockHash);
  if (prepared === null) return;
  state.highest = highestOf(prepared, state.highest);
  // A Commit says that the block is on this disk, too: the own Prepare comes first.
  if (!mayVote(replica) || replica.self === null || !slot.prepareAsked) return;
  slot.commitAsked = true;
  write(replica, {
    records: [certificateRecord(state.highest ?? prepared)],
    sign: [
      {
        kind: 'commit',
        from: replica.self,
        view: tally.view,
        height: slot.height,
        blockHash: slot.blockHash,
      },
    ],
  });
}

/** A certificate of exactly a quorum, of the lowest validators that voted for one block; null while there is none. */
function certificateOf(
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
