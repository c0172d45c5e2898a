import { writeHex } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { ClaimInBytes } from './claim-in-bytes.ts';
import type { SignatureClaim } from './signature.ts';
import { verifyBytes } from './verify.ts';

/**
 * Signature claims packed into one buffer, so that a batch crosses to another thread as one piece:
 *
 *     kind (1) | public key (32) | signature (64) | message length (4) | message      for each claim
 */
const fixedPart = 1 + 32 + 64 + 4;

const kinds = { rule: 0, strict: 1, malformed: 2 } as const;

/** Some of a list of claims, all by the same rule. */
export interface ClaimRun {
  readonly claims: readonly SignatureClaim[];
  readonly from: number;
  readonly to: number;
  readonly strict: boolean;
}

export function packClaims(runs: readonly ClaimRun[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  let behind = 0;
  for (const { claims, from, to } of runs) {
    for (let index = from; index < to; index++) {
      const claim = claims[index] as SignatureClaim;
      size += fixedPart + messageLength(claim);
      if (claim instanceof ClaimInBytes) behind = Math.max(behind, claim.bytes.length - claim.signed);
    }
  }
  const packed = new Uint8Array(size + behind);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { claims, from, to, strict } of runs) {
    const kind = strict ? kinds.strict : kinds.rule;
    for (let index = from; index < to; index++) {
      const claim = claims[index] as SignatureClaim;
      const length = messageLength(claim);
      packed[at] = writeClaim(packed, at, claim) ? kind : kinds.malformed;
      view.setUint32(at + 97, length);
      at += fixedPart + length;
    }
  }
  return packed.subarray(0, size);
}

function messageLength(claim: SignatureClaim): number {
  return claim instanceof ClaimInBytes ? claim.prefix.length + claim.signed : claim.message.length;
}

/** False for a claim that is not of a key and a signature. */
function writeClaim(packed: Uint8Array, at: number, claim: SignatureClaim): boolean {
  const messageAt = at + fixedPart;
  if (claim instanceof ClaimInBytes) {
    const { prefix, bytes, keyAt, signatureAt } = claim;
    const start = messageAt + prefix.length;
    packed.set(prefix, messageAt);
    // With what stands behind the message: there is room, and the next claim is written over it.
    packed.set(bytes, start);
    packed.copyWithin(at + 1, start + keyAt, start + keyAt + 32);
    packed.copyWithin(at + 33, start + signatureAt, start + signatureAt + 64);
    return true;
  }
  const { publicKey, signature, message } = claim;
  packed.set(message, messageAt);
  // What is not hex must not pass as some bytes or other: a key of zeros is one for which anybody can sign.
  return (
    publicKey.length === 64 &&
    signature.length === 128 &&
    writeHex(packed, at + 1, publicKey) &&
    writeHex(packed, at + 33, signature)
  );
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
