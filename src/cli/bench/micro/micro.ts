import { simulateScale } from '../scale/simulate-scale.ts';
import { measureUpdates } from '../state-updates.ts';
import { type Bounds, measureBounds } from './bounds.ts';
import { ledgerPieces } from './ledger-pieces.ts';
import { measurePiece, type PieceResult } from './pieces.ts';
import { signaturePieces } from './signatures.ts';

export interface MicroResult {
  readonly bounds: Bounds;
  readonly pieces: readonly PieceResult[];
}

const treeSizes = [1_000, 100_000];
const nodeRuns = 3;

/** What a node is made of, piece by piece, and what this machine can do at most. */
export async function measureMicro(samples: number, say: (text: string) => void): Promise<MicroResult> {
  say('the bounds of this machine');
  const bounds = await measureBounds(samples);
  const pieces: PieceResult[] = [];
  for (const piece of [...signaturePieces(), ...ledgerPieces()]) {
    say(`${piece.group}: ${piece.name}`);
    pieces.push(await measurePiece(piece, bounds, samples));
  }
  for (const accounts of treeSizes) {
    say(`tree: ${accounts} accounts`);
    const { root, block } = await measureUpdates(accounts, samples);
    const of = accounts.toLocaleString('en-US');
    pieces.push(
      resultOf({ group: 'tree', name: `the root, a transfer, of ${of} accounts` }, root, bounds),
      resultOf({ group: 'ledger', name: `a transfer in a block, of ${of} accounts` }, block, bounds),
    );
  }
  say('engine');
  pieces.push(await nodePiece(100, 'a transfer, in blocks of 100', bounds));
  pieces.push(await nodePiece(1, 'a block of one transfer', bounds));
  return { bounds, pieces };
}

function resultOf(
  head: Pick<PieceResult, 'group' | 'name'>,
  micros: PieceResult['micros'],
  { verificationsPerSecond }: Bounds,
): PieceResult {
  const perSecond = 1e6 / micros.least;
  const ratio = perSecond / verificationsPerSecond;
  return { ...head, bound: 'verifications', pieces: 1, micros, perSecond, ratio };
}

/**
 * All of a node but sockets, disk and Ed25519: four of them in the simulator, and a fourth of the processor
 * time of all, the simulator's own share included.
 */
async function nodePiece(batch: number, name: string, bounds: Bounds): Promise<PieceResult> {
  const batches = batch === 1 ? 100 : 20;
  const costs: number[] = [];
  for (let run = 0; run < nodeRuns; run++) {
    const begin = process.cpuUsage();
    const { validators } = await simulateScale({
      engine: 'pbft',
      validators: 4,
      delayMs: 5,
      diskMs: 1,
      blockIntervalMs: 0,
      batch,
      everyMs: 100,
      batches,
      countHashes: false,
    });
    const { user, system } = process.cpuUsage(begin);
    costs.push((user + system) / (validators * batch * batches));
  }
  const sorted = costs.toSorted((a, b) => a - b);
  const micros = { least: sorted[0] ?? 0, median: sorted[sorted.length >>> 1] ?? 0 };
  return resultOf({ group: 'engine', name: `${name}, a node in the simulator` }, micros, bounds);
}
