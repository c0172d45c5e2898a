import type { Problem } from '../base/problem.ts';

/** A peer's name on the network, proven by the secure channel. */
export type PeerId = string;

/**
 * Gossip topics: frames of transactions, announcements of final blocks, and consensus
 * messages that need a relay.
 */
export type Topic = 'transactions' | 'blocks' | 'consensus' | 'evidence';

/** Request/response protocols. */
export type RequestProtocol = 'blocks' | 'candidate' | 'transactions' | 'snapshot';

/**
 * What to do with a gossip message: relay it, or drop it because it is of no use here, or because it is
 * wrong, or `unread`, because there was no room to look at it. That may come again from another peer; all
 * else is taken once, but while a stranger's copy waits for its verdict a member's is judged as well. Whoever
 * judges it also says what counts against its sender (`penalise`): the network by itself counts only what
 * breaks its own rules.
 */
export type GossipVerdict = 'accept' | 'ignore' | 'reject' | 'unread';

/**
 * The network as the node sees it. No call blocks and none throws on what a peer does. Everything is bounded:
 * a peer that reads slowly loses messages, and the layers above repair that.
 */
export interface Network {
  readonly self: PeerId;
  /** Listens, dials the configured peers, and keeps dialling those it loses, with back-off. */
  start(handlers: NetworkHandlers): Promise<void>;
  stop(): Promise<void>;
  /** Addresses that others can dial. */
  addresses(): readonly string[];
  peers(): readonly PeerId[];
  /**
   * Puts bytes on the long-lived direct stream to a peer. False when it is not connected or its queue dropped
   * them. Messages keep their order, but for urgent ones, which overtake what still waits here and keep
   * theirs among themselves; they have to be small.
   */
  send(peer: PeerId, bytes: Uint8Array, urgent?: boolean): boolean;
  publish(topic: Topic, bytes: Uint8Array): void;
  /**
   * Asks a peer to pass on all gossip of others to this node, for `limits.gossipAskedMs`: it may be the only
   * one through which some of it comes. One that takes this node for a stranger does not.
   */
  askForGossip(peer: PeerId): void;
  /**
   * Asks one peer; `done` is called once: with the response, or a problem (timeout,
   * lost, refused, too large).
   */
  request(
    peer: PeerId,
    protocol: RequestProtocol,
    bytes: Uint8Array,
    done: (response: Uint8Array | Problem) => void,
  ): void;
  /**
   * Counts against a peer; too much of it disconnects it for a while. With `banMs` it is
   * disconnected at once, for this long.
   */
  penalise(peer: PeerId, reason: string, banMs?: number): void;
  /** Per-peer figures for metrics and tests. */
  stats(): readonly PeerStats[];
  /** Configured peers that cannot be reached, and why. A network without addresses has none to tell. */
  unreached?(): readonly Unreached[];
}

export interface Unreached {
  readonly address: string;
  /** The end of the sentence "this node cannot reach it: …". */
  readonly why: string;
  readonly remedy: string;
}

export interface PeerStats {
  readonly peer: PeerId;
  readonly address: string;
  readonly queuedBytes: number;
  readonly droppedMessages: number;
  readonly penalties: number;
}

export interface NetworkHandlers {
  /**
   * Both sides send their hello first; this one judges the other's. A problem refuses the peer: it is
   * told the code and disconnected. Called before anything else of that peer. `invited`: this node
   * dialled it, as its settings say.
   */
  onHello(peer: PeerId, hello: Uint8Array, invited?: boolean): undefined | Problem;
  /**
   * The key that a peer proved in its last hello, as a name, when it is a member's: of a validator, or one
   * that the operator listed. Members have places and budgets of their own. It may change while the peer is
   * connected. Without this handler each peer is a member of its own.
   */
  memberKeyOf?(peer: PeerId): string | undefined;
  onConnected(peer: PeerId): void;
  /**
   * Gossip reaches the peer from now on: that takes a moment after its connection, and what was published
   * before went to others only. Called again when the way to it broke and was made anew.
   */
  onGossipOpen?(peer: PeerId): void;
  onLost(peer: PeerId): void;
  onMessage(peer: PeerId, bytes: Uint8Array): void;
  onGossip(topic: Topic, bytes: Uint8Array, from: PeerId, decide: (verdict: GossipVerdict) => void): void;
  onRequest(
    peer: PeerId,
    protocol: RequestProtocol,
    bytes: Uint8Array,
    respond: (response: Uint8Array | null) => void,
  ): void;
}
