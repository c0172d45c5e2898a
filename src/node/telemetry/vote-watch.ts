import type { BlockVotesView } from '../../api/telemetry-views.ts';
import { limits } from '../../base/limits.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { BlockPart } from '../../consensus/protocol.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { BlockHeader, Height } from '../../ledger/block.ts';

/** What one validator said, and when; without a hash of whatever block stands there in the end. */
interface Note {
  readonly hash: Hash | null;
  readonly at: MonotonicMs;
}

interface Place {
  readonly proposals: Map<PublicKey, Note>;
  readonly votes: Map<PublicKey, Note>;
  final: { readonly hash: Hash; readonly proposer: PublicKey; readonly at: MonotonicMs } | undefined;
}

/**
 * When each validator proposed and voted, as it came here. A liar can spoil what is told of itself and of
 * nobody else: there is one note of each validator, kind and height.
 */
export class VoteWatch {
  readonly #places = new Map<Height, Place>();
  readonly #onDelay: (validator: PublicKey, ms: number) => void;
  #finalHeight: Height;

  /** `onDelay` hears of each vote, how long after the proposal of its block it came. */
  constructor(options: {
    readonly finalHeight: Height;
    readonly onDelay: (validator: PublicKey, ms: number) => void;
  }) {
    this.#finalHeight = options.finalHeight;
    this.#onDelay = options.onDelay;
  }

  heard(validator: PublicKey, part: BlockPart, now: MonotonicMs): void {
    const { kind, height, blockHash, isForAllBelow } = part;
    if (!this.#isNear(height)) return;
    const place = this.#placeAt(height);
    if (kind === 'proposal') {
      note(place.proposals, validator, { hash: blockHash, at: now }, place);
      return;
    }
    this.#vote(place, validator, { hash: blockHash, at: now });
    if (!isForAllBelow) return;
    for (const [below, other] of this.#places) {
      if (below < height) this.#vote(other, validator, { hash: null, at: now });
    }
  }

  final(hash: Hash, { height, proposer }: Pick<BlockHeader, 'height' | 'proposer'>, now: MonotonicMs): void {
    this.#finalHeight = height;
    this.#placeAt(height).final = { hash, proposer, at: now };
    for (const at of this.#places.keys()) if (!this.#isNear(at)) this.#places.delete(at);
  }

  /** The last final blocks, the lowest first. */
  blocks(): readonly BlockVotesView[] {
    return [...this.#places]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([height, place]) => (place.final === undefined ? [] : [viewOf(height, place, place.final)]));
  }

  #isNear(height: Height): boolean {
    return Math.abs(height - this.#finalHeight) <= limits.watchedBlocks;
  }

  #placeAt(height: Height): Place {
    let place = this.#places.get(height);
    if (place === undefined) {
      place = { proposals: new Map(), votes: new Map(), final: undefined };
      this.#places.set(height, place);
    }
    return place;
  }

  #vote(place: Place, validator: PublicKey, vote: Note): void {
    if (!note(place.votes, validator, vote, place)) return;
    const proposedAt = proposalOf(place, vote.hash);
    if (proposedAt !== undefined) this.#onDelay(validator, vote.at - proposedAt);
  }
}

/** The first of its kind counts, unless it was for another block. False when it counts not. */
function note(notes: Map<PublicKey, Note>, from: PublicKey, fresh: Note, { final }: Place): boolean {
  const earlier = notes.get(from);
  if (earlier !== undefined) {
    const isSettled = earlier.hash === null || earlier.hash === fresh.hash || earlier.hash === final?.hash;
    if (isSettled || fresh.hash === null) return false;
  }
  notes.set(from, fresh);
  return true;
}

/** When the block was proposed first, as far as it came here. */
function proposalOf({ proposals }: Place, hash: Hash | null): MonotonicMs | undefined {
  let first: MonotonicMs | undefined;
  for (const proposal of proposals.values()) {
    if (hash !== null && proposal.hash !== hash) continue;
    if (first === undefined || proposal.at < first) first = proposal.at;
  }
  return first;
}

function viewOf(height: Height, place: Place, final: NonNullable<Place['final']>): BlockVotesView {
  const proposedAt = proposalOf(place, final.hash);
  const since = (at: MonotonicMs): number | null => (proposedAt === undefined ? null : at - proposedAt);
  const votes = [...place.votes].filter(([, { hash }]) => hash === null || hash === final.hash);
  return {
    height,
    hash: final.hash,
    proposer: final.proposer,
    finalMs: since(final.at),
    votes: votes.map(([validator, { at }]) => ({ validator, ms: since(at) })),
  };
}
