import type { Mutation } from './mutations.ts';

const amnesia = 'src/consensus/raft/amnesia.ts';
const election = 'src/consensus/raft/election.ts';
const configuration = 'src/consensus/raft/configuration.ts';
const membership = 'src/consensus/raft/membership.ts';
const roles = 'src/consensus/raft/roles.ts';
const following = 'src/consensus/raft/following.ts';
const replication = 'src/consensus/raft/replication.ts';
const progress = 'src/consensus/raft/progress.ts';
const staging = 'src/consensus/raft/staging.ts';
const reads = 'src/consensus/raft/reads.ts';
const records = 'src/consensus/raft/records.ts';
const writing = 'src/consensus/raft/writing.ts';

/** Rules of `src/consensus/raft/README.md`, each broken in one place; see `mutations.ts`. */
export const raftMutations: readonly Mutation[] = [
  {
    name: 'raft-forget-vote',
    rule: 'a vote is on disk before it is answered',
    patches: [{ file: records, find: 'votedFor: votedFor ?? undefined', replace: 'votedFor: undefined' }],
    within: 5_000,
  },
  {
    name: 'raft-vote-for-all',
    rule: 'at most one vote per term',
    patches: [
      {
        file: election,
        find: 'const free = state.votedFor === null || state.votedFor === from;',
        replace: 'const free = state.role.kind === state.role.kind;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-outdated-candidate',
    rule: 'no vote for a candidate whose log is behind',
    patches: [
      {
        file: election,
        find: 'if (!free || !mayGrant(state) || !isUpToDate(state.log, message) || state.role',
        replace: 'if (!free || !mayGrant(state) || state.role',
      },
      {
        file: election,
        find: 'answerPre(mayGrant(state) && isUpToDate(state.log, message));',
        replace: 'answerPre(mayGrant(state));',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-stale-votes',
    rule: 'votes of another term do not count',
    patches: [
      {
        file: election,
        find: 'role.pre !== message.pre || message.term !== state.term) return;',
        replace: 'role.pre !== message.pre) return;',
      },
      {
        file: 'src/consensus/raft/roles.ts',
        find: "state.role = { kind: 'candidate', pre: false, transfer, votes: new Map() };",
        replace: `state.role = {
    kind: 'candidate',
    pre: false,
    transfer,
    votes: state.role.kind === 'candidate' ? state.role.votes : new Map(),
  };`,
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-half',
    rule: 'a majority is more than half',
    patches: [
      {
        file: 'src/ledger/quorum.ts',
        find: 'return Math.floor(n / 2) + 1;',
        replace: 'return Math.ceil(n / 2);',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-old-term',
    rule: 'only entries of the own term commit by counting',
    patches: [
      {
        file: replication,
        find: 'if (reached <= state.commit || termAt(state.log, reached) !== state.term) return;',
        replace: 'if (reached <= state.commit || termAt(state.log, reached) === undefined) return;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-unseen-term',
    rule: 'whoever holds a block of a term has seen that term',
    patches: [
      {
        file: roles,
        find: 'becomeFollower(replica, toView(Math.max(view, state.term)), null, why);',
        replace: 'becomeFollower(replica, state.term, null, why);',
      },
      {
        file: 'src/consensus/raft/restore.ts',
        find: 'const term = toView(Math.max(hard.term, lastTerm(log)));',
        replace: 'const term = toView(Math.max(hard.term, log.base.height < 0 ? lastTerm(log) : 0));',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-gives-up-acknowledged',
    rule: 'what sync brings leaves on disk what was acknowledged, until it is stored',
    patches: [
      {
        file: 'src/consensus/raft/replacing.ts',
        find: 'const stays = chain === undefined ? 0 : Math.max(confirmed, state.delivered);',
        replace: 'const stays = 0 * confirmed;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-count-itself',
    rule: 'the leader counts itself when its own write is done',
    patches: [
      {
        file: replication,
        find: 'index === state.self ? state.durable',
        replace: 'index === state.self ? lastHeight(state.log)',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-early-acknowledgement',
    rule: 'a follower acknowledges what is on its disk',
    patches: [
      {
        file: following,
        find: 'const known = Math.min(state.durable, state.role.matched);',
        replace: 'const known = Math.min(lastHeight(state.log), state.role.matched);',
      },
      {
        file: following,
        find: 'const say = state.durableTerm === state.term ? send : sendWhenDurable;',
        replace: 'const say = state.durableTerm < 0 ? sendWhenDurable : send;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-any-acknowledgement',
    rule: 'an acknowledgement counts for the block that it names',
    patches: [
      {
        file: progress,
        find: 'if (own !== block.blockHash && !(own === undefined && block.height <= state.log.base.height)) return;',
        replace: '',
      },
    ],
    within: 1_000,
    // Within one term no follower acknowledges another block: it takes a faulty follower.
    directed: {
      file: 'test/consensus/raft/known-bugs.test.ts',
      test: 'a leader counts an acknowledgement only for the block that it names',
    },
  },
  {
    name: 'raft-aba',
    rule: 'an acknowledgement is void when a truncation passed it',
    patches: [
      {
        file: writing,
        find: 'for (const { kept } of state.writes.pending) kept.upTo = toHeight(Math.min(kept.upTo, height));',
        replace: '',
      },
    ],
    within: 1_000,
    // A disk must stall through two elections, with two writes behind it that end at moments of their own.
    directed: {
      file: 'test/consensus/raft/known-bugs.test.ts',
      test: 'an acknowledgement for a truncated write of an earlier term (ABA) is void',
    },
  },
  {
    name: 'raft-unconfirmed-read',
    rule: 'a leader confirms that it leads before it answers a read',
    patches: [
      {
        file: reads,
        find: 'if ((leased && read.lease) || (read.round !== null && read.round <= confirmed)) serve(replica, read);',
        replace: 'if (leased || confirmed >= 0) serve(replica, read);',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-read-before-own-term',
    rule: 'a new leader serves reads after a block of its own term is committed',
    patches: [
      {
        file: reads,
        find: 'if (role.first === null || state.commit < role.first) return false;',
        replace: '',
      },
    ],
    within: 5_000,
  },
  {
    name: 'raft-read-unapplied',
    rule: 'a read is answered when its block is applied',
    patches: [
      {
        file: reads,
        find: 'if (read.index !== null && state.applied >= read.index) {',
        replace: 'if (read.index !== null) {',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-one-majority',
    rule: 'between two configurations both majorities must agree',
    patches: [
      {
        file: configuration,
        find: '[indexes(votesInOld), indexes(votesInNew)]',
        replace: '[indexes(votesInNew)]',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-learner-votes',
    rule: 'a learner has no vote',
    patches: [
      {
        file: 'src/ledger/members.ts',
        find: "const votesInNew = ({ role }: Member): boolean => role === 'voter' || role === 'joining';",
        replace:
          "const votesInNew = ({ role }: Member): boolean => role === 'voter' || role === 'joining' || role === 'learner';",
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-campaign-unapplied',
    rule: 'no campaign while a committed change of the members is not applied',
    patches: [
      { file: roles, find: ' &&\n    unappliedConfiguration(state, state.commit) === null', replace: '' },
    ],
    within: 1_000,
    // It takes two changes and a vote in the moment between the commit of a block and its storing: not in 5,000 seeds.
    directed: {
      file: 'test/consensus/raft/known-bugs.test.ts',
      test: 'two leaders through an unapplied configuration: who has one that is committed and not applied does not campaign',
    },
  },
  {
    name: 'raft-above-change',
    rule: 'nothing goes above a change of the members before it is applied',
    patches: [
      {
        file: 'src/consensus/raft/proposing.ts',
        find: 'if (unappliedConfiguration(state, lastHeight(state.log)) !== null) return;',
        replace: '',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-untold-commit',
    rule: 'an entry is on disk with the knowledge of what its leader had committed',
    patches: [
      {
        file: staging,
        find: '  advanceFollowerCommit(replica);\n  write(replica, { entries, cut });',
        replace: '  write(replica, { entries, cut });',
      },
    ],
    within: 1_000,
    // It takes two changes in one message, and a crash before the next.
    directed: {
      file: 'test/consensus/raft/known-bugs.test.ts',
      test: 'nor when both came in one message, and only the second one is known to be valid',
    },
  },
  {
    name: 'raft-lost-log-votes',
    rule: 'who lost its log gives no vote',
    patches: [
      {
        file: election,
        find: 'return !isAmnesiac(state) && state.self !== null;',
        replace: 'return state.self !== null;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-trust-at-once',
    rule: 'who lost its log is trusted when all from before the loss was applied',
    patches: [
      {
        file: amnesia,
        find: "if (guard.name !== 'waiting' || state.applied < guard.recoveryIndex) return;",
        replace: "if (guard.name === 'off') return;",
      },
    ],
    within: 1_000,
    // It takes a log that is lost just after its owner was made a voter.
    directed: {
      file: 'test/consensus/raft/lost-logs.test.ts',
      test: 'what was committed when it asked must come before it is trusted, also when the next leader knows of less',
    },
  },
  {
    name: 'raft-removed-leads',
    rule: 'a leader that lost its vote steps down',
    patches: [
      {
        file: membership,
        find: 'if (!isVoter(state.configuration, state.self)) role.partingUntil = state.now + options.electionTimeoutMs;',
        replace: 'void options;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-unheard-counts',
    rule: 'a member that has not answered the leader yet is not there to be relied on when others are to leave',
    patches: [
      {
        file: membership,
        find: 'if (quorumOf(next, (index) => isThere(index, true))) return undefined;',
        replace: 'if (quorumOf(next, (index) => isThere(index, false))) return undefined;',
      },
    ],
    within: 1_000,
  },
  {
    name: 'raft-early-change-answer',
    rule: 'a change is answered when a majority of the new voters goes by it',
    patches: [
      {
        file: membership,
        find: 'index === self || (role.progress.get(index)?.applied ?? 0) >= height,',
        replace: 'index === self || height + (role.progress.get(index)?.applied ?? 0) >= 0,',
      },
    ],
    within: 1_000,
    // It breaks no promise about the chain: a leader dies at the wrong moment, and the others elect nobody.
    directed: {
      file: 'test/consensus/raft/membership.test.ts',
      test: 'a change is answered when a majority of the new voters has it in force, and not when the leader has',
    },
  },
  {
    name: 'raft-unwritten-change',
    rule: 'a change of the members leaves its leader when the leader’s disk has it',
    patches: [
      {
        file: replication,
        find: 'if (entry === undefined || (entry.configuration.length > 0 && height > state.durable)) break;',
        replace: 'if (entry === undefined) break;',
      },
    ],
    within: 1_000,
    // It takes a leader that dies before its own write is done, when the others need it to have a majority.
    directed: {
      file: 'test/consensus/raft/membership.test.ts',
      test: 'nor do they without one whose write of it they do not know of: it is sent when its leader has it on disk',
    },
  },
  {
    name: 'raft-held-in-any-term',
    rule: 'what ends a joint phase without its leader was on disk before a later term was seen',
    patches: [
      {
        file: 'src/consensus/raft/vouching.ts',
        find: 'if (entry !== undefined && entry.header.view === state.term && !isAmnesiac(state))',
        replace: 'if (entry !== undefined && !isAmnesiac(state))',
      },
    ],
    within: 1_000,
    // It takes a joint phase whose end comes from two leaders, and a third one that lacks it.
    directed: {
      file: 'test/consensus/raft/membership.test.ts',
      test: 'what was seen on a disk in a later term than its own ends no joint phase: others may have decided otherwise',
    },
  },
  {
    name: 'raft-exact-clock',
    rule: 'a lease is shorter by what an engine’s clock may be behind',
    patches: [
      {
        file: 'src/ledger/lease.ts',
        find: 'return (electionTimeoutMs - limits.engineClockMs) * (1 - margin) - limits.engineClockMs;',
        replace: 'return electionTimeoutMs * (1 - margin) + 0 * limits.engineClockMs;',
      },
    ],
    within: 1_000,
    // It takes ticks of two nodes that fall in the worst way, and an election within 40 ms.
    directed: {
      file: 'test/consensus/raft/leases.test.ts',
      test: 'a lease that is looked at with an old clock ends before a promise that was noted with one',
    },
  },
  {
    name: 'raft-lease-of-transferee',
    rule: 'no lease once a transferee was told to campaign',
    patches: [
      {
        file: reads,
        find: 'if (!givesLeases(options) || role.transfereeTold || role.transfer !== null) return false;',
        replace: 'if (!givesLeases(options)) return false;',
      },
    ],
    within: 1_000,
    // It takes a word to a transferee that comes seconds late.
    directed: {
      file: 'test/consensus/raft/reads.test.ts',
      test: 'no lease holds after a transferee was told to campaign, however late it does',
    },
  },
  {
    name: 'raft-long-lease',
    rule: 'a lease ends before anybody helps to elect another leader',
    patches: [
      {
        file: reads,
        find: 'const span = leaseMs(options);',
        replace: 'const span = 4 * options.electionTimeoutMs + 0 * leaseMs(options);',
      },
    ],
    within: 1_000,
    // A leader without a majority steps down before others can elect one; what is left is a moment.
    directed: {
      file: 'test/consensus/raft/bounds.test.ts',
      test: 'lease reads need no round while a majority answers, and stop before another could lead',
    },
  },
  {
    name: 'raft-term-not-waited-for',
    rule: 'an acknowledgement waits for its term',
    patches: [
      { file: writing, find: 'state.durableTerm = done.term;', replace: 'state.durableTerm = state.term;' },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/terms.test.ts',
      test: 'blocks that are on disk are acknowledged in a later term when that is on disk, too',
    },
  },
  {
    name: 'raft-held-at-any-start',
    rule: 'a change of the members is held in its own term only, after a restart, too',
    patches: [
      {
        file: 'src/consensus/raft/restore.ts',
        find: 'return change?.header.view === term',
        replace: 'return change !== undefined',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/terms.test.ts',
      test: 'a change of the members that came in a later term than its own is held in none, also after a restart',
    },
  },
  {
    name: 'raft-lost-log-holds',
    rule: 'who lost its log says nothing of what its disk has in its own term',
    patches: [
      {
        file: 'src/consensus/raft/vouching.ts',
        find: ' && !isAmnesiac(state))',
        replace: ')',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/terms.test.ts',
      test: 'one whose log was lost holds none, whenever that shows: it may have seen a later term before',
    },
  },
  {
    name: 'raft-old-copy-holds',
    rule: 'nor does an old copy of a log',
    patches: [
      {
        file: 'src/consensus/raft/restore.ts',
        find: '  if (amnesiac) return null;\n',
        replace: '',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/terms.test.ts',
      test: 'one whose log was lost holds none, whenever that shows: it may have seen a later term before',
    },
  },
  {
    name: 'raft-doubted-holds',
    rule: 'nor who finds its key used elsewhere',
    patches: [
      {
        file: 'src/consensus/raft/own-use.ts',
        find: '  state.held = null;\n',
        replace: '',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/terms.test.ts',
      test: 'one whose log was lost holds none, whenever that shows: it may have seen a later term before',
    },
  },
  {
    name: 'raft-vote-again-at-once',
    rule: 'a vote that is asked for once more waits for the disk, too',
    patches: [
      {
        file: election,
        find: '  if (state.votedFor === from) {\n    sendWhenDurable(replica, [from], answerWith(true));',
        replace: '  if (state.votedFor === from) {\n    send(replica, [from], answerWith(true));',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/elections.test.ts',
      test: 'a vote that is asked for once more is not given sooner: it is on disk first',
    },
  },
  {
    name: 'raft-own-use-unseen',
    rule: 'who is shown a block of its own that it did not make decides nothing',
    patches: [
      {
        file: 'src/consensus/raft/own-use.ts',
        find: "  state.guard = { name: 'asking', asked: null };\n",
        replace: '',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/own-use.test.ts',
      test: 'a block of its key, of a later term than it knew, in which it did not lead: it decides nothing from then on',
    },
  },
  {
    name: 'raft-unproven-votes',
    rule: 'an empty log that nobody knows anything of decides nothing on a chain that runs',
    patches: [
      {
        file: 'src/consensus/raft/own-use.ts',
        find: "  if (!isAmnesiac(state)) distrustLog(replica, 'its key may have been used before');\n",
        replace: '',
      },
    ],
    within: 0,
    directed: {
      file: 'test/consensus/raft/lost-logs.test.ts',
      test: 'a voter that comes back on another machine without its log elects nobody who lacks what it acknowledged',
    },
  },
];
