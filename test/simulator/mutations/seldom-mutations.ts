import { directed, type Mutation, testOf } from './mutations.ts';

/**
 * Rules that a round of such bugs found without a test: what is kept over a restart, what is given back, what counts in a row, and whose word is
 * taken. Each has a directed test since.
 */
export const seldomMutations: readonly Mutation[] = [
  directed(
    'highest-vote-forgotten',
    'the highest of its votes is in the window after a restart, in whatever order the log gives them',
    {
      file: 'src/consensus/pbft/restore.ts',
      find: 'toHeight(Math.max(state.restoredUpTo, message.height))',
      replace: 'message.height',
    },
    testOf('consensus/pbft/durability'),
    'after a restart the highest recorded vote is in the window, in whatever order the log gives them',
  ),
  directed(
    'caught-for-ever',
    'a primary that was caught loses the view that it lied in, and its successor none',
    {
      file: 'src/consensus/pbft/evidence.ts',
      find: 'if (view === state.view && proof.accused',
      replace: 'if (proof.accused',
    },
    testOf('consensus/pbft/leaving-views'),
    'a primary that was caught in an old view does not end the view of the next one',
  ),
  directed(
    'doubts-what-it-left',
    'who voted in a view that it left does not doubt its key for it',
    { file: 'src/consensus/pbft/own-use.ts', find: ' || view < state.view ||', replace: ' ||' },
    testOf('consensus/pbft/own-use'),
    'a node knows that it voted in a view that it left, though it wrote over what it signed there',
  ),
  directed(
    'raft-vote-of-an-older-term',
    'a vote of an older term is none in the term of the final block',
    {
      file: 'src/consensus/raft/restore.ts',
      find: 'votedFor: term === hard.term ? (hard.votedFor ?? null) : null',
      replace: 'votedFor: hard.votedFor ?? null',
    },
    testOf('consensus/raft/terms'),
    'a vote of the term on disk is kept, and only that one',
  ),
  directed(
    'raft-silent-on-install',
    'who installed a snapshot has its block on disk, and says so',
    {
      file: 'src/consensus/raft/snapshots.ts',
      find: '  state.durable = toHeight(Math.max(state.durable, header.height));\n',
      replace: '',
    },
    testOf('consensus/raft/catching-up'),
    'a snapshot that is installed is acknowledged at once, and what sync brought before it is forgotten',
  ),
  directed(
    'raft-any-answer-after-loss',
    'after a loss only the answer to the last question tells what was committed',
    {
      file: 'src/consensus/raft/amnesia.ts',
      find: '    !isSameContext(guard.asked?.context ?? null, context) ||\n',
      replace: '',
    },
    testOf('consensus/raft/lost-logs'),
    'it is trusted at once when a leader answers, and it has everything and is no voter',
  ),
  directed(
    'back-in-one-write',
    'a block that was cut off and came back stays on disk',
    {
      file: 'src/node/effects/persisting.ts',
      find: '    for (const { hash } of blocks) gone.delete(hash);\n',
      replace: '',
    },
    testOf('node/effects/persisting'),
    'a block that was cut off and came back stays, though one write holds both; and one that went again goes',
  ),
  directed(
    'one-unsigned-among-others',
    'each signature in a fetched block is checked',
    {
      file: 'src/node/effects/bodies.ts',
      find: 'if (bad !== undefined) return done(wrongSignature(hash, bad));',
      replace: 'if (bad !== undefined && !valid.includes(true)) return done(wrongSignature(hash, bad));',
    },
    testOf('node/effects/validation'),
    'checks the signatures in fetched blocks, each of them',
  ),
  directed(
    'offers-an-older-snapshot',
    'no snapshot is offered that is older than the block that is asked for',
    {
      file: 'src/node/catch-up/serving.ts',
      find: 'newest !== undefined && newest.header.height >= wanted.from ? newest',
      replace: 'newest !== undefined ? newest',
    },
    testOf('node/catch-up/sync'),
    'offers no snapshot that is older than what is asked for: while one is installed the newest is',
  ),
  directed(
    'part-begins-again',
    'a part of a snapshot goes on behind the last entry, and not with it',
    {
      file: 'src/node/catch-up/installing.ts',
      find: 'compareBytes(previous, position) >= 0',
      replace: 'compareBytes(previous, position) > 0',
    },
    testOf('node/catch-up/installing'),
    'parts that do not go on from what is here are refused',
  ),
  directed(
    'failures-add-up',
    'only failures in a row end the fetch of a snapshot',
    {
      file: 'src/node/catch-up/installing.ts',
      find: '    run.givers.add(peer);\n    run.failures = 0;',
      replace: '    run.givers.add(peer);',
    },
    testOf('node/catch-up/installing'),
    'may fail again and again, as long as each part comes in the end',
  ),
  directed(
    'waiting-for-ever',
    'who waited to be served makes room for the next',
    {
      file: 'src/node/catch-up/serving-queue.ts',
      find: '      if (leave()) this.#serveInTurn(order);',
      replace: '      if (leave !== undefined) this.#serveInTurn(order);',
    },
    testOf('node/catch-up/serving-queue'),
    'a stranger who waited makes room for the next, however many waited before',
  ),
  directed(
    'ends-before-the-last',
    'a fetch ends when nobody is asked any more',
    {
      file: 'src/node/peers/fetch.ts',
      find: '    else if (!turns.awaited) end(false);',
      replace: '    else end(false);',
    },
    testOf('node/peers/fetch'),
    'as long as somebody has not answered, that the others have it not is no end',
  ),
  directed(
    'repeats-once',
    'what waits here is gossiped again and again',
    {
      file: 'src/node/peers/intake.ts',
      find: '      this.#own.set(hash, now);\n',
      replace: '',
    },
    testOf('node/peers/intake'),
    'is gossiped again after a while, in a frame of its own, until it is final',
  ),
  directed(
    'relays-each-repetition',
    'the same message is handed to gossip now and then only',
    { file: 'src/node/peers/messenger.ts', find: '    this.#relayed.set(name, now);\n', replace: '' },
    testOf('node/peers/messenger'),
    'goes by gossip, and is not handed to it again at once, however often it is repeated',
  ),
  directed(
    'removed-vouches',
    'nobody takes the word of a member that was removed',
    {
      file: 'src/node/peers/vouching.ts',
      find: `decided.members?.[index]?.role !== 'removed' && `,
      replace: '',
    },
    testOf('node/peers/vouching'),
    'in Raft a member takes the word of a member, for as long as both are',
  ),
  directed(
    'checks-without-end',
    'signatures that were checked are under way no more',
    { file: 'src/node/peers/verification.ts', find: '      this.#underWay -= cost;\n', replace: '' },
    testOf('node/peers/verification'),
    'gives back the room that it had, whatever became of its messages',
  ),
  directed(
    'refused-room-is-kept',
    'what the node had no room for takes none of its sender',
    {
      file: 'src/node/peers/verification.ts',
      find: '    if (cost > 0 && this.#underWay + cost > limits.verifyingClaims) {\n      release();\n',
      replace: '    if (cost > 0 && this.#underWay + cost > limits.verifyingClaims) {\n',
    },
    testOf('node/peers/verification'),
    'gives back the room that it had, whatever became of its messages',
  ),
  directed(
    'polls-one',
    'who hears nobody asks one peer after the other',
    { file: 'src/node/core/nudges.ts', find: '    this.#polledAt.set(peer, now);\n', replace: '' },
    testOf('node/core/nudges'),
    'who hears nobody asks one peer after the other, at their time, for what is new',
  ),
  directed(
    'lost-with-the-first',
    'a validator is lost with the last of its connections',
    {
      file: 'src/node/core/inbound.ts',
      find: ' || registry.peerOf(validator) !== undefined) return;',
      replace: ') return;',
    },
    testOf('node/core/inbound'),
    'a validator is lost with the last of its connections, and not before',
  ),
];
