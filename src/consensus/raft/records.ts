import { bool, boundedBytes, type Codec, encode, optional, struct, u16, u32, u48 } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { type Signature, signatureCodec } from '../../crypto/signature.ts';
import { type BlockHeader, headerCodec, type Height, heightCodec, viewCodec } from '../../ledger/block.ts';
import type { BlockName, LogRecord, ValidatorIndex } from '../engine.ts';
import type { Entry } from './log.ts';
import { nameCodec, type Term } from './message.ts';
import type { RaftState } from './state.ts';
import { type Configuration, encodeConfiguration } from '../../ledger/members.ts';

/**
 * What a member must not forget (figure 2: "persistent state on all servers"), as records of the consensus
 * log. Block bodies are stored by the driver; an entry's record holds what the block does not.
 */
export interface HardState {
  readonly term: Term;
  readonly votedFor: ValidatorIndex | undefined;
  /**
   * Known to be committed when this was written. A lower bound, but never below a configuration
   * that later entries build on.
   */
  readonly commit: Height;
  /** How often this member was started; makes its read contexts unique. */
  readonly incarnation: number;
  /** Its log was lost once: it must not vote before a change of the members takes it out and in again. */
  readonly amnesiac: boolean;
  /** As in the state: it was seen in a term that may be over. */
  readonly held: BlockName | undefined;
}

export const hardStateCodec = struct<HardState>({
  term: viewCodec,
  votedFor: optional(u16),
  commit: heightCodec,
  incarnation: u48,
  amnesiac: bool,
  held: optional(nameCodec),
});

interface EntryRecord {
  readonly header: BlockHeader;
  readonly leader: number;
  readonly signature: Signature;
  readonly configuration: Uint8Array;
  readonly bytes: number;
}

export const entryCodec: Codec<EntryRecord> = struct<EntryRecord>({
  header: headerCodec,
  leader: u16,
  signature: signatureCodec,
  configuration: boundedBytes(limits.raftConfigurationBytes, 'configuration'),
  bytes: u32,
});

export const stateKey = 'raft/state';
/** There while the member is `unproven`, as in its state. */
export const unprovenKey = 'raft/unproven';
export const entryPrefix = 'raft/entry/';
export const configurationPrefix = 'raft/configuration/';
const padded = (height: Height): string => String(height).padStart(15, '0');
export const entryKey = (height: Height): string => entryPrefix + padded(height);
export const configurationKey = (height: Height): string => configurationPrefix + padded(height);

export function encodeHardState(state: HardState): Uint8Array {
  return encode(hardStateCodec, state);
}

export function encodeEntry({ header, leader, signature, configuration, bytes }: Entry): Uint8Array {
  return encode(entryCodec, { header, leader, signature, configuration, bytes });
}

export function stateRecord(state: RaftState): LogRecord {
  const { votedFor, held, guard } = state;
  return {
    key: stateKey,
    value: encodeHardState({
      ...state,
      votedFor: votedFor ?? undefined,
      held: held ?? undefined,
      amnesiac: guard.name !== 'off',
    }),
  };
}

export function entryRecord(entry: Entry): LogRecord {
  return { key: entryKey(entry.header.height), value: encodeEntry(entry) };
}

/** Who the members are after the block at this height. */
export function configurationRecord(height: Height, configuration: Configuration): LogRecord {
  return { key: configurationKey(height), value: encodeConfiguration(configuration) };
}
