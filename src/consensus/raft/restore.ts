import { nextFloat, type RandomState, seedRandom } from '../../base/random.ts';
import { decode } from '../../base/codec.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { hashHeader, type Height, toHeight, toView } from '../../ledger/block.ts';
import type { EngineStart } from '../protocol.ts';
import { freshPacing } from '../shared/pacing.ts';
import { freshPatience } from '../shared/patience.ts';
import { neverAsked } from '../shared/sync-ask.ts';
import { noWrites } from '../shared/write-queue.ts';
import { genesisConfiguration, indexOf, leaversAt } from './configuration.ts';
import { type Entry, type Log, lastHeight, lastTerm, newestChange } from './log.ts';
import type { RaftOptions } from './options.ts';
import { unusedIncarnation } from './read-context.ts';
import {
  configurationKey,
  configurationPrefix,
  entryCodec,
  entryKey,
  entryPrefix,
  type HardState,
  hardStateCodec,
  stateKey,
  unprovenKey,
} from './records.ts';
import type { RaftState } from './state.ts';
import { type Configuration, configurationHash, decodeConfiguration } from '../../ledger/members.ts';

/**
 * A member at its start: where its log left it. Throws a `Problem` for a damaged one: going
 * on could break a promise.
 */
export function restore(start: EngineStart, options: RaftOptions): RaftState {
  const random = seedRandom(start.seed);
  const { hard, entries, configuration, configurationHeight, departed, stale, configurationHeights } =
    recover(start, random);
  const final = start.final.header;
  const log: Log = {
    base: { height: final.height, blockHash: start.final.hash, term: final.view },
    entries,
  };
  const self = indexOf(configuration, start.self);
  // A final block came to disk by itself: whoever holds it has seen its term. It never voted in one that
  // its state does not name.
  const term = toView(Math.max(hard.term, lastTerm(log)));
  const commit = toHeight(Math.max(final.height, Math.min(hard.commit, lastHeight(log))));
  return {
    self,
    term,
    votedFor: term === hard.term ? (hard.votedFor ?? null) : null,
    durableTerm: hard.term,
    incarnation: hard.incarnation + 1,
    // The recovery index stands in no record: each start asks anew.
    guard: hard.amnesiac ? { name: 'asking', asked: null } : { name: 'off' },
    unproven: isUnproven(start),
    keyUse: { trust: start.log === 'vouched' ? 'vouched' : 'known', upTo: term, led: new Set() },
    log,
    held: heldAtStart(hard, log),
    heldBy: new Map(),
    durable: lastHeight(log),
    executed: final.height,
    commit,
    delivered: final.height,
    applied: final.height,
    configuration,
    configurationHeight,
    configurationSince: start.now,
    departed,
    configurationRecords: configurationHeights,
    arriving: [],
    staleRecords: start.records.has(unprovenKey) && !isUnproven(start) ? [...stale, unprovenKey] : stale,
    role: { kind: 'follower', leader: null, matched: commit, leaderCommit: commit, staging: [] },
    now: start.now,
    patience: freshPatience(),
    electionTimer: { dueAt: start.now + options.electionTimeoutMs * (1 + nextFloat(random)) },
    // A restarted voter may have promised a lease that it no longer remembers.
    leaderHeardAt: options.leaseReads && hard.incarnation > 0 ? start.now : null,
    random,
    writes: noWrites(),
    pacing: freshPacing(),
    reads: [],
    readSerial: 0,
    transfer: null,
    change: null,
    install: null,
    compacted: start.compacted ?? null,
    compacting: false,
    recheck: { dueAt: entries.length > 0 ? start.now : null },
    highestKnown: final.height,
    syncAsk: neverAsked(),
    behind: null,
    refused: null,
    started: false,
    counters: {
      campaigns: 0,
      elections: 0,
      'step-downs': 0,
      truncated: 0,
      'read-rounds': 0,
      'reads-served': 0,
      transfers: 0,
      'snapshots-offered': 0,
      'snapshots-installed': 0,
    },
  };
}

/**
 * A change of the members that this disk had in the change's own term: the one in the log, while the state on
 * disk names no later term; otherwise the one that the state names.
 */
function heldAtStart({ term, amnesiac, held }: HardState, { entries }: Log): RaftState['held'] {
  if (amnesiac) return null;
  const change = newestChange(entries);
  return change?.header.view === term
    ? { height: change.header.height, blockHash: change.blockHash }
    : (held ?? null);
}

interface Recovered {
  readonly hard: HardState;
  /** Entries above the final block, in order, each linked to the one before. */
  readonly entries: Entry[];
  /** The configuration after the final block, and the height of the block that started it as far as known. */
  readonly configuration: Configuration;
  readonly configurationHeight: Height;
  /** As in the state. */
  readonly departed: RaftState['departed'];
  /** Records that nothing needs any more. */
  readonly stale: string[];
  /** Heights with a configuration record, ascending. */
  readonly configurationHeights: Height[];
}

function recover(start: EngineStart, random: RandomState): Recovered {
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
    // At or below the final block it is history. What does not link to the final block was replaced by it (a
    // sync or a snapshot) before these records were removed.
    if (height <= final.header.height || replaced) stale.push(entryKey(height));
    else {
      entries.push(entry);
      parent = entry.blockHash;
    }
  }
  const current = recoverConfiguration(start, found);
  const heights = found.configurations.map(({ height }) => height);
  // The newest of those below tells who lost its vote with the change in force.
  const older = heights.filter((height) => height < current.configurationHeight).slice(0, -1);
  return {
    hard: trusted(start, random, found.hard),
    entries,
    ...current,
    departed: leaversAt(final.header, current.configuration, [
      genesisConfiguration(start.validators),
      ...found.configurations.map(({ configuration }) => configuration),
    ]),
    stale: [...stale, ...older.map(configurationKey)],
    configurationHeights: heights.filter((height) => !older.includes(height)),
  };
}

/** This machine knew of no use of the key when its log began; whether it is new is not known yet. */
function isInDoubt({ log, records }: EngineStart): boolean {
  if (log === 'lost' || log === 'vouched') return false;
  return records.has(unprovenKey) || (log === 'new' && !records.has(stateKey));
}

/** A voter of the genesis file. */
function isFounder({ validators, self }: EngineStart): boolean {
  return validators.keys.includes(self);
}

/** In doubt, and it may have begun the chain: the chain itself will show whether the key is new. */
function isUnproven(start: EngineStart): boolean {
  return isInDoubt(start) && isFounder(start);
}

/**
 * The state on disk, as far as it may be trusted. Who is in doubt is one whose log was lost, unless it may
 * have begun the chain: whoever is to become a voter later has the time to ask.
 */
function trusted(start: EngineStart, random: RandomState, found: HardState | undefined): HardState {
  const { log, final } = start;
  const hard = found ?? {
    term: toView(0),
    votedFor: undefined,
    commit: final.header.height,
    incarnation: 0,
    amnesiac: false,
    held: undefined,
  };
  const isLost = log === 'lost' || (isInDoubt(start) && !isFounder(start));
  if (!isLost && log !== 'vouched') return hard;
  return {
    ...hard,
    incarnation: unusedIncarnation(random),
    amnesiac: isLost,
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
    remedy:
      'Keep a copy of the whole data directory. Then move its database (db/) away, leave keys/ as it is, start it, and have the leader remove it and add it again ("quorate members remove KEY", "quorate members add KEY"): only then it votes. Put back no old copy of anything.',
  });
}
