import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import { maxFaulty } from '../../ledger/quorum.ts';
import { type ValidatorSet, validatorSet } from '../../ledger/validators.ts';
import { promise } from './breach.ts';
import { ProtectionChecker } from './protection-checker.ts';
import { SignatureChecker, type SignedVote } from './signature-checker.ts';

/** The validators of one epoch, and what is held against what they sign in it. */
export interface Epoch {
  /** The height of the block after which they are in force, and that block. */
  readonly start: number;
  readonly blockHash: Hash;
  readonly validators: ValidatorSet;
  /** Those whose key a liar holds. */
  readonly lying: Set<number>;
  readonly signatures: SignatureChecker;
  /**
   * Null where more lie than the protocol tolerates: then it promises nothing, and only what really happens
   * counts.
   */
  protection: ProtectionChecker | null;
  /** The last block of the epoch, once it is final. */
  end: { readonly height: number; readonly blockHash: Hash } | null;
  /** Blocks that somebody honest voted for in it. */
  readonly voted: Map<Hash, number>;
}

/**
 * Which validators sign for which heights, by the chain that was judged: a PBFT of its own for each set. What
 * was signed in one says nothing in another.
 */
export class Epochs {
  readonly #epochs = new Map<number, Epoch>();
  readonly #liars: Set<PublicKey>;
  /** The last epoch that each honest key signed in. */
  readonly #signedIn = new Map<PublicKey, number>();
  #latest: Epoch;

  constructor(options: {
    readonly genesisHash: Hash;
    readonly keys: readonly PublicKey[];
    readonly liars: ReadonlySet<PublicKey>;
  }) {
    this.#liars = new Set(options.liars);
    this.#latest = this.#add(0, options.genesisHash, options.keys);
  }

  get latest(): Epoch {
    return this.#latest;
  }

  get count(): number {
    return this.#epochs.size;
  }

  all(): Iterable<Epoch> {
    return this.#epochs.values();
  }

  /** The block at this height is final, and names these as the next validators. */
  begin(start: number, blockHash: Hash, keys: readonly PublicKey[]): void {
    const before = this.#latest;
    before.end = { height: start, blockHash };
    for (const [voted, height] of before.voted) this.#drained(before, voted, height);
    this.#latest = this.#add(start, blockHash, keys);
  }

  /**
   * A key is in the hands of a liar from now on. What it signed before counts as honest, so what could be
   * committed cannot be told any more.
   */
  corrupted(key: PublicKey): void {
    this.#liars.add(key);
    for (const epoch of this.#epochs.values()) {
      const index = epoch.validators.keys.indexOf(key);
      if (index < 0) continue;
      epoch.lying.add(index);
      epoch.protection?.retire();
      if (epoch.lying.size > maxFaulty(epoch.validators.keys.length)) epoch.protection = null;
    }
  }

  of(start: number, who: () => string): Epoch {
    const epoch = this.#epochs.get(start);
    promise(
      epoch !== undefined,
      'epoch',
      () => `${who()} is of an epoch from ${start} on, and no block there changed the validators`,
    );
    return epoch;
  }

  /** An honest key signs in an epoch. */
  signs(key: PublicKey, start: number): void {
    const before = this.#signedIn.get(key) ?? 0;
    promise(
      start >= before,
      'epoch',
      () =>
        `${key.slice(0, 8)} signs in the epoch from ${start} on, after it signed in that from ${before} on`,
    );
    this.#signedIn.set(key, start);
  }

  #add(start: number, blockHash: Hash, keys: readonly PublicKey[]): Epoch {
    const lying = new Set(keys.flatMap((key, index) => (this.#liars.has(key) ? [index] : [])));
    const protection =
      lying.size > maxFaulty(keys.length)
        ? null
        : new ProtectionChecker({ validators: keys.length, liars: lying.size, genesisHash: blockHash });
    const epoch: Epoch = {
      start,
      blockHash,
      validators: validatorSet(keys),
      lying,
      protection,
      signatures: new SignatureChecker((vote) => this.#onVote(epoch, vote)),
      end: null,
      voted: new Map(),
    };
    this.#epochs.set(start, epoch);
    return epoch;
  }

  #onVote(epoch: Epoch, vote: SignedVote): void {
    epoch.voted.set(vote.blockHash, vote.height);
    this.#drained(epoch, vote.blockHash, vote.height);
    epoch.protection?.onVote(vote);
  }

  /**
   * Nobody honest votes for anything on the last block of an epoch, before or after that is final. (Blocks of
   * other branches may have been higher, in views before.)
   */
  #drained({ start, end, protection }: Epoch, blockHash: Hash, height: number): void {
    if (end === null || protection === null) return;
    let at: Hash | undefined = blockHash;
    for (let above = height; at !== undefined && above > end.height; above--)
      at = protection.linkOf(at)?.parentHash;
    promise(
      height <= end.height || at !== end.blockHash,
      'epoch',
      () =>
        `somebody voted for a block of height ${height} in the epoch from ${start} on, on its last one at ${end.height}`,
    );
  }
}
