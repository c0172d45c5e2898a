import { type Mutation, one } from './mutations.ts';

const raft = (name: string): string => `src/consensus/raft/${name}.ts`;

/**
 * A lazy member of Raft, or one that is silent where it owes a word; the others make up for it, and the chain looks well. Its own duties
 * (`src/simulator/checkers/raft-duties`) see it.
 */
export const raftDutyMutations: readonly Mutation[] = [
  one('raft-no-answer-to-the-deposed', 'a heartbeat of an old term is answered, too', raft('following'), {
    find: "  send(replica, [message.from], {\n    kind: 'heartbeat-answer',",
    replace: "  if (role === null) return;\n  send(replica, [message.from], {\n    kind: 'heartbeat-answer',",
  }),
  one('raft-no-word-to-the-deposed', 'an append of an old term is refused, not ignored', raft('following'), {
    find: '    sendRejection(replica, from, { previous: previous.height, next: toHeight(0), conflictTerm: state.term });\n    return;',
    replace: '    return;',
  }),
  one(
    'raft-known-is-not-said',
    'an append whose blocks are on disk already is acknowledged all the same',
    raft('following'),
    {
      find: '  if (role.staging.length === 0 || message.entries.length === 0) acknowledge(replica);',
      replace: '',
    },
  ),
  one(
    'raft-durable-is-not-said',
    'what came to be on disk is acknowledged at once, not with the next append',
    raft('engine'),
    {
      find: '    if (replica.state.durable > durable) acknowledge(replica);',
      replace: '    void durable;',
    },
  ),
  one('raft-impatient', 'who stood still reads before it campaigns', raft('election'), {
    find: "  if (state.role.kind === 'leader' || isPatient(state.patience, state.now)) return;",
    replace: "  if (state.role.kind === 'leader') return;",
  }),
  one('raft-silent-refusal', 'who gives no vote says so', raft('election'), {
    find: '    sendWhenDurable(replica, [from], answerWith(false));\n    return;',
    replace: '    return;',
  }),
  one(
    'raft-vote-once-told',
    'a vote that was given is told again when it is asked for again',
    raft('election'),
    {
      find: '    sendWhenDurable(replica, [from], answerWith(true));\n    return;',
      replace: '    return;',
    },
  ),
  one('raft-stingy', 'who hears no leader would vote for a log as good as its own', raft('election'), {
    find: 'answerPre(mayGrant(state) && isUpToDate(state.log, message));',
    replace:
      'answerPre(mayGrant(state) && isUpToDate(state.log, message) && message.lastHeight > lastHeight(state.log));',
  }),
  one('raft-never-again', 'a block that nobody could supply is asked for again', raft('staging'), {
    find: '      if (!isDue(staged.retry, state.now)) continue;',
    replace: '      if (state.now >= 0) continue;',
  }),
  one('raft-deaf-to-commits', 'a heartbeat tells what is committed', raft('following'), {
    find: '    if (holds(state.log, commit)) {',
    replace: '    if (holds(state.log, commit) && commit.height < role.leaderCommit) {',
  }),
  one('raft-deaf-transferee', 'a transferee campaigns when it is told to', raft('engine'), {
    find: "      if (message.term === state.term && state.role.kind === 'follower') campaignForTransfer(replica);\n",
    replace: '',
  }),
  one('raft-slow-heart', 'a heartbeat goes out at each interval', raft('replication'), {
    find: '  start(role.heartbeatTimer, state.now, options.heartbeatMs);',
    replace: '  start(role.heartbeatTimer, state.now, 4 * options.heartbeatMs);',
  }),
  one('raft-passes-one-over', 'each member that is behind is sent what follows', raft('replication'), {
    find: '    while (mayAppend(replica, progress) && sendAppend(replica, member, progress));',
    replace:
      '    while (member !== 1 && mayAppend(replica, progress) && sendAppend(replica, member, progress));',
  }),
  one('raft-late-commit', 'what a majority has is committed at once', raft('replication'), {
    find: '  if (reached <= state.commit || termAt',
    replace: '  if (reached <= state.commit + (role.first === reached ? 0 : 1) || termAt',
  }),
  one('raft-joint-for-ever', 'whoever leads ends a joint phase', raft('membership'), {
    find: '  role.nextConfiguration = afterJoint(state.configuration);\n',
    replace: '  void afterJoint;\n',
  }),
  one('raft-no-offer', 'a snapshot is offered in the place of blocks that are gone', raft('snapshots'), {
    find: 'if (snapshot === undefined || snapshot.height < state.configurationHeight) {',
    replace: 'if (snapshot === undefined || member >= 0) {',
  }),
  one('raft-silent-on-reads', 'who does not lead says so to whoever asks it for a read', raft('reads'), {
    find: "    send(replica, [from], { kind: 'read-answer', context, height: undefined });\n    return;",
    replace: '    return;',
  }),
  one('raft-readers-left', 'readers are told when the lead is lost', raft('reads'), {
    find: "    if ('member' in from) tellRefused(replica, from.member, from.context);",
    replace: "    if ('member' in from && from.member < 0) tellRefused(replica, from.member, from.context);",
  }),
  one('raft-read-without-end', 'a read that nobody confirms ends', raft('reads'), {
    find: '} else if (state.now >= read.deadline) {',
    replace: '} else if (state.now >= read.deadline + 1e9) {',
  }),
  one('raft-never-behind', 'who does not come forward by its log asks for final blocks', raft('finality'), {
    find: '  const stuck = state.now - state.behind.since >= options.electionTimeoutMs;',
    replace: '  const stuck = state.now - state.behind.since >= 1e9 * options.electionTimeoutMs;',
  }),
  one('raft-patient', 'who hears no leader seeks the lead in its time', raft('roles'), {
    find: 'start(state.electionTimer, state.now, options.electionTimeoutMs * (1 + nextFloat(state.random)));',
    replace:
      'start(state.electionTimer, state.now, options.electionTimeoutMs * (2 + nextFloat(state.random)));',
  }),
  one('raft-clings', 'a leader that no majority answers steps down', raft('replication'), {
    find: 'if (state.now - role.since < options.electionTimeoutMs || quorumContact(replica, role)) return null;',
    replace:
      'if (state.now - role.since < 1e9 * options.electionTimeoutMs || quorumContact(replica, role)) return null;',
  }),
  one('raft-forgets-to-ask', 'who lost its log asks what was final', raft('amnesia'), {
    find: "if (guard.name !== 'asking' || state.self === null || !isStartOnDisk(state)) return;",
    replace: "if (guard.name !== 'asking' || state.self === null || state.now >= 0) return;",
  }),
  one('raft-no-way-out', 'who holds the end of a joint phase needs the new voters only', raft('vouching'), {
    find: 'return quorumOf(configuration, isHeld) ? entry : undefined;',
    replace: 'return quorumOf(configuration, isHeld) && height === -1 ? entry : undefined;',
  }),
];

const serving = 'src/node/catch-up/serving.ts';

/** Serving is a duty of both engines' nodes. */
export const servingMutations: readonly Mutation[] = [
  one('serves-drops', 'blocks are given as many as were asked for', serving, {
    find: 'const last = Math.min(store.finalHeight, wanted.from + Math.min(wanted.count, limits.syncBlocks) - 1);',
    replace: 'const last = Math.min(store.finalHeight, wanted.from);',
  }),
  one('serves-no-blocks', 'final blocks are given', serving, {
    find: '    if (blocks.length === 0) {',
    replace: '    if (blocks.length === 0 || wanted.from % 3 === 0) {',
  }),
  one('serves-no-candidate', 'a block is given to whoever asks for it by its hash', serving, {
    find: '    return this.#bytesOf(hash) ?? null;',
    replace: "    return hash < '8' ? null : (this.#bytesOf(hash) ?? null);",
  }),
  one('serves-no-transactions', 'the transactions of a block are given', serving, {
    find: '    const transactions = this.#transactionsOf(wanted.blockHash);',
    replace:
      "    const transactions = wanted.blockHash < '8' ? undefined : this.#transactionsOf(wanted.blockHash);",
  }),
  one('serves-late', 'who asks is answered in its time', 'src/node/catch-up/serving-queue.ts', {
    find: '    if (wait === 0) return order.respond(this.#serve(order));',
    replace: '    if (wait === 0) return void clock.after(3_000, () => order.respond(this.#serve(order)));',
  }),
];

/** The same for what only Raft has. */
export const raftServingMutations: readonly Mutation[] = [
  one('serves-no-snapshot', 'a snapshot that was made is given', 'src/node/catch-up/snapshots.ts', {
    find: '    if (snapshot === undefined) return null;',
    replace: "    if (snapshot === undefined || wanted.blockHash < '8') return null;",
  }),
];
