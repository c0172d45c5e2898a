import type { GossipSub } from '@libp2p/gossipsub';
import { invariant } from '../base/invariant.ts';
import type { PeerId } from './port.ts';

/** A message as gossipsub hands it on: its bytes are those that came. */
interface Copy {
  readonly topic: string;
  readonly data: Uint8Array;
}

/** What gossipsub does not offer in public, where the pinned version keeps it. */
interface Insides {
  readonly seenCache?: {
    has(name: string): boolean;
    put(name: string): boolean;
    readonly entries?: Map<string, unknown>;
  };
  msgIdFn?: (message: Copy) => Uint8Array;
  msgIdToStrFn?: (id: Uint8Array) => string;
  handleReceivedMessage?: (
    from: { readonly toString: () => PeerId },
    message: { readonly data?: Uint8Array },
  ) => Promise<void>;
}

/**
 * Gossipsub takes the first copy of a message, and no other for a minute, whatever became of the first. So
 * whoever is faster than the others could keep a message from a node: by a copy that it has no room to look
 * at, or looks at after all else. Therefore a member's copy is looked at although a stranger's waits; and
 * what nobody looked at was not seen.
 *
 * Answers what is to be called with each copy once there is a verdict: whether it was looked at. To be called
 * before `boundGossip`. Fails loudly when a version keeps these elsewhere.
 */
export function tellCopiesApart(
  router: GossipSub,
  { isMember }: { readonly isMember: (peer: PeerId) => boolean },
): (copy: Copy, wasRead: boolean) => void {
  const insides = router as unknown as Insides;
  const { seenCache: seen, msgIdFn: idOf, msgIdToStrFn: nameOf, handleReceivedMessage: receive } = insides;
  const entries = seen?.entries;
  invariant(seen !== undefined && entries instanceof Map, 'gossipsub keeps what it saw');
  invariant(idOf !== undefined && nameOf !== undefined, 'gossipsub names messages');
  invariant(receive !== undefined, 'gossipsub takes the messages of a delivery one by one');
  const ofStrangers = new WeakSet<Uint8Array>();

  insides.handleReceivedMessage = (from, message) => {
    const { data } = message;
    if (data !== undefined && !isMember(from.toString())) ofStrangers.add(data);
    return receive.call(router, from, message);
  };
  insides.msgIdFn = (copy) => {
    const id = idOf(copy);
    return !ofStrangers.has(copy.data) || seen.has(nameOf(id)) ? id : idOfStranger(id);
  };
  return (copy, wasRead) => {
    const isOfStranger = ofStrangers.has(copy.data);
    if (wasRead && !isOfStranger) return;
    const id = idOf(copy);
    if (wasRead) seen.put(nameOf(id));
    else entries.delete(nameOf(isOfStranger ? idOfStranger(id) : id));
  };
}

/** No member's: it is longer. */
function idOfStranger(id: Uint8Array): Uint8Array {
  const longer = new Uint8Array(id.length + 1);
  longer.set(id);
  return longer;
}
