import { decode, encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { BlockName, Effect, Input, MonotonicMs } from '../../consensus/engine.ts';
import type { EngineStart } from '../../consensus/protocol.ts';
import { hashBytes } from '../../crypto/hash.ts';
import { finalityCodec, type FinalityCertificate } from '../../ledger/certificate.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { State } from '../../ledger/state.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Chain, FinalBlock } from '../effects/chain.ts';
import type { Clock } from '../process/clock.ts';
import {
  type ChecksummedPart,
  checksummedPartCodec,
  type SnapshotHead,
  snapshotHeadCodec,
  type SnapshotPart,
  snapshotPartCodec,
  snapshotRequestCodec,
} from '../peers/wire.ts';

interface Snapshot extends FinalBlock {
  readonly certificate: FinalityCertificate;
  /** When somebody last asked for a part of it. */
  askedAt: MonotonicMs;
  /** Since when there is a newer one. */
  replacedAt: MonotonicMs;
}

/** Nobody asked for it, and there is no newer one. */
const asNew = { askedAt: -Infinity, replacedAt: Infinity };

interface SnapshotsOptions {
  readonly chain: Pick<Chain, 'final'>;
  readonly store: Pick<ChainStore, 'certificateAt' | 'firstBlock' | 'prune'>;
  readonly clock: Pick<Clock, 'after' | 'monotonicMs'>;
  /** A certificate with what goes out with a snapshot, by the protocol's `snapshotCertificate`. */
  readonly complete: (certificate: FinalityCertificate) => FinalityCertificate;
  readonly partBytes: number;
  readonly enqueue: (input: Extract<Input<never>, { type: 'compacted' }>) => void;
  readonly onFatal: (problem: Problem) => void;
}

/**
 * The `compact` effect, and the serving of snapshots. A snapshot is the state after a final block: states
 * never change and share what they have in common, so keeping one costs what changed since. The store's own
 * state is what makes it durable: a restart serves the final state instead, and nothing is written twice. One
 * that somebody is fetching stays until that ends, and so do the blocks above it: else who fetches more
 * slowly than snapshots follow each other would never be done, or could not go on from there. But nobody
 * keeps it for ever: it costs little to ask, and the disk would fill up.
 */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  /** The newest last. */
  #served: Snapshot[] = [];
  #pruning = false;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    // Where all blocks are here nobody asks for one, and it would keep the state of this start beside what
    // becomes of it, on a chain that makes no other for ever.
    if (options.store.firstBlock > 1) this.take();
  }

  /** What the engine is told at a start; undefined while nothing was pruned. */
  static compactedAt({ height, hash }: FinalBlock, firstBlock: Height): EngineStart['compacted'] {
    return firstBlock > 1 ? { snapshot: { height, blockHash: hash }, firstBlock } : undefined;
  }

  /**
   * The snapshot is of the final block, which may be above the height that was asked for: only its state is
   * complete here.
   */
  compact({ keepFrom }: Extract<Effect<never>, { type: 'compact' }>): void {
    const snapshot = this.take();
    // Block 0 needs no snapshot: everybody has it.
    if (snapshot === undefined || this.#pruning) return;
    this.#pruning = true;
    // In a turn of its own, so that every part that is being told of a final block can still read it, however
    // few are kept.
    this.#options.clock.after(0, () => {
      const fetched = this.#served.filter((served) => this.#isFetched(served));
      const from = toHeight(Math.min(keepFrom, ...fetched.map(({ height }) => height + 1)));
      this.#prune({ height: snapshot.height, blockHash: snapshot.hash }, from);
    });
  }

  /** Null refuses: not here any more, or not a request. */
  serve(request: Uint8Array): Uint8Array | null {
    const wanted = decode(snapshotRequestCodec, request, 'snapshot request');
    if (wanted instanceof Problem) return null;
    const snapshot = this.#served.find(({ hash }) => hash === wanted.blockHash);
    if (snapshot === undefined) return null;
    snapshot.askedAt = this.#options.clock.monotonicMs();
    return wanted.kind === 'head'
      ? encode(snapshotHeadCodec, this.#headOf(snapshot))
      : encode(
          checksummedPartCodec,
          checksummedPart(partOf(snapshot.state, wanted.after, this.#options.partBytes)),
        );
  }

  /** What to offer in the place of blocks that were pruned. */
  newest(): SnapshotHead | undefined {
    const newest = this.#served.at(-1);
    return newest && this.#headOf(newest);
  }

  /**
   * The engine takes a new snapshot after each change of the members, so the newest one is under those in
   * force.
   */
  #headOf({ header, certificate }: Snapshot): SnapshotHead {
    return { header, certificate: this.#options.complete(certificate) };
  }

  /**
   * Keeps the final state to be served. To be called also when it came as a snapshot itself: the engine
   * offers that one from then on.
   */
  take(): Snapshot | undefined {
    const { chain, store } = this.#options;
    const { final } = chain;
    const last = this.#served.at(-1);
    if (last?.hash === final.hash) return last;
    const bytes = store.certificateAt(final.height);
    if (bytes === undefined) return undefined;
    const certificate = unwrap(decode(finalityCodec, bytes, 'certificate'));
    if (last !== undefined) last.replacedAt = this.#options.clock.monotonicMs();
    const snapshot = { ...final, state: final.state.share(), certificate, ...asNew };
    const all = [...this.#served, snapshot];
    const newest = all.slice(-limits.snapshotsServed);
    const fetched = all.filter((other) => !newest.includes(other) && this.#isFetched(other));
    this.#served = [...fetched.slice(-limits.snapshotsFetched), ...newest];
    for (const gone of all) if (!this.#served.includes(gone)) gone.state.release();
    return snapshot;
  }

  #isFetched({ askedAt, replacedAt }: Snapshot): boolean {
    const now = this.#options.clock.monotonicMs();
    return now - askedAt < limits.snapshotFetchMs && now - replacedAt < limits.snapshotKeptMs;
  }

  /** Some blocks in each batch, so that those that become final meanwhile wait for none. */
  #prune(snapshot: BlockName, keepFrom: Height): void {
    const { chain, store, enqueue, onFatal } = this.#options;
    const { firstBlock } = store;
    // The final block itself always stays.
    if (firstBlock >= Math.min(keepFrom, chain.final.height)) {
      this.#pruning = false;
      enqueue({ type: 'compacted', snapshot, firstBlock });
      return;
    }
    store.prune({ keepFrom, atMost: limits.pruneBlocks }, (problem) => {
      if (problem !== undefined) return onFatal(problem);
      this.#prune(snapshot, keepFrom);
    });
  }
}

/** Entries behind a key up to the size of a part, at least one. */
function partOf(state: State, after: Uint8Array | undefined, bytes: number): SnapshotPart {
  const entries: { key: Uint8Array; value: Uint8Array }[] = [];
  let size = 0;
  for (const [key, value] of state.entries(after)) {
    size += key.length + value.length + 3;
    const full = size > bytes || entries.length >= limits.snapshotPartEntries;
    if (full && entries.length > 0) return { entries, last: false };
    entries.push({ key, value });
  }
  return { entries, last: true };
}

export function checksummedPart(part: SnapshotPart): ChecksummedPart {
  const bytes = encode(snapshotPartCodec, part);
  return { checksum: hashBytes('quorate/v1/snapshot-part', bytes), part: bytes };
}
