import type { LiarName } from '../plan/plan.ts';
import { badStateRoot } from './bad-state-root.ts';
import { censor } from './censor.ts';
import { clock } from './clock.ts';
import { crossParents } from './cross-parents.ts';
import { drip } from './drip.ts';
import { equivocate } from './equivocate.ts';
import { flood } from './flood.ts';
import { forgeNested } from './forge-nested.ts';
import { forgeNewView } from './forge-new-view.ts';
import { forget } from './forget.ts';
import { fullBlocks } from './full-blocks.ts';
import type { Liar, LiarTools } from './liar.ts';
import { lieAboutHeight } from './lie-about-height.ts';
import { mutate } from './mutate.ts';
import { poisonFrames } from './poison-frames.ts';
import { prepareAsCommit } from './prepare-as-commit.ts';
import { replay } from './replay.ts';
import { restless } from './restless.ts';
import { siblings } from './siblings.ts';
import { silent } from './silent.ts';
import { slow } from './slow.ts';
import { stale } from './stale.ts';
import { twoFacedVotes } from './two-faced-votes.ts';
import { withhold } from './withhold.ts';

/**
 * Every way to lie that is a wrapper around one node. (Twins are two honest nodes with
 * one key, and need none.)
 */
export const liars: Readonly<Record<Exclude<LiarName, 'twin'>, (tools: LiarTools) => Liar>> = {
  silent,
  equivocate,
  'two-faced-votes': twoFacedVotes,
  replay,
  'prepare-as-commit': prepareAsCommit,
  mutate,
  'forge-new-view': forgeNewView,
  'lie-about-height': lieAboutHeight,
  'bad-state-root': badStateRoot,
  withhold,
  censor,
  slow,
  flood,
  forget,
  restless,
  drip,
  siblings,
  'cross-parents': crossParents,
  'full-blocks': fullBlocks,
  stale,
  'forge-nested': forgeNested,
  'poison-frames': poisonFrames,
  clock,
};
