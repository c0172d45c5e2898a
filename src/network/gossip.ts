import { hash as nodeHash } from 'node:crypto';
import {
  gossipsub,
  StrictNoSign,
  TopicValidatorResult,
  type GossipSub,
  type GossipSubComponents,
  type Message,
} from '@libp2p/gossipsub';
import type { Connection, Stream, StreamHandler, Topology } from '@libp2p/interface';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import { oversize, plainBytes } from './frames.ts';
import { followClock } from './gossip-clock.ts';
import { boundGossip } from './gossip-internals.ts';
import { type GossipAsking, relayToAskers } from './gossip-asking.ts';
import { tellCopiesApart } from './gossip-copies.ts';
import { tellOpening } from './gossip-opening.ts';
import { relayToMembers } from './gossip-relay.ts';
import { GossipRate } from './gossip-rate.ts';
import type { NetworkLog } from './log.ts';
import type { GossipVerdict, PeerId, Topic } from './port.ts';
import { topics, type ProtocolNames } from './protocol-names.ts';
import type { Meter } from './receiving.ts';
import { wholeRpcs } from './rpc-stream.ts';

const KiB = 1024;

/** One peer has a quarter of it. */
const maxUndecided = limits.gossipUndecided;
const maxUndecidedOfPeer = { count: maxUndecided.count / 4, bytes: maxUndecided.bytes / 4 };

/**
 * An RPC is one message, its topic and some control words: honest nodes send no more,
 * see `lazy gossip` below.
 */
const maxRpcBytes = limits.gossipMessageBytes + 64 * KiB;

/** Ours send GRAFT and PRUNE for four topics, and nothing else but messages: see `lazy gossip` below. */
const decodeRpcLimits = {
  maxSubscriptions: 16,
  maxMessages: 64,
  maxIhaveMessageIDs: 0,
  maxIwantMessageIDs: 0,
  maxIdontwantMessageIDs: 0,
  maxControlMessages: 16,
  maxPeerInfos: 0,
};

type OnGossip = (
  topic: Topic,
  bytes: Uint8Array,
  from: PeerId,
  decide: (verdict: GossipVerdict) => void,
) => void;

/** True when the stream may be served. One that may not is aborted. */
type Gate = (stream: Stream, connection: Connection) => Promise<boolean>;

interface Load {
  count: number;
  bytes: number;
}

interface Undecided {
  readonly deadline: number;
  readonly expire: () => void;
}

/**
 * Gossip over gossipsub, told about accepted peers only. Its defaults are made for thousands of strangers;
 * these are for a committee in which nearly everybody has a connection to everybody.
 */
export class Gossip {
  /** The libp2p service. */
  readonly service: (components: GossipSubComponents) => GossipSub;
  readonly #names: ProtocolNames;
  readonly #log: NetworkLog;
  readonly #decisionMs: number;
  readonly #gate: Gate;
  readonly #meter: (connection: Connection) => Meter;
  readonly #spend: (connection: Connection) => Problem | undefined;
  readonly #undecided = new Set<Undecided>();
  readonly #load: Load = { count: 0, bytes: 0 };
  readonly #loadOf = new Map<PeerId, Load>();
  readonly #rate: GossipRate;
  #onFault: (peer: PeerId, problem: Problem) => void = () => {};
  #onOpen: (peer: PeerId) => void = () => {};
  #router: GossipSub | undefined;
  #asking: GossipAsking | undefined;
  #lookAtClock: () => void = () => {};
  #settled: ReturnType<typeof tellCopiesApart> = () => {};
  #topology: Topology | undefined;

  constructor(options: {
    names: ProtocolNames;
    log: NetworkLog;
    decisionMs: number;
    /** Holds a stream back until its connection's hello is settled; false when it is refused. */
    gate: Gate;
    /** Counts what has come of a delivery that is not whole. */
    meter: (connection: Connection) => Meter;
    /** Takes one message out of the connection's budget. A problem when there is none left. */
    spend: (connection: Connection) => Problem | undefined;
    /** Whether a connected peer proved a key that the node knows. */
    isMember: (peer: PeerId) => boolean;
    now: () => number;
  }) {
    this.#rate = new GossipRate(options);
    this.#names = options.names;
    this.#log = options.log;
    this.#decisionMs = options.decisionMs;
    this.#gate = options.gate;
    this.#meter = options.meter;
    this.#spend = options.spend;
    this.service = (components) => {
      this.#router = this.#create(components);
      this.#settled = tellCopiesApart(this.#router, options);
      boundGossip(this.#router, limits.gossipRemembered, (from) => this.#rate.count(from));
      const most = maxUndecided.count;
      const monotonicMs = (): number => performance.now();
      this.#lookAtClock = followClock(this.#router, { most, wallMs: Date.now, monotonicMs });
      const flooded = options.names.topic('consensus');
      relayToMembers(this.#router, { ...options, floods: (topic) => topic === flooded });
      this.#asking = relayToAskers(this.#router, { ...options, askTopic: flooded });
      const topic = options.names.topic('transactions');
      tellOpening(this.#router, { topic, onOpen: (peer) => this.#onOpen(peer) });
      return this.#router;
    };
  }

  /**
   * Subscribes and starts to deliver. `onFault`: a peer broke a rule of this layer. What it says is for the
   * node to judge, and to hold against it. `onOpen`: what is published goes to the peer from now on.
   */
  start({
    onGossip,
    onOpen,
    onFault,
  }: {
    readonly onGossip: OnGossip;
    readonly onOpen: (peer: PeerId) => void;
    readonly onFault: (peer: PeerId, problem: Problem) => void;
  }): void {
    this.#onFault = onFault;
    this.#onOpen = onOpen;
    const router = this.#running();
    for (const topic of topics) {
      const name = this.#names.topic(topic);
      router.topicValidators.set(name, (from, message) =>
        this.#validate({ topic, message, from: from.toString(), onGossip }),
      );
      router.subscribe(name);
    }
  }

  publish(topic: Topic, bytes: Uint8Array): void {
    invariant(
      bytes.length <= limits.gossipMessageBytes,
      'a gossip message is within limits.gossipMessageBytes',
    );
    this.#running()
      .publish(this.#names.topic(topic), bytes)
      .catch((cause: unknown) => this.#log.debug('gossip not published', { topic, cause: String(cause) }));
  }

  /** Asks a peer to pass on all gossip to this node for a while. */
  ask(peer: PeerId): void {
    this.#asking?.ask(peer);
  }

  /** An accepted peer has this connection. Safe to repeat: also repairs a gossip stream that broke. */
  admit(connection: Connection): void {
    if (connection.status === 'open') void this.#topology?.onConnect?.(connection.remotePeer, connection);
  }

  /** The last accepted connection of the peer is gone. */
  dismiss(connection: Connection): void {
    this.#rate.forget(connection.remotePeer.toString());
    this.#asking?.forget(connection.remotePeer.toString());
    void this.#topology?.onDisconnect?.(connection.remotePeer);
  }

  /** Gives up on verdicts that are overdue. Called at every heartbeat. */
  expire(now: number): void {
    this.#lookAtClock();
    for (const waiting of this.#undecided) {
      if (waiting.deadline > now) return;
      waiting.expire();
    }
  }

  /** Releases everything that waits for a verdict. */
  stop(): void {
    this.expire(Number.POSITIVE_INFINITY);
  }

  #running(): GossipSub {
    invariant(this.#router !== undefined, 'gossip is used after the network was created');
    return this.#router;
  }

  #validate(input: {
    topic: Topic;
    message: Message;
    from: PeerId;
    onGossip: OnGossip;
  }): TopicValidatorResult | Promise<TopicValidatorResult> {
    const { topic, message, from, onGossip } = input;
    const size = message.data.length;
    if (size > limits.gossipMessageBytes) {
      this.#onFault(from, oversize(size, limits.gossipMessageBytes));
      return TopicValidatorResult.Reject;
    }
    if (!this.#hasRoom(from, size)) {
      this.#log.debug('gossip ignored: too many messages wait for a verdict', { topic, from });
      this.#settled(message, false);
      return TopicValidatorResult.Ignore;
    }
    return new Promise((resolve) => {
      const settle = (verdict: GossipVerdict): void => {
        if (!this.#undecided.delete(waiting)) return;
        this.#count(from, -1, -size);
        this.#settled(message, verdict !== 'unread');
        resolve(toResult[verdict]);
      };
      const waiting: Undecided = {
        deadline: performance.now() + this.#decisionMs,
        expire: () => settle('unread'),
      };
      this.#undecided.add(waiting);
      this.#count(from, 1, size);
      onGossip(topic, plainBytes(message.data), from, settle);
    });
  }

  #hasRoom(from: PeerId, size: number): boolean {
    const own = this.#loadOf.get(from) ?? { count: 0, bytes: 0 };
    return fits(this.#load, size, maxUndecided) && fits(own, size, maxUndecidedOfPeer);
  }

  #count(from: PeerId, count: number, bytes: number): void {
    const own = this.#loadOf.get(from) ?? { count: 0, bytes: 0 };
    for (const load of [this.#load, own]) {
      load.count += count;
      load.bytes += bytes;
    }
    if (own.count === 0) this.#loadOf.delete(from);
    else this.#loadOf.set(from, own);
  }

  /**
   * Deliveries of a peer, whole, and no more than it may send; the connection ends when it sends
   * what it cannot have meant.
   */
  #whole(stream: Stream, connection: Connection): Stream {
    const peer = connection.remotePeer.toString();
    return wholeRpcs(stream, {
      maxBytes: maxRpcBytes,
      meter: this.#meter(connection),
      admit: () => this.#spend(connection) ?? this.#rate.accepts(peer),
      onProblem: (problem) => {
        this.#onFault(peer, problem);
        connection.abort(problem);
      },
    });
  }

  #create(components: GossipSubComponents): GossipSub {
    return gossipsub({
      globalSignaturePolicy: StrictNoSign,
      msgIdFn: messageId,
      allowedTopics: topics.map((topic) => this.#names.topic(topic)),
      maxTopicBytesPerPeer: 8 * KiB,
      emitSelf: false,
      canRelayMessage: false,
      fallbackToFloodsub: false,
      doPX: false,
      tagMeshPeers: false,
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      batchPublish: true,
      // A publisher sends to every peer it has: one hop when everybody has a connection to everybody. The
      // mesh only relays to those it does not have, and every copy it relays in vain costs as much as a
      // delivery, so it is thin.
      floodPublish: true,
      D: limits.gossipMesh,
      Dlo: limits.gossipMesh,
      // Who asks is let in: see `relayToMembers`.
      Dhi: limits.maxConnections,
      Dscore: 1,
      Dout: 0,
      // No lazy gossip. An answer to IWANT is one RPC with every message asked for; past the
      // receiver's limit it would make the receiver drop an honest sender. What flooding and the mesh
      // lose, sync and fetch repair.
      Dlazy: 0,
      gossipFactor: 0,
      mcacheLength: 2,
      mcacheGossip: 1,
      seenTTL: limits.gossipSeenMs,
      // Our frames are small and everybody gets them at once: telling all that one has it
      // costs more than it saves.
      idontwantMinDataSize: Number.MAX_SAFE_INTEGER,
      idontwantMaxMessages: 16,
      maxInboundStreams: 2,
      maxOutboundStreams: 2,
      maxInboundDataLength: maxRpcBytes,
      maxOutboundBufferSize: limits.gossipOut.stream,
      decodeRpcLimits,
      // Many honest nodes may share one host. Invalid messages count in our own penalties.
      scoreParams: { topics: {}, IPColocationFactorWeight: 0, retainScore: 60_000 },
    })({
      privateKey: components.privateKey,
      peerId: components.peerId,
      peerStore: components.peerStore,
      connectionManager: components.connectionManager,
      logger: components.logger,
      registrar: this.#gatedRegistrar(components),
    });
  }

  /** Gossipsub opens and accepts streams only for connections whose hello was accepted. */
  #gatedRegistrar(components: GossipSubComponents): GossipSubComponents['registrar'] {
    const { registrar } = components;
    const gated =
      (handler: StreamHandler): StreamHandler =>
      async (stream, connection) => {
        if (await this.#gate(stream, connection)) await handler(this.#whole(stream, connection), connection);
      };
    return {
      getProtocols: () => registrar.getProtocols(),
      handle: (protocol, handler, options) => registrar.handle(protocol, gated(handler), options),
      unhandle: (protocol, options) => registrar.unhandle(protocol, options),
      getHandler: (protocol) => registrar.getHandler(protocol),
      use: (protocol, middleware) => registrar.use(protocol, middleware),
      unuse: (protocol) => registrar.unuse(protocol),
      getMiddleware: (protocol) => registrar.getMiddleware(protocol),
      getTopologies: (protocol) => registrar.getTopologies(protocol),
      register: (_protocol, topology) => {
        this.#topology = topology;
        return Promise.resolve('accepted-peers');
      },
      unregister: () => {
        this.#topology = undefined;
      },
    };
  }
}

const toResult = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
  unread: TopicValidatorResult.Ignore,
} as const;

function fits(load: Load, size: number, most: Load): boolean {
  return load.count < most.count && load.bytes + size <= most.bytes;
}

/** By content: the same bytes on one topic are one message, whoever sent them. */
function messageId(message: Message): Uint8Array {
  const digest = nodeHash('sha256', message.data, 'buffer');
  digest[0] = ((digest[0] as number) ^ topicByte(message.topic)) & 0xff;
  return digest.subarray(0, 20);
}

function topicByte(topic: string): number {
  return topics.findIndex((name) => topic.endsWith(`/${name}`)) + 1;
}

/** True when gossipsub has a sending stream on the connection. */
export function hasGossipStream(connection: Connection): boolean {
  return connection.streams.some(isGossipOut);
}

function isGossipOut({ direction, protocol }: Stream): boolean {
  return direction === 'outbound' && protocol.startsWith('/meshsub/');
}

/**
 * Gossip that peers have not taken has one room: when it is full, the streams of those go who take the least.
 * They get another one, and what is new then.
 */
export function boundGossipOut(
  connections: readonly Connection[],
  most: number = limits.gossipOut.all,
): void {
  const streams = connections.flatMap(({ streams: all }) => all.filter(isGossipOut));
  streams.sort((a, b) => b.writeBufferLength - a.writeBufferLength);
  let waiting = streams.reduce((sum, { writeBufferLength }) => sum + writeBufferLength, 0);
  for (const stream of streams) {
    if (waiting <= most) return;
    waiting -= stream.writeBufferLength;
    stream.abort(new Error('gossip is not taken'));
  }
}
