import type { Height } from '../../ledger/block.ts';
import type { NewView, ViewChange } from './message.ts';
import type { Replica } from './replica.ts';
import type { PbftState } from './state.ts';

/**
 * A validator that lost its log does not know which views it had promised to leave. Once it votes again it
 * may vote in one of them, and somebody may still hold its old ViewChange, which reports nothing of that
 * vote. But it votes again only 2W and more above everything that it can have known before (`amnesia.ts`), so
 * its old ViewChange shows its age: beside a certificate of height `beside` it is outdated. Those of a
 * validator that has its log, and is not far behind, never are.
 */
export function isOutdated(viewChange: ViewChange, beside: number, window: number): boolean {
  return viewChange.finalHeight + 2 * window < beside;
}

/** It is of a later view than the last one of its sender, and that view was not left here. */
export function isNewChange({ view, viewChanges }: PbftState, viewChange: ViewChange): boolean {
  const earlier = viewChanges.get(viewChange.from);
  return viewChange.view >= view && (earlier === undefined || earlier.view < viewChange.view);
}

/**
 * The height up to which somebody who reports this has seen certificates, or a window above its final
 * block, whichever is more.
 */
export function reach(
  { finalHeight, highest }: { finalHeight: Height; highest?: { readonly height: Height } | null | undefined },
  window: number,
): number {
  return Math.max(finalHeight + window, highest?.height ?? 0);
}

/**
 * May this replica enter a view with this NewView? Not when one of its ViewChanges is outdated beside
 * what this replica knows; unless a block is final here that was committed in that view or later,
 * which others entered before.
 */
export function isFresh({ state, options }: Replica, newView: NewView): boolean {
  const { height: finalHeight, certificate } = state.final;
  if (certificate !== null && certificate.view >= newView.view) return true;
  const beside = reach({ finalHeight, highest: state.highest }, options.window);
  return !newView.viewChanges.some((viewChange) => isOutdated(viewChange, beside, options.window));
}
