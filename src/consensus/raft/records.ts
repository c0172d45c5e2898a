import {
  bool,
  boundedBytes,
  type Codec,
  decode,
  encode,
  optional,
  struct,
  u16,
  u32,
  u48,
} from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type Signature, signatureCodec } from '../../crypto/signature.ts';
import {
  type BlockHeader,
  hashHeader,
  headerCodec,
  type Height,
  heightCodec,
  toHeight,
  toView,
  viewCodec,
} from '../../ledger/block.ts';
import type { EngineStart, ValidatorIndex } from '../engine.ts';
import {
  type Configuration,
  configurationHash,
  decodeConfiguration,
  genesisConfiguration,
} from './configuration.ts';
import type { Entry } from './log.ts';
import type { Term } from './messages.ts';

/**
 * What a member must not forget (figure 2: "persistent state on all servers"), as records of the consensus log. Block
 * bodies are stored by the driver; an entry's record holds what the block does not.
 */
export interface HardState {
  readonly term: Term;
  readonly votedFor: ValidatorIndex | undefined;
  /** Known to be committed when this was written. A lower bound, but never below a configuration that later entries build on. */
  readonly commit: Height;
  /** How often this member was started; makes its read tokens unique. */
  readonly incarnation: number;
  /** Its log was lost once: it must not vote before a change of the members takes it out and in again. */
  readonly amnesiac: boolean;
}

const hardStateCodec = struct<HardState>({
  term: viewCodec,
  votedFor: optional(u16),
  commit: heightCodec,
  incarnation: u48,
  amnesiac: bool,
});

interface EntryRecord {
  readonly header: BlockHeader;
  readonly leader: number;
  readonly signature: Signature;
  readonly configuration: Uint8Array;
  readonly bytes: number;
}

const entryCodec: Codec<EntryRecord> = struct<EntryRecord>({
  header: headerCodec,
  leader: u16,
  signature: signatureCodec,
  configuration: boundedBytes(limits.raftConfigurationBytes),
  bytes: u32,
});

export const stateKey = 'raft/state';
const entryPrefix = 'raft/entry/';
const configurationPrefix = 'raft/configuration/';
const padded = (height: Height): string => String(height).padStart(15, '0');
export const entryKey = (height: Height): string => entryPrefix + padded(height);
export const configurationKey = (height: Height): string => configurationPrefix + padded(height);

export function encodeHardState(state: HardState): Uint8Array {
  return encode(hardStateCodec, state);
}

export function encodeEntry({ header, leader, signature, configuration, bytes }: Entry): Uint8Array {
  return encode(entryCodec, { header, leader, signature, configuration, bytes });
}

export interface Recovered {
  readonly hard: HardState;
  /** Entries above the final block, in order, each linked to the one before. */
  readonly entries: Entry[];
  /** The configuration after the final block, and the height of the block that started it as far as known. */
  readonly configuration: Configuration;
  readonly configurationHeight: Height;
  /** Records that nothing needs any more. */
  readonly stale: string[];
  /** Heights with a configuration record, ascending. */
  readonly configurationHeights: Height[];
}

/** Reads the log back. Throws a `Problem` for a damaged one: going on could break a promise. */
export function recover(start: EngineStart): Recovered {
  const { final, records } = start;
  const found = readRecords(records);
  const entries: Entry[] = [];
  const stale: string[] = [];
  let parent: Hash = final.hash;
  let replaced = false;
  let previous: Height | null = null;
  for (const entry of found.entries) {
    const height = entry.header.height;
    if (previous !== null && height !== previous + 1) throw damaged(`an entry is missing before ${height}`);
    previous = height;
    if (!replaced && height > final.header.height && entry.header.parentHash !== parent) {
      if (height > final.header.height + 1) throw damaged(`the entry at ${height} does not link`);
      replaced = true;
    }
    // At or below the final block it is history. What does not link to the final block was replaced by it (a sync or a
    // snapshot) before these records were removed.
    if (height <= final.header.height || replaced) stale.push(entryKey(height));
    else {
      entries.push(entry);
      parent = entry.blockHash;
    }
  }
  const current = recoverConfiguration(start, found);
  const heights = found.configurations.map(({ height }) => height);
  const older = heights.filter((height) => height < current.configurationHeight);
  return {
    hard: found.hard ?? {
      term: toView(0),
      votedFor: undefined,
      commit: final.header.height,
      incarnation: 0,
      amnesiac: !start.firstUse,
    },
    entries,
    ...current,
    stale: [...stale, ...older.map(configurationKey)],
    configurationHeights: heights.filter((height) => !older.includes(height)),
  };
}

interface Records {
  readonly hard: HardState | undefined;
  readonly entries: Entry[];
  readonly configurations: { readonly height: Height; readonly configuration: Configuration }[];
}

function readRecords(records: ReadonlyMap<string, Uint8Array>): Records {
  const entries: Entry[] = [];
  const configurations: Records['configurations'] = [];
  for (const key of [...records.keys()].sort()) {
    const bytes = records.get(key) as Uint8Array;
    if (key.startsWith(entryPrefix)) {
      const record = unwrap(decode(entryCodec, bytes, `the record ${key}`));
      entries.push({ ...record, blockHash: hashHeader(record.header), transactionHashes: null });
    } else if (key.startsWith(configurationPrefix)) {
      const height = toHeight(Number(key.slice(configurationPrefix.length)));
      configurations.push({ height, configuration: unwrap(decodeConfiguration(bytes)) });
    }
  }
  const hard = records.get(stateKey);
  return {
    hard: hard === undefined ? undefined : unwrap(decode(hardStateCodec, hard, `the record ${stateKey}`)),
    entries,
    configurations,
  };
}

/** The newest configuration at or below the final block; it must be the one that the final header names. */
function recoverConfiguration(
  start: EngineStart,
  found: Records,
): { configuration: Configuration; configurationHeight: Height } {
  const { header, certificate } = start.final;
  const known = [
    { height: toHeight(0), configuration: genesisConfiguration(start.validators) },
    ...found.configurations,
    ...found.entries
      .filter(({ configuration }) => configuration.length > 0)
      .map((entry) => ({
        height: entry.header.height,
        configuration: unwrap(decodeConfiguration(entry.configuration)),
      })),
  ];
  if (certificate?.engine === 'raft' && certificate.configuration.length > 0) {
    known.push({
      height: certificate.height,
      configuration: unwrap(decodeConfiguration(certificate.configuration)),
    });
  }
  const fitting = known
    .filter(({ height }) => height <= header.height)
    .filter(({ configuration }) => configurationHash(configuration) === header.nextValidatorsHash)
    .sort((a, b) => b.height - a.height)[0];
  if (fitting === undefined) {
    throw damaged(`no record says who the members are after block ${header.height}`);
  }
  return { configuration: fitting.configuration, configurationHeight: fitting.height };
}

function damaged(why: string): Problem {
  return new Problem('storage/consensus-log', `the Raft log is damaged: ${why}`, {
    remedy: 'Restore nothing from a backup: remove this member, empty its directory, and add it again.',
  });
}
