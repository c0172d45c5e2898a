import { type Mutation, one } from './mutations.ts';

const pbft = (name: string): string => `src/consensus/pbft/${name}.ts`;

/**
 * Rules on what one PBFT replica does for itself: around a restart, at the tip of a new view, when it leaves a view, and what it owes the
 * others. A broken one shows in the replica; the chain looks well, because the others make up for it.
 */
export const dutyMutations: readonly Mutation[] = [
  one('far-future', 'a block far ahead of the clock is not voted for', 'src/node/effects/validation.ts', {
    find: 'const now = this.#options.clock.wallMs();',
    replace: 'const now = this.#options.clock.wallMs() + 1e9;',
  }),
  one(
    'sibling-by-sync',
    'blocks from sync are what their certificate names',
    'src/node/catch-up/sync-segment.ts',
    {
      find: 'certificate.height !== proven.header.height || certificate.blockHash !== proven.hash',
      replace: 'certificate.height !== proven.header.height',
    },
  ),
  one('sync-held-up', 'sync asks others while one does not answer', 'src/node/catch-up/sync.ts', {
    find: 'const company = round.turns.company();',
    replace: 'const company = undefined as PeerId | undefined;',
  }),
  one('fetch-held-up', 'a fetch asks others while one does not answer', 'src/node/peers/fetch.ts', {
    find: 'const company = turns.company();',
    replace: 'const company = undefined as PeerId | undefined;',
  }),
  one(
    'asked-once',
    'who had nothing yet is asked again while another does not answer',
    'src/node/peers/asking-turns.ts',
    {
      find: 'return this.newcomer(connected) ?? [...this.asked.keys()].find(isFree);',
      replace: 'return this.newcomer(connected);',
    },
  ),
  one('impatient', 'who stood still reads before it suspects anybody', pbft('watching'), {
    find: 'const overdue = isPatient(state.patience, state.now) ? null : whatIsOverdue(replica);',
    replace: 'const overdue = whatIsOverdue(replica);',
  }),
  one('silent-to-other-view', 'a Status is answered whatever its view is', pbft('status'), {
    find: 'const lacksView = status.view < state.view',
    replace: 'if (status.view !== state.view) return;\n  const lacksView = status.view < state.view',
  }),
  one('silent-while-changing', 'a Status is answered with the own ViewChange', pbft('status'), {
    find: ": message.kind === 'view-change' && message.view === state.view && !isNormal(replica);",
    replace: ': false;',
  }),
  one('no-new-view-again', 'whoever lacks a view is shown its NewView', pbft('status'), {
    find: 'if (lacksView && isNormal(replica) && state.newView !== null) send',
    replace: 'if (lacksView && state.newView === undefined) send',
  }),
  one('no-status-when-stuck', 'a replica that is stuck says often where it stands', pbft('status'), {
    find: 'const isStuck = unfinished && ',
    replace: 'const isStuck = unfinished && state.attempts < 0 && ',
  }),
  one('no-status-after-final', 'one that is stuck says so also soon after a final block', pbft('status'), {
    find: 'const isStuck = unfinished && ',
    replace: 'const isStuck = unfinished && state.statusAt >= state.lastFinalAt && ',
  }),
  one('only-the-tip', 'a Prepare stands for its block and all ancestors on disk', pbft('validating'), {
    find: 'blocks: (chainTo(replica, slot.blockHash) ?? []).map((link) => link.blockHash),',
    replace: 'blocks: [slot.blockHash],',
  }),
  one('never-again', 'a block that nobody could supply is asked for again', pbft('validating'), {
    find: "const waits = slot.validity === 'unavailable' || slot.validity === 'early';",
    replace: "const waits = slot.validity === 'early' || slot.prepareAsked;",
  }),
  one('early-for-ever', 'a block whose time had not come is looked at again', pbft('validating'), {
    find: "const waits = slot.validity === 'unavailable' || slot.validity === 'early';",
    replace: "const waits = slot.validity === 'unavailable';",
  }),
  one('uncounted-after-restart', 'a restarted replica counts its recorded votes', pbft('restore'), {
    find: 'countVote(replica, tallyFor(replica, message.view, message.height), message.kind, message.from, message);',
    replace: 'tallyFor(replica, message.view, message.height);',
  }),
  one(
    'unchecked-after-restart',
    'a restarted replica has the blocks that it voted for checked again',
    pbft('restore'),
    {
      find: "    validity: 'unavailable',",
      replace: "    validity: 'checking',",
    },
  ),
  one('unsent-after-restart', 'a restarted replica sends its recorded signatures again', pbft('restore'), {
    find: '  state.own.set(logKey(message), message);\n',
    replace: "  if (message.kind === 'view-change') state.own.set(logKey(message), message);\n",
  }),
  one('new-view-lost-in-restart', 'a restarted replica knows what its view started from', pbft('restore'), {
    find: "if (accepted !== undefined && state.phase.name === 'normal') {",
    replace: "if (accepted !== undefined && state.phase.name === 'changing') {",
  }),
  one('highest-lost-in-restart', 'a restarted replica knows its highest certificate', pbft('restore'), {
    find: 'if (highest !== undefined) {',
    replace: 'if (highest === null) {',
  }),
  one(
    'final-tip-unvoted',
    'whoever has the tip of a view as final votes for it all the same',
    pbft('view-change'),
    {
      find: 'if (tip.height <= final.height && recentFinal.get(tip.height) !== tip.blockHash) return;',
      replace: 'if (tip.height <= final.height && recentFinal.size >= 0) return;',
    },
  ),
  one(
    'tip-not-reported',
    'the certificate of a view’s tip is reported when that view is left',
    pbft('view-change'),
    {
      find: 'if (tip !== null && isHeld(replica, tip)) state.highest = highestOf(state.highest, tip);',
      replace: '',
    },
  ),
  one('new-view-not-written', 'the NewView is on disk before a vote in its view', pbft('view-change'), {
    find: 'newViewRecord(newView), ',
    replace: '',
  }),
  one(
    'grounds-outlive-the-view',
    'a new primary is not suspected for what the one before did',
    pbft('views'),
    {
      find: '  state.grounds = null;\n',
      replace: '',
    },
  ),
  one('view-not-written', 'a view is left on disk before the ViewChange is sent', pbft('views'), {
    find: '    records: [stateRecord(replica)],\n    sign: [',
    replace: '    sign: [',
  }),
  one('join-the-highest', 'f + 1 later views are joined at the smallest of them', pbft('suspicion'), {
    find: 'later.reduce((least, { view }) => (view < least ? view : least),',
    replace: 'later.reduce((least, { view }) => (view > least ? view : least),',
  }),
  one('join-late', 'f + 1 ViewChanges for later views are joined', pbft('suspicion'), {
    find: 'if (later.length >= weak) {',
    replace: 'if (later.length > weak) {',
  }),
  one('leave-late', 'a view ends with f + 1 Suspects', pbft('suspicion'), {
    find: "if (against.size >= weak) leaveView(replica, 'enough",
    replace: "if (against.size > weak) leaveView(replica, 'enough",
  }),
  one('leave-alone', 'a view is not left on one’s own timer', pbft('suspicion'), {
    find: "if (against.size >= weak) leaveView(replica, 'enough",
    replace: "if (against.size >= 1) leaveView(replica, 'enough",
  }),
  one('suspect-once', 'a Suspect is repeated while its grounds last', pbft('suspicion'), {
    find: 'start(state.repeatTimer, state.now, replica.options.statusMs);\n  postSuspect',
    replace: 'start(state.repeatTimer, state.now, 1e9);\n  postSuspect',
  }),
  one('view-change-once', 'a ViewChange is repeated while its view is awaited', pbft('watching'), {
    find: 'start(state.repeatTimer, state.now, replica.options.statusMs);\n  const own',
    replace: 'start(state.repeatTimer, state.now, 1e9);\n  const own',
  }),
  one('fixed-view-time', 'the time of a view doubles with each that failed', pbft('progress-timer'), {
    find: 'viewTimeoutMs * 2 ** Math.min(replica.state.attempts, 30)',
    replace: 'viewTimeoutMs + 0 * Math.min(replica.state.attempts, 30)',
  }),
  one('back-off-for-ever', 'a final block ends the back-off', pbft('finality'), {
    find: '  state.attempts = 0;\n',
    replace: '',
  }),
  one('time-not-renewed', 'a final block gives the view its whole time again', pbft('finality'), {
    find: '  restartTimer(replica);\n',
    replace: '',
  }),
  one('old-commits-forgotten', 'Commits of views that were left still count', pbft('tally'), {
    find: "if (view < state.view && (phase !== 'commit' || view < state.view - pastViews)) return false;",
    replace: 'if (view < state.view) return false;',
  }),
  one('believes-votes', 'what a vote implies of its sender proves nothing', pbft('status'), {
    find: 'peer.impliedFinal = toHeight(Math.max(peer.impliedFinal, ',
    replace: 'peer.finalHeight = toHeight(Math.max(peer.finalHeight, ',
  }),
];
