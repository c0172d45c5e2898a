import { type Mutation, one } from './mutations.ts';

const pbft = 'src/consensus/pbft';
const epochTests = 'test/consensus/pbft/epochs.test.ts';

/** A rule that needs what random runs do not do: its directed test fails instead. */
function directed(mutation: Mutation, test: { readonly file: string; readonly test: string }): Mutation {
  return { ...mutation, within: 0, directed: test };
}

/** The rules of the page on consensus for a change of the validator set, each broken in one place. */
export const epochMutations: readonly Mutation[] = [
  one(
    'epoch-build-above-last',
    'a primary builds nothing on the last block of an epoch',
    `${pbft}/chain.ts`,
    {
      find: 'return endsEpoch(replica, tip.blockHash) ? null : tip;',
      replace: 'return tip;',
    },
  ),
  directed(
    one(
      'epoch-accept-above-last',
      'nobody accepts a block on the last one of an epoch',
      `${pbft}/accepting.ts`,
      {
        find: 'parent.blockHash && !parent.isLast)',
        replace: 'parent.blockHash)',
      },
    ),
    { file: epochTests, test: 'makes a primary suspect that proposes above it, under either set' },
  ),
  directed(
    one('epoch-chain-above-last', 'nothing on the last block of an epoch is valid', `${pbft}/chain.ts`, {
      find: '    if (link.isLast && chain.length > 0) return null;\n',
      replace: '',
    }),
    {
      file: epochTests,
      test: 'carries nothing: a block on it that a driver calls valid is neither prepared nor final',
    },
  ),
  one(
    'epoch-from-certificate',
    'after a restart the final block says which epoch it is',
    'src/node/effects/restore.ts',
    {
      find: 'if (changesValidators(header))',
      replace: 'if (header.height < 0)',
    },
  ),
  one('epoch-records-carry', 'records of an epoch that is over mean nothing', `${pbft}/restore.ts`, {
    find: 'if (recorded.epoch < epoch.height) {',
    replace: 'if (recorded.epoch < 0) {',
  }),
  one('epoch-views-carry', 'views begin at 0 in each epoch', `${pbft}/epochs.ts`, {
    find: '      ...fresh,\n',
    replace: '      ...fresh,\n      view: old.view,\n',
  }),
  directed(
    one(
      'epoch-late-message',
      'a message of an epoch that ended while it was checked is dropped',
      `${pbft}/engine.ts`,
      {
        find: '  if (message.epoch !== replica.epoch.height) return;\n  if (state.peers',
        replace: '  if (state.peers',
      },
    ),
    {
      file: epochTests,
      test: 'means nothing in another: neither votes, nor Suspects, nor view changes; and costs nobody anything',
    },
  ),
  directed(
    one(
      'epoch-late-certificate',
      'a certificate of the epoch before makes nothing final',
      `${pbft}/validating.ts`,
      {
        find: '  if (certificate.epoch !== replica.epoch.height) return;\n',
        replace: '',
      },
    ),
    {
      file: epochTests,
      test: 'a certificate of the epoch before makes nothing final, also when its check ended late',
    },
  ),
  directed(
    one(
      'epoch-late-vote',
      'a vote that comes to the disk after its epoch ended never leaves',
      `${pbft}/engine.ts`,
      {
        find: 'if (message.epoch !== replica.epoch.height || message.view < state.view) return;\n  send(',
        replace: 'if (message.epoch === replica.epoch.height && message.view < state.view) return;\n  send(',
      },
    ),
    {
      file: epochTests,
      test: 'a vote of an ended epoch that comes to the disk late never leaves, and is removed',
    },
  ),
  directed(
    one('epoch-unsigned', 'a signature names its epoch', 'src/ledger/certificate.ts', {
      find: '    epoch: epoch.epoch,\n    validatorsHash',
      replace: '    epoch: 0 as never,\n    validatorsHash',
    }),
    {
      file: 'test/consensus/pbft/claims.test.ts',
      test: 'no signature means anything in another kind, chain or epoch',
    },
  ),
  directed(
    one('epoch-foreign-certificate', 'certificates inside a message are of its epoch', `${pbft}/claims.ts`, {
      find: "if (certificate.epoch !== committee.epoch) return wrong(message, 'carries a certificate of another epoch');",
      replace: '',
    }),
    {
      file: 'test/consensus/pbft/claims.test.ts',
      test: 'in a later epoch the block that it stands on needs no certificate, and one of before proves nothing',
    },
  ),
  directed(
    one('epoch-signer', 'the signer signs nothing of an earlier epoch', 'src/node/effects/signer.ts', {
      find: '      epoch >= this.#floor.epoch,',
      replace: '      epoch >= 0,',
    }),
    {
      file: 'test/node/effects/signer.test.ts',
      test: 'refuses everything of an epoch before the last one that it signed in, also after a restart',
    },
  ),
  directed(
    one('epoch-ends-silence', 'a lost log is asked about anew in each epoch', `${pbft}/restore.ts`, {
      find: "guard: guard.name === 'off' ? guard : learning(nonce),",
      replace: "guard: guard.name === 'learning' ? guard : { name: 'off' },",
    }),
    { file: epochTests, test: 'a silence that an earlier epoch ended in is no leave in the next one' },
  ),
  directed(
    one('epoch-proves-key', 'a key that may have been used in an epoch asks in it', `${pbft}/restore.ts`, {
      find: 'unproven: unproven === null || epochSeen ? null : new Set(),',
      replace: 'unproven: null,',
    }),
    {
      file: epochTests,
      test: 'asks, and votes above what all prove, when something of the epoch is final before it signed anything',
    },
  ),
  directed(
    one(
      'epoch-holds-new-key',
      'a key whose use was noted since before an epoch votes in it',
      `${pbft}/restore.ts`,
      {
        find: 'unproven: unproven === null || epochSeen ? null : new Set(),',
        replace: 'unproven: unproven === null ? null : new Set(),',
      },
    ),
    { file: epochTests, test: 'votes at once in an epoch that began since its machine notes its use' },
  ),
  directed(
    one('epoch-blame', 'what is of another epoch is held against nobody', 'src/node/peers/verification.ts', {
      find: '    if (epoch !== roster.epoch) {',
      replace: '    if (epoch > roster.epoch) {',
    }),
    {
      file: 'test/node/peers/verification.test.ts',
      test: 'is looked at no further, and held against nobody; a later one is a reason to ask',
    },
  ),
  directed(
    one('epoch-seal-blame', 'a seal of another epoch is held against nobody', 'src/node/peers/relay.ts', {
      find: "    if (seal.epoch !== epoch) return 'other-epoch';\n",
      replace: '',
    }),
    {
      file: 'test/node/peers/relay.test.ts',
      test: 'of another epoch is nobody’s fault: who made it may be behind, or this node is',
    },
  ),
];
