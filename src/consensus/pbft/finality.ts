import { invariant } from '../../base/invariant.ts';
import type { Height } from '../../ledger/block.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import type { ChainLink, ValidatorIndex } from '../engine.ts';
import { askSync } from '../shared/sync-ask.ts';
import { onFinalForGuard, onRunningChain } from './amnesia.ts';
import { chainTo } from './chain.ts';
import { countCertificate, onDoubleVote } from './evidence.ts';
import { count } from '../shared/step.ts';
import { noticeOwnUse } from './own-use.ts';
import { restartTimer } from './progress-timer.ts';
import type { Replica } from './replica.ts';
import { type AcceptedSlot, highestOf } from './state.ts';
import { forgetTallies } from './tally.ts';
import { adoptView } from './views.ts';

/**
 * A commit certificate makes its block and every ancestor final (rule 4 of the normal case), whatever
 * view this replica is in.
 */
export function onCommitCertificate(replica: Replica, certificate: Certificate): void {
  const { state } = replica;
  onRunningChain(replica);
  noticeOwnUse(replica, certificate);
  if (certificate.view > state.view) adoptView(replica, certificate.view);
  countCertificate(replica, certificate);
  if (certificate.height <= state.final.height) {
    compareWithFinal(replica, certificate);
    return;
  }
  const chain = chainTo(replica, certificate.blockHash);
  if (chain === null) {
    const slot = state.slots.get(certificate.height);
    if (slot?.blockHash === certificate.blockHash && slot.validity === 'checking') return;
    catchUp(
      replica,
      certificate.height,
      certificate.signatures.map(({ validator }) => validator),
    );
    return;
  }
  finalize(replica, chain, certificate);
}

/**
 * Another block was final somewhere at a height that is final here: more than f validators lie, and
 * nothing can be promised any more but that they are named. Whoever signed both certificates did what
 * no correct validator does.
 */
function compareWithFinal(replica: Replica, certificate: Certificate): void {
  const known = replica.state.recentFinal.get(certificate.height);
  if (known === undefined || known === certificate.blockHash) return;
  count(replica, 'conflicting-certificates');
  const own = replica.state.final.certificate;
  if (own?.height !== certificate.height || own.view !== certificate.view) return;
  const { view, height } = certificate;
  const ownSignatures = new Map(own.signatures.map(({ validator, signature }) => [validator, signature]));
  for (const { validator, signature } of certificate.signatures) {
    const first = ownSignatures.get(validator);
    if (first === undefined) continue;
    onDoubleVote(replica, validator, 'commit', { view, height }, [
      { blockHash: own.blockHash, signature: first },
      { blockHash: certificate.blockHash, signature },
    ]);
  }
}

function finalize(replica: Replica, chain: readonly ChainLink[], certificate: Certificate): void {
  const { state } = replica;
  for (const [index, link] of chain.entries()) {
    invariant(link.height === state.final.height + 1, 'blocks become final one by one, in order');
    invariant(link.parentHash === state.final.blockHash, 'a final block extends the final block before it');
    invariant(!state.final.isLast, 'no block of an epoch is final above its last one');
    const own = index === chain.length - 1 ? certificate : null;
    state.final = {
      height: link.height,
      blockHash: link.blockHash,
      certificate: own ?? certificate,
      isLast: link.isLast,
    };
    state.recentFinal.set(link.height, link.blockHash);
    replica.out.push({
      type: 'commit',
      link,
      certificate: own === null ? null : { engine: 'pbft', ...own },
    });
    count(replica, 'final-blocks');
  }
  state.highest = highestOf(state.highest, certificate);
  state.lastFinalAt = state.now;
  state.pacing.nothingToBuild = false;
  state.attempts = 0;
  if (state.grounds?.reason === 'no-progress') state.grounds = null;
  restartTimer(replica);
  forgetBelowFinal(replica);
  onFinalForGuard(replica);
}

function forgetBelowFinal(replica: Replica): void {
  const { state, options } = replica;
  const { height: final } = state.final;
  for (const height of state.recentFinal.keys()) {
    if (height + 2 * options.window < final) state.recentFinal.delete(height);
  }
  for (const [blockHash, link] of state.valid) {
    if (link.height <= final) {
      state.valid.delete(blockHash);
      state.stored.delete(blockHash);
    }
  }
  for (const [height, slot] of state.slots) {
    if (height > final) continue;
    // The tip of the view stays: this replica goes on voting for it, so that others can finish it.
    if (height === state.viewBase.height && isFinalHere(replica, slot)) slot.validity = 'valid';
    else state.slots.delete(height);
  }
  for (const height of state.waiting.keys()) if (height <= final) state.waiting.delete(height);
  forgetTallies(replica);
}

/** A block and its state are stored. */
export function onApplied({ state }: Replica, height: Height): void {
  invariant(height === state.appliedHeight + 1, 'blocks are applied one by one, in order');
  state.appliedHeight = height;
}

function isFinalHere(replica: Replica, slot: AcceptedSlot): boolean {
  return replica.state.recentFinal.get(slot.height) === slot.blockHash;
}

/** Others are final at this height. */
export function catchUp(replica: Replica, height: Height, holders: readonly ValidatorIndex[]): void {
  const { state } = replica;
  const effect = askSync(state.syncAsk, {
    height,
    holders: holders.filter((holder) => holder !== replica.self),
    now: state.now,
    everyMs: replica.options.statusMs,
  });
  if (effect !== null) replica.out.push(effect);
}
