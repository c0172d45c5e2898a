import { Problem } from '../../base/problem.ts';
import { type BlockHeader, hashHeader, toHeight } from '../../ledger/block.ts';
import type { Input, ValidatorIndex } from '../engine.ts';
import { count } from '../shared/step.ts';
import { maybeTrustAgain } from './amnesia.ts';
import { leaversAt } from './configuration.ts';
import { acknowledge, followLeader } from './following.ts';
import { holds, lastHeight } from './log.ts';
import type { SnapshotAnswer, SnapshotOffer } from './message.ts';
import { send, trace } from './outbox.ts';
import { noticeOwnUse } from './own-use.ts';
import { freshTimeout } from './retransmission.ts';
import { backToProbe, probeLater } from './progress.ts';
import { replaceLog } from './replacing.ts';
import { configurationRecord } from './records.ts';
import { enterConfiguration } from './membership.ts';
import { noteCommitted, type Replica } from './replica.ts';
import { seeTermOf } from './roles.ts';
import type { Install, Leader, Progress } from './state.ts';
import { write } from './writing.ts';
import {
  type Configuration,
  configurationHash,
  decodeConfiguration,
  encodeConfiguration,
} from '../../ledger/members.ts';

/**
 * A follower's next block is not in storage any more: it must fetch the state instead
 * (section 7, InstallSnapshot).
 */
export function offerSnapshot(replica: Replica, member: ValidatorIndex, progress: Progress): void {
  const { state } = replica;
  const snapshot = state.compacted?.snapshot;
  // One from before the configuration in force would need that one's members; the
  // next snapshot is on its way.
  if (snapshot === undefined || snapshot.height < state.configurationHeight) {
    probeLater(progress, state.now);
    return;
  }
  progress.kind = 'snapshot';
  progress.snapshot = { block: snapshot, heardAt: state.now };
  progress.inFlight = [];
  Object.assign(progress.retransmission, freshTimeout());
  progress.next = toHeight(Math.max(progress.next, snapshot.height + 1));
  count(replica, 'snapshots-offered');
  trace(replica, 'snapshot-offered', { to: member, height: snapshot.height });
  send(replica, [member], {
    kind: 'snapshot-offer',
    to: member,
    snapshot,
    configuration: encodeConfiguration(state.configuration),
  });
}

/**
 * What the leader does when a follower that fetches a snapshot says how it goes, or says nothing for long.
 */
export function onSnapshotAnswer(replica: Replica, role: Leader, { from, state: how }: SnapshotAnswer): void {
  const progress = role.progress.get(from);
  if (progress?.snapshot === null || progress?.snapshot === undefined) return;
  if (how === 'receiving') progress.snapshot.heardAt = replica.state.now;
  else backToProbe(progress);
}

export function watchSnapshots(replica: Replica, role: Leader): void {
  for (const progress of role.progress.values()) {
    const heardAt = progress.snapshot?.heardAt;
    if (heardAt !== undefined && replica.state.now - heardAt >= 5 * replica.options.electionTimeoutMs)
      backToProbe(progress);
  }
}

/** The follower's share: fetches what is offered, unless it has that block already. */
export function onSnapshotOffer(replica: Replica, message: SnapshotOffer): void {
  const { state } = replica;
  const role = followLeader(replica, message);
  if (role === null) return;
  const { snapshot, from } = message;
  const configuration = decodeConfiguration(message.configuration);
  if (configuration instanceof Problem) {
    replica.out.push({ type: 'verdict', validator: from, reason: 'a snapshot’s configuration is malformed' });
    return;
  }
  if (snapshot.height <= state.commit || holds(state.log, snapshot)) {
    // Older than what is here: go on from the log, never back.
    role.matched = toHeight(Math.max(role.matched, snapshot.height));
    send(replica, [from], { kind: 'snapshot-answer', height: snapshot.height, state: 'failed' });
    acknowledge(replica);
    return;
  }
  if (state.install === null) {
    beginInstall(replica, { snapshot, from, configuration, received: 0 }, [from]);
  } else {
    // One at a time: the driver may be about to make it final. If it fails instead, the next offer is taken.
    state.install.from = from;
  }
  tellLeader(replica, 'receiving');
}

/**
 * The way to a snapshot for a node that no leader offers one: an observer, a removed member, one that is not
 * a member yet. The snapshot is this chain's because whoever offers it says so: the driver asks no stranger.
 * What is here already stays.
 */
export function onOffered(
  replica: Replica,
  offer: Extract<Input<never>, { readonly type: 'offered' }>,
): void {
  const { state } = replica;
  const { header, blockHash, certificate, holders } = offer;
  const snapshot = { height: header.height, blockHash };
  if (state.install !== null || certificate.engine !== 'raft' || header.height <= state.commit) return;
  state.highestKnown = toHeight(Math.max(state.highestKnown, header.height));
  if (holds(state.log, snapshot)) {
    noteCommitted(state, header.height);
    return;
  }
  const configuration = membersAfter(state.configuration, header, certificate);
  trace(replica, 'snapshot-found', {
    height: header.height,
    wrong: configuration instanceof Problem ? configuration.message : '',
  });
  if (configuration instanceof Problem) return;
  seeTermOf(replica, header, 'others are far ahead');
  beginInstall(replica, { snapshot, from: null, configuration, received: 0 }, holders);
}

/**
 * The members that an offer comes with: those that the header names, its proposer among them, and whoever is
 * known here at the same index.
 */
function membersAfter(
  known: Configuration,
  header: BlockHeader,
  { configuration: bytes, leader }: { readonly configuration: Uint8Array; readonly leader: ValidatorIndex },
): Configuration | Problem {
  const members = decodeConfiguration(bytes);
  if (members instanceof Problem) return members;
  const fit =
    configurationHash(members) === header.nextValidatorsHash &&
    members[leader]?.key === header.proposer &&
    known.every(({ key }, index) => members[index]?.key === key);
  if (fit) return members;
  return new Problem('consensus/snapshot-members', 'the snapshot comes with members that do not fit', {
    remedy:
      'This node refused it, and asks for a later one by itself. If it stays behind, compare version and genesis file of both nodes.',
  });
}

function beginInstall(replica: Replica, install: Install, holders: readonly ValidatorIndex[]): void {
  const { state } = replica;
  const { snapshot, configuration } = install;
  // On disk before the state is: a restart finds the members of whatever block is final.
  write(replica, { records: [configurationRecord(snapshot.height, configuration)] });
  state.configurationRecords.push(snapshot.height);
  state.install = install;
  replica.out.push({ type: 'install', snapshot, holders });
  trace(replica, 'snapshot-accepted', { height: snapshot.height });
}

/** Whoever offered the snapshot as leader can tell slow from dead. */
function tellLeader(replica: Replica, state: SnapshotAnswer['state']): void {
  const { install } = replica.state;
  if (install === null || install.from === null) return;
  send(replica, [install.from], { kind: 'snapshot-answer', height: install.snapshot.height, state });
}

export function onInstalling(
  replica: Replica,
  { height, received, total }: Extract<Input<never>, { readonly type: 'installing' }>,
): void {
  const { install } = replica.state;
  if (install === null || install.snapshot.height !== height) return;
  install.received = received / total;
  tellLeader(replica, 'receiving');
}

export function onInstallFailed(
  replica: Replica,
  { height, reason }: Extract<Input<never>, { readonly type: 'install-failed' }>,
): void {
  const { install } = replica.state;
  if (install === null || install.snapshot.height !== height) return;
  trace(replica, 'snapshot-failed', { height, reason });
  tellLeader(replica, 'failed');
  replica.state.install = null;
}

/** The snapshot is the final state now: the log starts anew from its block. */
export function onInstalled(
  replica: Replica,
  { header, blockHash }: Extract<Input<never>, { readonly type: 'installed' }>,
): void {
  const { state } = replica;
  const { install } = state;
  if (install === null || install.snapshot.blockHash !== blockHash || hashHeader(header) !== blockHash)
    return;
  state.install = null;
  if (install.from !== null && configurationHash(install.configuration) !== header.nextValidatorsHash) {
    replica.out.push({
      type: 'verdict',
      validator: install.from,
      reason: 'a snapshot came with other members',
    });
  }
  if (header.height <= state.applied) return;
  noticeOwnUse(replica, header);
  seeTermOf(replica, header, 'its snapshot is of a later term');
  count(replica, 'snapshots-installed');
  replaceLog(replica, { block: { height: header.height, blockHash }, term: header.view });
  const { configuration: before } = state;
  state.configurationRecords = state.configurationRecords.filter((height) => height !== header.height);
  enterConfiguration(replica, header.height, install.configuration);
  // Between the members before and these there may have been others.
  state.departed = leaversAt(header, install.configuration, [before]);
  state.applied = header.height;
  state.delivered = header.height;
  state.arriving = [];
  state.executed = toHeight(Math.max(state.executed, header.height));
  state.durable = toHeight(Math.max(state.durable, header.height));
  state.compacted = {
    snapshot: { height: header.height, blockHash },
    firstBlock: toHeight(header.height + 1),
  };
  maybeTrustAgain(replica);
  trace(replica, 'snapshot-installed', { height: header.height, last: lastHeight(state.log) });
}

/**
 * A snapshot was made, and old blocks went. One that was installed meanwhile is newer, and
 * what is below it is gone.
 */
export function onCompacted(
  replica: Replica,
  input: Extract<Input<never>, { readonly type: 'compacted' }>,
): void {
  const { snapshot, firstBlock } = input;
  if (snapshot.height >= (replica.state.compacted?.snapshot.height ?? 0))
    replica.state.compacted = { snapshot, firstBlock };
  replica.state.compacting = false;
  maybeCompact(replica);
}

/**
 * Asks for a snapshot when enough blocks came since the last one, and lets old ones go; and after a change of
 * the members, because one from before it cannot be offered any more.
 */
export function maybeCompact(replica: Replica): void {
  const { state, options } = replica;
  const { compacted, applied } = state;
  const due =
    options.snapshotEvery > 0 && applied - (compacted?.snapshot.height ?? 0) >= options.snapshotEvery;
  const outdated = compacted !== null && compacted.snapshot.height < state.configurationHeight;
  if (state.compacting || !(due || outdated)) return;
  state.compacting = true;
  replica.out.push({
    type: 'compact',
    height: applied,
    keepFrom: toHeight(due ? Math.max(1, applied - options.keepBlocks) : (compacted?.firstBlock ?? 1)),
  });
}
