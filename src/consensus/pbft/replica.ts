import { limits } from '../../base/limits.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { Height, View } from '../../ledger/block.ts';
import type { Certificate, Epoch } from '../../ledger/certificate.ts';
import { byzantineQuorum, maxFaulty } from '../../ledger/quorum.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { BlockName, ValidatorIndex } from '../engine.ts';
import { highWatermark } from '../shared/pacing.ts';
import type { Step } from '../shared/step.ts';
import type { PbftMessage } from './message.ts';
import type { Noted } from './noted.ts';
import type { PbftOptions } from './options.ts';
import { compareRank, type PbftState } from './state.ts';

/**
 * What the parts of the protocol work on: constants, the state, and of the step in progress what was noted
 * and its effects.
 */
export interface Replica extends Step<PbftMessage> {
  readonly chainId: Hash;
  /** The block that this epoch stands on: the genesis, or the last block of the epoch before. */
  readonly epoch: BlockName;
  readonly validators: ValidatorSet;
  /** This node's. */
  readonly key: PublicKey;
  readonly options: PbftOptions;
  /** Of the questions of this start. */
  readonly nonce: number;
  /** This node's index, or null for an observer. */
  readonly self: ValidatorIndex | null;
  readonly state: PbftState;
  noted: Noted;
}

export function quorumOf(replica: Replica): number {
  return byzantineQuorum(replica.validators.keys.length);
}

/** f + 1 distinct validators: at least one of them does not lie. */
export function weakQuorumOf(replica: Replica): number {
  return maxFaulty(replica.validators.keys.length) + 1;
}

/**
 * Who proposes at (view, height). Without rotation it is the view's primary for all
 * heights (PBFT, section 4).
 */
export function primaryOf(replica: Replica, view: View, height: Height): ValidatorIndex {
  const { blocksPerPrimary } = replica.options;
  const turns = blocksPerPrimary === 0 ? 0 : Math.floor((height - 1) / blocksPerPrimary);
  return (view + turns) % replica.validators.keys.length;
}

/** Who starts a view with NewView. */
export function viewPrimaryOf(replica: Replica, view: View): ValidatorIndex {
  return view % replica.validators.keys.length;
}

/** The highest height that may be in flight. It is never below a vote of this replica that is not final. */
export function windowEnd({ state, options }: Replica): Height {
  const end = highWatermark(state.final.height, options.window);
  return state.restoredUpTo > end ? state.restoredUpTo : end;
}

/**
 * Who is not behind votes no higher: a window above its final block, and after a crash that may be lower by
 * what was not stored. What is further up, the start of a view that others entered, stands on blocks that are
 * final there; to take them for a chain of this view would fill disk and memory with them.
 */
export function furthestVote({ state, options }: Replica): Height {
  return highWatermark(state.final.height, options.window + limits.pbftUnstored);
}

/**
 * Final blocks get to the disk about as fast as they become final. While they do not, this
 * replica votes for nothing new: what it signed must be found again above the stored block after
 * a crash, and that stays bounded.
 */
export function isDiskKeepingUp({ state }: Replica): boolean {
  return state.final.height - state.appliedHeight <= limits.pbftUnstored;
}

/** The highest-ranked certificate, where its rank is above that of the final block's own. */
export function highestAboveFinal({ state }: Replica): Certificate | undefined {
  const { highest, final } = state;
  return highest !== null && compareRank(highest, final.certificate) > 0 ? highest : undefined;
}

/** False for an observer, and while the amnesia guard holds. */
export function mayVote(replica: Replica): boolean {
  return replica.self !== null && replica.state.guard.name === 'off';
}

export function isNormal(replica: Replica): boolean {
  return replica.state.phase.name === 'normal';
}

/** The highest final height that anybody proved, this replica included. */
export function highestKnown({ state }: Replica): Height {
  return state.peers.reduce(
    (most, { finalHeight }) => (finalHeight > most ? finalHeight : most),
    state.final.height,
  );
}

export function epochOf({ chainId, epoch, validators }: Replica): Epoch {
  return { chainId, epoch: epoch.height, validatorsHash: validators.hash };
}

/** True for the last block of the epoch: nothing is proposed, accepted or voted for above it. */
export function endsEpoch({ state }: Replica, blockHash: Hash): boolean {
  if (blockHash === state.final.blockHash) return state.final.isLast;
  return state.valid.get(blockHash)?.isLast ?? false;
}
