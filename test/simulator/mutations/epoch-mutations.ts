import { directed, type Mutation, one } from './mutations.ts';

const pbft = (name: string): string => `src/consensus/pbft/${name}.ts`;
const epochTests = 'test/consensus/pbft/epochs.test.ts';
const claimTests = 'test/consensus/pbft/claims.test.ts';

/** The rules of the page on consensus for a change of the validator set, each broken in one place. */
export const epochMutations: readonly Mutation[] = [
  one('epoch-build-above-last', 'a primary builds nothing on the last block of an epoch', pbft('chain'), {
    find: 'return endsEpoch(replica, tip.blockHash) ? null : tip;',
    replace: 'return tip;',
  }),
  directed(
    'epoch-accept-above-last',
    'nobody accepts a block on the last one of an epoch',
    { file: pbft('accepting'), find: 'parent.blockHash && !parent.isLast)', replace: 'parent.blockHash)' },
    epochTests,
    'makes a primary suspect that proposes above it, under either set',
  ),
  directed(
    'epoch-chain-above-last',
    'nothing on the last block of an epoch is valid',
    { file: pbft('chain'), find: '    if (link.isLast && chain.length > 0) return null;\n', replace: '' },
    epochTests,
    'carries nothing: a block on it that a driver calls valid is neither prepared nor final',
  ),
  one(
    'epoch-from-certificate',
    'after a restart the final block says which epoch it is',
    'src/node/effects/restore.ts',
    { find: 'if (changesValidators(header))', replace: 'if (header.height < 0)' },
  ),
  one('epoch-records-carry', 'records of an epoch that is over mean nothing', pbft('restore'), {
    find: 'if (recorded.epoch < epoch.height) {',
    replace: 'if (recorded.epoch < 0) {',
  }),
  one('epoch-views-carry', 'views begin at 0 in each epoch', pbft('epochs'), {
    find: '      ...fresh,\n',
    replace: '      ...fresh,\n      view: old.view,\n',
  }),
  directed(
    'epoch-late-message',
    'a message of an epoch that ended while it was checked is dropped',
    {
      file: pbft('engine'),
      find: '  if (message.epoch !== replica.epoch.height) return;\n  if (state.peers',
      replace: '  if (state.peers',
    },
    epochTests,
    'means nothing in another: neither votes, nor Suspects, nor view changes; and costs nobody anything',
  ),
  directed(
    'epoch-late-certificate',
    'a certificate of the epoch before makes nothing final',
    {
      file: pbft('validating'),
      find: '  if (certificate.epoch !== replica.epoch.height) return;\n',
      replace: '',
    },
    epochTests,
    'a certificate of the epoch before makes nothing final, also when its check ended late',
  ),
  directed(
    'epoch-late-vote',
    'a vote that comes to the disk after its epoch ended never leaves',
    {
      file: pbft('engine'),
      find: 'if (message.epoch !== replica.epoch.height || message.view < state.view) return;\n  send(',
      replace: 'if (message.epoch === replica.epoch.height && message.view < state.view) return;\n  send(',
    },
    epochTests,
    'a vote of an ended epoch that comes to the disk late never leaves, and is removed',
  ),
  directed(
    'epoch-unsigned',
    'a signature names its epoch',
    {
      file: 'src/ledger/certificate.ts',
      find: '    epoch: epoch.epoch,\n    validatorsHash',
      replace: '    epoch: 0 as never,\n    validatorsHash',
    },
    claimTests,
    'no signature means anything in another kind, chain or epoch',
  ),
  directed(
    'epoch-foreign-certificate',
    'certificates inside a message are of its epoch',
    {
      file: pbft('claims'),
      find: "if (certificate.epoch !== committee.epoch) return wrong(message, 'carries a certificate of another epoch');",
      replace: '',
    },
    claimTests,
    'in a later epoch the block that it stands on needs no certificate, and one of before proves nothing',
  ),
  directed(
    'epoch-signer',
    'the signer signs nothing of an earlier epoch',
    {
      file: 'src/node/effects/signer.ts',
      find: '      epoch >= this.#floor.epoch,',
      replace: '      epoch >= 0,',
    },
    'test/node/effects/signer.test.ts',
    'refuses everything of an epoch before the last one that it signed in, also after a restart',
  ),
  directed(
    'epoch-ends-silence',
    'a lost log is asked about anew in each epoch',
    {
      file: pbft('restore'),
      find: "guard: guard.name === 'off' ? guard : learning(nonce),",
      replace: "guard: guard.name === 'learning' ? guard : { name: 'off' },",
    },
    epochTests,
    'a silence that an earlier epoch ended in is no leave in the next one',
  ),
  directed(
    'epoch-proves-key',
    'a key that may have been used in an epoch asks in it',
    {
      file: pbft('restore'),
      find: 'unproven: unproven === null || epochSeen ? null : new Set(),',
      replace: 'unproven: null,',
    },
    epochTests,
    'asks, and votes above what all prove, when something of the epoch is final before it signed anything',
  ),
  directed(
    'epoch-holds-new-key',
    'a key whose use was noted since before an epoch votes in it',
    {
      file: pbft('restore'),
      find: 'unproven: unproven === null || epochSeen ? null : new Set(),',
      replace: 'unproven: unproven === null ? null : new Set(),',
    },
    epochTests,
    'votes at once in an epoch that began since its machine notes its use',
  ),
  directed(
    'epoch-blame',
    'what is of another epoch is held against nobody',
    {
      file: 'src/node/peers/verification.ts',
      find: '    if (epoch !== roster.epoch) {',
      replace: '    if (epoch > roster.epoch) {',
    },
    'test/node/peers/verification.test.ts',
    'is looked at no further, and held against nobody; a later one is a reason to ask',
  ),
  directed(
    'epoch-seal-blame',
    'a seal of another epoch is held against nobody',
    {
      file: 'src/node/peers/relay.ts',
      find: "    if (seal.epoch !== epoch) return 'other-epoch';\n",
      replace: '',
    },
    'test/node/peers/relay.test.ts',
    'of another epoch is nobody’s fault: who made it may be behind, or this node is',
  ),
];
