import { invariant } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { isNothing } from './noted.ts';
import { type Replica, windowEnd } from './replica.ts';
import { mostStored } from './writing.ts';

/** What must hold after every step. Cheap: bounded by the window and the number of validators. */
export function checkInvariants(replica: Replica): void {
  const { state } = replica;
  const n = replica.validators.keys.length;
  const { height: final } = state.final;
  invariant(isNothing(replica.noted), 'what was noted is decided before the step ends');
  invariant(state.appliedHeight <= final, 'nothing is applied that is not final');
  invariant(
    final === replica.epoch.height || state.final.certificate?.height === final,
    'the final block has its own certificate',
  );
  invariant(
    state.recentFinal.get(state.final.height) === state.final.blockHash,
    'the final block is remembered',
  );
  invariant(
    (state.highest === null || state.highest.epoch === replica.epoch.height) && final >= replica.epoch.height,
    'what another epoch certified is nothing here',
  );
  for (const [height, slot] of state.slots) {
    invariant(height === slot.height, 'a slot stands at its height');
    invariant(
      height > final || height === state.viewBase.height,
      'below the final height only the tip of the view stays accepted',
    );
    invariant(height >= state.viewBase.height, 'nothing below the start of the view is accepted in it');
  }
  invariant(
    state.phase.name === 'normal' || (state.slots.size === 0 && state.waiting.size === 0),
    'nothing is accepted while changing view',
  );
  invariant(
    state.phase.name === 'changing' || state.view === 0 || state.newView?.view === state.view,
    'a view above 0 is open by its new-view only',
  );
  invariant(
    state.highest === null || state.highest.view <= state.view,
    'no certificate is of a view that this replica has not reached',
  );
  // Bounds: what others send can fill only what is set aside for them.
  const window = windowEnd(replica) - final;
  invariant(state.slots.size <= window + 1 && state.waiting.size <= window, 'the window bounds slots');
  invariant(state.tallies.size <= (window + 1) * 10, 'window and past views bound tallies');
  invariant(
    state.viewChanges.size <= n && state.suspects.size <= n,
    'one view change and one suspect for each validator',
  );
  invariant(
    state.stored.size <= mostStored(replica) + 2 * (window + 1) + limits.pbftUnstored,
    'blocks that views left behind are bounded',
  );
  for (const kept of state.ahead.values()) {
    invariant(kept.length <= limits.pbftBufferedPerValidator, 'the buffer of a validator is bounded');
  }
}
