import { Problem } from '../../base/problem.ts';
import { hashHeader, toHeight } from '../../ledger/block.ts';
import type { Input, ValidatorIndex } from '../engine.ts';
import { count } from '../shared/step.ts';
import { configurationHash, decodeConfiguration, encodeConfiguration } from './configuration.ts';
import { acknowledge, followLeader } from './following.ts';
import { holds, lastHeight } from './log.ts';
import type { SnapshotAnswer, SnapshotOffer } from './message.ts';
import { send, trace } from './outbox.ts';
import { freshPatience, startWaiting } from './patience.ts';
import { maybeTrustAgain } from './membership.ts';
import { replaceLog } from './replacing.ts';
import { configurationKey } from './records.ts';
import type { Leader, Progress, Raft } from './state.ts';
import { write } from './writing.ts';

/** A follower's next block is not in storage any more: it must fetch the state instead (section 7, InstallSnapshot). */
export function offerSnapshot(raft: Raft, member: ValidatorIndex, progress: Progress): void {
  const { state } = raft;
  const snapshot = state.compacted?.snapshot;
  // A snapshot from before the configuration in force would need that one's members; the next snapshot comes soon.
  if (snapshot === undefined || snapshot.height < state.configurationHeight) {
    probeLater(raft, progress);
    if (!state.compacting) {
      state.compacting = true;
      raft.out.push({
        type: 'compact',
        height: state.applied,
        keepFrom: toHeight(state.compacted?.firstBlock ?? 1),
      });
    }
    return;
  }
  progress.kind = 'snapshot';
  progress.snapshot = { block: snapshot, heardAt: state.now };
  progress.inFlight = [];
  Object.assign(progress.patience, freshPatience());
  progress.next = toHeight(Math.max(progress.next, snapshot.height + 1));
  count(raft, 'snapshotsOffered');
  trace(raft, 'snapshot-offered', { to: member, height: snapshot.height });
  send(raft, [member], {
    type: 'snapshot-offer',
    to: member,
    snapshot,
    configuration: encodeConfiguration(state.configuration),
  });
}

/** Not at once again: storage would be asked in a circle. A heartbeat's answer wakes the probe. */
export function probeLater({ state }: Raft, progress: Progress): void {
  progress.kind = 'probe';
  progress.inFlight = [];
  startWaiting(progress.patience, state.now);
  progress.probeSentAt = state.now;
}

/** What the leader does when a follower that fetches a snapshot says how it goes, or says nothing for long. */
export function onSnapshotAnswer(raft: Raft, role: Leader, { from, state: how }: SnapshotAnswer): void {
  const progress = role.progress.get(from);
  if (progress?.snapshot === null || progress?.snapshot === undefined) return;
  if (how === 'receiving') progress.snapshot.heardAt = raft.state.now;
  else backToProbe(progress);
}

export function watchSnapshots(raft: Raft, role: Leader): void {
  for (const progress of role.progress.values()) {
    const heardAt = progress.snapshot?.heardAt;
    if (heardAt !== undefined && raft.state.now - heardAt >= 5 * raft.options.electionTimeoutMs)
      backToProbe(progress);
  }
}

/** Finds out anew what the follower has: it may have finished, or must be offered a newer one. */
function backToProbe(progress: Progress): void {
  progress.next = toHeight(progress.match + 1);
  progress.kind = 'probe';
  progress.probeSentAt = null;
  progress.snapshot = null;
}

/** The follower's share: fetches what is offered, unless it has that block already. */
export function onSnapshotOffer(raft: Raft, message: SnapshotOffer): void {
  const { state } = raft;
  const role = followLeader(raft, { ...message, commit: message.snapshot.height });
  if (role === null) return;
  const { snapshot, from } = message;
  const configuration = decodeConfiguration(message.configuration);
  if (configuration instanceof Problem) {
    raft.out.push({ type: 'verdict', validator: from, reason: 'a snapshot’s configuration is malformed' });
    return;
  }
  if (snapshot.height <= state.commit || holds(state.log, snapshot)) {
    // Older than what is here: go on from the log, never back.
    role.matched = toHeight(Math.max(role.matched, snapshot.height));
    send(raft, [from], { type: 'snapshot-answer', height: snapshot.height, state: 'failed' });
    acknowledge(raft);
    return;
  }
  if (state.install !== null && state.install.snapshot.blockHash !== snapshot.blockHash) {
    // One at a time: the driver may be about to make it final. If it fails instead, the next offer is taken.
    state.install = { ...state.install, from };
    onInstalling(raft);
    return;
  }
  if (state.install === null) {
    // On disk before the state is: a restart finds the members of whatever block is final.
    write(raft, {
      records: [{ key: configurationKey(snapshot.height), value: encodeConfiguration(configuration) }],
    });
    state.configurationRecords.push(snapshot.height);
    raft.out.push({ type: 'install', snapshot, holders: [from] });
    trace(raft, 'snapshot-accepted', { height: snapshot.height });
  }
  state.install = { snapshot, from, configuration };
  onInstalling(raft);
}

export function onInstalling(raft: Raft): void {
  const { install } = raft.state;
  if (install === null) return;
  send(raft, [install.from], {
    type: 'snapshot-answer',
    height: install.snapshot.height,
    state: 'receiving',
  });
}

export function onInstallFailed(
  raft: Raft,
  { height, reason }: Extract<Input<never>, { readonly type: 'install-failed' }>,
): void {
  const { install } = raft.state;
  if (install === null || install.snapshot.height !== height) return;
  raft.state.install = null;
  trace(raft, 'snapshot-failed', { height, reason });
  send(raft, [install.from], { type: 'snapshot-answer', height, state: 'failed' });
}

/** The snapshot is the final state now: the log starts anew from its block. */
export function onInstalled(
  raft: Raft,
  { header, blockHash }: Extract<Input<never>, { readonly type: 'installed' }>,
): void {
  const { state } = raft;
  const { install } = state;
  if (install === null || install.snapshot.blockHash !== blockHash || hashHeader(header) !== blockHash)
    return;
  state.install = null;
  if (configurationHash(install.configuration) !== header.nextValidatorsHash) {
    raft.out.push({ type: 'verdict', validator: install.from, reason: 'a snapshot came with other members' });
  }
  if (header.height <= state.applied) return;
  count(raft, 'snapshotsInstalled');
  replaceLog(raft, {
    block: { height: header.height, blockHash },
    term: header.view,
    configuration: install.configuration,
  });
  state.applied = header.height;
  state.handed = header.height;
  state.arriving = [];
  state.executed = toHeight(Math.max(state.executed, header.height));
  state.durable = toHeight(Math.max(state.durable, header.height));
  state.compacted = {
    snapshot: { height: header.height, blockHash },
    firstBlock: toHeight(header.height + 1),
  };
  maybeTrustAgain(raft);
  trace(raft, 'snapshot-installed', { height: header.height, last: lastHeight(state.log) });
}

export function onCompacted(raft: Raft, input: Extract<Input<never>, { readonly type: 'compacted' }>): void {
  raft.state.compacted = { snapshot: input.snapshot, firstBlock: input.firstBlock };
  raft.state.compacting = false;
}
