import type { Hash } from '../../crypto/hash.ts';
import { changesValidators, type Height, toHeight } from '../../ledger/block.ts';
import { stopped } from '../shared/timer.ts';
import { chainTo } from './chain.ts';
import { countVote } from './evidence.ts';
import type { PrePrepare } from './message.ts';
import { trace } from './outbox.ts';
import { endsEpoch, isNormal, primaryOf, type Replica } from './replica.ts';
import type { AcceptedSlot } from './state.ts';
import { raiseGrounds } from './suspicion.ts';
import { isCounted, tallyFor } from './tally.ts';
import { askValidation, maybePrepare } from './validating.ts';

/** A proposal of this view, inside the window. Rule 2 of the normal case; PBFT, section 4.2. */
export function onPrePrepare(replica: Replica, message: PrePrepare): void {
  const { state } = replica;
  if (!isNormal(replica) || message.view !== state.view) return;
  if (message.from !== primaryOf(replica, message.view, message.height)) return;
  if (
    message.height <= state.viewBase.height ||
    !isCounted(replica, 'pre-prepare', message.view, message.height)
  )
    return;
  const tally = tallyFor(replica, message.view, message.height);
  if (!countVote(replica, tally, 'pre-prepare', message.from, message)) return;

  const { header } = message.proposal;
  const author = replica.validators.keys[message.from];
  const formal =
    header.view === message.view &&
    header.proposer === author &&
    header.validatorsHash === replica.validators.hash;
  if (!formal) {
    trace(replica, 'proposal-refused', {
      height: message.height,
      reason: 'header names another view, author or set',
    });
    raiseGrounds(replica, 'invalid-proposal', message.height);
    return;
  }
  state.waiting.set(message.height, message);
}

/** Accepts the waiting proposals whose parents are known by now, lowest first. */
export function admitWaiting(replica: Replica): void {
  const { state } = replica;
  if (!isNormal(replica)) return;
  for (const height of [...state.waiting.keys()].sort((a, b) => a - b)) {
    const message = state.waiting.get(height);
    const parent = parentFor(replica, height);
    if (message === undefined || parent === null) continue;
    if (message.proposal.header.parentHash === parent.blockHash && !parent.isLast) {
      state.waiting.delete(height);
      acceptProposal(replica, message);
    } else {
      // It may still fit when the parent here turns out not to be the final one.
      if (parent.settled) state.waiting.delete(height);
      raiseGrounds(replica, 'invalid-proposal', height);
    }
  }
}

/** The only block that a block at this height may extend in this view; null while that is not known. */
function parentFor(replica: Replica, height: Height): Parent | null {
  const { state } = replica;
  const below = toHeight(height - 1);
  if (below === state.final.height) {
    // Above the last block of the epoch: whoever proposes that now is ahead of us, or lies.
    const { blockHash, isLast } = state.final;
    return isLast ? null : { blockHash, isLast, settled: true };
  }
  const slot = state.slots.get(below);
  // On an invalid one nothing is worth what it takes to bring it here.
  if (slot === undefined || slot.validity === 'invalid') return null;
  const { blockHash, proposal } = slot;
  const isLast = proposal === null ? endsEpoch(replica, blockHash) : changesValidators(proposal.header);
  return { blockHash, isLast, settled: false };
}

interface Parent {
  readonly blockHash: Hash;
  /** Nobody who keeps the rules proposes anything on it in this epoch. */
  readonly isLast: boolean;
  readonly settled: boolean;
}

function acceptProposal(replica: Replica, message: PrePrepare): void {
  const { state } = replica;
  if (state.slots.has(message.height)) return;
  acceptSlot(replica, {
    height: message.height,
    blockHash: message.blockHash,
    parentHash: message.proposal.header.parentHash,
    proposal: message.proposal,
    holders: [message.from],
  });
}

/**
 * Makes a block the accepted one of its height in this view, and has it validated unless
 * it is known to be valid.
 */
export function acceptSlot(
  replica: Replica,
  block: Pick<AcceptedSlot, 'height' | 'blockHash' | 'parentHash' | 'proposal' | 'holders'>,
): void {
  const { state } = replica;
  const known =
    state.recentFinal.get(block.height) === block.blockHash || chainTo(replica, block.blockHash) !== null;
  const slot: AcceptedSlot = {
    ...block,
    validity: known ? 'valid' : 'checking',
    retry: stopped(),
    prepareAsked: false,
    commitAsked: false,
  };
  state.slots.set(slot.height, slot);
  if (known) maybePrepare(replica, slot);
  else askValidation(replica, slot);
}
