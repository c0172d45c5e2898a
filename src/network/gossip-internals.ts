import type { GossipSub } from '@libp2p/gossipsub';
import { invariant } from '../base/invariant.ts';
import type { PeerId } from './port.ts';

/** A message in a delivery, as far as it is looked at here. */
interface RpcMessage {
  data?: Uint8Array;
}

/** What gossipsub does not offer in public, where the pinned version keeps it. */
interface Insides {
  readonly seenCache?: {
    readonly entries?: Map<string, unknown>;
    put?: (key: string) => boolean;
  };
  readonly mcache?: { put?: (id: unknown, message: RpcMessage) => boolean };
  handleReceivedMessage?: (from: { readonly toString: () => PeerId }, message: RpcMessage) => Promise<void>;
}

/**
 * Bounds what others can make gossipsub keep, whose own bounds do not. Fails loudly when a
 * version keeps these elsewhere.
 *
 * - It remembers every message for a minute, by its hash, however many there are: `most` of them from now on.
 *   The oldest are forgotten first, and would be taken for new.
 * - It keeps each for some seconds, for those who ask for it by its hash, and gives it to each of them three
 *   times, whatever that adds up to. Ours tell nobody what they have, so nobody asks, and nothing is kept.
 * - It looks at each message of a delivery, at known ones too, of which nobody else hears: `count` is told of
 *   each.
 * - A message is a view of the delivery that it came in, and keeps all of it, with what others came along. A
 *   small one gets memory of its own.
 */
export function boundGossip(router: GossipSub, most: number, count: (from: PeerId) => void): void {
  const insides = router as unknown as Insides;
  const { seenCache: seen, mcache: kept, handleReceivedMessage: receive } = insides;
  const { entries, put } = seen ?? {};
  invariant(seen !== undefined && entries instanceof Map && put !== undefined, 'gossipsub keeps what it saw');
  invariant(kept?.put !== undefined, 'gossipsub keeps messages to give them to others');
  invariant(receive !== undefined, 'gossipsub takes the messages of a delivery one by one');
  seen.put = (key) => {
    const known = put.call(seen, key);
    for (const oldest of entries.keys()) {
      if (entries.size <= most) break;
      entries.delete(oldest);
    }
    return known;
  };
  kept.put = () => true;
  insides.handleReceivedMessage = (from, message) => {
    count(from.toString());
    const { data } = message;
    if (data !== undefined && 2 * data.length < data.buffer.byteLength) message.data = data.slice();
    return receive.call(router, from, message);
  };
}
