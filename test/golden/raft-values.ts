import { utf8 } from '../../src/base/bytes.ts';
import type { Entry } from '../../src/consensus/raft/log.ts';
import { nameOf, type RaftMessage } from '../../src/consensus/raft/message.ts';
import type { HardState } from '../../src/consensus/raft/records.ts';
import { hashHeader, toHeight, toView } from '../../src/ledger/block.ts';
import { hashOf, headerWith, keyOf, someSignature } from '../ledger/samples.ts';
import type { Configuration } from '../../src/ledger/members.ts';

const envelope = { from: 1, term: toView(12) };
const block = nameOf(toHeight(7), hashOf('seven'));
const commit = nameOf(toHeight(6), hashOf('six'));
const context = { incarnation: 2 ** 47 + 1, serial: 2 ** 32 - 1 };

/** One message of each type, and what a member stores. */
export const raftSamples: {
  readonly messages: readonly RaftMessage[];
  readonly configuration: Configuration;
  readonly hardState: HardState;
  readonly entry: Entry;
} = {
  messages: [
    {
      kind: 'vote-request',
      ...envelope,
      pre: true,
      transfer: false,
      lastHeight: toHeight(7),
      lastTerm: toView(11),
      commit,
      held: block,
    },
    { kind: 'vote', ...envelope, pre: false, granted: true, commit, held: undefined },
    {
      kind: 'append',
      ...envelope,
      to: 2,
      previous: block,
      entries: [
        {
          proposal: { header: headerWith(), transactionHashes: ['a', 'b'].map(hashOf) },
          leader: 1,
          signature: someSignature,
          configuration: utf8('members'),
        },
      ],
      commit: toHeight(6),
    },
    { kind: 'accepted', ...envelope, block },
    {
      kind: 'rejected',
      ...envelope,
      previous: toHeight(7),
      next: toHeight(5),
      conflictTerm: toView(3),
      final: toHeight(4),
    },
    { kind: 'heartbeat', ...envelope, commit, round: 99 },
    { kind: 'heartbeat-answer', ...envelope, round: 99, received: toHeight(7), applied: toHeight(6) },
    { kind: 'timeout-now', ...envelope },
    { kind: 'read-request', ...envelope, context, lease: true },
    { kind: 'read-answer', ...envelope, context, height: undefined },
    { kind: 'snapshot-offer', ...envelope, to: 0, snapshot: commit, configuration: utf8('members') },
    { kind: 'snapshot-answer', ...envelope, height: toHeight(6), state: 'failed' },
  ],
  configuration: [
    { key: keyOf('a'), role: 'voter' },
    { key: keyOf('b'), role: 'joining' },
    { key: keyOf('c'), role: 'removed' },
  ],
  hardState: {
    term: toView(12),
    votedFor: 2,
    commit: toHeight(6),
    incarnation: 5,
    amnesiac: true,
    held: commit,
  },
  entry: {
    header: headerWith(),
    blockHash: hashHeader(headerWith()),
    leader: 1,
    signature: someSignature,
    configuration: utf8('members'),
    transactionHashes: null,
    bytes: 70_000,
  },
};
