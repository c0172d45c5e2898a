import type { Replica } from './replica.ts';
import type { SuspectHeard } from './state.ts';

/** So many repetitions of a Suspect may be lost or late before it counts no more. */
const suspectRepeats = 10;

/**
 * A Suspect for lack of progress ends by itself when the height that it names is final, each when its sender
 * takes it back, and when it is not repeated for so long that its sender must have no grounds any more.
 */
export function stillCounts(
  { state, options }: Replica,
  { view, reason, height, heardAt }: SuspectHeard,
): boolean {
  if (view !== state.view || reason === 'withdrawn') return false;
  if (state.now - heardAt > suspectRepeats * options.statusMs) return false;
  return reason !== 'no-progress' || height > state.final.height;
}
