import { directed, type Mutation } from './mutations.ts';

const pbft = (name: string): string => `src/consensus/pbft/${name}.ts`;
const testOf = (name: string): string => `test/consensus/pbft/${name}.test.ts`;

/**
 * Conditions in the state of one replica, and of what serves it, that are easily forgotten. Each takes two things that seldom meet (a write under way
 * and the end of a view, a sibling and its descendant's proof), so a directed test sees it; random runs see some of them late or not at all.
 */
export const replicaMutations: readonly Mutation[] = [
  directed(
    'second-view-change',
    'for one view one ViewChange is signed',
    { file: pbft('views'), find: ' || state.viewChangeAsked >= state.view) return', replace: ') return' },
    testOf('leaving-views'),
    'for one view one ViewChange is signed, however long its write takes and whatever becomes final meanwhile',
  ),
  directed(
    'build-outlives-view',
    'a build under way is forgotten with its view',
    { file: pbft('views'), find: '  state.building = null;\n', replace: '' },
    testOf('leaving-views'),
    'a build under way when its view ends is forgotten: it builds again when it has a view again',
  ),
  directed(
    'blocks-outlive-view',
    'a NewView that comes first ends what was accepted before',
    {
      file: pbft('view-change'),
      find: 'if (newView.view > state.view) moveTo(replica, newView.view);',
      replace: 'if (newView.view > state.view) state.view = newView.view;',
    },
    testOf('opening-views'),
    'a new view ends what was accepted in the one before, also when nobody left that first',
  ),
  directed(
    'new-view-forgotten',
    'a restarted primary signs no second NewView',
    {
      file: pbft('restore'),
      find: 'state.newViewAsked = message.view > state.newViewAsked ? message.view : state.newViewAsked;',
      replace: 'state.newViewAsked = message.view < 0 ? message.view : state.newViewAsked;',
    },
    testOf('restarting'),
    'one that may not enter with it any more signs no second one',
  ),
  directed(
    'own-new-view-not-entered',
    'a restarted primary enters its view with the NewView that it had signed',
    { file: pbft('engine'), find: '    enterOwnView(this.#replica);\n', replace: '' },
    testOf('restarting'),
    'a primary that had signed its NewView and not entered does so, and others get it',
  ),
  directed(
    'vote-while-learning',
    'one that waits for answers after a lost log votes for nothing',
    {
      file: pbft('validating'),
      find: 'return mayVote(replica) && slot.height > replica.state.forgottenUpTo',
      replace: 'void mayVote;\n  return slot.height > replica.state.forgottenUpTo',
    },
    testOf('accepting'),
    'one that waits for answers after a lost log votes for nothing, valid or not',
  ),
  directed(
    'vote-at-forgotten-height',
    'where it may have voted before a loss a replica votes for no tip either',
    {
      file: pbft('validating'),
      find: 'slot.height > replica.state.forgottenUpTo',
      replace: 'slot.height > 0',
    },
    testOf('accepting'),
    'at a height where it may have voted before its log was lost a replica votes for no tip of a view either',
  ),
  directed(
    'another-block-is-valid',
    'that another block of its height is valid makes an accepted one no better',
    {
      file: pbft('validating'),
      find: 'slot?.blockHash === link.blockHash && slot.validity',
      replace: 'slot !== undefined && slot.validity',
    },
    testOf('accepting'),
    'that another block of its height is valid makes an accepted one no better',
  ),
  directed(
    'vote-over-a-gap',
    'a Prepare is for a chain that reaches down to the final block',
    {
      file: pbft('validating'),
      find: '  if (chainTo(replica, link.blockHash) === null) return;\n',
      replace: '',
    },
    testOf('accepting'),
    'a block whose chain does not reach down to the final one gets no vote, and is asked for again',
  ),
  directed(
    'commit-for-another-block',
    'a Commit stands for the block that a quorum prepared',
    {
      file: pbft('voting'),
      find: "certificateOf(replica, tally, 'prepare', slot.blockHash)",
      replace: "certificateOf(replica, tally, 'prepare')",
    },
    testOf('accepting'),
    'Prepares of a quorum for another block than the accepted one make no Commit for either',
  ),
  directed(
    'lower-certificate-written',
    'the disk keeps the highest certificate when a lower one comes later',
    {
      file: pbft('voting'),
      find: 'records: [certificateRecord(state.highest ?? prepared)],',
      replace: 'records: [certificateRecord(prepared)],',
    },
    testOf('accepting'),
    'the highest certificate stays the highest, in memory and on the disk, when a lower one comes later',
  ),
  directed(
    'commit-without-block',
    'a Commit is for a block that is on the disk',
    {
      file: pbft('voting'),
      find: ' || replica.self === null || !slot.prepareAsked) return',
      replace: ' || replica.self === null) return',
    },
    testOf('accepting'),
    'no Commit for a block that is not on the disk here, though a quorum prepared it',
  ),
  directed(
    'certified-and-not-fetched',
    'a certified block that nobody could supply is fetched',
    {
      file: pbft('finality'),
      find: "slot?.blockHash === certificate.blockHash && slot.validity === 'checking'",
      replace: 'slot?.blockHash === certificate.blockHash',
    },
    testOf('accepting'),
    'a certificate for a block that nobody could supply makes this replica fetch it, and one for a block under check does not',
  ),
  directed(
    'sibling-under-headers',
    'the headers between blocks and their certificate are linked',
    {
      file: 'src/node/catch-up/sync-segment.ts',
      find: 'const wrong = checkLink(proven.header, header);',
      replace: 'const wrong = header.height < 0 ? checkLink(proven.header, header) : undefined;',
    },
    'test/node/catch-up/sync-segment.test.ts',
    'a sibling in the place of any block is refused, whatever true thing stands above it',
  ),
  directed(
    'second-asker-forgotten',
    'all who want one block are told when it is here',
    { file: 'src/node/effects/bodies.ts', find: '      waiters.push(done);\n', replace: '' },
    'test/node/effects/validation.test.ts',
    'is brought once, and all who asked are told, also those who ask again later',
  ),
  directed(
    'newest-surplus-goes',
    'of the blocks that views left behind the oldest go',
    {
      file: pbft('writing'),
      find: '.sort(([, a], [, b]) => a.view - b.view)',
      replace: '.sort(([, a], [, b]) => b.view - a.view)',
    },
    testOf('durability'),
    'of the blocks that views left behind the oldest go first',
  ),
  directed(
    'certified-surplus-goes',
    'what the highest certificate is for stays on the disk',
    {
      file: pbft('writing'),
      find: '...(highest === null ? [] : [highest])]',
      replace: '...(highest !== null ? [] : [])]',
    },
    testOf('durability'),
    'what the highest certificate is for stays, with all below it, however many views know nothing of it',
  ),
  directed(
    'ancestors-surplus-goes',
    'what a block that stays stands on stays',
    { file: pbft('writing'), find: 'next = stored.get(next)?.parentHash;', replace: 'next = undefined;' },
    testOf('durability'),
    'what the highest certificate is for stays, with all below it, however many views know nothing of it',
  ),
  directed(
    'below-the-start',
    'nothing below the start of a view is proposed in it',
    { file: pbft('accepting'), find: '    message.height <= state.viewBase.height ||\n', replace: '' },
    testOf('opening-views'),
    'a primary that proposes below the start of its view is not heard, also by those who have not got so far',
  ),
  directed(
    'short-memory-of-final',
    'a tip that is final here is known for as long as views start with it',
    {
      file: pbft('finality'),
      find: 'if (height + 2 * options.window < final)',
      replace: 'if (height + 1 < final)',
    },
    testOf('opening-views'),
    'so does one that is final here for as long as those may be behind who start the view with it',
  ),
  directed(
    'silence-ends-early',
    'a silence ends with a block above it',
    {
      file: pbft('amnesia'),
      find: 'state.final.height <= state.guard.until) return;',
      replace: 'state.final.height < state.guard.until) return;',
    },
    testOf('amnesia'),
    'it is silent until a block above all of that is final, and no block earlier',
  ),
  directed(
    'stale-view-stays-open',
    'a view that was entered with less knowledge is closed',
    {
      file: pbft('amnesia'),
      find: 'if (isNormal(replica) && state.newView !== null && !isFresh(replica, state.newView)) closeView(replica);',
      replace:
        'if (isNormal(replica) && state.newView === null && !isFresh(replica, state.newView!)) closeView(replica);',
    },
    testOf('amnesia'),
    'a view that it entered when it knew less is closed when it votes again',
  ),
  directed(
    'closed-in-memory',
    'a view that is closed is closed on disk',
    {
      file: pbft('amnesia'),
      find: 'closeView(replica);\n',
      replace: 'return closeView(replica);\n',
    },
    testOf('amnesia'),
    'a view that it entered when it knew less is closed when it votes again',
  ),
  directed(
    'end-without-its-proof',
    'what ended a silence is on disk with the end of it',
    { file: pbft('amnesia'), find: ', ...highestRecord(replica)] });', replace: '] });' },
    testOf('amnesia'),
    'what ended its silence is on disk with the end of it: it answers, and leaves views, as one that knows it',
  ),
  directed(
    'proposes-at-forgotten-height',
    'where it may have proposed before a loss a replica proposes nothing',
    { file: pbft('proposing'), find: '  if (height <= state.forgottenUpTo) return;\n', replace: '' },
    testOf('amnesia'),
    'at heights up to its silence it proposes nothing either, though it is its turn',
  ),
  directed(
    'silent-copy-goes-on',
    'an old copy of a silent replica asks anew',
    {
      file: pbft('own-use'),
      find: "  state.keyUse = 'doubted';\n",
      replace: "  state.keyUse = 'doubted';\n  if (state.guard.name !== 'off') return;\n",
    },
    testOf('own-use'),
    'an old copy of one that was silent asks anew: it may have voted above what it was silent for',
  ),
  directed(
    'any-vote-explains',
    'a vote for one block explains no signature for another',
    {
      file: pbft('own-use'),
      find: "vote?.kind === 'commit' && vote.blockHash === blockHash",
      replace: "vote?.kind === 'commit'",
    },
    testOf('own-use'),
    'a vote for one block explains no signature for another',
  ),
  directed(
    'doubts-its-past',
    'a silent replica may have signed what it forgot',
    { file: pbft('own-use'), find: ' || height <= state.forgottenUpTo)\n', replace: ')\n' },
    testOf('own-use'),
    'who is silent after a loss doubts nothing that it may have signed before',
  ),
  directed(
    'epoch-keeps-records',
    'what was signed in an ended epoch leaves the disk',
    { file: pbft('epochs'), find: '      own: old.own,\n', replace: '' },
    testOf('epochs'),
    'what was signed in an epoch that ended leaves the disk while the process goes on, too',
  ),
  directed(
    'commit-asked-again',
    'a vote is asked of the disk once',
    { file: pbft('voting'), find: '  slot.commitAsked = true;\n', replace: '' },
    testOf('durability'),
    'a vote is asked of the disk once: not again for later votes of others, nor after a restart',
  ),
  directed(
    'commit-asked-forgotten',
    'a vote that is on disk is not asked of it after a restart',
    {
      file: pbft('restore'),
      find: "commitAsked: slot.commitAsked || message.kind === 'commit',",
      replace: 'commitAsked: slot.commitAsked,',
    },
    testOf('durability'),
    'a vote is asked of the disk once: not again for later votes of others, nor after a restart',
  ),
  directed(
    'kept-twice',
    'what is kept for later is kept once, whoever sends it again',
    { file: pbft('admission'), find: '  if (isKept(replica, message)) return;\n', replace: '' },
    testOf('kept-ahead'),
    'one that is sent again, by whoever, makes nothing give way; another of the same place is another',
  ),
  directed(
    'old-question-answered-first',
    'a question on its own stream does not wait for one that somebody sends again',
    {
      file: pbft('amnesia'),
      find: '(direct ? peer.repliedAt : peer.repliedByRelayAt)',
      replace: 'Math.max(peer.repliedAt, peer.repliedByRelayAt)',
    },
    testOf('amnesia'),
    'who asks on its own stream is answered, however often somebody sends an earlier question of it again',
  ),
];
