import type { ChainLink, Input } from '../../../consensus/engine.ts';
import type { EngineStart } from '../../../consensus/protocol.ts';
import { decode } from '../../../base/codec.ts';
import { unwrap } from '../../../base/problem.ts';
import { messageCodec } from '../../../consensus/pbft/message-codec.ts';
import type { NewView, PbftMessage } from '../../../consensus/pbft/message.ts';
import { logKey } from '../../../consensus/pbft/signing.ts';
import type { Hash } from '../../../crypto/hash.ts';
import type { Certificate } from '../../../ledger/certificate.ts';
import { promise } from '../breach.ts';
import type { PbftTiming } from '../../plan/plan.ts';
import type { Place, Step } from './step.ts';

/** What a replica repeats, it repeats this often while something is unfinished, and otherwise that often. */
export const repeatMs = 500;
export const idleRepeatMs = 2_000;
/** A replica that ticks does what is due within this time. */
export const tickMs = 60;

export interface Committee {
  /** The height after which it is in force. */
  readonly epoch: number;
  readonly size: number;
  readonly self: number;
  readonly timing: PbftTiming;
  readonly lying: ReadonlySet<number>;
  /** Names the node in what is said of it. */
  readonly node: number;
}

/** Said once more, in other words than the replica's. */
export const faultyOf = (size: number): number => Math.ceil(size / 3) - 1;
export const quorumOf = (size: number): number => Math.ceil((size + faultyOf(size) + 1) / 2);

export function primaryOf({ size, timing }: Committee, view: number, height: number): number {
  const { blocksPerPrimary } = timing;
  return (view + (blocksPerPrimary === 0 ? 0 : Math.floor((height - 1) / blocksPerPrimary))) % size;
}

/**
 * Where a view starts, by its view changes: what all know to be final, and the block above it
 * that was certified last.
 */
interface Start {
  readonly base: number;
  readonly tip: Certificate | null;
}

export function startOf({ epoch, viewChanges }: NewView): Start {
  let base: number = epoch;
  let best: Certificate | null = null;
  for (const { finalHeight, finalCertificate, highest } of viewChanges) {
    base = Math.max(base, finalHeight);
    for (const each of [finalCertificate, highest]) {
      if (each !== undefined && (best === null || isAbove(each, best))) best = each;
    }
  }
  return { base, tip: best !== null && best.height > base ? best : null };
}

export function isAbove(
  a: { readonly view: number; readonly height: number },
  b: { readonly view: number; readonly height: number },
): boolean {
  return a.view === b.view ? a.height > b.height : a.view > b.view;
}

/**
 * What one process of a replica was told and did, as far as its duties depend on it.
 * Written down from outside.
 */
export class Books {
  readonly committee: Committee;
  /** Since when it is where it is. */
  viewSince: number;
  finalSince: number;
  /** Since when it knows of something to do; null while it does not. */
  workSince: number | null = null;
  executable = 0;
  /** The first tick at which it waited for a block that it voted for in this view; null while it does not. */
  votedSince: number | null = null;
  /** How the present view started; null in view 0 and while the view changes. */
  start: Start | null = null;
  /** Own messages on disk, by their place. */
  readonly own = new Map<string, PbftMessage>();
  /** Places that it signed something for, whether or not that is on disk yet. */
  readonly signed = new Map<string, PbftMessage>();
  /** Blocks that it found or made valid, with their parents. */
  readonly valid = new Map<Hash, Hash>();
  /**
   * Views left, or joined, since the last final block; null while nobody here knows how many there were. One
   * whose log is lost signs no view change, and leaves all the same.
   */
  attempts: number | null;
  /** The highest of its votes that it found at its start. They are not below its window. */
  readonly restoredUpTo: number;

  /** It stood still. Until then it may wait for what came meanwhile, whatever seems to be overdue. */
  mayReadUntil = Number.NEGATIVE_INFINITY;
  /** The view had time left when it stood still. Until then it has to wait for what came meanwhile. */
  mustReadUntil = Number.NEGATIVE_INFINITY;

  constructor(committee: Committee, start: Pick<EngineStart, 'now' | 'records'>, place: Place) {
    this.committee = committee;
    this.viewSince = start.now;
    this.finalSince = start.now;
    this.attempts = start.records.size === 0 ? 0 : null;
    let restoredUpTo = 0;
    for (const [key, value] of start.records) {
      if (!key.includes('/')) continue;
      const message = unwrap(decode(messageCodec, value, key));
      if (message.epoch !== committee.epoch) continue;
      // It came to the disk after its view was left: it was never sent, and counts now no more than then.
      if ('view' in message && message.view < place.view) continue;
      this.own.set(key, message);
      this.signed.set(key, message);
      if ('height' in message) restoredUpTo = Math.max(restoredUpTo, message.height);
    }
    this.restoredUpTo = restoredUpTo;
    if (!place.normal) return;
    const accepted = start.records.get('accepted-new-view');
    const known = accepted === undefined ? [] : [unwrap(decode(messageCodec, accepted, 'new view'))];
    // Its own may be there without what follows from it: it enters with that when it starts.
    for (const message of [...this.own.values(), ...known]) {
      if (message.kind === 'new-view' && message.epoch === committee.epoch && message.view === place.view)
        this.start = startOf(message);
    }
  }

  /** Notes a step, before its duties are looked at. */
  note(step: Step): void {
    const { before, after, now, input, done } = step;
    if (input.type === 'tick' && input.lateMs !== undefined) this.#noteLate(now, input.lateMs);
    for (const message of done.signs) this.signed.set(logKey(message), message);
    if (input.type === 'persisted') for (const message of step.heard) this.own.set(logKey(message), message);
    if (after.final > before.final) {
      this.finalSince = now;
      this.attempts = 0;
    }
    if (after.view !== before.view || after.normal !== before.normal) this.#moved(step);
    if (input.type === 'work') {
      this.executable = input.work.executable;
      if (this.executable === 0) this.workSince = null;
      else this.workSince ??= now;
    }
    if (input.type === 'validated') {
      for (const { blockHash, parentHash } of this.#vouched(input, after))
        this.valid.set(blockHash, parentHash);
    }
    if (input.type === 'synced')
      for (const { blockHash, parentHash } of input.chain) this.valid.set(blockHash, parentHash);
    for (const message of done.signs) {
      if (message.kind === 'pre-prepare')
        this.valid.set(message.blockHash, message.proposal.header.parentHash);
    }
    if (!this.#waitsForBlock(after)) this.votedSince = null;
    else if (input.type === 'tick') this.votedSince ??= now;
    // A view that it came to before a block became final in the same step is none that failed.
    const final = done.effects.findLastIndex(({ type }) => type === 'commit');
    const changes = done.effects.filter(
      (effect, index) =>
        index > final &&
        effect.type === 'trace' &&
        (effect.event === 'leave-view' || effect.event === 'join-view'),
    );
    if (this.attempts !== null) this.attempts += changes.length;
  }

  #noteLate(now: number, lateMs: number): void {
    const until = now + Math.min(lateMs, this.committee.timing.viewTimeoutMs);
    const sleptAt = now - lateMs;
    // Who stands still again before it has read may have used up its patience.
    if (sleptAt - this.begunAt < this.leastMs && sleptAt >= this.mayReadUntil) this.mustReadUntil = until;
    this.mayReadUntil = Math.max(this.mayReadUntil, until);
  }

  /** Since when the view has its time for the next block. */
  get begunAt(): number {
    return Math.max(this.viewSince, this.finalSince);
  }

  /** What that is at least, as far as is known. */
  get leastMs(): number {
    const { viewTimeoutMs, viewTimeoutCapMs } = this.committee.timing;
    return Math.min(viewTimeoutMs * 2 ** (this.attempts ?? 0), viewTimeoutCapMs);
  }

  /** What it is at most. */
  get mostMs(): number {
    return this.attempts === null ? this.committee.timing.viewTimeoutCapMs : this.leastMs;
  }

  #waitsForBlock({ view, final }: Place): boolean {
    const { window } = this.committee.timing;
    for (let height = final + 1; height <= Math.max(final + window, this.restoredUpTo); height++)
      if (this.hasSigned('prepare', view, height) !== undefined) return true;
    return false;
  }

  /**
   * What a check found good enough to vote for. A block that is too early by the clock here is, too, when the
   * view starts with it or a Prepare was signed for it in this view: honest clocks have passed it already. It
   * stays valid in the views after this one.
   */
  #vouched(
    { blockHash, result }: Extract<Input<PbftMessage>, { type: 'validated' }>,
    { view }: Place,
  ): readonly ChainLink[] {
    if (result.verdict === 'valid') return result.chain;
    if (result.verdict !== 'early') return [];
    const height = result.chain.at(-1)?.height ?? 0;
    const prepare = this.hasSigned('prepare', view, height);
    const passed =
      this.start?.tip?.blockHash === blockHash ||
      (prepare?.kind === 'prepare' && prepare.blockHash === blockHash);
    return passed ? result.chain : [];
  }

  /** The block is the final one, or everything from above that up to it is known to be valid. */
  isValid(blockHash: Hash, { finalHash }: Place): boolean {
    let at: Hash | undefined = blockHash;
    for (let steps = 0; at !== undefined && steps < 200; steps++) {
      if (at === finalHash) return true;
      at = this.valid.get(at);
    }
    return false;
  }

  hasSigned(
    kind: 'prepare' | 'commit' | 'pre-prepare',
    view: number,
    height: number,
  ): PbftMessage | undefined {
    return this.signed.get(this.voteKey(kind, view, height));
  }

  /** The place of an own vote. */
  voteKey(kind: 'prepare' | 'commit' | 'pre-prepare', view: number, height: number): string {
    return `${kind}/${this.committee.epoch}/${view}/${height}`;
  }

  /** The place of an own ViewChange. */
  changeKey(view: number): string {
    return `view-change/${this.committee.epoch}/${view}`;
  }

  /** A duty that was not done. */
  must(condition: boolean, describe: () => string): void {
    promise(condition, 'duty', () => `node ${this.committee.node} ${describe()}`);
  }

  #moved({ after, now, heard }: Step): void {
    this.viewSince = now;
    this.start = null;
    for (const message of heard) {
      if (message.kind === 'new-view' && message.view === after.view && after.normal)
        this.start = startOf(message);
    }
    for (const [key, message] of this.own)
      if ('view' in message && message.view < after.view) this.own.delete(key);
    for (const [key, message] of this.signed)
      if ('view' in message && message.view < after.view) this.signed.delete(key);
  }
}
