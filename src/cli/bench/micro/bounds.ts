import { hash, randomBytes } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '../../../base/bytes.ts';
import { native } from '../../../crypto/native.ts';
import { newDirectory } from '../../temporary-directory.ts';
import { sampleClaims } from './samples.ts';
import { costOf, passedOf } from './stopwatch.ts';

/** What one core of this machine, or its disk, can do at most, one after the other. */
export interface Bounds {
  readonly verificationsPerSecond: number;
  readonly hashesPerSecond: number;
  readonly syncsPerSecond: number;
}

const pageBytes = 4_096;

/**
 * A signature by the fastest library for single ones, SHA-256 of 64 bytes by OpenSSL, and 4 KiB that are
 * appended to a file and synced.
 */
export async function measureBounds(samples: number): Promise<Bounds> {
  const [claim] = sampleClaims(1, 1);
  if (claim === undefined) throw new Error('a transfer has a signature');
  const [key, signature] = [fromHex(claim.publicKey), fromHex(claim.signature)];
  const verify = await costOf(() => native.verify(key, claim.message, signature), samples);
  const data = randomBytes(64);
  const oneHash = await costOf(() => hash('sha256', data, 'hex'), samples);
  return {
    verificationsPerSecond: 1e6 / verify.least,
    hashesPerSecond: 1e6 / oneHash.least,
    syncsPerSecond: 1e6 / (await syncedWrite(samples)),
  };
}

async function syncedWrite(samples: number): Promise<number> {
  const directory = newDirectory('micro');
  const file = openSync(join(directory, 'file'), 'w');
  const page = randomBytes(pageBytes);
  try {
    const { median } = await passedOf(async () => {
      writeSync(file, page);
      fdatasyncSync(file);
    }, samples);
    return median;
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}
