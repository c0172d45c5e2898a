import type { Lesson } from './lesson.ts';
import { others } from './others.ts';
import { equivocation, threeFPlusOne, threePhases, viewChange } from './pbft.ts';
import { committed, quorums, raft } from './raft.ts';
import { cap, flp, problem } from './why.ts';

/** In the order in which they build upon each other. */
export const lessons: readonly Lesson[] = [
  problem,
  flp,
  cap,
  quorums,
  raft,
  committed,
  threePhases,
  threeFPlusOne,
  equivocation,
  viewChange,
  others,
];
