import { writeHex } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import type { SignatureClaim } from './signature.ts';
import { verifyBytes } from './verify.ts';

/**
 * Signature claims packed into one buffer, so that a batch crosses to the worker as a single transfer:
 *
 *     kind (1) | public key (32) | signature (64) | message length (4) | message      for each claim
 */
const fixedPart = 1 + 32 + 64 + 4;

const kinds = { rule: 0, strict: 1, malformed: 2 } as const;

export interface QueuedClaim {
  readonly claim: SignatureClaim;
  readonly strict: boolean;
}

export function packClaims(queued: readonly QueuedClaim[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const { claim } of queued) size += fixedPart + claim.message.length;
  const packed = new Uint8Array(size);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { claim, strict } of queued) {
    // What is not hex must not pass as some bytes or other: a key of zeros is one for which anybody can sign.
    const wellFormed =
      claim.publicKey.length === 64 &&
      claim.signature.length === 128 &&
      writeHex(packed, at + 1, claim.publicKey) &&
      writeHex(packed, at + 33, claim.signature);
    packed[at] = !wellFormed ? kinds.malformed : strict ? kinds.strict : kinds.rule;
    view.setUint32(at + 97, claim.message.length);
    packed.set(claim.message, at + fixedPart);
    at += fixedPart + claim.message.length;
  }
  return packed;
}

/** One byte per claim, in order: 1 when it is valid. */
export function verifyPacked(packed: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const verdicts: number[] = [];
  let at = 0;
  while (at < packed.length) {
    invariant(at + fixedPart <= packed.length, 'a packed claim is whole');
    const messageStart = at + fixedPart;
    const next = messageStart + view.getUint32(at + 97);
    invariant(next <= packed.length, 'a packed message is whole');
    const kind = packed[at];
    const valid =
      kind !== kinds.malformed &&
      verifyBytes(
        packed.subarray(at + 1, at + 33),
        packed.subarray(messageStart, next),
        packed.subarray(at + 33, at + 97),
        kind === kinds.strict,
      );
    verdicts.push(valid ? 1 : 0);
    at = next;
  }
  return Uint8Array.from(verdicts);
}
