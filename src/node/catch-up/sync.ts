import { decode, encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { ChainLink, Input, MonotonicMs, ValidatorIndex, Verified } from '../../consensus/engine.ts';
import type { Roster } from '../../consensus/protocol.ts';
import { linkOf } from '../../consensus/shared/chain-link.ts';
import { type BlockHeader, type Height, toHeight } from '../../ledger/block.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { Network, PeerId } from '../../network/port.ts';
import type { Chain } from '../effects/chain.ts';
import type { Cancel, Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import { checkOffer, SnapshotOffers } from './snapshot-offers.ts';
import type { Verification } from '../peers/verification.ts';
import { readSegment, type Segment, type Tip, unproven } from './sync-segment.ts';
import { SyncSources } from './sync-sources.ts';
import { AskingTurns } from '../peers/asking-turns.ts';
import { decodeInTurns } from '../peers/decode-in-turns.ts';
import { blocksRequestCodec, blocksResponseCodec, type SnapshotHead } from '../peers/wire.ts';

interface SyncOptions {
  readonly chain: Chain;
  readonly network: Pick<Network, 'request'>;
  readonly clock: Clock;
  readonly verification: Pick<
    Verification<object>,
    'transactions' | 'certificate' | 'snapshotCertificate' | 'fault'
  >;
  readonly peersFor: (holders: readonly ValidatorIndex[]) => readonly PeerId[];
  readonly validatorOf: (peer: PeerId) => ValidatorIndex | undefined;
  /** Its word counts for nothing (`PeerRegistry`). */
  readonly isStranger: (peer: PeerId) => boolean;
  /** Who takes part now, for `certificateClaims`. */
  readonly roster: () => Roster;
  /** The last height that the engine called final; what is stored may lag behind it. */
  readonly engineFinal: () => Height;
  readonly enqueue: (input: Extract<Input<never>, { type: 'synced' | 'offered' }>) => void;
  readonly log: Logger;
}

/** More than any chain has: the round ends when nobody has more. */
const whatThereIs = toHeight(Number.MAX_SAFE_INTEGER);

/** One question, for what follows on a tip, put to as many peers as it takes. */
interface Round {
  readonly tip: Tip;
  /** How many blocks. */
  readonly count: number;
  /** Who is asked, and who was: an answer is pending while it is on its way, or being checked. */
  readonly turns: AskingTurns;
  /**
   * Whose answer has a good certificate: its blocks are final, and nobody else's are waited for while their
   * signatures are checked.
   */
  chosen: PeerId | undefined;
  cancelHedge: Cancel;
}

/** Whose certificate is good. */
interface Answer {
  readonly segment: Segment;
  readonly peer: PeerId;
  readonly round: Round;
  readonly tookMs: number;
}

/**
 * Blocks that are proven final and wait for the block of their certificate: a run that one answer could not
 * hold. It ends there at the latest, whatever later certificates come with the blocks between: otherwise a
 * peer that always shows one further up would keep all of them from being taken.
 */
interface Run {
  readonly links: readonly ChainLink[];
  readonly headers: readonly BlockHeader[];
  readonly tip: Tip;
  readonly proof: Verified<FinalityCertificate>;
  /** Who showed the certificate. */
  readonly giver: PeerId;
}

type Stage =
  | { readonly name: 'idle' }
  | { readonly name: 'fetching'; readonly round: Round }
  /**
   * The engine was given blocks up to here, which this peer served, and they are being executed and stored;
   * the last of them came at `at`.
   */
  | {
      readonly name: 'applying';
      readonly from: PeerId;
      readonly until: Height;
      readonly at: MonotonicMs;
    };

/**
 * The `sync` effect: fetches final blocks above our final one, until nobody has more. Only certificates
 * count: a height that somebody claims makes us ask and nothing else. When somebody pruned the next block and
 * nobody has it, the engine gets the newest snapshot that was offered instead.
 *
 * No peer holds it up. One that does not answer within `fetchHedgeMs` gets company (up to `fetchParallel` at
 * once), and the first good answer is taken. An answer must be worth its time: whoever was slow, or gave
 * little where others had more, comes after all others from then on (`sync-sources.ts`). For each next block
 * all are asked again, if need be, so that nobody is left out because it was behind once; and so are, while
 * an answer is waited for, those who had nothing yet.
 */
export class Sync {
  readonly #options: SyncOptions;
  #stage: Stage = { name: 'idle' };
  readonly #sources = new SyncSources();
  #holders: readonly ValidatorIndex[] = [];
  #wanted: Height = toHeight(0);
  /** Set while this is only a poll for news; `gaveWhole`: somebody gave a full answer since. */
  #poll: { readonly gaveWhole: boolean } | null = null;
  /** The peer that gave a short answer, until it is known whether there was more. */
  #scanty: PeerId | undefined;
  /**
   * How long one answer is waited for before another peer is asked too: longer while whole answers take
   * longer than that from everybody.
   */
  #hedgeMs: number = limits.fetchHedgeMs;
  #run: Run | null = null;
  readonly #offers = new SnapshotOffers();
  readonly counters = { syncedBlocks: 0, syncFaults: 0 };

  constructor(options: SyncOptions) {
    this.#options = options;
  }

  get active(): boolean {
    return this.#stage.name !== 'idle';
  }

  /** Somebody is said to be final at this height. */
  want(height: Height, holders: readonly ValidatorIndex[]): void {
    if (height <= this.#options.engineFinal()) return;
    if (height > this.#wanted) {
      this.#wanted = height;
      this.#holders = holders;
    }
    // The one that is polled now may not be the one that has it.
    this.#poll = null;
    if (this.#isFree()) this.#begin();
  }

  /** Asks one peer whether there is anything new, and takes all of it. */
  poll(peer: PeerId): void {
    if (!this.#isFree()) return;
    this.#wanted = whatThereIs;
    this.#poll = { gaveWhole: false };
    this.#begin(peer);
  }

  /** The block at this height is applied. */
  applied(height: Height): void {
    if (this.#stage.name !== 'applying') return;
    if (height < this.#stage.until) {
      this.#stage = { ...this.#stage, at: this.#options.clock.monotonicMs() };
      return;
    }
    this.#stage = { name: 'idle' };
    if (this.#wanted > height) this.#ask();
  }

  #isFree(): boolean {
    const stage = this.#stage;
    if (stage.name === 'idle') return true;
    const { clock } = this.#options;
    return stage.name === 'applying' && clock.monotonicMs() > stage.at + limits.syncStallMs;
  }

  #begin(first?: PeerId): void {
    // The engine may have refused what came: others are asked first now.
    if (this.#stage.name === 'applying') this.#sources.poor(this.#stage.from);
    this.#run = null;
    this.#scanty = undefined;
    this.#offers.clear();
    this.#ask(first);
  }

  /** Puts the question for what follows on the tip. */
  #ask(first?: PeerId): void {
    const { peersFor } = this.#options;
    const tip = this.#tip();
    const turns = new AskingTurns(this.#peersInOrder(first), () => peersFor(this.#holders));
    const left = this.#run === null ? limits.syncBlocks : this.#run.proof.height - tip.header.height;
    const count = Math.min(limits.syncBlocks, left);
    const round: Round = { tip, count, turns, chosen: undefined, cancelHedge: () => {} };
    this.#stage = { name: 'fetching', round };
    this.#askNext(round);
  }

  #peersInOrder(first: PeerId | undefined): PeerId[] {
    const { peersFor, isStranger } = this.#options;
    const peers = this.#sources.inOrder(peersFor(this.#holders), isStranger);
    const others = peers.filter((peer) => peer !== this.#scanty);
    const last = peers.filter((peer) => peer === this.#scanty);
    return [...new Set([...(first === undefined ? [] : [first]), ...others, ...last])];
  }

  #askNext(round: Round): void {
    const { turns } = round;
    round.cancelHedge();
    if (this.#isOutdated(round)) return this.#goOn();
    // When one peer says that a block is pruned, all others are asked for it.
    const peer = turns.next() ?? (this.#offers.some ? turns.newcomer() : undefined);
    if (peer !== undefined) this.#askPeer(round, peer);
    else if (turns.awaited) this.#hedge(round);
    else this.#rest();
  }

  #askPeer(round: Round, peer: PeerId): void {
    const { network, clock } = this.#options;
    round.turns.asks(peer, clock.monotonicMs());
    const from = toHeight(round.tip.header.height + 1);
    const request = encode(blocksRequestCodec, { from, count: round.count });
    network.request(peer, 'blocks', request, (response) => {
      if (!this.#isCurrent(round)) return;
      if (round.chosen !== undefined) return round.turns.answered(peer);
      if (response instanceof Problem) return this.#failed(round, peer, response.code === 'network/timeout');
      const found = this.#read(round, peer, response);
      if (found === 'nothing') return this.#nothing(round, peer);
      if (found instanceof Problem) return this.#fault(round, peer, found);
      if ('header' in found) this.#checkOffer(found, peer, round);
      else this.#check(found, peer, round);
    });
    if (this.#isCurrent(round)) this.#hedge(round);
  }

  #hedge(round: Round): void {
    round.cancelHedge();
    round.cancelHedge = this.#options.clock.after(this.#hedgeMs, () => {
      if (!this.#isCurrent(round)) return;
      if (this.#isOutdated(round)) return this.#goOn();
      const company = round.turns.company();
      if (company === undefined) this.#hedge(round);
      else this.#askPeer(round, company);
    });
  }

  /** What is asked for became final here another way. */
  #isOutdated({ tip }: Round): boolean {
    return this.#tip().hash !== tip.hash;
  }

  #goOn(): void {
    if (this.#wanted > this.#tip().header.height) this.#ask();
    else this.#rest();
  }

  /** Nobody has the next block: what was claimed is forgotten, and the next claim starts anew. */
  #rest(): void {
    const { engineFinal, validatorOf, enqueue } = this.#options;
    this.#stage = { name: 'idle' };
    this.#wanted = toHeight(0);
    const newest = this.#offers.take();
    if (newest === undefined || newest.header.height <= engineFinal()) return;
    const { peers, ...offer } = newest;
    enqueue({ type: 'offered', ...offer, holders: peers.flatMap((peer) => validatorOf(peer) ?? []) });
  }

  #isCurrent(round: Round): boolean {
    return this.#stage.name === 'fetching' && this.#stage.round === round;
  }

  #failed(round: Round, peer: PeerId, late: boolean): void {
    round.turns.answered(peer);
    this.#sources.poor(peer);
    // When several at once are too slow it may be our own link that they share.
    if (late && round.turns.asked.size > 1)
      this.#hedgeMs = Math.min(2 * this.#hedgeMs, limits.requestTimeoutMs);
    this.#askNext(round);
  }

  #nothing(round: Round, peer: PeerId): void {
    round.turns.answered(peer);
    // A peer that is polled and has nothing new is taken at its word until the next poll, which asks another.
    if (this.#poll !== null && round.turns.asked.size === 1) return this.#rest();
    this.#askNext(round);
  }

  #fault(round: Round, peer: PeerId, problem: Problem): void {
    this.counters.syncFaults += 1;
    this.#options.log.warn('a peer served blocks that are not good', { peer, code: problem.code });
    this.#options.verification.fault(peer, problem.code);
    round.chosen = undefined;
    this.#failed(round, peer, false);
  }

  /** Where the next block has to link to. */
  #tip(): Tip {
    return this.#run?.tip ?? this.#options.chain.final;
  }

  /** The tip is where it was asked to go on from: our chain may have grown meanwhile. */
  #read(
    { tip, count }: Round,
    peer: PeerId,
    response: Uint8Array,
  ): Segment | SnapshotHead | 'nothing' | Problem {
    const answer = decode(blocksResponseCodec, response, 'blocks response');
    if (answer instanceof Problem) return answer;
    const { blocks, snapshot, certificate } = answer;
    if (blocks.length === 0) {
      // That a snapshot is of this chain is the word of who offers it: blocks show more than that.
      if (snapshot === undefined || this.#options.isStranger(peer)) return 'nothing';
      return checkOffer(snapshot, tip.header.height) ?? snapshot;
    }
    if (certificate === undefined) return unproven('has no certificate');
    return readSegment({ tip, count }, answer, certificate);
  }

  #checkOffer({ header, certificate: offered }: SnapshotHead, peer: PeerId, round: Round): void {
    const { verification, roster } = this.#options;
    verification.snapshotCertificate(offered, roster(), (certificate) => {
      if (!this.#isCurrent(round)) return;
      if (certificate instanceof Problem) return this.#fault(round, peer, certificate);
      this.#offers.add(peer, header, certificate);
      round.turns.answered(peer);
      this.#askNext(round);
    });
  }

  #check(segment: Segment, peer: PeerId, round: Round): void {
    const { verification, roster } = this.#options;
    verification.certificate(segment.certificate, roster(), (certificate) => {
      if (!this.#isCurrent(round)) return;
      if (round.chosen !== undefined) return round.turns.answered(peer);
      if (certificate instanceof Problem) {
        // Signed by a member that joined above our final block. The peer that served it could not know that
        // we do not know that member.
        if (certificate.code === 'certificate/unknown-member') return this.#failed(round, peer, false);
        return this.#fault(round, peer, certificate);
      }
      round.chosen = peer;
      round.cancelHedge();
      const tookMs = this.#options.clock.monotonicMs() - (round.turns.asked.get(peer) ?? 0);
      this.#decode({ segment, peer, round, tookMs }, certificate);
    });
  }

  /**
   * The certificate is good, so the hashes are what a quorum agreed on, and a hash covers all of a
   * transaction, its signatures too.
   */
  #decode(answer: Answer, certificate: Verified<FinalityCertificate>): void {
    const { clock, verification } = this.#options;
    const { segment, peer, round } = answer;
    const encoded = segment.blocks.flatMap((block) => block.transactions);
    decodeInTurns(clock, encoded, (transactions) => {
      if (!this.#isCurrent(round)) return;
      if (transactions instanceof Problem) return this.#fault(round, peer, unproven('holds no transactions'));
      verification.transactions.check(transactions, false, (valid) => {
        if (!this.#isCurrent(round)) return;
        if (valid.includes(false)) return this.#fault(round, peer, unproven('holds an unsigned transaction'));
        this.#judge(answer);
        this.#take(answer, transactions, certificate);
      });
    });
  }

  /** After a good answer: decides who is asked first next time. */
  #judge({ segment, peer, round, tookMs }: Answer): void {
    if (this.#scanty !== undefined && this.#scanty !== peer) this.#sources.poor(this.#scanty);
    for (const other of round.turns.asked.keys()) if (other !== peer) this.#sources.poor(other);
    // Just in time is not good: the wait may be long because others made it so, and comes down only when
    // somebody is faster.
    if (tookMs > this.#hedgeMs / 2) this.#sources.poor(peer);
    else {
      if (segment.whole) this.#sources.good(peer);
      this.#hedgeMs = Math.max(this.#hedgeMs / 2, limits.fetchHedgeMs);
    }
    const isScanty = !segment.whole && segment.last.header.height < this.#wanted;
    this.#scanty = isScanty ? peer : undefined;
    if (this.#poll === null) return;
    // What looks like the end of the chain is, for a poll, when several were asked, or when the same poll
    // brought a lot before.
    if (isScanty && (round.turns.asked.size > 1 || this.#poll.gaveWhole))
      this.#wanted = segment.last.header.height;
    if (segment.whole) this.#poll = { gaveWhole: true };
  }

  /** `transactions`: those of all its blocks. */
  #take(
    { segment, peer }: Answer,
    transactions: readonly Transaction[],
    certificate: Verified<FinalityCertificate>,
  ): void {
    const { chain, clock, engineFinal, enqueue } = this.#options;
    const { proof, giver, ...before } = this.#run ?? newRun(certificate, peer);
    const links = [...before.links];
    const headers = [...before.headers];
    let taken = 0;
    for (const { header, transactions: own } of segment.blocks) {
      const block = { header, transactions: transactions.slice(taken, taken + own.length) };
      taken += own.length;
      links.push(linkOf(header, chain.add(block, { stored: false })));
      headers.push(header);
    }
    this.counters.syncedBlocks += segment.blocks.length;
    this.#offers.clear();
    const above = links.filter(({ height }) => height > chain.final.height);
    if (above.some(({ blockHash }) => chain.get(blockHash) === undefined)) return this.#leaveRun(giver);
    const proven = segment.complete ? certificate : segment.last.hash === proof.blockHash ? proof : undefined;
    if (proven === undefined) {
      this.#run = { links, headers, tip: segment.last, proof, giver };
      return this.#ask();
    }
    this.#run = null;
    const until = segment.last.header.height;
    this.#stage = { name: 'applying', from: peer, until, at: clock.monotonicMs() };
    // Blocks may have become final another way meanwhile.
    const fresh = links.filter(({ height }) => height > engineFinal());
    if (fresh.length > 0) {
      const below = headers.slice(0, -1);
      const { header } = segment.last;
      enqueue({ type: 'synced', chain: fresh, certificate: proven, header, below });
    }
    this.applied(chain.final.height);
  }

  /**
   * Its blocks are executed and written as one piece, and are more than memory holds: the first made room for
   * the last. Others have nearer certificates, and are asked first when somebody is said to be ahead again.
   */
  #leaveRun(giver: PeerId): void {
    this.#run = null;
    this.#sources.poor(giver);
    this.#rest();
  }
}

function newRun(proof: Verified<FinalityCertificate>, giver: PeerId): Omit<Run, 'tip'> {
  return { links: [], headers: [], proof, giver };
}
