import { toHex } from '../base/bytes.ts';
import type { Hash } from '../crypto/hash.ts';
import type { StoredBlock } from './chain-requests.ts';
import { damaged, readChecksummed, scanChecksummed } from './checksummed.ts';
import { keys, rangeOf, restOf } from './keys.ts';
import type { Store } from './port.ts';

/** How many of the last final blocks are known by hash: far more than are ever under way at once. */
export const recentBlocks = 256;

/** Which blocks are stored, or asked to be, and not final. */
export class CandidateTable {
  #atOpen: readonly StoredBlock[];
  readonly #hashes: Set<Hash>;
  /** The last blocks that became final, or are about to. One that arrives late is no candidate any more. */
  readonly #recentFinal: Set<Hash>;

  private constructor(atOpen: readonly StoredBlock[], recentFinal: readonly Hash[]) {
    this.#atOpen = atOpen;
    this.#hashes = new Set(atOpen.map(({ hash }) => hash));
    this.#recentFinal = new Set(recentFinal);
  }

  static async open(store: Store, recentFinal: readonly Hash[]): Promise<CandidateTable> {
    const atOpen: StoredBlock[] = [];
    for await (const [key] of scanChecksummed(store, rangeOf('candidate'))) {
      const hash = toHex(restOf(key)) as Hash;
      const bytes = readChecksummed(store, keys.block(hash));
      if (bytes === undefined) throw damaged(`block ${hash}`, 'is missing');
      atOpen.push({ hash, bytes });
    }
    return new CandidateTable(atOpen, recentFinal);
  }

  /** Those that were there when the store was opened, once: they may be large. */
  take(): readonly StoredBlock[] {
    const taken = this.#atOpen;
    this.#atOpen = [];
    return taken;
  }

  /** False when it need not be written: it is stored already, or final. */
  add(hash: Hash): boolean {
    if (this.#hashes.has(hash) || this.#recentFinal.has(hash)) return false;
    this.#hashes.add(hash);
    return true;
  }

  /** A block becomes final: whether it was a candidate, so that it is stored already. */
  finalize(hash: Hash): boolean {
    const wasCandidate = this.#hashes.delete(hash);
    this.#recentFinal.add(hash);
    for (const oldest of this.#recentFinal) {
      if (this.#recentFinal.size <= recentBlocks) break;
      this.#recentFinal.delete(oldest);
    }
    return wasCandidate;
  }

  /**
   * Those of these that were candidates, and no longer are. One that became final must stay, and is not
   * among them.
   */
  forget(hashes: readonly Hash[]): readonly Hash[] {
    return hashes.filter((hash) => this.#hashes.delete(hash));
  }
}
