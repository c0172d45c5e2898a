import { invariant } from '../../base/invariant.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { Effect, LogRecord } from '../engine.ts';
import { addWrite, oldestWriteMs, settleWrites } from '../shared/write-queue.ts';
import { count } from '../shared/step.ts';
import { type Entry, lastHeight, truncateAfter } from './log.ts';
import type { RaftMessage, Term } from './message.ts';
import { entryKey, entryRecord, stateRecord, unprovenKey } from './records.ts';
import type { Replica } from './replica.ts';
import { noteHeld } from './vouching.ts';

/** What a write holds besides term, vote and commit, which every one holds: they are one ordered stream. */
interface WriteContent {
  /** Entries that were just appended to the log. */
  readonly entries?: readonly Entry[];
  /** Entries that were just cut off. */
  readonly cut?: readonly Entry[];
  readonly records?: readonly LogRecord[];
  readonly after?: readonly (Effect<RaftMessage> | undefined)[];
  readonly ownVote?: Term;
}

/** Asks for a write (section 5: "updated on stable storage before responding"). */
export function write(replica: Replica, content: WriteContent): void {
  const { state } = replica;
  const entries = content.entries ?? [];
  const cut = content.cut ?? [];
  if (state.unproven && (entries.length > 0 || state.votedFor !== null)) {
    // It has bound itself here, so what it knows of itself is on this disk.
    state.unproven = false;
    state.staleRecords.push(unprovenKey);
  }
  const written = new Set(entries.map((entry) => entryKey(entry.header.height)));
  const kept = new Set(entries.map(({ blockHash }) => blockHash));
  const removed = new Set(
    [...state.staleRecords, ...cut.map((entry) => entryKey(entry.header.height))].filter(
      (key) => !written.has(key),
    ),
  );
  state.staleRecords = [];
  const seq = addWrite(state.writes, state.now, {
    upTo: entries.length > 0 ? lastHeight(state.log) : toHeight(0),
    after: (content.after ?? []).filter((effect) => effect !== undefined),
    term: state.term,
    ownVote: content.ownVote ?? null,
  });
  replica.out.push({
    type: 'persist',
    seq,
    records: [
      stateRecord(state),
      ...(state.unproven ? [{ key: unprovenKey, value: new Uint8Array([1]) }] : []),
      ...[...removed].map((key) => ({ key, value: null })),
      ...entries.map(entryRecord),
      ...(content.records ?? []),
    ],
    sign: [],
    blocks: entries.map(({ blockHash }) => blockHash),
    ...(cut.length > 0
      ? { forget: cut.map(({ blockHash }) => blockHash).filter((hash) => !kept.has(hash)) }
      : {}),
  });
}

/**
 * Cuts the log after `height`. Acknowledgements that wait for older writes are void for what was cut: the
 * block may come back later under a new write, and the old one says nothing about that (ABA).
 */
export function cutLog(replica: Replica, height: Height): Entry[] {
  const { state } = replica;
  invariant(height >= state.commit, 'no committed block is cut off');
  const cut = truncateAfter(state.log, height);
  if (cut.length > 0) count(replica, 'truncated', cut.length);
  state.durable = toHeight(Math.min(state.durable, height));
  state.executed = toHeight(Math.min(state.executed, height));
  for (const { kept } of state.writes.pending) kept.upTo = toHeight(Math.min(kept.upTo, height));
  return cut;
}

/** What waited for these writes may be said now. Returns the terms whose own vote is now on disk. */
export function onPersisted(replica: Replica, seq: number): Term[] {
  const { state } = replica;
  const ownVotes: Term[] = [];
  for (const done of settleWrites(state.writes, seq)) {
    state.durable = toHeight(Math.max(state.durable, done.upTo));
    state.durableTerm = done.term;
    noteHeld(state);
    replica.out.push(...done.after);
    if (done.ownVote !== null) ownVotes.push(done.ownVote);
  }
  return ownVotes;
}

/** What waits in the name of an older term must not be said any more. */
export function voidOldMessages(replica: Replica): void {
  for (const { kept } of replica.state.writes.pending) {
    kept.after = kept.after.filter(
      (effect) => effect.type !== 'send' || effect.message.term >= replica.state.term,
    );
  }
}

/**
 * The oldest unfinished write is too old: the disk stalls, and whoever depends on this
 * member should look elsewhere.
 */
export function diskStalls(replica: Replica): boolean {
  const { state, options } = replica;
  return oldestWriteMs(state.writes, state.now) >= options.electionTimeoutMs;
}
