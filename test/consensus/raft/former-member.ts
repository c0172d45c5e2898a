import type { Input, Verified } from '../../../src/consensus/engine.ts';
import { indexOf } from '../../../src/consensus/raft/configuration.ts';
import { hashAt, lastHash, lastHeight } from '../../../src/consensus/raft/log.ts';
import type { RaftMessage } from '../../../src/consensus/raft/message.ts';
import { type BlockHeader, hashHeader, type Proposal, toHeight, toView } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { encodeConfiguration } from '../../../src/ledger/members.ts';
import type { Cluster } from './cluster.ts';
import type { Dice } from './dice.ts';
import type { Host } from './host.ts';
import { childOf, keyOf, signatureOf } from './world.ts';

/**
 * One that was removed tells a member whatever could mislead it, as one who knows all: to those alone who know by what they applied
 * that it is out. The leader that a member follows is trusted until it has handed over.
 */
export function mislead(cluster: Cluster, dice: Dice, liar: Host): boolean {
  const victims = cluster.hosts.filter((host) => {
    if (host === liar || host.engine === null) return false;
    const { configuration, role } = host.state;
    const from = indexOf(configuration, keyOf(liar.index));
    const follows = role.kind === 'follower' && role.leader === from;
    return from !== null && configuration[from]?.role === 'removed' && !follows;
  });
  for (const victim of victims) {
    for (const message of lies(dice, liar, victim)) victim.receive(message);
    const served = servedBlock(dice, liar, victim);
    if (served !== null) victim.give(served);
  }
  return victims.length > 0;
}

function lies(dice: Dice, liar: Host, victim: Host): RaftMessage[] {
  const { state } = victim;
  const from = indexOf(state.configuration, keyOf(liar.index)) ?? 0;
  const to = state.self ?? 0;
  const term = toView(Math.max(1, state.term + dice.of([-1, 0, 0, 1, 1, 5])));
  const envelope = { from, term } as const;
  // Committed or not, it is in the log of whoever hears of it; or nobody has it.
  const height = toHeight(state.log.base.height + dice.below(state.log.entries.length + 1));
  const known = { height, blockHash: hashAt(state.log, height) ?? lastHash(state.log) };
  const end = { height: lastHeight(state.log), blockHash: lastHash(state.log) };
  const commit = dice.of([known, end]);
  const proposal = forged(liar, victim, term);
  const own = { height: proposal.header.height, blockHash: hashHeader(proposal.header) };
  const entry = {
    proposal,
    leader: from,
    signature: signatureOf(from, own.blockHash),
    configuration: new Uint8Array(),
  };
  const role = state.role.kind === 'leader' ? state.role : undefined;
  const context = state.reads.find((read) => read.context !== null)?.context ?? { incarnation: 1, serial: 1 };
  const configuration = encodeConfiguration(state.configuration);
  return [
    { kind: 'heartbeat', ...envelope, commit, round: dice.below(9) },
    { kind: 'append', ...envelope, to, previous: end, entries: [entry], commit: own.height },
    { kind: 'append', ...envelope, to, previous: known, entries: [], commit: end.height },
    {
      kind: 'vote-request',
      ...envelope,
      pre: dice.chance(0.3),
      transfer: dice.chance(0.7),
      lastHeight: toHeight(99),
      lastTerm: term,
      commit,
      held: end,
    },
    { kind: 'vote', ...envelope, pre: dice.chance(0.5), granted: true, commit, held: end },
    { kind: 'accepted', ...envelope, block: end },
    {
      kind: 'heartbeat-answer',
      ...envelope,
      round: role?.round ?? 1,
      received: end.height,
      applied: end.height,
    },
    { kind: 'timeout-now', ...envelope },
    { kind: 'read-answer', ...envelope, context, height: toHeight(0) },
    {
      kind: 'rejected',
      ...envelope,
      previous: end.height,
      next: toHeight(0),
      conflictTerm: term,
      final: end.height,
    },
    { kind: 'snapshot-offer', ...envelope, to, snapshot: own, configuration },
  ].filter(() => dice.chance(0.5)) as RaftMessage[];
}

/** A block of its own on top of what its victim has as final, or as the last of its log. */
function forged(
  liar: Host,
  victim: Host,
  term: BlockHeader['view'],
  parent = victim.state.log.entries.at(-1)?.header,
): Proposal {
  return childOf(parent ?? victim.disk.final.header, { view: term, proposer: liar.index, transactions: [] });
}

/**
 * The same as a final block, signed by itself; or a block of the victim's log that nobody called final. One who went with the change that
 * is in force may have made the block right above it by right: nobody can tell.
 */
function servedBlock(dice: Dice, liar: Host, victim: Host): Input<RaftMessage> | null {
  const { state } = victim;
  const leader = indexOf(state.configuration, keyOf(liar.index)) ?? 0;
  const last = state.log.entries.at(-1)?.header;
  const own = forged(liar, victim, toView(state.term + 1), victim.disk.final.header).header;
  const served = last !== undefined && dice.chance(0.5) ? last : own;
  const isRightAbove = served.height === state.configurationHeight + 1;
  if (isRightAbove && state.departed?.has(leader) !== false) return null;
  const name = { height: served.height, blockHash: hashHeader(served) };
  return {
    type: 'synced',
    chain: [{ ...name, parentHash: served.parentHash, isLast: false }],
    certificate: {
      engine: 'raft',
      term: served.view,
      ...name,
      leader,
      signature: signatureOf(liar.index, name.blockHash),
      configuration: new Uint8Array(),
    } as Verified<FinalityCertificate>,
    header: served,
  };
}
