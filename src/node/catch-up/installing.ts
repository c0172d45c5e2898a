import { compareBytes, equalBytes } from '../../base/bytes.ts';
import { decode, encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { othersAreAsked } from '../../base/peer-faults.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { CodeOf } from '../../base/problem-codes.ts';
import type { BlockName, Effect, Input, ValidatorIndex } from '../../consensus/engine.ts';
import type { Roster } from '../../consensus/protocol.ts';
import { hashBytes } from '../../crypto/hash.ts';
import { type BlockHeader, hashHeader, type Height } from '../../ledger/block.ts';
import { finalityCodec, type FinalityCertificate } from '../../ledger/certificate.ts';
import { State } from '../../ledger/state.ts';
import { positionOf, type StateChange } from '../../ledger/state-entry.ts';
import type { Network, PeerId } from '../../network/port.ts';
import { type Chain, type FinalBlock, headerBytes } from '../effects/chain.ts';
import type { Clock } from '../process/clock.ts';
import { fetchFrom } from '../peers/fetch.ts';
import { SyncSources } from './sync-sources.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Verification } from '../peers/verification.ts';
import {
  checksummedPartCodec,
  type SnapshotHead,
  snapshotHeadCodec,
  type SnapshotPart,
  snapshotPartCodec,
  type SnapshotRequest,
  snapshotRequestCodec,
} from '../peers/wire.ts';

type InstallInput = Extract<Input<never>, { type: 'installing' | 'installed' | 'install-failed' }>;

interface InstallingOptions {
  readonly chain: Pick<Chain, 'final' | 'candidates'>;
  readonly store: Pick<ChainStore, 'install'> & {
    readonly snapshot: Pick<ChainStore['snapshot'], 'head' | 'part' | 'begin' | 'add' | 'clear'>;
  };
  readonly network: Pick<Network, 'request'>;
  readonly clock: Clock;
  readonly verification: Pick<Verification<object>, 'snapshotCertificate' | 'fault'>;
  /** Who takes part now, for `certificateClaims`. */
  readonly roster: () => Roster;
  readonly peersFor: (holders: readonly ValidatorIndex[]) => readonly PeerId[];
  /** Its word counts for nothing (`PeerRegistry`). */
  readonly isStranger: (peer: PeerId) => boolean;
  /** No final block is on its way to the store. */
  readonly isIdle: () => boolean;
  /** As for `Committing`: who the members are is on disk before the state that they go with. */
  readonly flush: () => void;
  readonly onInstalled: (final: FinalBlock, certificate: FinalityCertificate) => void;
  /** A snapshot of this block is wanted, and certified: ends the node when it is of an unknown version. */
  readonly onHead: (header: BlockHeader) => void;
  readonly enqueue: (input: InstallInput) => void;
  readonly onFatal: (problem: Problem) => void;
}

/** A fetch under way. */
interface Run {
  readonly snapshot: BlockName;
  readonly holders: readonly ValidatorIndex[];
  head: SnapshotHead | undefined;
  state: State;
  /** The key of the last entry that is here. */
  after: Uint8Array | undefined;
  /** Parts on disk that were read back. */
  readBack: number;
  complete: boolean;
  /** In a row. */
  failures: number;
  /** Who gave parts in this run: if the whole is wrong, one of them is. */
  readonly givers: Set<PeerId>;
}

const waitMs = 20;
const longestWaitMs = 10_000;
/**
 * Progress is the place of the last entry's path, which is spread evenly, in the 16-bit space of path
 * prefixes. While a large namespace comes, it stands still.
 */
const wholeProgress = 65_536;

/**
 * The `install` effect: fetches the state after a final block in parts, each checked and written to disk as
 * it comes, compares the whole with the header's root, and makes it the final state in one batch. A fetch
 * that failed or was cut off goes on where it was.
 */
export class Installing {
  readonly #options: InstallingOptions;
  readonly #sources = new SyncSources();
  #run: Run | undefined;

  constructor(options: InstallingOptions) {
    this.#options = options;
  }

  install({ snapshot, holders }: Extract<Effect<never>, { type: 'install' }>): void {
    const run: Run = {
      snapshot,
      holders,
      head: undefined,
      state: State.empty,
      after: undefined,
      readBack: 0,
      complete: false,
      failures: 0,
      givers: new Set(),
    };
    this.#run = run;
    const kept = this.#keptHead(snapshot);
    if (kept === undefined) return this.#fetchHead(run);
    run.head = kept;
    this.#readBack(run);
  }

  /** This block is final: what came of a snapshot that does not reach beyond it is of no use any more. */
  advanced(height: Height): void {
    const { store, onFatal } = this.#options;
    const kept = this.#run === undefined ? this.#kept() : undefined;
    if (kept === undefined || kept.header.height > height) return;
    store.snapshot.clear((problem) => {
      if (problem !== undefined) onFatal(problem);
    });
  }

  #kept(): SnapshotHead | undefined {
    const bytes = this.#options.store.snapshot.head();
    return bytes === undefined ? undefined : unwrap(decode(snapshotHeadCodec, bytes, 'snapshot head'));
  }

  #keptHead(snapshot: BlockName): SnapshotHead | undefined {
    const head = this.#kept();
    return head !== undefined && hashHeader(head.header) === snapshot.blockHash ? head : undefined;
  }

  /** One part in each turn. */
  #readBack(run: Run): void {
    if (this.#run !== run) return;
    const bytes = this.#options.store.snapshot.part(run.readBack);
    if (bytes === undefined) return run.complete ? this.#finish(run) : this.#fetchPart(run);
    run.readBack += 1;
    this.#take(run, unwrap(decode(snapshotPartCodec, bytes, 'stored part of a snapshot')));
    this.#options.clock.after(0, () => this.#readBack(run));
  }

  #fetchHead(run: Run): void {
    const { blockHash } = run.snapshot;
    this.#ask(run, { kind: 'head', blockHash }, (response, peer) => {
      const head = readHead(response, run.snapshot);
      if (head instanceof Problem) return head;
      return () => this.#checkHead(run, { head, response, peer });
    });
  }

  #checkHead(run: Run, answer: { head: SnapshotHead; response: Uint8Array; peer: PeerId }): void {
    const { head, response, peer } = answer;
    const { verification, roster } = this.#options;
    verification.snapshotCertificate(head.certificate, roster(), (certificate) => {
      if (this.#run !== run) return;
      if (certificate instanceof Problem) {
        this.#fault(peer, certificate);
        return this.#failed(run, () => this.#fetchHead(run));
      }
      this.#options.onHead(head.header);
      run.failures = 0;
      run.head = head;
      this.#options.store.snapshot.begin(
        response,
        this.#written(run, () => this.#fetchPart(run)),
      );
    });
  }

  #fetchPart(run: Run): void {
    const { blockHash } = run.snapshot;
    this.#ask(run, { kind: 'part', blockHash, after: run.after }, (response, peer) => {
      const read = readPart(response, run.after);
      return read instanceof Problem ? read : () => this.#keepPart(run, read, peer);
    });
  }

  #keepPart(run: Run, read: { bytes: Uint8Array; part: SnapshotPart }, peer: PeerId): void {
    run.givers.add(peer);
    run.failures = 0;
    if (isScanty(read)) this.#sources.poor(peer);
    const written = this.#written(run, () => {
      this.#take(run, read.part);
      this.#options.enqueue({
        type: 'installing',
        height: run.snapshot.height,
        received: progressOf(run),
        total: wholeProgress,
      });
      if (run.complete) this.#finish(run);
      else this.#fetchPart(run);
    });
    this.#options.store.snapshot.add(read.bytes, written);
  }

  /**
   * Adds entries to the state and hashes what they changed: so the end of a large snapshot holds nothing up.
   */
  #take(run: Run, { entries, last }: SnapshotPart): void {
    const before = run.state;
    run.state = before.with(entries);
    if (run.state !== before) before.release();
    run.complete = last;
    run.after = entries.at(-1)?.key ?? run.after;
    void run.state.root;
  }

  #finish(run: Run): void {
    const { store, verification } = this.#options;
    const { head } = run;
    if (head === undefined) return;
    if (run.state.root === head.header.stateRoot) return this.#install(run, head, 0);
    // When several gave parts, nobody can tell which one lied: nobody is blamed, and others are asked first
    // next time.
    for (const peer of run.givers) {
      if (run.givers.size === 1) verification.fault(peer, 'sync/snapshot-root');
      this.#sources.poor(peer);
    }
    store.snapshot.clear(
      this.#written(run, () => this.#fail(run, 'what came is not the state that the block’s header names')),
    );
  }

  #install(run: Run, head: SnapshotHead, waitedMs: number): void {
    const { chain, store, clock, isIdle, flush, onInstalled, enqueue } = this.#options;
    if (this.#run !== run) return;
    const { header, certificate } = head;
    const { height, blockHash } = run.snapshot;
    if (!isIdle()) {
      if (waitedMs >= longestWaitMs) return this.#fail(run, 'blocks before it are not stored yet');
      clock.after(waitMs, () => this.#install(run, head, waitedMs + waitMs));
      return;
    }
    if (chain.final.height >= height) return this.#fail(run, 'the block is final here by now');
    const obsolete = [...chain.candidates()].filter(
      ({ stored, block }) => stored && block.header.height <= height,
    );
    const request = {
      height,
      hash: blockHash,
      headerBytes: headerBytes(header),
      certificate: encode(finalityCodec, certificate),
      stateChanges: difference(chain.final.state, run.state),
      forgetCandidates: obsolete.map(({ hash }) => hash),
    };
    flush();
    store.install(request, (problem) => {
      if (problem !== undefined) return this.#options.onFatal(problem);
      this.#run = undefined;
      onInstalled({ height, hash: blockHash, header, state: run.state }, certificate);
      enqueue({ type: 'installed', header, blockHash, certificate });
    });
  }

  /**
   * Asks one peer, and others when it is slow, until one gives an answer that `read` makes something of; in
   * the end gives up for now. A slow peer comes after the others from then on. Strangers are not asked: a
   * wrong part shows only when all are here, and one a try would keep the state from ever being right.
   */
  #ask(
    run: Run,
    request: SnapshotRequest,
    read: (response: Uint8Array, peer: PeerId) => (() => void) | Problem,
  ): void {
    if (this.#run !== run) return;
    const { peersFor, isStranger, clock } = this.#options;
    const peers = (): readonly PeerId[] =>
      this.#sources.inOrder(
        peersFor(run.holders).filter((peer) => !isStranger(peer)),
        isStranger,
      );
    const begin = clock.monotonicMs();
    let take: (() => void) | undefined;
    fetchFrom(this.#options, {
      protocol: 'snapshot',
      request: encode(snapshotRequestCodec, request),
      peers,
      accept: (response, peer, before) => {
        if (this.#run !== run) return true;
        const found = read(response, peer);
        if (found instanceof Problem) {
          this.#fault(peer, found);
          return false;
        }
        for (const other of before) this.#sources.poor(other);
        if (clock.monotonicMs() - begin <= limits.fetchHedgeMs) this.#sources.good(peer);
        take = found;
        return true;
      },
      done: () => {
        if (this.#run !== run) return;
        if (take !== undefined) take();
        else this.#failed(run, () => this.#ask(run, request, read));
      },
    });
  }

  #fault(peer: PeerId, problem: Problem): void {
    this.#options.verification.fault(peer, problem.code);
    this.#sources.poor(peer);
  }

  /** Nobody gave what was asked for, or what was given is not good. */
  #failed(run: Run, again: () => void): void {
    run.failures += 1;
    if (run.failures >= limits.snapshotTries) return this.#fail(run, 'no peer gave what is missing of it');
    this.#options.clock.after(waitMs, again);
  }

  #fail(run: Run, reason: string): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    this.#options.enqueue({ type: 'install-failed', height: run.snapshot.height, reason });
  }

  #written(run: Run, then: () => void): (problem: Problem | undefined) => void {
    return (problem) => {
      if (problem !== undefined) return this.#options.onFatal(problem);
      if (this.#run === run) then();
    };
  }
}

function readHead(response: Uint8Array, wanted: BlockName): SnapshotHead | Problem {
  const head = decode(snapshotHeadCodec, response, 'snapshot head');
  if (head instanceof Problem) return head;
  return isHeadOf(head, wanted)
    ? head
    : wrong('sync/snapshot-head', 'is of another block than the one that was asked for');
}

/** Header and certificate are for this block. The signatures are not looked at. */
export function isHeadOf({ header, certificate }: SnapshotHead, { height, blockHash }: BlockName): boolean {
  return (
    header.height === height &&
    hashHeader(header) === blockHash &&
    certificate.height === height &&
    certificate.blockHash === blockHash
  );
}

/**
 * A part that is what its sender sent, and goes on behind what is here. Whether the entries are right, the
 * root tells in the end.
 */
function readPart(
  response: Uint8Array,
  after: Uint8Array | undefined,
): { readonly bytes: Uint8Array; readonly part: SnapshotPart } | Problem {
  const checksummed = decode(checksummedPartCodec, response, 'part of a snapshot');
  if (checksummed instanceof Problem) return checksummed;
  const { checksum, part: bytes } = checksummed;
  if (!equalBytes(checksum, hashBytes('quorate/v1/snapshot-part', bytes))) {
    return wrong('sync/snapshot-checksum', 'does not match its checksum');
  }
  const part = decode(snapshotPartCodec, bytes, 'part of a snapshot');
  if (part instanceof Problem) return part;
  if (part.entries.length === 0 && !part.last)
    return wrong('sync/snapshot-part', 'is empty, and not the last');
  let previous = after === undefined ? undefined : positionOf(after);
  for (const { key } of part.entries) {
    const position = positionOf(key);
    if (previous !== undefined && compareBytes(previous, position) >= 0) {
      return wrong('sync/snapshot-part', 'has entries that do not go on from the ones before');
    }
    previous = position;
  }
  return { bytes, part };
}

/** Far from what a part may hold: with such parts a snapshot takes for ever, and others may give more. */
function isScanty({ bytes, part }: { readonly bytes: Uint8Array; readonly part: SnapshotPart }): boolean {
  const { snapshotPartBytes, snapshotPartEntries } = limits;
  return !part.last && bytes.length < snapshotPartBytes / 2 && part.entries.length < snapshotPartEntries / 2;
}

function wrong(code: CodeOf<'sync'>, why: string): Problem {
  return new Problem(code, `what a peer served of a snapshot ${why}`, {
    remedy: othersAreAsked,
  });
}

function progressOf({ after, complete }: Run): number {
  if (complete || after === undefined) return complete ? wholeProgress : 0;
  const [high = 0, low = 0] = positionOf(after);
  return high * 256 + low;
}

/** The changes that make one state the other. */
function difference(from: State, to: State): StateChange[] {
  const changes: StateChange[] = [];
  for (const [key, value] of to.entries()) {
    const old = from.get(key);
    if (old === undefined || !equalBytes(old, value)) changes.push({ key, value });
  }
  for (const [key] of from.entries()) if (to.get(key) === undefined) changes.push({ key, value: null });
  return changes;
}
