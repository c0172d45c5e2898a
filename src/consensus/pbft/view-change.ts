import type { Hash } from '../../crypto/hash.ts';
import type { Height } from '../../ledger/block.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import { limits } from '../../base/limits.ts';
import { acceptSlot } from './accepting.ts';
import { chainTo } from './chain.ts';
import { compareCommitsWithViewChange } from './evidence.ts';
import { catchUp } from './finality.ts';
import { isFresh, isNewChange, isOutdated, reach } from './freshness.ts';
import type { NewView, ViewChange } from './message.ts';
import { tellView, trace } from './outbox.ts';
import { furthestVote, mayVote, quorumOf, type Replica, viewPrimaryOf } from './replica.ts';
import { write } from './writing.ts';
import { highestRecord, newViewRecord, stateRecord } from './records.ts';
import { restartTimer, viewTimeout } from './progress-timer.ts';
import { highestOf } from './state.ts';
import { moveTo } from './views.ts';

/** A ViewChange of anybody, this replica included (once it is on disk). */
export function onViewChange(replica: Replica, viewChange: ViewChange): void {
  const { state } = replica;
  // One of a view that was left meanwhile is of no use (see `isWanted`).
  if (!isNewChange(state, viewChange)) return;
  state.viewChanges.set(viewChange.from, viewChange);
  compareCommitsWithViewChange(replica, viewChange.from);
  const { noted } = replica;
  if (viewChange.finalCertificate !== undefined) noted.certificates.push(viewChange.finalCertificate);
  noted.leaving = true;
  noted.changing = true;
}

/**
 * With a quorum that left the views below, the time of this view's primary runs. Those that are past this
 * view already count too, or a few that waited less would leave the others without a quorum for ever. The
 * primary starts the view with a quorum of ViewChanges for exactly this view.
 */
export function noteQuorum(replica: Replica): void {
  const { state } = replica;
  if (state.phase.name !== 'changing') return;
  const quorum = quorumOf(replica);
  const here: ViewChange[] = [];
  let left = 0;
  for (const viewChange of state.viewChanges.values()) {
    if (viewChange.view >= state.view) left += 1;
    if (viewChange.view === state.view) here.push(viewChange);
  }
  if (left >= quorum && state.phase.quorumSince === null) {
    state.phase = { name: 'changing', quorumSince: state.now };
  }
  if (here.length < quorum || state.newViewAsked >= state.view) return;
  if (viewPrimaryOf(replica, state.view) !== replica.self || !mayVote(replica)) return;
  const viewChanges = quorumToBegin(replica, here);
  if (viewChanges === null) return fetchTips(replica, here);
  state.newViewAsked = state.view;
  write(replica, {
    sign: [{ kind: 'new-view', from: replica.self, view: state.view, viewChanges }],
  });
}

/**
 * A quorum of ViewChanges to begin the view with: one whose tip is here, where there is one. A liar may have
 * kept a certificate to itself until nobody else has its block, and may be among the first every time; the
 * ViewChanges of all honest validators come in a part of the time that the view has. A tip that an honest one
 * reports, who has the block, can be fetched in the view, after that wait.
 */
function quorumToBegin(replica: Replica, here: readonly ViewChange[]): ViewChange[] | null {
  const { phase, now } = replica.state;
  const first = freshest(replica, here, here);
  if (first === null || hasStart(replica, first)) return first;
  const known = here.filter(({ highest }) => highest === undefined || isHeld(replica, highest));
  const other = freshest(replica, known, here);
  if (other !== null && hasStart(replica, other)) return other;
  const since = phase.name === 'changing' ? (phase.quorumSince ?? now) : now;
  return now - since >= viewTimeout(replica) * limits.pbftTipWaitShare ? first : null;
}

/**
 * Meanwhile the blocks that these report and that are not here are asked for, again and again: with the one
 * of the tip the view begins at once, and not with a block that its primary has to wait for.
 */
function fetchTips(replica: Replica, here: readonly ViewChange[]): void {
  const { state, options } = replica;
  for (const { from, highest } of here) {
    if (highest === undefined || isHeld(replica, highest)) continue;
    const { height, blockHash, signatures } = highest;
    if (height > furthestVote(replica)) continue;
    const askedAt = state.tipsAsked.get(blockHash) ?? Number.NEGATIVE_INFINITY;
    if (state.now - askedAt < options.statusMs) continue;
    state.tipsAsked.set(blockHash, state.now);
    const holders = new Set([from, ...signatures.map(({ validator }) => validator)]);
    holders.delete(replica.self ?? from);
    replica.out.push({ type: 'validate', blockHash, height, proposal: null, holders: [...holders] });
  }
}

/**
 * A quorum of some ViewChanges that are not outdated beside any of those here, or nobody who knows more would
 * enter the view; ascending by sender. Null where there is none.
 */
function freshest(
  replica: Replica,
  some: readonly ViewChange[],
  here: readonly ViewChange[],
): ViewChange[] | null {
  const quorum = quorumOf(replica);
  const { window } = replica.options;
  const beside = Math.max(...here.map((viewChange) => reach(viewChange, window)));
  const chosen = some.toSorted((a, b) => b.finalHeight - a.finalHeight).slice(0, quorum);
  if (chosen.length < quorum || chosen.some((viewChange) => isOutdated(viewChange, beside, window)))
    return null;
  return chosen.sort((a, b) => a.from - b.from);
}

/** The view would start with blocks that are here, as far as this replica can tell, which may be behind. */
function hasStart(replica: Replica, viewChanges: readonly ViewChange[]): boolean {
  const { base, tip } = newViewStart(viewChanges, replica.epoch.height);
  return base.height > replica.state.final.height || tip === null || isHeld(replica, tip);
}

/** The block of a certificate is final here, or is here and valid, with all below it. */
function isHeld(replica: Replica, { height, blockHash }: Certificate): boolean {
  return height <= replica.state.final.height || chainTo(replica, blockHash) !== null;
}

/**
 * Where the view changes of a NewView make the view start, for everybody; each replica computes it itself.
 */
export function newViewStart(
  viewChanges: readonly ViewChange[],
  epoch: Height,
): {
  readonly base: { readonly height: Height; readonly certificate: Certificate | null };
  /** The block that the view starts with, when it is above the base. */
  readonly tip: Certificate | null;
} {
  let base: { height: Height; certificate: Certificate | null } = { height: epoch, certificate: null };
  let highest: Certificate | null = null;
  for (const { finalHeight, finalCertificate, highest: reported } of viewChanges) {
    if (finalHeight > base.height) base = { height: finalHeight, certificate: finalCertificate ?? null };
    highest = highestOf(highest, highestOf(reported, finalCertificate));
  }
  return { base, tip: highest !== null && highest.height > base.height ? highest : null };
}

/** changing → normal, or normal → normal in a higher view. One NewView is accepted for each view. */
export function onNewView(replica: Replica, newView: NewView): void {
  const { state } = replica;
  if (newView.view < state.view) return;
  if (newView.view === state.view && state.phase.name === 'normal') return;
  if (!isFresh(replica, newView)) {
    trace(replica, 'new-view-refused', { view: newView.view });
    // Somebody who knew less may be in that view, and does not repeat that he left the one before. A quorum
    // did: the time of that view's primary runs here, too, and all get out of it together. An own one may be
    // of before a lost log.
    for (const viewChange of newView.viewChanges)
      if (viewChange.from !== replica.self) onViewChange(replica, viewChange);
    return;
  }
  if (newView.view > state.view) moveTo(replica, newView.view);
  const { base, tip } = newViewStart(newView.viewChanges, replica.epoch.height);
  startView(replica, newView, base, tip);
  // One whose block is not here is not reported from then on: it may be a liar's, who gives it to nobody. Who
  // committed it has it, and reports it.
  if (tip !== null && isHeld(replica, tip)) state.highest = highestOf(state.highest, tip);
  write(replica, {
    records: [stateRecord(replica), newViewRecord(newView), ...highestRecord(replica)],
  });
  trace(replica, 'new-view', { view: state.view, base: base.height, tip: tip?.height ?? base.height });
  const after = tip?.height ?? base.height;
  tellView(replica, newView.from, `validator ${newView.from} began it after block ${after}`);

  if (base.certificate !== null) replica.noted.certificates.push(base.certificate);
  replica.noted.opened = true;
}

/**
 * At a start: its own NewView is on the disk, and it was not entered before the crash. It may have reached
 * others, and nobody can send it to its sender.
 */
export function enterOwnView(replica: Replica): void {
  const { own, view } = replica.state;
  for (const message of own.values()) {
    const isOfThisView = message.epoch === replica.epoch.height && 'view' in message && message.view === view;
    if (message.kind === 'new-view' && isOfThisView) onNewView(replica, message);
  }
}

/** A view that was opened starts with its tip, above its base. */
export function reachStart(replica: Replica): void {
  const { newView, final } = replica.state;
  if (newView === null) return;
  const { base, tip } = newViewStart(newView.viewChanges, replica.epoch.height);
  if (base.height > final.height) {
    catchUp(
      replica,
      base.height,
      newView.viewChanges.filter(({ finalHeight }) => finalHeight === base.height).map(({ from }) => from),
    );
  }
  if (tip !== null) acceptTip(replica, tip);
}

export function startView(
  replica: Replica,
  newView: NewView,
  base: { readonly height: Height; readonly certificate: Certificate | null },
  tip: Certificate | null,
): void {
  const { state } = replica;
  const start: { height: Height; blockHash: Hash } | null = tip ?? base.certificate;
  state.phase = { name: 'normal' };
  state.newView = newView;
  state.viewBase = start === null ? replica.epoch : { height: start.height, blockHash: start.blockHash };
  state.viewSince = state.now;
  restartTimer(replica);
}

/**
 * The tip is accepted by NewView itself: as a whole chain, with one Prepare at its own height and none below.
 */
function acceptTip(replica: Replica, tip: Certificate): void {
  const { final, recentFinal } = replica.state;
  // Long final here: too long ago to check that it is the same block, and others get it by sync.
  if (tip.height <= final.height && recentFinal.get(tip.height) !== tip.blockHash) return;
  acceptSlot(replica, {
    height: tip.height,
    blockHash: tip.blockHash,
    parentHash: replica.state.valid.get(tip.blockHash)?.parentHash ?? null,
    proposal: null,
    holders: tip.signatures.map(({ validator }) => validator),
  });
}
