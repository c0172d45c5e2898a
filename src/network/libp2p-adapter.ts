import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';
import { machineRemedy } from '../base/machine-fault.ts';
import { Problem } from '../base/problem.ts';
import { Departed } from './departed.ts';
import { DialFailures } from './dial-failures.ts';
import { type FrameHandlers, readFrames } from './framed-stream.ts';
import type { Door } from './door.ts';
import { boundGossipOut, hasGossipStream, type Gossip } from './gossip.ts';
import { type Greeting } from './handshake.ts';
import type { GuardedYamux } from './guarded-yamux.ts';
import { lineOf, unsentBytes } from './libp2p-internals.ts';
import { admitStream, Link } from './link.ts';
import { type NetworkLog } from './log.ts';
import { type PeerAddress } from './peer-address.ts';
import { isStranger, Lots } from './places.ts';
import type { PeerTable } from './peer-table.ts';
import type { Penalties } from './penalties.ts';
import type {
  Network,
  NetworkHandlers,
  PeerId,
  PeerStats,
  Unreached,
  RequestProtocol,
  Topic,
} from './port.ts';
import { helloProtocol, requestProtocols, type ProtocolNames } from './protocol-names.ts';
import type { Receiving } from './receiving.ts';
import { Redial, type DialOutcome } from './redial.ts';
import { RequestClient } from './request-client.ts';
import { RequestServer } from './request-server.ts';
import { type NetworkTuning } from './tuning.ts';
import { TwinWatch } from './twin-watch.ts';
import { untaken } from './untaken.ts';
import { isAdmitted } from './admission.ts';
import { Discipline } from './discipline.ts';
import { Greeter } from './greeting.ts';

/** What the adapter is made of. */
interface Libp2pParts {
  readonly door: Door;
  readonly options: { readonly listen: readonly string[]; readonly hello: () => Uint8Array };
  readonly tuning: NetworkTuning;
  readonly log: NetworkLog;
  readonly links: Map<string, Link>;
  readonly peers: PeerTable;
  readonly names: ProtocolNames;
  readonly penalties: Penalties;
  readonly gossip: Gossip;
  readonly receiving: Receiving;
  readonly muxers: GuardedYamux;
  readonly host: Libp2p;
  readonly targets: readonly PeerAddress[];
  readonly now: () => number;
}

/** The `Network` port over a libp2p host. */
export class Libp2pNetwork implements Network {
  readonly self: PeerId;
  readonly #parts: Libp2pParts;
  /** By connection id, from the open connection to its end, accepted or not. */
  readonly #links: Map<string, Link>;
  readonly #peers: PeerTable;
  readonly #departed: Departed;
  readonly #twins = new TwinWatch();
  readonly #lots: Lots;
  readonly #greeter: Greeter;
  readonly #discipline: Discipline;
  readonly #redial: Redial;
  readonly #failures: DialFailures;
  readonly #requests: RequestClient;
  readonly #server: RequestServer;
  #handlers: NetworkHandlers | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** new → running → stopped */
  #status: 'new' | 'running' | 'stopped' = 'new';

  constructor(parts: Libp2pParts) {
    const { tuning, host, names } = parts;
    this.#parts = parts;
    this.#links = parts.links;
    this.#peers = parts.peers;
    this.self = host.peerId.toString();
    this.#departed = new Departed(host);
    this.#lots = new Lots(parts.now);
    const drop = (link: Link, cause: Error): void => this.#drop(link, cause);
    this.#discipline = new Discipline({ ...parts, drop });
    this.#greeter = new Greeter({
      ...parts,
      hello: parts.options.hello,
      handshakeMs: tuning.handshakeMs,
      running: () => this.#running(),
      accept: (link, greeting) => this.#accept(link, greeting),
      drop,
    });
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
      meter: (link) => parts.receiving.meter(link),
      nameOf: (protocol) => names.request(protocol),
      timeoutMs: tuning.requestTimeoutMs,
      now: parts.now,
    });
    this.#server = new RequestServer({
      serve: (peer, protocol, bytes, respond) => {
        if (this.#peers.get(peer) === undefined) return respond(null);
        this.#running()?.onRequest(peer, protocol, bytes, (response) => {
          respond(response);
          this.#dropUntaken();
        });
      },
      timeoutMs: tuning.requestTimeoutMs,
      onFault: (peer, problem) => this.#discipline.fault(peer, problem),
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
      if (fault !== undefined) this.#discipline.fault(link.peer, fault);
      this.#drop(link, fault ?? new Error('connection closed'));
    });
    await host.handle(
      helloProtocol,
      (stream, connection) => this.#greeter.answer(stream, connection, this.#links.get(connection.id)),
      {
        maxInboundStreams: 1,
        maxOutboundStreams: 1,
      },
    );
    await this.#handleAccepted(names.direct, 2, (stream, link) => this.#receive(stream, link));
    for (const protocol of requestProtocols) {
      await this.#handleAccepted(names.request(protocol), limits.requestsPerPeer * 2, (stream, link) =>
        this.#server.handle(link.peer, protocol, stream, this.#parts.receiving.meter(link)),
      );
    }
    try {
      await host.start();
    } catch (cause) {
      this.#status = 'stopped';
      throw cannotListen(this.#parts.options.listen, cause);
    }
    gossip.start({
      onGossip: (topic, bytes, from, decide) => {
        if (this.#peers.get(from) === undefined) decide('unread');
        else this.#running()?.onGossip(topic, bytes, from, decide);
      },
      onOpen: (peer) => {
        if (this.#peers.get(peer) !== undefined) this.#running()?.onGossipOpen?.(peer);
      },
      onFault: (peer, problem) => this.#discipline.fault(peer, problem),
    });
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

  askForGossip(peer: PeerId): void {
    if (this.#status === 'running' && this.#peers.get(peer) !== undefined) this.#parts.gossip.ask(peer);
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
    this.#discipline.penalise(peer, reason);
    if (banMs !== undefined) this.#discipline.ban(peer, reason, banMs);
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
    if (connection.direction === 'outbound') void this.#greeter.open(link);
  }

  #accept(link: Link, greeting: Greeting): void {
    const { gossip, names, log, door } = this.#parts;
    const { tuning, now } = this.#parts;
    const admitted = isAdmitted(link, greeting, {
      peers: this.#peers,
      links: this.#links,
      handshakeMs: tuning.handshakeMs,
      lotOf: (block) => this.#lots.of(block),
      now: now(),
      drop: (other, cause) => this.#drop(other, cause),
    });
    if (!admitted) return;
    door.leave(lineOf(link.connection));
    if (link.member !== undefined && this.#twins.greeted(link.peer, greeting.session)) {
      log.warn('two processes use one key', {
        peer: link.peer,
        address: link.connection.remoteAddr.toString(),
        remedy: 'Find out which machines run this node, and stop all but one of them.',
      });
    }
    if (!isStranger(link)) door.know(link.connection.remoteAddr.toString());
    link.accept({ session: greeting.session, now: now(), directProtocol: names.direct });
    const isNew = this.#peers.add(link);
    gossip.admit(link.connection);
    if (!isNew) return;
    log.info('peer connected', { peer: link.peer, address: link.connection.remoteAddr.toString() });
    this.#redial.connected(link.peer);
    if (link.member !== undefined && !link.invited) this.#redial.arrived();
    this.#failures.reached((address) => this.#redial.peerAt(address) === link.peer);
    this.#running()?.onConnected(link.peer);
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
      // Whoever answers there may have come by its own dial meanwhile.
      const isThere = this.#peers.get(this.#redial.peerAt(address) ?? '') !== undefined;
      if (this.#status === 'running' && !isThere) this.#failures.failed(address, cause);
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
    const handlers: FrameHandlers = {
      onFrame: (frame) => {
        if (link.status !== 'accepted') return;
        const problem = link.budget.take('messages', 1);
        if (problem !== undefined) this.#endFor(link, problem);
        else if (frame.length > 0) this.#running()?.onMessage(link.peer, frame);
      },
      onEnd: (problem) => {
        if (problem !== undefined) this.#endFor(link, problem);
      },
    };
    readFrames(stream, limits.consensusMessageBytes, handlers, this.#parts.receiving.meter(link));
  }

  #endFor(link: Link, problem: Problem): void {
    this.#discipline.fault(link.peer, problem);
    this.#drop(link, problem);
  }

  #dropUntaken(): void {
    for (const link of untaken(this.#links.values(), unsentBytes)) {
      this.#drop(link, new Error('what was sent is not taken'));
    }
  }

  /** Sends heartbeats, cuts half-open links, repairs gossip streams that broke, and forgets who is gone. */
  #beat(): void {
    const { gossip, tuning } = this.#parts;
    gossip.expire(performance.now());
    this.#departed.forget();
    for (const link of this.#links.values()) {
      if (link.status === 'accepted' && !this.#greeter.isStillWelcome(link)) continue;
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
    boundGossipOut([...this.#links.values()].map(({ connection }) => connection));
    this.#dropUntaken();
  }
}

/** libp2p hands on what the system said as words among others. */
function cannotListen(addresses: readonly string[], cause: unknown): Problem {
  const name = /\blisten (E[A-Z]+)\b/.exec(String(cause))?.[1];
  const why = name === undefined ? '' : ` (${name})`;
  return new Problem('network/listen', `cannot listen for peers on ${addresses.join(', ')}${why}`, {
    remedy: `Correct "listen" in config.json. ${name === undefined ? 'Choose a free port and an address of this machine.' : machineRemedy(name)}`,
    details: { cause: String(cause) },
    cause,
  });
}
