import type { ChainLink, Input, ValidatorIndex } from '../engine.ts';
import { isDue, start } from '../shared/timer.ts';
import { chainTo } from './chain.ts';
import type { PbftMessage } from './message.ts';
import type { Noted } from './noted.ts';
import { trace } from './outbox.ts';
import { furthestVote, isDiskKeepingUp, isNormal, mayVote, type Replica } from './replica.ts';
import type { AcceptedSlot } from './state.ts';
import { raiseGrounds } from './suspicion.ts';
import { advance } from './voting.ts';
import { write } from './writing.ts';

type Validated = Extract<Input<PbftMessage>, { type: 'validated' }>;
type Synced = Extract<Input<PbftMessage>, { type: 'synced' }>;

/** Has the driver fetch and execute a block, unless sync has to bring what is below it first. */
export function askValidation(replica: Replica, slot: AcceptedSlot): void {
  if (slot.height > furthestVote(replica)) return markUnavailable(replica, slot);
  slot.validity = 'checking';
  replica.out.push({
    type: 'validate',
    blockHash: slot.blockHash,
    height: slot.height,
    proposal: slot.proposal,
    holders: slot.holders.filter((holder: ValidatorIndex) => holder !== replica.self),
  });
}

/** Asks again for accepted blocks that nobody could supply, or whose time had not come. */
export function retryValidations(replica: Replica): void {
  for (const slot of replica.state.slots.values()) {
    const waits = slot.validity === 'unavailable' || slot.validity === 'early';
    if (waits && isDue(slot.retry, replica.state.now)) askValidation(replica, slot);
  }
}

export function onValidated(replica: Replica, { blockHash, result }: Validated): void {
  const { state } = replica;
  const slots = [...state.slots.values()].filter((slot) => slot.blockHash === blockHash);
  switch (result.verdict) {
    case 'valid':
      for (const { height } of slots) {
        if (state.tooEarly !== null && state.tooEarly.height <= height) state.tooEarly = null;
      }
      learnLinks(replica, result.chain, true);
      // The final block may have moved past the start of the chain meanwhile.
      if (chainTo(replica, blockHash) === null) for (const slot of slots) markUnavailable(replica, slot);
      return;
    case 'early':
      onEarly(replica, result, slots);
      return;
    case 'invalid':
      for (const slot of slots) {
        slot.validity = 'invalid';
        trace(replica, 'proposal-refused', { height: slot.height, reason: result.reason });
        raiseGrounds(replica, 'invalid-proposal', slot.height);
      }
      return;
    case 'unavailable':
      for (const slot of slots) markUnavailable(replica, slot);
  }
}

/**
 * Valid, but its time has not come by the clock of this node: no vote yet, and no ground for suspicion,
 * because it is as likely this clock that is wrong; a primary whose clock is far ahead runs into the timer of
 * the view. Others' votes make it final here all the same. What a quorum prepared, or this replica before a
 * restart, honest clocks have passed already.
 */
function onEarly(
  replica: Replica,
  { chain, aheadMs }: { readonly chain: readonly ChainLink[]; readonly aheadMs: number },
  slots: readonly AcceptedSlot[],
): void {
  const { state, options } = replica;
  if (slots.some(({ proposal, prepareAsked }) => proposal === null || prepareAsked)) {
    learnLinks(replica, chain, true);
    return;
  }
  for (const slot of slots) {
    slot.validity = 'early';
    start(slot.retry, state.now, Math.min(aheadMs, options.statusMs));
    if (state.tooEarly === null) trace(replica, 'proposal-early', { height: slot.height, aheadMs });
    state.tooEarly = { height: slot.height, aheadMs };
  }
  learnLinks(replica, chain, false);
}

function markUnavailable(replica: Replica, slot: AcceptedSlot): void {
  if (slot.validity === 'valid') return;
  slot.validity = 'unavailable';
  start(slot.retry, replica.state.now, replica.options.statusMs);
}

/** Blocks that sync fetched, up to one with a certificate that the driver checked. */
export function onSynced(replica: Replica, { chain, certificate }: Synced): void {
  if (certificate.engine !== 'pbft' || certificate.phase !== 'commit') return;
  // Its signatures may have been checked while the epoch ended.
  if (certificate.epoch !== replica.epoch.height) return;
  const last = chain.at(-1);
  if (last?.blockHash !== certificate.blockHash || last.height !== certificate.height) return;
  learnLinks(replica, chain, true);
  replica.noted.certificates.push(certificate);
}

/** Takes in how blocks link and that they execute; `valid`: this replica may vote for them, too. */
function learnLinks({ state, noted }: Replica, chain: readonly ChainLink[], valid: boolean): void {
  for (const link of chain) {
    if (link.height > state.final.height) state.valid.set(link.blockHash, link);
    noted.links.push({ link, valid });
  }
}

/** All that waited for this link: its own vote, if it may be cast, and what others said of the block. */
export function followLink(replica: Replica, { link, valid }: Noted['links'][number]): void {
  const { state } = replica;
  if (chainTo(replica, link.blockHash) === null) return;
  const slot = state.slots.get(link.height);
  if (valid && slot?.blockHash === link.blockHash && slot.validity !== 'valid') {
    slot.validity = 'valid';
    prepare(replica, slot);
  }
  for (const tally of state.tallies.values()) {
    if (tally.height === link.height) advance(replica, tally);
  }
}

/**
 * A Prepare that had to wait: for the disk, for the amnesia guard, or for this view. What was found valid
 * some time ago and not stored the driver may have let go since: it is validated anew first.
 */
export function maybePrepare(replica: Replica, slot: AcceptedSlot): void {
  const { stored } = replica.state;
  if (!canPrepare(replica, slot)) return;
  const chain = chainTo(replica, slot.blockHash) ?? [];
  if (chain.every(({ blockHash }) => stored.has(blockHash))) prepare(replica, slot);
  else askValidation(replica, slot);
}

function canPrepare(replica: Replica, slot: AcceptedSlot): boolean {
  if (slot.prepareAsked || slot.validity !== 'valid' || !isNormal(replica)) return false;
  return mayVote(replica) && slot.height > replica.state.forgottenUpTo && isDiskKeepingUp(replica);
}

/** One Prepare for an accepted, valid block, once it and its whole chain are on disk. */
function prepare(replica: Replica, slot: AcceptedSlot): void {
  const { state, self } = replica;
  if (!canPrepare(replica, slot) || self === null) return;
  slot.prepareAsked = true;
  write(replica, {
    blocks: (chainTo(replica, slot.blockHash) ?? []).map((link) => link.blockHash),
    sign: [
      {
        kind: 'prepare',
        from: self,
        view: state.view,
        height: slot.height,
        blockHash: slot.blockHash,
      },
    ],
  });
}
