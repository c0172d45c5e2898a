import { directed, type Mutation, testOf } from './mutations.ts';

/** Who stood still reads what came meanwhile before it takes a silence for one; but not for ever, and no lease lasts longer for it. */
export const standstillMutations: readonly Mutation[] = [
  directed(
    'late-untold',
    'an engine is told that its process stood still',
    {
      file: 'src/node/core/mailbox.ts',
      find: 'const late = sinceMs > limits.engineClockMs;',
      replace: 'const late = sinceMs < 0;',
    },
    testOf('simulator/run/simulation'),
    'in which all stand still for longer than any timeout, as on a machine with too much to do, sees no election and no view change',
  ),
  directed(
    'patient-for-ever',
    'who is always late comes to its conclusions, too',
    {
      file: 'src/consensus/shared/patience.ts',
      find: 'Math.min(lateMs - aheadMs, mostMs - spentMs)',
      replace: 'lateMs - aheadMs',
    },
    testOf('consensus/shared/shared'),
    'comes to its end also where every tick is late, and is whole again when nothing is overdue',
  ),
  directed(
    'impatient-while-changing',
    'who stood still while the view changed reads whether it began',
    {
      file: 'src/consensus/pbft/watching.ts',
      find: 'if (isUnopened(replica) && !isPatient(state.patience, state.now)) {',
      replace: 'if (isUnopened(replica)) {',
    },
    testOf('consensus/pbft/standstill'),
    'while the view changes it does not go on alone before it read whether that view began',
  ),
  directed(
    'raft-impatient-leader',
    'a leader that stood still reads before it takes a majority for lost',
    {
      file: 'src/consensus/raft/replication.ts',
      find: 'isPatient(state.patience, state.now) ? null : whyLost(replica, role);',
      replace: 'whyLost(replica, role);',
    },
    testOf('consensus/raft/standstill'),
    'a leader that stood still reads the answers of the others before it steps down',
  ),
  directed(
    'raft-impatient-voter',
    'who stood still helps nobody against its leader before it read',
    {
      file: 'src/consensus/raft/election.ts',
      find: '(isPatient(patience, now) || !isLeaderSilent(replica))',
      replace: '!isLeaderSilent(replica)',
    },
    testOf('consensus/raft/standstill'),
    'nor does it help another against its leader',
  ),
  directed(
    'raft-patient-lease',
    'a lease ends by the clock',
    {
      file: 'src/consensus/raft/reads.ts',
      find: 'index === state.self ||\n      state.now - (role.progress.get(index)?.roundSentAt',
      replace:
        'index === state.self || state.now < state.patience.until ||\n      state.now - (role.progress.get(index)?.roundSentAt',
    },
    testOf('consensus/raft/standstill'),
    'a lease ends by the clock, however long the leader stood still',
  ),
];
