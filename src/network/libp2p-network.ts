import { randomBytes } from 'node:crypto';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { Departed } from './departed.ts';
import { DialFailures, namedPeer } from './dial-failures.ts';
import { closeQuietly, readFrames } from './framed-stream.ts';
import { Door } from './door.ts';
import { createGater } from './gater.ts';
import { Gossip, hasGossipStream } from './gossip.ts';
import { isRefusal, MAX_HELLO_BYTES, mayChange, shakeHands, type Greeting } from './handshake.ts';
import type { GuardedYamux } from './guarded-yamux.ts';
import { createHost, createMuxers } from './libp2p-host.ts';
import { lineOf } from './libp2p-internals.ts';
import { admitStream, Link } from './link.ts';
import { silentLog, type NetworkLog } from './log.ts';
import { parsePeerAddress, type PeerAddress } from './peer-address.ts';
import { isStranger, placeFor } from './places.ts';
import { PeerTable } from './peer-table.ts';
import { Penalties } from './penalties.ts';
import type {
  Network,
  NetworkHandlers,
  PeerId,
  PeerStats,
  Unreached,
  RequestProtocol,
  Topic,
} from './port.ts';
import { helloProtocol, protocolNames, requestProtocols, type ProtocolNames } from './protocol-names.ts';
import { Redial, type DialOutcome } from './redial.ts';
import { RequestClient, RequestServer } from './requests.ts';
import { defaultTuning, type NetworkTuning } from './tuning.ts';

export interface Libp2pNetworkOptions {
  /** Ed25519 seed of the node key, 32 bytes: the peer id follows from it. Never the validator's key. */
  readonly seed: Uint8Array;
  /** Multiaddrs to listen on, for example `/ip4/0.0.0.0/tcp/7000`; port 0 picks a free one. */
  readonly listen: readonly string[];
  /** Multiaddrs to keep connected to, with `/p2p/<peer id>` where it is known. */
  readonly peers: readonly string[];
  readonly chainId: string;
  /** Our hello, asked for anew at every connection; at most `MAX_HELLO_BYTES`. */
  readonly hello: () => Uint8Array;
  readonly log?: NetworkLog;
  readonly tuning?: Partial<NetworkTuning>;
  /** Milliseconds of a monotonic clock, for budgets and bans; the machine's unless given. */
  readonly now?: () => number;
}

/** Connections of one peer at once: two when both dialled, and one that replaces a dying one. */
const MAX_LINKS_PER_PEER = 3;
/** The weight of a broken framing or size rule: no version of ours does that. */
const FAULT_WEIGHT = 5;

/** The `Network` port over libp2p. Throws a Problem when a peer's address or the seed cannot be used. */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Network> {
  const targets = options.peers.map(parsePeerAddress);
  const tuning = { ...defaultTuning, ...options.tuning };
  const now = options.now ?? performance.now.bind(performance);
  const log = options.log ?? silentLog;
  const links = new Map<string, Link>();
  const names = protocolNames(options.chainId);
  const penalties = new Penalties({
    limit: tuning.penaltyLimit,
    halfLifeMs: tuning.penaltyHalfLifeMs,
    banMs: tuning.banMs,
  });
  const gossip = new Gossip({
    names,
    log,
    decisionMs: tuning.gossipDecisionMs,
    gate: (stream, connection) => admitStream(stream, links.get(connection.id)),
    isMember: (peer) =>
      [...links.values()].some((link) => link.peer === peer && link.budget.standing === 'member'),
    now,
  });
  const door = new Door({ now, isBanned: (block) => penalties.isBanned(block, now()) });
  for (const { address } of targets) door.know(address);
  const gater = createGater({ door, isBanned: (peer) => penalties.isBanned(peer, now()) });
  const muxers = createMuxers(now, (name) => host.getProtocols().includes(name));
  const host: Libp2p = await createHost({
    seed: options.seed,
    listen: options.listen,
    gossip: gossip.service,
    gater,
    muxers,
    mayStart: (line) => door.secure(line),
    tuning,
  });
  return new Libp2pNetwork({
    door,
    options,
    tuning,
    log,
    links,
    names,
    penalties,
    gossip,
    muxers,
    host,
    targets,
    now,
  });
}

interface Parts {
  readonly door: Door;
  readonly options: Libp2pNetworkOptions;
  readonly tuning: NetworkTuning;
  readonly log: NetworkLog;
  readonly links: Map<string, Link>;
  readonly names: ProtocolNames;
  readonly penalties: Penalties;
  readonly gossip: Gossip;
  readonly muxers: GuardedYamux;
  readonly host: Libp2p;
  readonly targets: readonly PeerAddress[];
  readonly now: () => number;
}

class Libp2pNetwork implements Network {
  readonly self: PeerId;
  readonly #parts: Parts;
  /** By connection id, from the open connection to its end, accepted or not. */
  readonly #links: Map<string, Link>;
  readonly #peers = new PeerTable();
  readonly #departed: Departed;
  readonly #session = randomBytes(16);
  readonly #redial: Redial;
  readonly #failures: DialFailures;
  readonly #requests: RequestClient;
  readonly #server: RequestServer;
  #handlers: NetworkHandlers | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** new → running → stopped */
  #status: 'new' | 'running' | 'stopped' = 'new';

  constructor(parts: Parts) {
    const { tuning, host, names } = parts;
    this.#parts = parts;
    this.#links = parts.links;
    this.self = host.peerId.toString();
    this.#departed = new Departed(host);
    this.#failures = new DialFailures(parts.log);
    this.#redial = new Redial(parts.targets, {
      baseMs: tuning.redialBaseMs,
      capMs: tuning.redialCapMs,
      refusedMs: tuning.redialRefusedMs,
      stableMs: tuning.stableMs,
      self: this.self,
      dial: (address) => this.#dial(address),
      isConnected: (peer) => this.#peers.get(peer) !== undefined,
      random: Math.random,
      now: parts.now,
    });
    this.#requests = new RequestClient({
      linkOf: (peer) => this.#peers.get(peer)?.links[0],
      nameOf: (protocol) => names.request(protocol),
      timeoutMs: tuning.requestTimeoutMs,
      now: parts.now,
    });
    this.#server = new RequestServer({
      serve: (peer, protocol, bytes, respond) => {
        if (this.#peers.get(peer) === undefined) respond(null);
        else this.#running()?.onRequest(peer, protocol, bytes, respond);
      },
      timeoutMs: tuning.requestTimeoutMs,
      onFault: (peer, problem) => this.#fault(peer, problem),
    });
  }

  async start(handlers: NetworkHandlers): Promise<void> {
    invariant(this.#status === 'new', 'a network is started once');
    const { host, names, gossip, tuning, log } = this.#parts;
    this.#handlers = handlers;
    this.#status = 'running';
    host.addEventListener('connection:open', ({ detail }) => this.#onOpen(detail));
    host.addEventListener('connection:close', ({ detail }) => {
      const link = this.#links.get(detail.id);
      if (link === undefined) return;
      const { fault } = link.budget;
      if (fault !== undefined) this.#fault(link.peer, fault);
      this.#drop(link, fault ?? new Error('connection closed'));
    });
    await host.handle(helloProtocol, (stream, connection) => this.#onHelloStream(stream, connection), {
      maxInboundStreams: 1,
      maxOutboundStreams: 1,
    });
    await this.#handleAccepted(names.direct, 2, (stream, link) => this.#receive(stream, link));
    for (const protocol of requestProtocols) {
      await this.#handleAccepted(names.request(protocol), limits.requestsPerPeer * 2, (stream, link) =>
        this.#server.handle(link.peer, protocol, stream),
      );
    }
    try {
      await host.start();
    } catch (cause) {
      this.#status = 'stopped';
      throw new Problem('network/listen', `cannot listen on ${this.#parts.options.listen.join(', ')}`, {
        remedy: 'Choose a free port and an address of this machine.',
        details: { cause: String(cause) },
        cause,
      });
    }
    gossip.start(
      (topic, bytes, from, decide) => {
        if (this.#peers.get(from) === undefined) decide('ignore');
        else this.#running()?.onGossip(topic, bytes, from, decide);
      },
      (peer, topic) => this.penalise(peer, `rejected gossip on ${topic}`),
    );
    this.#heartbeat = setInterval(() => this.#beat(), tuning.heartbeatMs);
    this.#redial.start();
    log.info('network started', { self: this.self, addresses: this.addresses().join(' ') });
  }

  async stop(): Promise<void> {
    if (this.#status === 'stopped') return;
    this.#status = 'stopped';
    clearInterval(this.#heartbeat);
    this.#redial.stop();
    this.#requests.fail();
    this.#parts.gossip.stop();
    for (const link of this.#links.values()) link.leave();
    await this.#parts.host.stop();
  }

  addresses(): readonly string[] {
    return this.#parts.host.getMultiaddrs().map((address) => address.toString());
  }

  peers(): readonly PeerId[] {
    return this.#peers.ids();
  }

  send(id: PeerId, bytes: Uint8Array, urgent = false): boolean {
    invariant(bytes.length > 0, 'a message has content');
    const peer = this.#peers.get(id);
    if (peer === undefined) return false;
    if (bytes.length > limits.consensusMessageBytes) {
      this.#parts.log.warn('message not sent: above the limit', { peer: id, size: bytes.length });
      return false;
    }
    const queued = peer.queue.push(bytes, urgent);
    peer.links[0]?.writer?.wake();
    return queued;
  }

  publish(topic: Topic, bytes: Uint8Array): void {
    if (this.#status !== 'running') return;
    if (bytes.length > limits.gossipMessageBytes) {
      this.#parts.log.warn('gossip not sent: above the limit', { topic, size: bytes.length });
      return;
    }
    this.#parts.gossip.publish(topic, bytes);
  }

  request(
    peer: PeerId,
    protocol: RequestProtocol,
    bytes: Uint8Array,
    done: (response: Uint8Array | Problem) => void,
  ): void {
    this.#requests.request(peer, protocol, bytes, done);
  }

  penalise(peer: PeerId, reason: string, banMs?: number): void {
    this.#penalise(peer, reason, 1);
    if (banMs === undefined) return;
    const { penalties, log, now } = this.#parts;
    penalties.ban(peer, now(), banMs);
    const links = this.#peers.linksOf(peer);
    if (links.length > 0) log.warn('peer disconnected', { peer, reason });
    for (const link of links) this.#drop(link, new Error(reason));
  }

  unreached(): readonly Unreached[] {
    return this.#failures.list();
  }

  stats(): readonly PeerStats[] {
    return [...this.#peers.all()].map(({ id, queue, links }) => ({
      peer: id,
      address: links[0]?.connection.remoteAddr.toString() ?? '',
      queuedBytes: queue.bytes + (links[0]?.writer?.bufferedBytes ?? 0),
      droppedMessages: queue.dropped,
      penalties: this.#parts.penalties.total(id),
    }));
  }

  /** The handlers while the network runs; nothing is called before and after. */
  #running(): NetworkHandlers | undefined {
    return this.#status === 'running' ? this.#handlers : undefined;
  }

  #onOpen(connection: Connection): void {
    if (this.#status !== 'running') {
      connection.abort(new Error('stopped'));
      return;
    }
    const { muxers, now, tuning } = this.#parts;
    const link = new Link(connection, muxers.budgetOf(connection), now());
    this.#links.set(connection.id, link);
    link.limitGreeting(tuning.handshakeMs, () => this.#drop(link, new Error('no hello in time')));
    if (connection.direction === 'outbound') void this.#openHello(link);
  }

  async #openHello(link: Link): Promise<void> {
    try {
      const stream = await link.connection.newStream(helloProtocol);
      link.conversation = this.#greet(link, stream);
    } catch {
      this.#drop(link, new Error('the hello stream did not open'));
    }
  }

  #onHelloStream(stream: Stream, connection: Connection): void {
    const link = this.#links.get(connection.id);
    const expected =
      link?.status === 'greeting' && connection.direction === 'inbound' && link.conversation === undefined;
    if (link !== undefined && expected) link.conversation = this.#greet(link, stream);
    else stream.abort(new Error('unexpected hello'));
  }

  async #greet(link: Link, stream: Stream): Promise<void> {
    const hello = this.#parts.options.hello();
    invariant(hello.length <= MAX_HELLO_BYTES, 'our hello is within MAX_HELLO_BYTES');
    const links = this.#peers.linksOf(link.peer).length;
    const theirs = await shakeHands({
      stream,
      greeting: { session: this.#session, links, hello },
      judge: ({ hello: bytes }) => this.#judge(link, bytes),
    });
    closeQuietly(stream, this.#parts.tuning.handshakeMs);
    if (this.#status !== 'running') return;
    if (!(theirs instanceof Problem)) {
      if (link.status === 'greeting') this.#accept(link, theirs);
      return;
    }
    link.refused = isRefusal(theirs) && !mayChange(theirs);
    link.refusal = theirs;
    const { code, message } = theirs;
    this.#parts.log[isRefusal(theirs) ? 'warn' : 'debug']('peer not accepted', {
      peer: link.peer,
      code,
      message,
    });
    if (link.status !== 'greeting') return;
    if (code === 'network/refused-by-peer') this.#drop(link, theirs);
    else link.part(() => this.#drop(link, theirs));
  }

  /** The node's verdict on a hello, after which it knows whose it is; and ours on where it comes from. */
  #judge(link: Link, hello: Uint8Array): Problem | undefined {
    const { penalties, now } = this.#parts;
    link.hello = hello;
    const problem = this.#running()?.onHello(link.peer, hello, link.invited);
    if (problem !== undefined) return problem;
    link.rank(this.#memberKeyOf(link.peer));
    if (!isStranger(link) || !penalties.isBanned(link.block, now())) return undefined;
    return new Problem('network/banned', 'strangers from your addresses did too much wrong', {
      remedy: 'Wait a minute, or ask the operator to list your key.',
    });
  }

  /** Members change: who is none any more is judged anew by its hello, and goes if it would not be let in now. */
  #isStillWelcome(link: Link): boolean {
    const before = link.member;
    link.rank(this.#memberKeyOf(link.peer));
    if (before === undefined || !isStranger(link)) return true;
    const problem = this.#judge(link, link.hello);
    if (problem === undefined) return true;
    this.#parts.log.warn('peer disconnected: it is no member any more', {
      peer: link.peer,
      code: problem.code,
    });
    this.#drop(link, problem);
    return false;
  }

  #memberKeyOf(peer: PeerId): string | undefined {
    const handlers = this.#running();
    return handlers?.memberKeyOf === undefined ? peer : handlers.memberKeyOf(peer);
  }

  #accept(link: Link, greeting: Greeting): void {
    const { gossip, names, log, door } = this.#parts;
    const now = this.#parts.now();
    for (const old of this.#peers.linksOf(link.peer)) {
      if (this.#isStale(old, greeting, now)) this.#drop(old, new Error('replaced by a new connection'));
    }
    if (this.#peers.linksOf(link.peer).length >= MAX_LINKS_PER_PEER) {
      this.#drop(link, new Error('too many connections of one peer'));
      return;
    }
    const accepted = [...this.#links.values()].filter(({ status }) => status === 'accepted');
    const place = placeFor(link, accepted);
    if (place === 'no') {
      this.#drop(link, new Error('no place for another stranger'));
      return;
    }
    if (place !== 'yes') this.#drop(place, new Error('gave way to another connection'));
    door.leave(lineOf(link.connection));
    if (!isStranger(link)) door.know(link.connection.remoteAddr.toString());
    link.accept({ session: greeting.session, now, directProtocol: names.direct });
    const isNew = this.#peers.add(link);
    gossip.admit(link.connection);
    if (!isNew) return;
    log.info('peer connected', { peer: link.peer, address: link.connection.remoteAddr.toString() });
    this.#redial.connected(link.peer);
    this.#failures.reached((address) => namedPeer(address) === link.peer);
    this.#running()?.onConnected(link.peer);
  }

  /** A restarted peer, or one that has long lost the old connection and says so, leaves a dead link behind. */
  #isStale(old: Link, greeting: Greeting, now: number): boolean {
    if (old.session !== greeting.session) return true;
    return greeting.links === 0 && now - old.acceptedAt > this.#parts.tuning.handshakeMs * 2;
  }

  #drop(link: Link, cause: Error): void {
    if (this.#links.get(link.connection.id) !== link) return;
    this.#links.delete(link.connection.id);
    const wasLast = this.#peers.remove(link);
    link.close(cause);
    if (!this.#redial.isConfigured(link.peer)) this.#departed.add(link.connection.remotePeer);
    if (wasLast) this.#onLost(link);
  }

  #onLost(link: Link): void {
    this.#parts.gossip.dismiss(link.connection);
    this.#parts.log.info('peer lost', { peer: link.peer });
    this.#requests.fail(link.peer);
    this.#redial.lost(link.peer);
    this.#running()?.onLost(link.peer);
  }

  async #dial(address: string): Promise<DialOutcome> {
    try {
      const signal = AbortSignal.timeout(this.#parts.tuning.dialMs);
      const connection = await this.#parts.host.dial(multiaddr(address), { signal });
      const link = this.#links.get(connection.id);
      if (link === undefined) return 'failed';
      const accepted = await link.settled;
      if (accepted) this.#failures.reached((other) => other === address);
      else if (link.refusal !== undefined) this.#failures.refused(address, link.refusal);
      return { peer: link.peer, refused: !accepted && link.refused };
    } catch (cause) {
      if (this.#status === 'running') this.#failures.failed(address, cause);
      return 'failed';
    }
  }

  /** Registers a protocol that only accepted links are served on. */
  async #handleAccepted(
    protocol: string,
    maxStreams: number,
    serve: (stream: Stream, link: Link) => void,
  ): Promise<void> {
    await this.#parts.host.handle(
      protocol,
      async (stream, connection) => {
        const link = this.#links.get(connection.id);
        if ((await admitStream(stream, link)) && link !== undefined) serve(stream, link);
      },
      { maxInboundStreams: maxStreams, maxOutboundStreams: maxStreams },
    );
  }

  #receive(stream: Stream, link: Link): void {
    readFrames(stream, limits.consensusMessageBytes, {
      onFrame: (frame) => {
        if (frame.length > 0 && link.status === 'accepted') this.#running()?.onMessage(link.peer, frame);
      },
      onEnd: (problem) => {
        if (problem === undefined) return;
        this.#fault(link.peer, problem);
        this.#drop(link, problem);
      },
    });
  }

  #fault(peer: PeerId, problem: Problem): void {
    this.#penalise(peer, problem.message, FAULT_WEIGHT);
  }

  /** Strangers answer for their address block as well: keys are free. */
  #penalise(peer: PeerId, reason: string, weight: number): void {
    const { penalties, log, now } = this.#parts;
    log.debug('peer penalised', { peer, reason });
    const links = this.#peers.linksOf(peer);
    if (penalties.add(peer, now(), weight)) {
      log.warn('peer disconnected: too many penalties', { peer, reason });
      for (const link of links) this.#drop(link, new Error('penalised'));
    }
    const stranger = links.find(isStranger);
    if (stranger === undefined || !penalties.add(stranger.block, now(), weight)) return;
    log.warn('strangers disconnected: too many penalties', { block: stranger.block, reason });
    for (const link of this.#links.values()) {
      if (link.block === stranger.block && isStranger(link)) this.#drop(link, new Error('penalised'));
    }
  }

  /** Sends heartbeats, cuts half-open links, repairs gossip streams that broke, and forgets who is gone. */
  #beat(): void {
    const { gossip, tuning } = this.#parts;
    gossip.expire(performance.now());
    this.#departed.forget();
    for (const link of this.#links.values()) {
      if (link.status === 'accepted' && !this.#isStillWelcome(link)) continue;
      if (link.status === 'accepted' && link.beat() >= tuning.silentHeartbeats) {
        this.#drop(link, new Error('half-open'));
      }
    }
    for (const { links } of this.#peers.all()) {
      const first = links[0];
      if (first !== undefined && !links.some((link) => hasGossipStream(link.connection))) {
        gossip.admit(first.connection);
      }
    }
  }
}
