import { fromHex } from '../../../base/bytes.ts';
import { Problem } from '../../../base/problem.ts';
import { packClaims } from '../../../crypto/claim-batch.ts';
import { native, nodeEd25519 } from '../../../crypto/native.ts';
import { openNativeVerify } from '../../../crypto/native-verify.ts';
import type { SignatureClaim } from '../../../crypto/signature.ts';
import { ThreadedVerifier } from '../../../crypto/threaded-verifier.ts';
import { verifyZip215 } from '../../../crypto/zip215.ts';
import { sampleClaims } from './samples.ts';
import type { Piece } from './pieces.ts';

const batches = [1, 16, 64, 256];
/** Senders of a load, whose keys come again in a batch. */
const repeatedSenders = 32;
const threadBatch = 512;

/** One signature by each way that there is, and batches of several sizes where they are checked together. */
export function signaturePieces(): Piece[] {
  const [claim] = sampleClaims(1, 1);
  if (claim === undefined) throw new Error('a transfer has a signature');
  const { message } = claim;
  const [key, signature] = [fromHex(claim.publicKey), fromHex(claim.signature)];
  const single = (name: string, work: () => unknown): Piece => ({
    group: 'verify',
    name,
    bound: 'verifications',
    pieces: 1,
    work,
  });
  return [
    single(native.name, () => native.verify(key, message, signature)),
    ...(native === nodeEd25519
      ? []
      : [single(nodeEd25519.name, () => nodeEd25519.verify(key, message, signature))]),
    single('the rule itself, ZIP-215', () => verifyZip215(key, message, signature)),
    ...addonPieces(),
    threadPiece(),
  ];
}

function addonPieces(): Piece[] {
  const addon = openNativeVerify();
  if (addon === undefined || addon instanceof Problem) return [];
  const batch = (count: number, senders: number, name: string): Piece => {
    const frame = packClaims([{ claims: sampleClaims(count, senders), from: 0, to: count, strict: false }]);
    return {
      group: 'verify',
      name,
      bound: 'verifications',
      pieces: count,
      work: () => addon.verifyFrame(frame),
    };
  };
  return [
    ...batches.map((count) => batch(count, count, `addon, ${count} of different senders`)),
    ...batches
      .slice(2)
      .map((count) => batch(count, repeatedSenders, `addon, ${count} of ${repeatedSenders} senders`)),
  ];
}

/** As a node does it: beside the main thread, claims of one turn in batches. In time that passes. */
function threadPiece(): Piece {
  const claims = sampleClaims(threadBatch, repeatedSenders);
  const addon = openNativeVerify();
  const native = addon instanceof Problem ? undefined : addon;
  const withAddon = native !== undefined;
  return {
    group: 'verify',
    name: `another thread, ${withAddon ? 'with' : 'without'} addon, ${threadBatch} of ${repeatedSenders} senders`,
    bound: 'verifications',
    pieces: threadBatch,
    open: () => {
      const verifier = new ThreadedVerifier({
        native,
        onFatal: (error) => {
          throw error;
        },
      });
      return { work: () => verified(verifier, claims), close: () => verifier.close() };
    },
  };
}

function verified(verifier: ThreadedVerifier, claims: readonly SignatureClaim[]): Promise<void> {
  return new Promise((resolve) => verifier.verify(claims, true, () => resolve()));
}
