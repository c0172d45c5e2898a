import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../base/bytes.ts';
import { boundedBytes, boundedText, decode, encode, struct } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { publicKeyCodec, type PublicKey } from '../crypto/signature.ts';
import { keys, rangeOf } from './keys.ts';
import type { Store } from './port.ts';
import { damaged, scanChecksummed, checksummedWrite } from './checksummed.ts';

/** Proof that a validator signed what no correct validator signs. */
export interface StoredEvidence {
  readonly accused: PublicKey;
  readonly kind: string;
  /** The signed contradiction. */
  readonly bytes: Uint8Array;
}

export const evidenceCodec = struct<StoredEvidence>({
  accused: publicKeyCodec,
  kind: boundedText(64),
  bytes: boundedBytes(limits.consensusMessageBytes, 'contradiction'),
});

/** What became of a piece of evidence: one that is known, or more of it than anybody needs, is not stored. */
type EvidenceFate = 'stored' | 'known' | 'enough';

/** The evidence of a node: each piece once, oldest first, and only this many for one validator and kind. */
export class EvidenceTable {
  readonly #store: Store;
  readonly #pieces: StoredEvidence[] = [];
  readonly #known = new Set<string>();
  readonly #counts = new Map<string, number>();
  #next = 0;

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(store: Store): Promise<EvidenceTable> {
    const table = new EvidenceTable(store);
    for await (const [, value] of scanChecksummed(store, rangeOf('evidence'))) {
      const piece = decode(evidenceCodec, value, 'evidence');
      if (piece instanceof Problem) throw damaged(`evidence ${table.#next}`, 'does not decode', piece);
      table.#note(piece);
      table.#pieces.push(piece);
    }
    return table;
  }

  /** All that is stored, oldest first. */
  list(): readonly StoredEvidence[] {
    return this.#pieces;
  }

  /** Stores a piece unless there is no need to; `done` is called only for one that is stored. */
  put(piece: StoredEvidence, done: (problem: Problem | undefined) => void): EvidenceFate {
    if (this.#known.has(idOf(piece))) return 'known';
    if ((this.#counts.get(kindOf(piece)) ?? 0) >= limits.evidencePerKind) return 'enough';
    const write = checksummedWrite(keys.evidence(this.#next), encode(evidenceCodec, piece));
    this.#note(piece);
    this.#store.write([write], (problem) => {
      if (problem === undefined) this.#pieces.push(piece);
      done(problem);
    });
    return 'stored';
  }

  #note(piece: StoredEvidence): void {
    this.#next += 1;
    this.#known.add(idOf(piece));
    this.#counts.set(kindOf(piece), (this.#counts.get(kindOf(piece)) ?? 0) + 1);
  }
}

function idOf({ accused, kind, bytes }: StoredEvidence): string {
  return `${accused} ${kind} ${toHex(sha256(bytes))}`;
}

function kindOf({ accused, kind }: StoredEvidence): string {
  return `${accused} ${kind}`;
}
