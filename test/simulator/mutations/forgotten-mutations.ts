import { directed, type Mutation, testOf } from './mutations.ts';

/**
 * What one part forgets: to write it down, to count it, to let it go, to ask again. Others make up for it, or it
 * takes a restart to show, so each has a directed test.
 */
export const forgottenMutations: readonly Mutation[] = [
  directed(
    'silence-for-the-next-epoch',
    'the end of a silence is on disk',
    {
      file: 'src/consensus/pbft/amnesia.ts',
      find: '  write(replica, { records: [stateRecord(replica), ...highestRecord(replica)] });',
      replace: '',
    },
    testOf('consensus/pbft/amnesia'),
    'it is silent until a block above all of that is final, and no block earlier',
  ),
  directed(
    'running-chain-forgotten',
    'that the chain runs already is on disk',
    {
      file: 'src/consensus/pbft/amnesia.ts',
      find: "  trace(replica, 'chain-runs-already');\n  write(replica, { records: [stateRecord(replica)] });",
      replace: "  trace(replica, 'chain-runs-already');",
    },
    testOf('consensus/pbft/amnesia'),
    'that the chain runs is known after a restart, too, though nothing is final here and nobody was asked yet',
  ),
  directed(
    'beginning-forgotten',
    'that the chain only begins is on disk',
    {
      file: 'src/consensus/pbft/amnesia.ts',
      find: '  replica.state.unproven = null;\n  write(replica, { records: [stateRecord(replica)] });',
      replace: '  replica.state.unproven = null;',
    },
    testOf('consensus/pbft/amnesia'),
    'on a chain that has not begun it votes at once, even when it is the last to vote for the first block',
  ),
  directed(
    'repeated-and-not-heard',
    'a Suspect counts for as long as it is repeated',
    {
      file: 'src/consensus/pbft/suspicion.ts',
      find: '  state.suspects.set(suspect.from, { view, reason, height, sequence, heardAt: state.now });',
      replace:
        '  state.suspects.set(suspect.from, { view, reason, height, sequence, heardAt: earlier?.view === view ? earlier.heardAt : state.now });',
    },
    testOf('consensus/pbft/suspects'),
    'a Suspect that is repeated counts for as long as it is',
  ),
  directed(
    'no-time-for-a-block',
    'a block that is accepted starts the time of its view',
    {
      file: 'src/consensus/pbft/watching.ts',
      find: '  if (!hasUnfinished(replica) || state.progressTimer.dueAt === null) restartTimer(replica);',
      replace: '  if (!hasUnfinished(replica)) restartTimer(replica);',
    },
    testOf('consensus/pbft/suspecting'),
    'so it is where nobody else’s transactions came but with the block',
  ),
  directed(
    'waits-below-final',
    'no proposal waits for a height that is final',
    {
      file: 'src/consensus/pbft/finality.ts',
      find: '  for (const height of state.waiting.keys()) if (height <= final) state.waiting.delete(height);',
      replace: '',
    },
    testOf('consensus/pbft/accepting'),
    'a proposal that waits is let go when its height is final by other ways',
  ),
  directed(
    'proposal-before-its-view',
    'a proposal that comes before its NewView is kept',
    {
      file: 'src/consensus/pbft/admission.ts',
      find: "    message.height > windowEnd(replica) || (message.kind === 'pre-prepare' && state.phase.name === 'changing')",
      replace: '    message.height > windowEnd(replica)',
    },
    testOf('consensus/pbft/opening-views'),
    'a proposal of a view that comes before its NewView is accepted when that is here',
  ),
  directed(
    'votes-give-way',
    'of what is kept for later proposals give way, and no votes',
    {
      file: 'src/consensus/pbft/admission.ts',
      find: '      most.kept.findIndex((message) => hashesIn(message) > 0),',
      replace: '      0,',
    },
    testOf('consensus/pbft/kept-ahead'),
    'proposals are kept by their hashes: when all have too many, whoever has the most loses its oldest, and no vote',
  ),
  directed(
    'heard-in-another-place',
    'whom it heard is known by key in the next epoch',
    {
      file: 'src/consensus/pbft/epochs.ts',
      find: '    const heardAt = before.state.contact.get(before.validators.keys.indexOf(key));',
      replace:
        '    const heardAt = before.state.contact.get(before.validators.keys.indexOf(key) < 0 ? -1 : index);',
    },
    testOf('consensus/pbft/epochs'),
    'tells of the next validators whom it heard in this one, wherever they stand now',
  ),
  directed(
    'raft-trust-forgotten',
    'that a log is trusted again is on disk',
    {
      file: 'src/consensus/raft/amnesia.ts',
      find: "  trace(replica, 'trusted-again', { height: state.applied });\n  write(replica, {});",
      replace: "  trace(replica, 'trusted-again', { height: state.applied });",
    },
    testOf('consensus/raft/lost-logs'),
    'it is trusted at once when a leader answers, and it has everything and is no voter',
  ),
  directed(
    'raft-told-and-not-asked',
    'whoever hears in vote traffic of a block that it lacks asks for it',
    {
      file: 'src/consensus/raft/election.ts',
      find: "  else if (state.role.kind !== 'leader') catchUp(replica, from);",
      replace: '',
    },
    testOf('consensus/raft/elections'),
    'vote traffic spreads what is committed: whoever lacks the block asks for it, unless it leads',
  ),
  directed(
    'raft-members-not-told',
    'a start tells who the members are, unless all are voters of the genesis file',
    {
      file: 'src/consensus/raft/engine.ts',
      find: "    if (configuration.length !== this.#genesisMembers || configuration.some(({ role }) => role !== 'voter')) {",
      replace: '    if (configuration.length !== this.#genesisMembers) {',
    },
    testOf('consensus/raft/membership'),
    'who the members are is known after a restart, also when the block that named them left the log',
  ),
  directed(
    'raft-loaded-too-late',
    'blocks from storage go out only where the follower still is',
    {
      file: 'src/consensus/raft/replication.ts',
      find: "    if (progress.next !== from || progress.kind === 'snapshot') continue;",
      replace: "    if (progress.kind === 'snapshot') continue;",
    },
    testOf('consensus/raft/replication'),
    'go out again from where the follower is when some of them arrived there meanwhile',
  ),
  directed(
    'raft-no-time-to-answer',
    'whoever a leader begins to lead has time to answer',
    { file: 'src/consensus/raft/roles.ts', find: '      hear(contact, index, state.now);', replace: '' },
    testOf('consensus/raft/elections'),
    'a new leader has contact with those that voted, until they had time to answer',
  ),
  directed(
    'raft-promised-before-doubt',
    'what waits for the disk is not said once the log is doubted',
    {
      file: 'src/consensus/raft/own-use.ts',
      find: '  for (const { kept } of state.writes.pending) kept.after = [];',
      replace: '',
    },
    testOf('consensus/raft/own-use'),
    'what it had promised and not said yet is not said any more',
  ),
  directed(
    'old-run-goes-on',
    'a sync begins where the chain is',
    {
      file: 'src/node/catch-up/sync.ts',
      find: '    this.#run = null;\n    this.#scanty = undefined;\n    this.#offers.clear();',
      replace: '    this.#scanty = undefined;\n    this.#offers.clear();',
    },
    testOf('node/catch-up/sync'),
    'that came to no end in the middle of a run begins anew where the chain is by then',
  ),
  directed(
    'asks-only-one',
    'who knows of a block asks all for it',
    {
      file: 'src/node/catch-up/sync.ts',
      find: '    if (this.#poll !== null && round.turns.asked.size === 1) return this.#rest();',
      replace: '    if (round.turns.asked.size === 1) return this.#rest();',
    },
    testOf('node/catch-up/sync'),
    'asks the others, too, when the first one has nothing of what somebody else is said to have',
  ),
  directed(
    'asks-for-what-is-final',
    'sync goes on from where the chain is by now',
    {
      file: 'src/node/catch-up/sync.ts',
      find: '    return this.#tip().hash !== tip.hash;',
      replace: '    void tip;\n    return false;',
    },
    testOf('node/catch-up/sync'),
    'is not waited for any more when what it was asked for became final another way',
  ),
  directed(
    'company-is-waited-for',
    'who is asked again holds up no end',
    {
      file: 'src/node/peers/asking-turns.ts',
      find: '    return [...this.#pending].some((peer) => !this.#answered.has(peer));',
      replace: '    return this.#pending.size > 0;',
    },
    testOf('node/catch-up/sync'),
    'is waited for once: those who had nothing are asked again, and their next answers are not',
  ),
  directed(
    'the-same-holders-first',
    'those who hold a block are asked in turns',
    {
      file: 'src/node/peers/peer-choice.ts',
      find: '...rotated(holders.flatMap((validator) => registry.peerOf(validator) ?? [])),',
      replace: '...holders.flatMap((validator) => registry.peerOf(validator) ?? []),',
    },
    testOf('node/peers/peer-choice'),
    'however many of the holders keep silent, those who answer are among the asked in their turn',
  ),
  directed(
    'waits-for-what-is-applied',
    'sync goes on at once when all that came is applied already',
    { file: 'src/node/catch-up/sync.ts', find: '    this.applied(chain.final.height);\n  }', replace: '  }' },
    testOf('node/catch-up/sync'),
    'asks on at once for what is left when all that came was final another way by then',
  ),
  directed(
    'installs-what-is-final',
    'no snapshot is installed of a block that is final here',
    {
      file: 'src/node/catch-up/installing.ts',
      find: "    if (chain.final.height >= height) return this.#fail(run, 'the block is final here by now');",
      replace:
        "    if (chain.final.height > height) return this.#fail(run, 'the block is final here by now');",
    },
    testOf('node/catch-up/installing'),
    'does not wait for them for ever, nor takes the place of a block that is final here by then',
  ),
  directed(
    'snapshot-of-a-state-that-goes',
    'a snapshot has its state for itself',
    {
      file: 'src/node/catch-up/snapshots.ts',
      find: 'state: final.state.share(), certificate',
      replace: 'certificate',
    },
    testOf('node/catch-up/snapshots'),
    'a snapshot has its state for itself, whatever becomes of the chain’s',
  ),
  directed(
    'state-kept-for-ever',
    'a state gives its memory back when the next block is final',
    {
      file: 'src/node/effects/chain.ts',
      find: '    if (before !== execution.state) before.release();\n    this.#final',
      replace: '    this.#final',
    },
    testOf('node/effects/chain'),
    'gives the memory of a state back when the next block is final, and of one that others share when they do',
  ),
  directed(
    'writes-counted-anew',
    'writes with the key are counted over all starts',
    {
      file: 'src/node/effects/persisting.ts',
      find: '    this.#count = options.uses?.before ?? 0;',
      replace: '    this.#count = 0;',
    },
    testOf('node/effects/persisting'),
    'each write has the next number of all that were written with the key, and that is noted when it is on disk',
  ),
  directed(
    'stored-and-not-noted',
    'a block on its way to the disk counts as stored',
    {
      file: 'src/node/effects/persisting.ts',
      find: '  candidate.stored = true;\n  return',
      replace: '  return',
    },
    testOf('node/effects/persisting'),
    'a block on its way to the disk counts as stored, so that whoever lets go of it takes it off the disk',
  ),
  directed(
    'dead-blocks-stay',
    'stored blocks that can never be final are known after a restart',
    {
      file: 'src/node/effects/restore.ts',
      find: '      .filter(({ header }) => store.hashAt(header.height) !== hashHeader(header)),',
      replace: '      .filter(({ header }) => header.height > height),',
    },
    testOf('node/effects/restore'),
    'knows those that can never be final any more, too: they leave the disk with the next block',
  ),
  directed(
    'epoch-begins-late',
    'above the last block of an epoch a start is in the next one',
    {
      file: 'src/node/effects/restore.ts',
      find: '  if (changesValidators(header)) return { epoch: { height: header.height, blockHash: hash }, validators };',
      replace: '',
    },
    testOf('node/effects/restore'),
    'above a block that changed the validators the next ones vote, from that block on',
  ),
  directed(
    'stranger-from-nowhere',
    'it is known where a stranger comes from',
    {
      file: 'src/node/core/inbound.ts',
      find: '      registry.connected(peer);\n      standings.connected(peer);',
      replace: '      registry.connected(peer);',
    },
    testOf('node/core/inbound'),
    'where a stranger comes from is known for as long as it is connected, and it may be asked for news',
  ),
  directed(
    'gap-told-once',
    'what waits behind a gap is gossiped again',
    {
      file: 'src/node/core/nudges.ts',
      find: '    const since = oldestSince ?? (waiting > 0 ? this.#lastFinalAt : now);',
      replace: '    const since = oldestSince ?? now;',
    },
    testOf('node/core/nudges'),
    'what only waits for others is gossiped again while no block comes, and not while they do',
  ),
  directed(
    'fetches-after-the-end',
    'a fetch that ended takes nothing and asks nobody',
    {
      file: 'src/node/peers/fetch.ts',
      find: '      if (ended) return;\n      const asked',
      replace: '      const asked',
    },
    testOf('node/peers/fetch'),
    'what comes after the end is not looked at, and nobody else is asked for it',
  ),
  directed(
    'full-stream-burdens-all',
    'what has no room on its stream does not go by gossip',
    {
      file: 'src/node/peers/messenger.ts',
      find: '      else if (peer === undefined) unreached.push(validator);',
      replace: '      else if (peer !== undefined || validator >= 0) unreached.push(validator);',
    },
    testOf('node/peers/messenger'),
    'what has no room on the stream of its validator burdens nobody else: it is said again',
  ),
  directed(
    'replaced-bytes-uncounted',
    'the room of a sender counts what took the place of another',
    {
      file: 'src/mempool/lane.ts',
      find: '    this.bytes += entry.weight - old.weight;',
      replace: '',
    },
    testOf('mempool/keys-and-size'),
    'counts the bytes of what took the place of another',
  ),
  directed(
    'kept-goes-with-due',
    'what is not due yet stays when something else is',
    {
      file: 'src/consensus/pbft/admission.ts',
      find: '    if (rest.length === 0) ahead.delete(from);\n    else ahead.set(from, rest);',
      replace: '    ahead.delete(from);',
    },
    testOf('consensus/pbft/kept-ahead'),
    'what is not due yet stays when its time has come for something else',
  ),
  directed(
    'certified-votes-uncounted',
    'the votes in a certificate are compared with what their signers told',
    {
      file: 'src/consensus/pbft/finality.ts',
      find: '  countCertificate(replica, certificate);\n  if (certificate.height <= state.final.height) {',
      replace: '  if (certificate.height <= state.final.height) {',
    },
    testOf('consensus/pbft/evidence'),
    'what stands in a certificate contradicts what its signers told this replica otherwise',
  ),
  directed(
    'doubt-forgotten',
    'that a key is doubted is on disk',
    {
      file: 'src/consensus/pbft/own-use.ts',
      find: "  state.guard = { name: 'learning', nonce: replica.nonce, proven: new Map() };\n  write(replica, { records: [stateRecord(replica)] });",
      replace: "  state.guard = { name: 'learning', nonce: replica.nonce, proven: new Map() };",
    },
    testOf('consensus/pbft/own-use'),
    'that its key is doubted is on disk: a restart does not have it vote at once',
  ),
  directed(
    'floor-not-raised',
    'a ViewChange raises the floor of the signer',
    {
      file: 'src/consensus/pbft/signing.ts',
      find: "    floor: message.kind === 'view-change' ? message.view : noView,",
      replace: '    floor: noView,',
    },
    testOf('consensus/pbft/leaving-views'),
    'with its ViewChange a replica has its signer refuse what is of the views that it left',
  ),
  directed(
    'raft-hands-over-to-the-lost',
    'nobody hands over to a member whose log was lost',
    {
      file: 'src/consensus/raft/membership.ts',
      find: '    if (!decides || !staysVoter(configuration, index) || !answersLately(replica, role, index)) continue;',
      replace: '    if (!staysVoter(configuration, index) || !answersLately(replica, role, index)) continue;',
    },
    testOf('consensus/raft/lost-logs'),
    'nobody hands over to it: it could not campaign',
  ),
  directed(
    'lower-want-counts',
    'of two heights that are wanted the higher one counts',
    {
      file: 'src/node/catch-up/sync.ts',
      find: '    if (height > this.#wanted) {\n      this.#wanted = height;\n      this.#holders = holders;\n    }',
      replace: '    this.#wanted = height;\n    this.#holders = holders;',
    },
    testOf('node/catch-up/sync'),
    'goes on to the highest that it was told of, whatever lower one it hears of meanwhile',
  ),
  directed(
    'installed-and-not-final',
    'the block of an installed snapshot is final here',
    { file: 'src/node/core/advancing.ts', find: '    decided.finalHeight = height;', replace: '' },
    testOf('node/core/advancing'),
    'a snapshot that was installed is the newest that this node serves from then on',
  ),
  directed(
    'used-by-itself',
    'what became final while it was checked is known',
    {
      file: 'src/node/peers/intake.ts',
      find: "      return this.#isDone(transaction)\n        ? { status: 'known', hash: transaction.hash }\n        : refused(transaction, outcome);",
      replace: '      return refused(transaction, outcome);',
    },
    testOf('node/peers/intake'),
    'knows one that became final while its signature was checked: it does not call its nonce a used one',
  ),
  directed(
    'certified-by-the-next',
    'no epoch certifies the block that it stands on',
    {
      file: 'src/ledger/certificate.ts',
      find: '  if (certificate.height <= certificate.epoch)',
      replace: '  if (certificate.height < certificate.epoch)',
    },
    testOf('ledger/certificate'),
    'nobody certifies the block that its epoch stands on, nor one below: its validators were not in force',
  ),
  directed(
    'starts-uncounted',
    'a start counts among the uses of a key',
    {
      file: 'src/node/process/key-use.ts',
      find: '  const writes = Math.max(held, before?.writes ?? 0) + 1;',
      replace: '  const writes = Math.max(held, before?.writes ?? 0);',
    },
    testOf('node/process/key-use'),
    'knows a copy from before a start for an old one, though nothing was written since',
  ),
  directed(
    'word-lost-in-a-crash',
    'an operator’s word holds before the engine recorded it',
    {
      file: 'src/node/process/key-use.ts',
      find: '    { key: lostKey, value: lost && !vouched ? new Uint8Array([1]) : null },',
      replace: '    { key: lostKey, value: lost ? new Uint8Array([1]) : null },',
    },
    testOf('node/process/key-use'),
    'that word holds, too, when the process died before its engine wrote anything',
  ),
];
