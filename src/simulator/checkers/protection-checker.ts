import type { Hash } from '../../crypto/hash.ts';
import { promise } from './breach.ts';
import type { SignedVote } from './signature-checker.ts';

interface Place {
  readonly view: number;
  readonly height: number;
  readonly blockHash: Hash;
}

/** A block that somebody honest prepared. */
interface Prepared extends Place {
  /** Enough of the honest did that, with the liars' help, there can be a certificate. */
  certified: boolean;
}

interface Link {
  readonly height: number;
  readonly parentHash: Hash;
}

/**
 * How many of the newest places a new one is compared with. All committed blocks are one chain, so the
 * newest stand for the rest.
 */
const compared = 48;

/**
 * The claim that all of PBFT's safety rests on (`src/consensus/README.md`, "Why it is safe"): if a block is
 * committed at rank (w, k), every certificate of higher rank is on that block or one that extends it. By its
 * proof more is true: after view w not even a single honest Prepare is on anything else.
 *
 * It is checked on the honest validators' signatures, because liars may sign anything and show it to anyone:
 * committed is what can be. So a broken rule shows long before two nodes differ, which takes another view
 * change at the worst moment.
 */
export class ProtectionChecker {
  readonly #needed: number;
  readonly #links = new Map<Hash, Link>();
  readonly #voters = new Map<string, Set<number>>();
  readonly #committed: Place[] = [];
  readonly #prepared = new Map<string, Prepared>();
  /** Pairs that could not be judged, because nobody showed some block between them yet. */
  #undecided: (readonly [Place, Prepared])[] = [];
  readonly #genesisHash: Hash;
  #judges = true;

  constructor(options: { validators: number; liars: number; genesisHash: Hash }) {
    const { validators, liars } = options;
    // Said here once more, in other words than the node's, so that a wrong quorum there shows.
    const faulty = Math.ceil(validators / 3) - 1;
    const quorum = Math.ceil((validators + faulty + 1) / 2);
    this.#needed = Math.max(1, quorum - liars);
    this.#genesisHash = options.genesisHash;
  }

  /** It knows the chain's links as before, and judges nothing any more. */
  retire(): void {
    this.#judges = false;
    this.#undecided = [];
  }

  /** A block's place in the chain, from whoever has it. */
  onLink(blockHash: Hash, height: number, parentHash: Hash): void {
    if (this.#links.has(blockHash)) return;
    this.#links.set(blockHash, { height, parentHash });
    if (this.#undecided.length === 0) return;
    const pairs = this.#undecided;
    this.#undecided = [];
    for (const [commit, prepared] of pairs) this.#judge(commit, prepared);
  }

  linkOf(blockHash: Hash): Link | undefined {
    return this.#links.get(blockHash);
  }

  /** An honest validator signed this vote. */
  onVote(vote: SignedVote): void {
    if (vote.phase === 'pre-prepare' || !this.#judges) return;
    const { view, height, blockHash } = vote;
    const key = voteKey(vote.phase, vote);
    const voters = this.#voters.get(key) ?? new Set();
    this.#voters.set(key, voters);
    if (voters.has(vote.validator)) return;
    voters.add(vote.validator);
    if (vote.phase === 'prepare') this.#onPrepare(key, { view, height, blockHash }, voters.size);
    else if (voters.size === this.#needed) this.#onCommitted({ view, height, blockHash });
  }

  /** A commit certificate made this block final: this many of the honest signed a Commit for exactly that. */
  onFinal(place: Place): void {
    if (!this.#judges) return;
    const voters = this.#voters.get(voteKey('commit', place))?.size ?? 0;
    promise(
      voters >= this.#needed,
      'certificate',
      () =>
        `${place.blockHash.slice(0, 8)} is final at (view ${place.view}, height ${place.height}) with the Commits of ` +
        `${voters} honest validators; ${this.#needed} are needed`,
    );
  }

  #onPrepare(key: string, place: Place, votes: number): void {
    const prepared = this.#prepared.get(key) ?? { ...place, certified: false };
    this.#prepared.set(key, prepared);
    if (votes === this.#needed) prepared.certified = true;
    else if (votes > 1) return;
    for (const commit of this.#committed.slice(-compared)) this.#judge(commit, prepared);
  }

  #onCommitted(place: Place): void {
    this.#committed.push(place);
    for (const prepared of [...this.#prepared.values()].slice(-2 * compared)) this.#judge(place, prepared);
  }

  #judge(commit: Place, prepared: Prepared): void {
    const counts = prepared.view > commit.view || (prepared.view === commit.view && prepared.certified);
    if (!counts || (prepared.view === commit.view && prepared.height <= commit.height)) return;
    const extended = this.#extends(prepared, commit);
    if (extended === 'unknown') {
      this.#undecided.push([commit, prepared]);
      return;
    }
    promise(
      extended,
      'protection',
      () =>
        `block ${commit.blockHash.slice(0, 8)} can be committed at (view ${commit.view}, height ${commit.height}), and ` +
        `${prepared.blockHash.slice(0, 8)}, which does not extend it, is ${prepared.certified ? 'certified' : 'prepared'} at ` +
        `(view ${prepared.view}, height ${prepared.height})`,
    );
  }

  #extends(descendant: Place, ancestor: Place): boolean | 'unknown' {
    if (descendant.height < ancestor.height) return false;
    let current = descendant.blockHash;
    for (let height = descendant.height; height > ancestor.height; height--) {
      if (current === this.#genesisHash) return false;
      const link = this.#links.get(current);
      if (link === undefined) return 'unknown';
      current = link.parentHash;
    }
    return current === ancestor.blockHash;
  }
}

function voteKey(phase: string, { view, height, blockHash }: Place): string {
  return `${phase}/${view}/${height}/${blockHash}`;
}
