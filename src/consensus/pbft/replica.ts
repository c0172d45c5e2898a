import type { Hash } from '../../crypto/hash.ts';
import { type Height, toHeight, type View } from '../../ledger/block.ts';
import { byzantineQuorum, maxFaulty } from '../../ledger/quorum.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { Effect, PersistEffect, Recipients, ValidatorIndex } from '../engine.ts';
import { type Draft, type PbftMessage, toUnsigned } from './message.ts';
import type { PbftOptions } from './options.ts';
import type { PbftState } from './state.ts';

/** What the parts of the protocol work on: constants, the state, and the effects of the step in progress. */
export interface Replica {
  readonly chainId: Hash;
  readonly genesisHash: Hash;
  readonly validators: ValidatorSet;
  readonly options: PbftOptions;
  /** This node's index, or null for an observer. */
  readonly self: ValidatorIndex | null;
  readonly state: PbftState;
  effects: Effect<PbftMessage>[];
}

export function quorumOf(replica: Replica): number {
  return byzantineQuorum(replica.validators.keys.length);
}

/** f + 1 distinct validators: at least one of them does not lie. */
export function weakQuorumOf(replica: Replica): number {
  return maxFaulty(replica.validators.keys.length) + 1;
}

/** Who proposes at (view, height). Without rotation it is the view's primary for all heights (PBFT, section 4). */
export function primaryOf(replica: Replica, view: View, height: Height): ValidatorIndex {
  const { blocksPerPrimary } = replica.options;
  const turns = blocksPerPrimary === 0 ? 0 : Math.floor((height - 1) / blocksPerPrimary);
  return (view + turns) % replica.validators.keys.length;
}

/** Who starts a view with NewView. */
export function viewPrimaryOf(replica: Replica, view: View): ValidatorIndex {
  return view % replica.validators.keys.length;
}

/** The highest height that may be in flight. */
export function windowEnd(replica: Replica): Height {
  return toHeight(replica.state.final.height + replica.options.window);
}

/** False for an observer, and while the amnesia guard holds. */
export function mayVote(replica: Replica): boolean {
  return replica.self !== null && replica.state.guard.name === 'off';
}

export function isNormal(replica: Replica): boolean {
  return replica.state.phase.name === 'normal';
}

export function count(replica: Replica, what: string): void {
  replica.state.counters[what] = (replica.state.counters[what] ?? 0) + 1;
}

export function trace(
  replica: Replica,
  event: string,
  data: Record<string, string | number | boolean> = {},
): void {
  count(replica, event);
  replica.effects.push({ type: 'trace', event, data });
}

/** Asks for one atomic write. What depends on it happens when its `persisted` comes. */
export function persist(
  replica: Replica,
  write: { records?: PersistEffect['records']; sign?: readonly Draft[]; blocks?: readonly Hash[] },
): void {
  const { state } = replica;
  state.persistSeq += 1;
  state.persisting.push({ seq: state.persistSeq, since: state.now });
  const blocks = (write.blocks ?? []).filter((blockHash) => !state.stored.has(blockHash));
  for (const blockHash of blocks) state.stored.add(blockHash);
  replica.effects.push({
    type: 'persist',
    seq: state.persistSeq,
    records: [...(write.records ?? []), ...obsoleteRecords(replica)],
    sign: (write.sign ?? []).map((draft) => toUnsigned(draft, epochOf(replica))),
    blocks,
  });
}

/** Own messages that can no longer be of use: of earlier views, or for heights that are final. */
function obsoleteRecords(replica: Replica): { key: string; value: null }[] {
  const { state } = replica;
  const removed: { key: string; value: null }[] = [];
  for (const [key, message] of state.own) {
    const past =
      ('view' in message && message.view < state.view) ||
      (isSlotMessage(message) &&
        message.height <= state.final.height &&
        message.height !== state.viewBase.height);
    if (past) {
      state.own.delete(key);
      removed.push({ key, value: null });
    }
  }
  return removed;
}

export function isSlotMessage(
  message: PbftMessage,
): message is Extract<PbftMessage, { kind: 'pre-prepare' | 'prepare' | 'commit' }> {
  return message.kind === 'pre-prepare' || message.kind === 'prepare' || message.kind === 'commit';
}

export function epochOf(replica: Replica): { chainId: Hash; validatorsHash: Hash } {
  return { chainId: replica.chainId, validatorsHash: replica.validators.hash };
}

/** Sends a signed message. */
export function send(replica: Replica, to: Recipients, message: PbftMessage): void {
  replica.effects.push({ type: 'send', to, message });
}

/** Has a message that binds nothing signed and sent. */
export function post(replica: Replica, to: Recipients, draft: Draft): void {
  if (replica.self === null) return;
  replica.effects.push({ type: 'post', to, message: toUnsigned(draft, epochOf(replica)) });
}
