import type { Bounds } from './bounds.ts';
import { type Cost, costOf, passedOf } from './stopwatch.ts';

type BoundName = 'verifications' | 'hashes' | 'syncs';

/** Work that is measured by itself. */
interface PieceHead {
  readonly group: string;
  readonly name: string;
  /** What of the machine it is compared with. */
  readonly bound: BoundName;
  /** How many things one call does: signatures, hashes, transactions. */
  readonly pieces: number;
}

export type Piece = PieceHead &
  (
    | { readonly work: () => unknown }
    /** For what waits, or has something to clean up: measured in time that passes. */
    | { readonly open: () => Opened | Promise<Opened> }
  );

interface Opened {
  readonly work: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

export interface PieceResult extends PieceHead {
  /** µs of one thing. */
  readonly micros: Cost;
  readonly perSecond: number;
  /** The rate against that of its bound: 1 is as many a second. */
  readonly ratio: number;
}

export async function measurePiece(piece: Piece, bounds: Bounds, samples: number): Promise<PieceResult> {
  const { group, name, bound, pieces } = piece;
  const { least, median } = await whole(piece, samples);
  const micros = { least: least / pieces, median: median / pieces };
  const perSecond = 1e6 / micros.least;
  const of: Record<BoundName, number> = {
    verifications: bounds.verificationsPerSecond,
    hashes: bounds.hashesPerSecond,
    syncs: bounds.syncsPerSecond,
  };
  return { group, name, bound, pieces, micros, perSecond, ratio: perSecond / of[bound] };
}

async function whole(piece: Piece, samples: number): Promise<Cost> {
  if ('work' in piece) return costOf(piece.work, samples);
  const { work, close } = await piece.open();
  try {
    return await passedOf(work, samples);
  } finally {
    await close();
  }
}
