import { fromHex } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import { batchVectors } from './batch-vectors.ts';
import { packClaims } from './claim-batch.ts';
import { cornerCases } from './corner-cases.ts';
import { type FrameCheck, loadNativeVerify, type NativeVerify } from './native-addon.ts';
import { findNativeFile } from './native-file.ts';
import type { PublicKey, Signature, SignatureClaim } from './signature.ts';

/**
 * The addon, if it was built and is good: its self-test takes about 0.1 s. Undefined when it was not built,
 * and a problem that says what is wrong when it cannot be used. A node works without it.
 */
export function openNativeVerify(
  directory?: string,
  load: (path: string) => NativeVerify = loadNativeVerify,
): NativeVerify | Problem | undefined {
  let native: NativeVerify;
  try {
    const path = findNativeFile(directory);
    if (path === undefined) return undefined;
    native = load(path);
  } catch (cause) {
    return unusable(String(cause), cause);
  }
  const wrong = frameCheckProblem(native.verifyFrame);
  return wrong === undefined ? native : unusable(wrong);
}

/**
 * What is wrong with a check of frames: one whose verdicts are not the rule's would fork this node off. Asks
 * for each corner case alone and among good signatures, and for a thousand random signatures, half of them
 * damaged, in frames of all small sizes and some large ones.
 */
export function frameCheckProblem(check: FrameCheck): string | undefined {
  const vectors = batchVectors();
  const good = vectors.filter(({ valid }) => valid).slice(0, 7);
  const corners = cornerCases.map((corner) => ({ claim: claimOf(corner), valid: corner.valid }));
  const frames: (readonly Judged[])[] = [[], corners];
  for (const corner of corners) frames.push([corner], [...good, corner, ...good]);
  for (let from = 0, size = 1; from < vectors.length; from += size, size = size < 32 ? size + 1 : 2 * size) {
    frames.push(vectors.slice(from, from + size));
  }
  for (const frame of frames) {
    const wrong = differenceIn(check, frame);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

interface Judged {
  readonly claim: SignatureClaim;
  readonly valid: boolean;
}

function differenceIn(check: FrameCheck, frame: readonly Judged[]): string | undefined {
  const claims = frame.map(({ claim }) => claim);
  const verdicts = check(packClaims([{ claims, from: 0, to: claims.length, strict: false }]));
  if (verdicts.length !== frame.length) {
    return `it gives ${verdicts.length} verdicts for ${frame.length} signatures`;
  }
  const place = frame.findIndex(({ valid }, index) => verdicts[index] !== Number(valid));
  if (place < 0) return undefined;
  const { claim, valid } = frame[place] as Judged;
  return `it ${valid ? 'rejects' : 'accepts'} signature ${place} of ${frame.length}: ${claim.signature}`;
}

function claimOf(corner: (typeof cornerCases)[number]): SignatureClaim {
  return {
    publicKey: corner.publicKey as PublicKey,
    message: fromHex(corner.message),
    signature: corner.signature as Signature,
  };
}

function unusable(reason: string, cause?: unknown): Problem {
  return new Problem('crypto/native-verify', `the native signature check cannot be used: ${reason}`, {
    remedy: 'Build it anew with "npm run native". Until then this node checks signatures without it.',
    cause,
  });
}
