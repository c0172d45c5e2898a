import { decode, encode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { Certificate, VotePhase } from '../../ledger/certificate.ts';
import type { ValidatorIndex } from '../engine.ts';
import type { Contradicting, SignedWord } from '../protocol.ts';
import { cast } from '../shared/ballot.ts';
import { reportedRank } from './claims.ts';
import { isOutdated } from './freshness.ts';
import { contradictionCodec } from './message-codec.ts';
import type { Contradiction, SignedSlot } from './message.ts';
import { count } from '../shared/step.ts';
import { post, trace } from './outbox.ts';
import { type Replica, viewPrimaryOf } from './replica.ts';
import { compareRank, highestOf, type PbftState, type Tally, type TallyVote } from './state.ts';
import { isCounted, tallyFor, votesOf } from './tally.ts';

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
 * The signatures in a certificate are votes too: they complete tallies, and may contradict what its
 * signers told this replica.
 */
export function countCertificate(replica: Replica, certificate: Certificate): void {
  const { phase, view, height, blockHash } = certificate;
  if (!isCounted(replica, phase, view, height)) return;
  const tally = tallyFor(replica, view, height);
  for (const { validator, signature } of certificate.signatures) {
    if (validator !== replica.self) countVote(replica, tally, phase, validator, { blockHash, signature });
  }
}

/** Two votes of one kind and place for different blocks. */
export function onDoubleVote(
  replica: Replica,
  from: ValidatorIndex,
  phase: VotePhase,
  place: Pick<Tally, 'view' | 'height'>,
  votes: readonly [TallyVote, TallyVote],
): void {
  const slots = votes.map((vote): SignedSlot => ({
    view: place.view,
    height: place.height,
    blockHash: vote.blockHash,
    signature: vote.signature,
  }));
  const [first, second] = slots.sort((a, b) => (a.blockHash < b.blockHash ? -1 : 1)) as [
    SignedSlot,
    SignedSlot,
  ];
  onContradiction(replica, {
    type: 'double',
    epoch: replica.epoch.height,
    accused: from,
    phase,
    first,
    second,
  });
}

/** A Commit says "I hold a certificate of this rank"; a later ViewChange that reports less denies it. */
export function compareCommitsWithViewChange(replica: Replica, from: ValidatorIndex): void {
  const viewChange = replica.state.viewChanges.get(from);
  if (viewChange === undefined) return;
  for (const tally of replica.state.tallies.values()) {
    const vote = tally.commit.get(from);
    if (vote === undefined || tally.view >= viewChange.view) continue;
    if (compareRank(reportedRank(viewChange), tally) >= 0) continue;
    if (isOutdated(viewChange, tally.height, replica.options.window)) continue;
    onContradiction(replica, {
      type: 'forgotten-commit',
      epoch: replica.epoch.height,
      accused: from,
      commit: {
        view: tally.view,
        height: tally.height,
        blockHash: vote.blockHash,
        signature: vote.signature,
      },
      viewChange,
    });
  }
}

/**
 * Keeps, shows and passes on a proof, once for each validator and kind. Whether the view ends for it is
 * decided when the step ends.
 */
export function onContradiction(replica: Replica, proof: Contradiction): void {
  const { state } = replica;
  const kind = kindOf(proof);
  if (!isAccused(state, proof)) {
    state.accused.add(`${proof.accused}/${kind}`);
    count(replica, 'evidence');
    trace(replica, 'contradiction', { accused: proof.accused, kind });
    replica.out.push({
      type: 'evidence',
      accused: proof.accused,
      kind,
      bytes: encode(contradictionCodec, proof),
    });
    if (replica.self !== null) post(replica, 'all', { kind: 'evidence', from: replica.self, proof });
  }
  // A primary that was caught lying in this very view has no claim to the rest of it.
  const view = proof.type === 'double' ? proof.first.view : proof.viewChange.view;
  if (view === state.view && proof.accused === viewPrimaryOf(replica, view)) state.caught = true;
}

/** This validator was caught in this kind of contradiction before. */
export function isAccused(state: PbftState, proof: Contradiction): boolean {
  return state.accused.has(`${proof.accused}/${kindOf(proof)}`);
}

function kindOf(proof: Contradiction): string {
  return proof.type === 'double' ? `double-${proof.phase}` : proof.type;
}

/** The two messages of a stored proof, for people. */
export function contradictionIn(evidence: Uint8Array): Contradicting | null {
  const proof = decode(contradictionCodec, evidence, 'evidence');
  if (proof instanceof Problem) return null;
  const { epoch } = proof;
  if (proof.type === 'double') {
    const { phase, first, second } = proof;
    return { epoch, messages: [voteWord(phase, first), voteWord(phase, second)] };
  }
  const { view, finalHeight, finalCertificate, highest, signature } = proof.viewChange;
  const best = highestOf(highest, finalCertificate);
  const viewChange = {
    kind: 'view-change',
    view,
    height: finalHeight,
    blockHash: finalCertificate?.blockHash ?? null,
    certificate: best === null ? null : { phase: best.phase, view: best.view, height: best.height },
    signature,
  };
  return { epoch, messages: [voteWord('commit', proof.commit), viewChange] };
}

function voteWord(kind: VotePhase, { view, height, blockHash, signature }: SignedSlot): SignedWord {
  return { kind, view, height, blockHash, certificate: null, signature };
}
