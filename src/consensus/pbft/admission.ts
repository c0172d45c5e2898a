import { limits } from '../../base/limits.ts';
import type { ValidatorIndex } from '../engine.ts';
import { isAnswered, isAwaited } from './amnesia.ts';
import { isAccused } from './evidence.ts';
import { isFresh, isNewChange } from './freshness.ts';
import { isSlotMessage, type PbftMessage, type ViewChange } from './message.ts';
import { type Replica, windowEnd } from './replica.ts';
import { tallyKey } from './state.ts';
import { isOldStatus } from './status.ts';
import { isLater } from './suspicion.ts';
import { isCounted } from './tally.ts';

/**
 * False when `step` would drop the message in any case, whatever its signatures say.
 * `direct` as in the input.
 */
export function isWanted(replica: Replica, message: PbftMessage, direct: boolean): boolean {
  const { state } = replica;
  if (message.epoch !== replica.epoch.height) return false;
  if (message.from === replica.self || state.peers[message.from] === undefined) return false;
  switch (message.kind) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit': {
      if (
        message.view > state.view + limits.pbftFarAhead ||
        message.height > windowEnd(replica) + limits.pbftFarAhead
      )
        return false;
      if (isAhead(replica, message)) return !isKept(replica, message);
      if (!isCounted(replica, message.kind, message.view, message.height)) return false;
      const tally = state.tallies.get(tallyKey(message.view, message.height));
      const votes = message.kind === 'pre-prepare' ? tally?.prePrepare : tally?.[message.kind];
      return votes?.get(message.from)?.blockHash !== message.blockHash;
    }
    case 'suspect': {
      const earlier = state.suspects.get(message.from);
      return message.view >= state.view && (earlier === undefined || isLater(message, earlier));
    }
    case 'view-change':
      return isNewChange(state, message);
    case 'new-view':
      if (message.view < state.view) return false;
      if (message.view === state.view && state.phase.name === 'normal') return false;
      return isFresh(replica, message) || message.viewChanges.some((each) => bringsNews(replica, each));
    case 'query-stable':
      return isAnswered(replica, message, direct);
    case 'reply-stable':
      return isAwaited(replica, message);
    case 'status':
      return direct || !isOldStatus(replica, message);
    case 'evidence':
      return !isAccused(state, message.proof);
  }
}

/** Of another validator, and later than what is known of it. */
function bringsNews({ self, state }: Replica, viewChange: ViewChange): boolean {
  return viewChange.from !== self && isNewChange(state, viewChange);
}

/** Of a later view, above the window, or a proposal for a view that is not open here yet. */
export function isAhead(replica: Replica, message: PbftMessage): boolean {
  if (!isSlotMessage(message)) return false;
  const { state } = replica;
  if (message.view > state.view) return true;
  if (message.view < state.view) return false;
  return (
    message.height > windowEnd(replica) || (message.kind === 'pre-prepare' && state.phase.name === 'changing')
  );
}

/** Whoever sends one again, its sender or somebody else, makes nothing else give way. */
function isKept({ state }: Replica, message: PbftMessage): boolean {
  if (!isSlotMessage(message)) return false;
  const { kind, view, height, blockHash } = message;
  return (state.ahead.get(message.from) ?? []).some(
    (kept) =>
      isSlotMessage(kept) &&
      kept.kind === kind &&
      kept.view === view &&
      kept.height === height &&
      kept.blockHash === blockHash,
  );
}

/**
 * Keeps a message for when its time comes; each sender can fill only its own share, and its oldest give way.
 */
export function keepForLater(replica: Replica, message: PbftMessage): void {
  const { ahead } = replica.state;
  if (isKept(replica, message)) return;
  const kept = ahead.get(message.from) ?? [];
  kept.push(message);
  if (kept.length > limits.pbftBufferedPerValidator) kept.shift();
  ahead.set(message.from, kept);
  if (message.kind === 'pre-prepare') boundHashes(ahead);
}

/**
 * Proposals are the large ones among them. When all of them together hold too many hashes, whoever sent
 * the most loses its oldest.
 */
function boundHashes(ahead: ReadonlyMap<ValidatorIndex, PbftMessage[]>): void {
  for (;;) {
    let total = 0;
    let most: { readonly kept: PbftMessage[]; readonly hashes: number } | undefined;
    for (const kept of ahead.values()) {
      const hashes = kept.reduce((sum, message) => sum + hashesIn(message), 0);
      total += hashes;
      if (hashes > (most?.hashes ?? 0)) most = { kept, hashes };
    }
    if (total <= limits.pbftBufferedHashes || most === undefined) return;
    most.kept.splice(
      most.kept.findIndex((message) => hashesIn(message) > 0),
      1,
    );
  }
}

function hashesIn(message: PbftMessage): number {
  return message.kind === 'pre-prepare' ? message.proposal.transactionHashes.length : 0;
}

/** Takes out what was kept and is not ahead any more, in the order in which it came from each sender. */
export function takeDue(replica: Replica): PbftMessage[] {
  const { ahead } = replica.state;
  const taken: PbftMessage[] = [];
  for (const [from, kept] of ahead) {
    const due = kept.filter((message) => !isAhead(replica, message));
    if (due.length === 0) continue;
    const rest = kept.filter((message) => isAhead(replica, message));
    if (rest.length === 0) ahead.delete(from);
    else ahead.set(from, rest);
    taken.push(...due);
  }
  return taken;
}
