import { decode, encode } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { ChainLink, Input, MonotonicMs, ValidatorIndex, Verified } from '../consensus/engine.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { type BlockHeader, hashHeader, type Height, toHeight } from '../ledger/block.ts';
import { type Block, checkLink, checkProposal, decodeBlock, proposalOf } from '../ledger/block-body.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import type { Network, PeerId } from '../network/port.ts';
import { type Chain, linkOf } from './chain.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { checkOffer, SnapshotOffers } from './snapshot-offers.ts';
import type { Verification } from './verification.ts';
import { blocksRequestCodec, type BlocksResponse, blocksResponseCodec, type SnapshotHead } from './wire.ts';

export interface SyncOptions {
  readonly chain: Chain;
  readonly network: Pick<Network, 'request'>;
  readonly clock: Clock;
  readonly verification: Pick<Verification<object>, 'transactions' | 'certificate' | 'fault'>;
  readonly peersFor: (holders: readonly ValidatorIndex[]) => readonly PeerId[];
  readonly validatorOf: (peer: PeerId) => ValidatorIndex | undefined;
  /** The keys by index where the engine can change them, as `certificateClaims` has it. */
  readonly members: () => readonly PublicKey[] | undefined;
  /** The last height that the engine called final; what is stored may lag behind it. */
  readonly engineFinal: () => Height;
  readonly give: (input: Extract<Input<never>, { type: 'synced' | 'offered' }>) => void;
  readonly log: Log;
}

/** A response whose blocks link from where we are, and are final if the signatures on the certificate are good. */
interface Segment {
  readonly peer: PeerId;
  readonly blocks: readonly Block[];
  readonly last: Tip;
  /** False when the certificate is for a later block. */
  readonly complete: boolean;
  readonly certificate: FinalityCertificate;
}

interface Tip {
  readonly header: BlockHeader;
  readonly hash: Hash;
}

/** More than any chain has: the round ends when nobody has more. */
const whatThereIs = toHeight(Number.MAX_SAFE_INTEGER);

type Stage =
  | { readonly name: 'idle' }
  /** Waits for a peer's answer, or for its signatures to be checked. `round` tells a late answer from the current one. */
  | { readonly name: 'fetching'; readonly round: number }
  /** The engine was given blocks up to here, and they are being executed and stored; the last of them came at `at`. */
  | { readonly name: 'applying'; readonly until: Height; readonly at: MonotonicMs };

/**
 * The `sync` effect: fetches final blocks above the own final one, from one peer after the other, until nobody has more. Only
 * certificates count: a height that somebody claims makes us ask and nothing else, and a peer whose answer is not
 * what was asked for is not asked again in this round. When somebody pruned the next block and nobody has it, the engine
 * gets the newest snapshot that was offered instead.
 */
export class Sync {
  readonly #options: SyncOptions;
  #stage: Stage = { name: 'idle' };
  #round = 0;
  /** Who is still to be asked in this round, the next one first. */
  #peers: PeerId[] = [];
  #holders: readonly ValidatorIndex[] = [];
  #wanted: Height = toHeight(0);
  /** Blocks that are proven final and wait for the block of their certificate: a run that one response could not hold. */
  #run: { readonly links: ChainLink[]; tip: Tip } | null = null;
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
    if (this.#isFree()) this.#startRound(this.#options.peersFor(this.#holders));
  }

  /** Asks one peer whether there is anything new, and takes all of it. */
  poll(peer: PeerId): void {
    if (!this.#isFree()) return;
    this.#wanted = whatThereIs;
    this.#startRound([peer]);
  }

  /** The block at this height is applied. */
  applied(height: Height): void {
    if (this.#stage.name !== 'applying') return;
    if (height < this.#stage.until) {
      this.#stage = { ...this.#stage, at: this.#options.clock.monotonicMs() };
      return;
    }
    this.#stage = { name: 'idle' };
    // The peer that had these goes on being the first to be asked.
    if (this.#wanted > height) this.#askNext();
  }

  #isFree(): boolean {
    const stage = this.#stage;
    if (stage.name === 'idle') return true;
    const { clock } = this.#options;
    return stage.name === 'applying' && clock.monotonicMs() > stage.at + limits.syncStallMs;
  }

  #startRound(peers: readonly PeerId[]): void {
    this.#peers = [...peers];
    this.#run = null;
    this.#offers.clear();
    this.#askNext();
  }

  #askNext(): void {
    // One peer's word that a block is gone makes us ask all others for it.
    if (this.#peers.length === 0 && this.#offers.some) {
      this.#peers = this.#options.peersFor(this.#holders).filter((other) => !this.#offers.wasAsked(other));
    }
    const peer = this.#peers[0];
    if (peer === undefined) return this.#rest();
    this.#offers.asked(peer);
    const round = ++this.#round;
    this.#stage = { name: 'fetching', round };
    const tip = this.#tip();
    const from = toHeight(tip.header.height + 1);
    const request = encode(blocksRequestCodec, { from, count: limits.syncBlocks });
    this.#options.network.request(peer, 'blocks', request, (response) => {
      if (!this.#isCurrent(round)) return;
      if (response instanceof Problem) return this.#tryAnother();
      const found = this.#read(peer, tip, response);
      if (found === 'nothing') return this.#tryAnother();
      if (found instanceof Problem) return this.#fault(peer, found);
      if ('header' in found) this.#checkOffer(found, peer, round);
      else this.#check(found, round);
    });
  }

  /** Nobody has the next block: what was claimed is forgotten, and the next claim starts anew. */
  #rest(): void {
    const { engineFinal, validatorOf, give } = this.#options;
    this.#stage = { name: 'idle' };
    this.#wanted = toHeight(0);
    const newest = this.#offers.take();
    if (newest === undefined || newest.header.height <= engineFinal()) return;
    const { peers, ...offer } = newest;
    give({ type: 'offered', ...offer, holders: peers.flatMap((peer) => validatorOf(peer) ?? []) });
  }

  #isCurrent(round: number): boolean {
    return this.#stage.name === 'fetching' && this.#stage.round === round;
  }

  #tryAnother(): void {
    this.#peers.shift();
    this.#askNext();
  }

  #fault(peer: PeerId, problem: Problem): void {
    this.counters.syncFaults += 1;
    this.#options.log.warn('a peer served blocks that are not good', { peer, code: problem.code });
    this.#options.verification.fault(peer, problem.code);
    this.#tryAnother();
  }

  /** Where the next block has to link to. */
  #tip(): Tip {
    return this.#run?.tip ?? this.#options.chain.final;
  }

  /** `tip` is where it was asked to go on from: the own chain may have grown meanwhile. */
  #read(peer: PeerId, tip: Tip, response: Uint8Array): Segment | SnapshotHead | 'nothing' | Problem {
    const answer = decode(blocksResponseCodec, response, 'blocks response');
    if (answer instanceof Problem) return answer;
    const { blocks, snapshot } = answer;
    if (blocks.length === 0) {
      return snapshot === undefined ? 'nothing' : (checkOffer(snapshot, tip.header.height) ?? snapshot);
    }
    if (answer.certificate === undefined) return unproven('has no certificate');
    return linkUp(tip, peer, answer, answer.certificate);
  }

  #checkOffer({ header, certificate: offered }: SnapshotHead, peer: PeerId, round: number): void {
    const { verification, members } = this.#options;
    verification.certificate(offered, members(), (certificate) => {
      if (!this.#isCurrent(round)) return;
      if (certificate instanceof Problem) return this.#fault(peer, certificate);
      this.#offers.add(peer, header, certificate);
      this.#tryAnother();
    });
  }

  #check(segment: Segment, round: number): void {
    const { verification, members } = this.#options;
    verification.certificate(segment.certificate, members(), (certificate) => {
      if (!this.#isCurrent(round)) return;
      if (certificate instanceof Problem) return this.#fault(segment.peer, certificate);
      const transactions = segment.blocks.flatMap((block) => block.transactions);
      verification.transactions(transactions, false, (valid) => {
        if (!this.#isCurrent(round)) return;
        // The certificate is good, so the hashes are what a quorum agreed on, and a hash covers its signature.
        if (valid.includes(false))
          return this.#fault(segment.peer, unproven('holds an unsigned transaction'));
        this.#take(segment, certificate);
      });
    });
  }

  #take(segment: Segment, certificate: Verified<FinalityCertificate>): void {
    const { chain, clock, engineFinal, give } = this.#options;
    const links = this.#run?.links ?? [];
    for (const block of segment.blocks) links.push(linkOf(block.header, chain.add(block, { stored: false })));
    this.counters.syncedBlocks += segment.blocks.length;
    this.#offers.clear();
    if (!segment.complete) {
      this.#run = { links, tip: segment.last };
      return this.#askNext();
    }
    this.#run = null;
    const until = segment.last.header.height;
    this.#stage = { name: 'applying', until, at: clock.monotonicMs() };
    // Blocks may have become final another way meanwhile.
    const fresh = links.filter(({ height }) => height > engineFinal());
    if (fresh.length > 0) give({ type: 'synced', chain: fresh, certificate, header: segment.last.header });
    this.applied(chain.final.height);
  }
}

/** Checks a response against where we are: forms, roots, links, and that the certificate is for its end. */
function linkUp(
  start: Tip,
  peer: PeerId,
  answer: BlocksResponse,
  certificate: FinalityCertificate,
): Segment | Problem {
  const blocks: Block[] = [];
  let last = start;
  for (const bytes of answer.blocks) {
    const block = decodeBlock(bytes);
    if (block instanceof Problem) return block;
    const wrong = checkLink(last.header, block.header) ?? checkProposal(proposalOf(block));
    if (wrong !== undefined) return wrong;
    blocks.push(block);
    last = { header: block.header, hash: hashHeader(block.header) };
  }
  const changing = blocks
    .slice(0, -1)
    .some(({ header }) => header.nextValidatorsHash !== header.validatorsHash);
  if (changing) return unproven('goes on past a change of the validators');
  let proven = last;
  for (const header of answer.headers) {
    const wrong = checkLink(proven.header, header);
    if (wrong !== undefined) return wrong;
    proven = { header, hash: hashHeader(header) };
  }
  if (certificate.height !== proven.header.height || certificate.blockHash !== proven.hash) {
    return unproven('is proven by a certificate for another block');
  }
  return { peer, blocks, last, complete: answer.headers.length === 0, certificate };
}

function unproven(why: string): Problem {
  return new Problem('sync/unproven', `what the peer served as final ${why}`, {
    remedy: 'Ask another peer.',
  });
}
