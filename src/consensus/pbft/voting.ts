import { compareCommitsWithViewChange, countVote } from './evidence.ts';
import { onCommitCertificate } from './finality.ts';
import type { Vote } from './message.ts';
import { send } from './outbox.ts';
import { isNormal, mayVote, primaryOf, type Replica } from './replica.ts';
import { write } from './writing.ts';
import { type AcceptedSlot, highestOf, type Tally, tallyKey } from './state.ts';
import { certificateOf, isCounted, tallyFor } from './tally.ts';
import { certificateRecord } from './records.ts';

/** Counts one vote. Own votes come here too, once they are on disk. */
export function onVote(replica: Replica, vote: Vote): void {
  if (!isCounted(replica, vote.kind, vote.view, vote.height)) return;
  const tally = tallyFor(replica, vote.view, vote.height);
  if (!countVote(replica, tally, vote.kind, vote.from, vote)) return;
  if (vote.kind === 'commit') compareCommitsWithViewChange(replica, vote.from);
  showOtherProposal(replica, vote);
  replica.noted.places.push(vote);
}

/**
 * Somebody votes for another block than the one accepted here: the primary may have shown each of us its own.
 * With the proposal of this side in hand, the other side can prove it.
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
    epoch: replica.epoch.height,
    from: primary,
    view: vote.view,
    height: slot.height,
    blockHash: slot.blockHash,
    proposal: slot.proposal,
    signature: proposed.signature,
  });
}

/** Takes a height as far as its votes allow: prepared, committed, final (PBFT, section 4.2). */
export function advance(replica: Replica, { view, height }: Pick<Vote, 'view' | 'height'>): void {
  const tally = replica.state.tallies.get(tallyKey(view, height));
  if (tally === undefined) return;
  const slot = replica.state.slots.get(height);
  if (view === replica.state.view && slot !== undefined) maybeCommit(replica, slot, tally);
  const committed = certificateOf(replica, tally, 'commit');
  if (committed !== null) onCommitCertificate(replica, committed);
}

/**
 * Prepared: the block is accepted and valid here, and a quorum's Prepares are held. Commit goes
 * out once that is on disk.
 */
function maybeCommit(replica: Replica, slot: AcceptedSlot, tally: Tally): void {
  const { state } = replica;
  if (slot.commitAsked || slot.validity !== 'valid' || !isNormal(replica)) return;
  const prepared = certificateOf(replica, tally, 'prepare', slot.blockHash);
  if (prepared === null) return;
  state.highest = highestOf(prepared, state.highest);
  // A Commit says that the block is on this disk, too: our own Prepare comes first.
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
