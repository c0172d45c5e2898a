import type { Problem } from '../../src/base/problem.ts';
import type {
  GossipVerdict,
  NetworkHandlers,
  PeerId,
  RequestProtocol,
  Topic,
} from '../../src/network/port.ts';

export type NetworkEvent =
  | { readonly kind: 'hello'; readonly peer: PeerId; readonly text: string }
  | { readonly kind: 'connected' | 'lost' | 'gossip-open'; readonly peer: PeerId }
  | { readonly kind: 'message'; readonly peer: PeerId; readonly bytes: Uint8Array }
  | { readonly kind: 'gossip'; readonly peer: PeerId; readonly topic: Topic; readonly bytes: Uint8Array }
  | { readonly kind: 'request'; readonly peer: PeerId; readonly protocol: RequestProtocol };

export interface Behaviour {
  judgeHello?: (peer: PeerId, text: string) => undefined | Problem;
  judgeGossip?: (bytes: Uint8Array) => GossipVerdict | undefined;
  /** Instead, for frames of transactions. */
  judgeTransactions?: (decide: (verdict: GossipVerdict) => void) => void;
  answer?: (bytes: Uint8Array, respond: (response: Uint8Array | null) => void) => void;
  /** Whose hello makes it a stranger; nobody's unless given. */
  isStranger?: (text: string) => boolean;
}

/** Handlers that write down everything the network tells them, and do what the test says. */
export class Recorder implements NetworkHandlers {
  readonly events: NetworkEvent[] = [];
  readonly behaviour: Behaviour;
  readonly #strangers = new Set<PeerId>();

  constructor(behaviour: Behaviour = {}) {
    this.behaviour = behaviour;
  }

  memberKeyOf(peer: PeerId): string | undefined {
    return this.#strangers.has(peer) ? undefined : peer;
  }

  onHello(peer: PeerId, hello: Uint8Array): undefined | Problem {
    const text = new TextDecoder().decode(hello);
    this.events.push({ kind: 'hello', peer, text });
    if (this.behaviour.isStranger?.(text) === true) this.#strangers.add(peer);
    return this.behaviour.judgeHello?.(peer, text);
  }

  onConnected(peer: PeerId): void {
    this.events.push({ kind: 'connected', peer });
  }

  onGossipOpen(peer: PeerId): void {
    this.events.push({ kind: 'gossip-open', peer });
  }

  onLost(peer: PeerId): void {
    this.events.push({ kind: 'lost', peer });
  }

  onMessage(peer: PeerId, bytes: Uint8Array): void {
    this.events.push({ kind: 'message', peer, bytes: bytes.slice() });
  }

  onGossip(topic: Topic, bytes: Uint8Array, peer: PeerId, decide: (verdict: GossipVerdict) => void): void {
    this.events.push({ kind: 'gossip', peer, topic, bytes: bytes.slice() });
    if (topic === 'transactions' && this.behaviour.judgeTransactions !== undefined)
      return this.behaviour.judgeTransactions(decide);
    const verdict = this.behaviour.judgeGossip === undefined ? 'accept' : this.behaviour.judgeGossip(bytes);
    if (verdict !== undefined) decide(verdict);
  }

  onRequest(
    peer: PeerId,
    protocol: RequestProtocol,
    bytes: Uint8Array,
    respond: (response: Uint8Array | null) => void,
  ): void {
    this.events.push({ kind: 'request', peer, protocol });
    if (this.behaviour.answer === undefined) respond(bytes);
    else this.behaviour.answer(bytes, respond);
  }

  /** Messages of one peer, in the order of arrival. */
  messages(peer: PeerId): Uint8Array[] {
    return this.events.flatMap((event) =>
      event.kind === 'message' && event.peer === peer ? [event.bytes] : [],
    );
  }

  gossip(topic: Topic): Uint8Array[] {
    return this.events.flatMap((event) =>
      event.kind === 'gossip' && event.topic === topic ? [event.bytes] : [],
    );
  }

  /** `connected` and `lost` of one peer, in order. */
  presence(peer: PeerId): string[] {
    return this.events.flatMap((event) =>
      (event.kind === 'connected' || event.kind === 'lost') && event.peer === peer ? [event.kind] : [],
    );
  }

  count(kind: NetworkEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }
}
