import { dutyMutations } from './duty-mutations.ts';
import { epochMutations } from './epoch-mutations.ts';
import { forgottenMutations } from './forgotten-mutations.ts';
import { type Mutation, mutations } from './mutations.ts';
import { raftDutyMutations, raftServingMutations, servingMutations } from './raft-duty-mutations.ts';
import { raftMutations } from './raft-mutations.ts';
import { replicaMutations } from './replica-mutations.ts';
import { seldomMutations } from './seldom-mutations.ts';
import { standstillMutations } from './standstill-mutations.ts';

/** Those that are looked for in runs of Raft. */
export const mutationsOfRaft: readonly Mutation[] = [
  ...raftMutations,
  ...raftDutyMutations,
  ...raftServingMutations,
];

/** All tables. */
export const allMutations: readonly Mutation[] = [
  ...mutations,
  ...epochMutations,
  ...dutyMutations,
  ...replicaMutations,
  ...seldomMutations,
  ...standstillMutations,
  ...forgottenMutations,
  ...servingMutations,
  ...mutationsOfRaft,
];
