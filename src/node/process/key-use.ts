import { randomBytes } from 'node:crypto';
import * as z from 'zod/mini';
import { fromHex, fromUtf8, toHex } from '../../base/bytes.ts';
import { decode, encode, u48 } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { machineFault, machineRemedy, nameOfFault } from '../../base/machine-fault.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { LogRecord } from '../../consensus/engine.ts';
import type { LogTrust } from '../../consensus/protocol.ts';
import { encodeAddress } from '../../crypto/address.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { toHeight } from '../../ledger/block.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import { readLocalFile } from '../../storage/local-file.ts';
import { writeDurably } from './durable-file.ts';

/** In the store: which store this is. A new one gets a new name. */
const storeIdKey = 'node-store-id';
/** In the store: how many batches of the consensus log were written with the key, over all stores. */
const writesKey = 'node-writes';
/** In the store: the validator's key that its consensus log was written with. */
const keyKey = 'node-key';
/** In the store: the log was found lost, and the engine has not recorded that yet. */
const lostKey = 'node-log-lost';

const useSchema = z.strictObject({
  chains: z.array(
    z.strictObject({ chainId: z.string(), storeId: z.string(), since: z.string(), writes: z.number() }),
  ),
});
type Uses = z.infer<typeof useSchema>;

/** What the note beside the key says of the store. */
type KeyUseFound = 'first-use' | 'same' | 'other-store' | 'older-copy';

/**
 * Counts the batches of the consensus log, in the store and elsewhere, so that an old copy of the store is
 * known for one.
 */
export interface WriteCount {
  /** Since when this machine notes each use of the key with this store, in ms since 1970. */
  readonly since: number;
  /** This many were written before this start. */
  readonly before: number;
  /** What goes with batch number `count` into the store. */
  records(count: number): readonly LogRecord[];
  /** That batch is on disk. */
  written(count: number): void;
}

export interface KeyUse extends WriteCount {
  readonly found: KeyUseFound;
  readonly trust: LogTrust;
  /** Notes the last count. */
  close(): Promise<void>;
}

/**
 * Compares what stands beside a validator's key with the store, before anything is signed with it: on which
 * chains the key was used, with which store, and how many batches of the consensus log were written with it.
 * Another store, or one that holds fewer batches than are noted, is not the one that the key was used with
 * last (a lost disk, a copy put back): what it signed since is forgotten there.
 *
 * The note follows the store, at most `limits.keyUseMs` behind, so a crash never makes a good store look old;
 * and a copy that was taken within that time before the last use is not noticed. Whoever puts back the key's
 * directory, too, hides everything.
 *
 * A validator's store says with which key its log was written. With another one it is refused: what stands
 * there was promised by somebody else.
 */
export async function openKeyUse(options: {
  readonly path: string;
  readonly chainId: Hash;
  /** The validator's key; null for an observer, which promises nothing. */
  readonly key: PublicKey | null;
  readonly store: ChainStore;
  readonly now: Date;
  readonly onFatal: (problem: Problem) => void;
  /** An operator's word that nothing is missing. */
  readonly vouched: boolean;
}): Promise<KeyUse> {
  const { path, chainId, key, store, now, onFatal, vouched } = options;
  refuseOtherKey(store, key);
  const uses = await readUses(path);
  const before = uses.chains.find((use) => use.chainId === chainId);
  const known = store.logRecords.get(storeIdKey);
  const held = writesIn(store);
  const found: KeyUseFound =
    before === undefined
      ? 'first-use'
      : known === undefined || toHex(known) !== before.storeId
        ? 'other-store'
        : held < before.writes
          ? 'older-copy'
          : 'same';
  const lost = found === 'other-store' || found === 'older-copy' || store.logRecords.has(lostKey);
  const storeId = known ?? new Uint8Array(randomBytes(16));
  // A start counts, too: a copy from before it is an old one, even if nothing was written since.
  const writes = Math.max(held, before?.writes ?? 0) + 1;
  // The store first: from then on it says of itself that its log is lost, until the engine has recorded it.
  await persist(store, [
    { key: storeIdKey, value: storeId },
    { key: writesKey, value: encode(u48, writes) },
    ...(key === null ? [] : [{ key: keyKey, value: fromHex(key) }]),
    { key: lostKey, value: lost && !vouched ? new Uint8Array([1]) : null },
  ]);
  const others = uses.chains.filter((use) => use.chainId !== chainId);
  const since =
    before === undefined || lost || isEarly(store, before.since) ? now.toISOString() : before.since;
  const note = async (count: number): Promise<void> => {
    const chains = [...others, { chainId, storeId: toHex(storeId), since, writes: count }];
    await writeDurably(path, `${JSON.stringify({ chains }, null, 2)}\n`);
  };
  await note(writes);
  const notes = new Notes(note, (cause) => onFatal(unwritable(path, cause)));
  return {
    found,
    trust: vouched ? 'vouched' : lost ? 'lost' : store.finalHeight === 0 ? 'new' : 'whole',
    before: writes,
    since: Date.parse(since),
    // The engine's first write records what it was told of the log.
    records: (count) => [
      { key: writesKey, value: encode(u48, count) },
      ...(count === writes + 1 && lost ? [{ key: lostKey, value: null }] : []),
    ],
    written: (count) => notes.want(count),
    close: () => notes.close(),
  };
}

/** Noted before the chain began: by a clock that was behind, which says nothing of when that was. */
function isEarly(store: ChainStore, since: string): boolean {
  const genesis = store.headerAt(toHeight(0));
  return genesis !== undefined && Date.parse(since) < genesis.timestamp;
}

/** One note at a time, and not more often than `limits.keyUseMs`. */
class Notes {
  readonly #note: (count: number) => Promise<void>;
  readonly #onFailure: (cause: unknown) => void;
  #wanted = 0;
  #noted = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(note: (count: number) => Promise<void>, onFailure: (cause: unknown) => void) {
    this.#note = note;
    this.#onFailure = onFailure;
  }

  want(count: number): void {
    this.#wanted = count;
    this.#timer ??= setTimeout(() => this.#write(), limits.keyUseMs);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#timer = undefined;
    const count = this.#wanted;
    if (count <= this.#noted) return;
    this.#noted = count;
    this.#writing = this.#writing.then(() => this.#note(count)).catch(this.#onFailure);
  }
}

function writesIn(store: ChainStore): number {
  const bytes = store.logRecords.get(writesKey);
  return bytes === undefined ? 0 : unwrap(decode(u48, bytes, 'count of writes'));
}

function persist(store: ChainStore, records: readonly LogRecord[]): Promise<void> {
  return new Promise((resolve, reject) => {
    store.persist({ records, blocks: [] }, (problem) =>
      problem === undefined ? resolve() : reject(problem),
    );
  });
}

async function readUses(path: string): Promise<Uses> {
  let bytes: Uint8Array;
  try {
    bytes = await readLocalFile(path, limits.nodeFileBytes);
  } catch (cause) {
    if (nameOfFault(cause) === 'ENOENT') return { chains: [] };
    throw machineFault(cause, path) ?? unusable(path, cause);
  }
  try {
    return z.parse(useSchema, JSON.parse(fromUtf8(bytes) ?? ''));
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** An observer promises nothing, so the store that it wrote is anybody's. */
function refuseOtherKey(store: ChainStore, now: PublicKey | null): void {
  const bytes = store.logRecords.get(keyKey);
  if (bytes === undefined || now === null || toHex(bytes) === now) return;
  const before = toHex(bytes) as PublicKey;
  const [old, key] = [encodeAddress(before), encodeAddress(now)];
  throw new Problem(
    'keys/other-key',
    `the database holds what the validator ${old} signed, and the key is that of ${key}`,
    {
      remedy: `Put the key of ${old} back at keys/validator.json. Or, when this node is to be ${key}, move its database (db/) away: it gets all blocks from the others again.`,
      details: { before, now },
    },
  );
}

function unusable(path: string, cause: unknown): Problem {
  return new Problem(
    'keys/use-unknown',
    `${path} cannot be read, so it is not known where the key was used`,
    {
      remedy:
        'Move it away, and the database (db/) as well unless it is certainly the one that the key was used with last; then start again. Put no old copy in its place: it hides what the key signed since.',
      details: { path },
      cause,
    },
  );
}

function unwritable(path: string, cause: unknown): Problem {
  const name = nameOfFault(cause instanceof Problem ? cause.cause : cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Problem('keys/use-unwritable', `an old database would not be noticed any more: ${why}`, {
    remedy: `${name === undefined ? 'Check the disk, its free space and the permissions.' : machineRemedy(name)} Then start the node again.`,
    details: { path },
    cause,
  });
}
