import { type Codec, decode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { peerAtFault } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';

/** A message from its bytes. One that is longer than any engine sends is refused unread. */
export function readMessage<M>(codec: Codec<M>, bytes: Uint8Array, what: string): M | Problem {
  const limit = limits.consensusMessageBytes;
  if (bytes.length > limit) {
    return new Problem('consensus/oversize', `the ${what} has ${bytes.length} bytes`, {
      remedy: peerAtFault,
      details: { size: bytes.length, limit },
    });
  }
  return decode(codec, bytes, what);
}
