import type { Strategy } from '../byzantine-strategies.ts';

/** How a strategy is put to the test. */
interface Trial {
  /** What the liar does, in a few words. */
  readonly does: string;
  /** The validator that lies. Validator 0 leads first; so a liar there lies as primary, then as follower. */
  readonly liar: number;
  /** The lie leaves proof by its nature: the test demands it. */
  readonly convicts?: true;
  /** It lies only when the view changes: an honest primary is halted for a while, until it did. */
  readonly needsViewChange?: true;
  /** It lies only to who is behind: an honest follower is cut off for a while, and has to catch up. */
  readonly needsLaggard?: true;
  /** It lies only about transactions that were brought to it alone. */
  readonly needsBait?: true;
}

/** One for each strategy of the simulator. A strategy that is missing here does not compile. */
export const trials: Readonly<Record<Strategy, Trial>> = {
  silent: { does: 'primary: listens and says nothing', liar: 0 },
  equivocate: { does: 'primary: other blocks and votes for each half', liar: 0, convicts: true },
  'two-faced-votes': { does: 'follower: votes for two blocks at once', liar: 2, convicts: true },
  replay: { does: 'follower: sends old messages again, its own and others’', liar: 1 },
  'prepare-as-commit': { does: 'follower: shows prepares as commits, and back', liar: 3 },
  mutate: { does: 'primary: other view, height, digest or proof before signing', liar: 0 },
  'forge-new-view': {
    does: 'next primary: starts its view with what hides certificates',
    liar: 1,
    needsViewChange: true,
  },
  'lie-about-height': { does: 'follower: claims to be far ahead, serves rubbish', liar: 3 },
  'bad-state-root': { does: 'primary: blocks that do not do what they say', liar: 0 },
  withhold: { does: 'primary: proposes what it shows to nobody', liar: 0, needsBait: true },
  censor: { does: 'primary: passes over some senders for ever', liar: 0 },
  slow: { does: 'primary: waits until just before the timeout', liar: 0 },
  flood: { does: 'follower: sends forged and far-off messages without end', liar: 2 },
  forget: {
    does: 'follower: denies its certificates in view changes',
    liar: 2,
    needsViewChange: true,
  },
  restless: { does: 'follower: demands another view all the time', liar: 3 },
  drip: { does: 'follower: serves one true block just in time', liar: 2, needsLaggard: true },
  siblings: { does: 'follower: serves siblings under true certificates', liar: 2, needsLaggard: true },
  'cross-parents': { does: 'primary: builds for all on what half of them saw', liar: 0 },
  'full-blocks': { does: 'primary: fills its blocks, so that nothing else fits', liar: 0 },
  stale: { does: 'follower: repeats what others said long ago', liar: 3, needsViewChange: true },
  'forge-nested': { does: 'follower: nests signatures that nobody made', liar: 2 },
  'poison-frames': { does: 'follower: mixes forged transactions with good ones', liar: 1 },
  clock: { does: 'primary: dates its blocks as far ahead as it may', liar: 0 },
};
