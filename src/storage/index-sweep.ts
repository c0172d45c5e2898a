import { boundedBytes, encode, struct } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { type Height, heightCodec } from '../ledger/block.ts';
import { decodeOwn } from './chain-records.ts';
import { checksummedWrite, readChecksummed } from './checksummed.ts';
import { heightIn, indexRange, keyAfter, keys } from './keys.ts';
import type { Store, Write } from './port.ts';

interface Position {
  /** Entries of blocks below this height go. */
  readonly below: Height;
  /** No such entry is left before this key. */
  readonly next: Uint8Array;
}

export const sweepCodec = struct<Position>({
  below: heightCodec,
  next: boundedBytes(limits.storeKeyBytes),
});

/**
 * Removes index entries that are of no use. There may be millions, and they harm nobody: so some go with each
 * batch of final blocks, and how far that is stands in the batch. The next ones are looked up meanwhile.
 */
export class IndexSweep {
  readonly #store: Store;
  /** Undefined when nothing is to be removed. */
  #position: Position | undefined;
  /** What was found behind the position, or why nothing was; undefined while it is looked up. */
  #found: readonly Uint8Array[] | { readonly failure: unknown } | undefined;

  private constructor(store: Store, position: Position | undefined) {
    this.#store = store;
    this.#position = position;
    void this.#look();
  }

  /** Goes on where the store says. */
  static open(store: Store): IndexSweep {
    const bytes = readChecksummed(store, keys.sweeping);
    return new IndexSweep(store, bytes && decodeOwn(sweepCodec, bytes, 'the record of the sweep'));
  }

  /** From now on all entries of blocks below a height are of no use: what says so, for a batch. */
  begin(below: Height): Write[] {
    this.#position = { below, next: indexRange.from };
    this.#found = undefined;
    void this.#look();
    return [positionWrite(this.#position)];
  }

  /** The changes that remove some, for a batch; these count as removed. */
  take(): Write[] {
    const position = this.#position;
    const found = this.#found;
    if (position === undefined || found === undefined) return [];
    if ('failure' in found) throw found.failure;
    const useless = found.filter((key) => heightIn(key) < position.below);
    const last = found.length < limits.sweptEntries ? undefined : found.at(-1);
    this.#position = last && { ...position, next: keyAfter(last) };
    this.#found = undefined;
    void this.#look();
    return [
      ...useless.map((key) => checksummedWrite(key, null)),
      this.#position === undefined ? checksummedWrite(keys.sweeping, null) : positionWrite(this.#position),
    ];
  }

  async #look(): Promise<void> {
    const position = this.#position;
    if (position === undefined) return;
    const range = { from: position.next, to: indexRange.to, limit: limits.sweptEntries };
    const found = await this.#store.scan(range).then(
      (page) => page.map(([key]) => key),
      // Whoever takes hears it; and nobody does where the store was closed meanwhile.
      (failure: unknown) => ({ failure }),
    );
    if (this.#position === position) this.#found = found;
  }
}

function positionWrite(position: Position): Write {
  return checksummedWrite(keys.sweeping, encode(sweepCodec, position));
}
