import { type Height, toHeight } from '../../ledger/block.ts';
import type { Input, ValidatorIndex } from '../engine.ts';
import { isPatient } from '../shared/patience.ts';
import { isDue, start } from '../shared/timer.ts';
import { quorumOf, quorumValue } from './configuration.ts';
import { entryAt, entryOf, hashAt, lastHeight, termAt, wireOf } from './log.ts';
import { entryBytes, nameOf, type WireEntry } from './message.ts';
import { send, trace } from './outbox.ts';
import { runsOut, startWaiting } from './retransmission.ts';
import { probeLater } from './progress.ts';
import { answersLately, committed, type Replica } from './replica.ts';
import { becomeFollower } from './roles.ts';
import { offerSnapshot } from './snapshots.ts';
import type { Leader, Progress } from './state.ts';
import { diskStalls } from './writing.ts';

/** Blocks asked of storage at once for one follower: they come back as one message or a few. */
const loadAtOnce = 16;

/**
 * A leader's share of a tick: heartbeats, and whether it may go on (check-quorum; dissertation, section 6.2).
 */
export function tickLeader(replica: Replica, role: Leader): void {
  const { state, options } = replica;
  const lost = isPatient(state.patience, state.now) ? null : whyLost(replica, role);
  if (lost !== null) {
    becomeFollower(replica, state.term, null, lost);
    return;
  }
  if (!isDue(role.heartbeatTimer, state.now)) return;
  startRound(replica, role);
  // The mempool may have changed while an empty-handed build was on its way back: look again now and then.
  state.pacing.nothingToBuild = false;
  for (const progress of role.progress.values()) {
    // A probe can be lost, and a member that has no index yet answers no heartbeat that would tell.
    const sent = progress.probeSentAt;
    if (sent === null || state.now - sent < options.electionTimeoutMs) continue;
    if (runsOut(progress.retransmission, state.now, options)) progress.probeSentAt = null;
  }
}

/** Why it should lead no longer; null when it should. */
export function whyLost(replica: Replica, role: Leader): string | null {
  const { state, options } = replica;
  if (diskStalls(replica)) return 'its disk stalls';
  if (state.now - role.since < options.electionTimeoutMs || quorumContact(replica, role)) return null;
  return 'it lost contact with a majority';
}

/** It heard a majority, itself included, within the last election timeout. */
export function quorumContact(replica: Replica, role: Leader): boolean {
  const { configuration, self } = replica.state;
  return quorumOf(configuration, (index) => index === self || answersLately(replica, role, index));
}

/**
 * A round of heartbeats. Each has its own number, made here and never used again, and reads wait for
 * a majority to answer it.
 */
export function startRound(replica: Replica, role: Leader): void {
  const { state, options } = replica;
  role.round += 1;
  start(role.heartbeatTimer, state.now, options.heartbeatMs);
  role.roundsSent = role.roundsSent.filter(({ at }) => state.now - at < options.electionTimeoutMs);
  role.roundsSent.push({ round: role.round, at: state.now });
  send(replica, [...role.progress.keys()], {
    kind: 'heartbeat',
    commit: committed(state),
    round: role.round,
  });
}

/**
 * The commit rule: a block of this term that a majority has on disk, and with it all below (sections 5.3 and
 * 5.4.2, figure 8). The leader counts itself for what its own disk confirmed.
 */
export function advanceLeaderCommit(replica: Replica, role: Leader): void {
  const { state } = replica;
  const reached = toHeight(
    quorumValue(state.configuration, (index) =>
      index === state.self ? state.durable : (role.progress.get(index)?.match ?? 0),
    ),
  );
  if (reached <= state.commit || termAt(state.log, reached) !== state.term) return;
  state.commit = reached;
  // Tell the others now: they can make it final before the next block or heartbeat comes by.
  startRound(replica, role);
}

/** Sends each follower what it lacks, within the bounds of what may be on the way to it. */
export function replicate(replica: Replica, role: Leader): void {
  for (const [member, progress] of role.progress) {
    while (mayAppend(replica, progress) && sendAppend(replica, member, progress));
  }
}

function mayAppend({ state, options }: Replica, progress: Progress): boolean {
  if (progress.loadingFrom !== null || progress.kind === 'snapshot') return false;
  if (progress.kind === 'probe') return progress.probeSentAt === null;
  const bytes = progress.inFlight.reduce((sum, message) => sum + message.bytes, 0);
  return (
    progress.next <= lastHeight(state.log) &&
    progress.inFlight.length < options.inFlightMessages &&
    bytes < options.inFlightBytes
  );
}

/** One append message; false when it has to wait for storage. */
function sendAppend(replica: Replica, member: ValidatorIndex, progress: Progress): boolean {
  const { state, options } = replica;
  const { log } = state;
  if (progress.next <= log.base.height) {
    load(replica, progress, log.base.height);
    return false;
  }
  const previous = hashAt(log, toHeight(progress.next - 1));
  if (previous === undefined) return false;
  const entries: WireEntry[] = [];
  let bytes = 0;
  for (let height = progress.next; ; height = toHeight(height + 1)) {
    const entry = entryAt(log, height);
    // Members that hold a change of the members may rely on this disk, too (`vouching.ts`).
    if (entry === undefined || (entry.configuration.length > 0 && height > state.durable)) break;
    const wire = wireOf(entry);
    if (wire === undefined) {
      if (entries.length > 0) break;
      load(replica, progress, lastHeight(log));
      return false;
    }
    const size = entryBytes(wire.proposal.transactionHashes.length, wire.configuration.length);
    if (entries.length > 0 && bytes + size > options.appendBytes) break;
    entries.push(wire);
    bytes += size;
  }
  if (entries.length === 0 && progress.kind === 'stream') return false;
  appendTo(replica, { member, progress, previousHash: previous, entries, bytes });
  return true;
}

function appendTo(
  replica: Replica,
  {
    member,
    progress,
    previousHash,
    entries,
    bytes,
  }: {
    member: ValidatorIndex;
    progress: Progress;
    previousHash: Parameters<typeof nameOf>[1];
    entries: readonly WireEntry[];
    bytes: number;
  },
): void {
  const previous = nameOf(toHeight(progress.next - 1), previousHash);
  const { state } = replica;
  send(replica, [member], { kind: 'append', to: member, previous, entries, commit: state.commit });
  startWaiting(progress.retransmission, state.now);
  const last = toHeight(previous.height + entries.length);
  if (progress.kind === 'probe') {
    progress.probeSentAt = state.now;
    progress.probeLast = last;
    return;
  }
  progress.next = toHeight(last + 1);
  progress.inFlight.push({ last, bytes });
}

/** Asks storage for blocks that memory does not hold (any more). */
function load(replica: Replica, progress: Progress, to: Height): void {
  const { log } = replica.state;
  const from = progress.next;
  const blocks = [];
  for (let height = from; height <= to && height < from + loadAtOnce; height = toHeight(height + 1)) {
    blocks.push({ height, blockHash: entryAt(log, height)?.blockHash ?? null });
  }
  progress.loadingFrom = from;
  replica.out.push({ type: 'load', blocks });
}

type Loaded = Extract<Input<never>, { readonly type: 'loaded' }>;

/**
 * Blocks came from storage: those of the log are kept there, and go out from there;
 * older ones go out at once.
 */
export function onLoaded(replica: Replica, role: Leader, { blocks }: Loaded): void {
  const { state, options } = replica;
  const from = blocks[0]?.height;
  if (from === undefined) return;
  for (const { height, block } of blocks) {
    const position = height - state.log.base.height - 1;
    const entry = state.log.entries[position];
    if (block === null || entry?.blockHash !== block.blockHash) continue;
    state.log.entries[position] = { ...entry, transactionHashes: block.proposal.transactionHashes };
  }
  for (const [member, progress] of role.progress) {
    if (progress.loadingFrom !== from) continue;
    progress.loadingFrom = null;
    if (progress.next !== from || progress.kind === 'snapshot') continue;
    const entries = wiresOf(replica, blocks);
    const first = entries[0];
    if (from > state.log.base.height) continue;
    if (first === undefined) {
      // A block that came here by sync may be without its own certificate: the
      // follower will ask for sync, too.
      if (blocks[0]?.block === null) offerSnapshot(replica, member, progress);
      else probeLater(progress, state.now);
      continue;
    }
    let batch: WireEntry[] = [];
    let bytes = 0;
    const flush = (): void => {
      const [head] = batch;
      if (head === undefined || !mayAppend(replica, progress)) return;
      appendTo(replica, {
        member,
        progress,
        previousHash: head.proposal.header.parentHash,
        entries: batch,
        bytes,
      });
      batch = [];
      bytes = 0;
    };
    for (const wire of entries) {
      const size = entryBytes(wire.proposal.transactionHashes.length, wire.configuration.length);
      if (bytes + size > options.appendBytes) flush();
      if (bytes + size > options.appendBytes && batch.length > 0) break;
      batch.push(wire);
      bytes += size;
    }
    flush();
  }
}

/** The final blocks among these, in order, up to the first one that is not there. */
function wiresOf(replica: Replica, blocks: Loaded['blocks']): WireEntry[] {
  const wires: WireEntry[] = [];
  for (const { block } of blocks) {
    const certificate = block?.certificate;
    if (block === null || certificate?.engine !== 'raft') break;
    const { leader, signature, configuration } = certificate;
    const wire = { proposal: block.proposal, leader, signature, configuration };
    if (entryOf(wire).blockHash !== block.blockHash) {
      trace(replica, 'storage-mismatch', { height: block.proposal.header.height });
      break;
    }
    wires.push(wire);
  }
  return wires;
}
