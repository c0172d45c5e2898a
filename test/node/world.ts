import { setImmediate as nextLoop } from 'node:timers/promises';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import type {
  GossipVerdict,
  Network,
  NetworkHandlers,
  PeerId,
  RequestProtocol,
  Topic,
} from '../../src/network/port.ts';
import type { Clock } from '../../src/node/process/clock.ts';
import { Scheduler } from '../../src/simulator/world/scheduler.ts';

/** The simulator's time, moved by a test. */
export class VirtualTime extends Scheduler {
  clock(wallOffsetMs = 1_800_000_000_000): Clock & { wallOffsetMs: number; pausedMs: number } {
    const clock = {
      wallOffsetMs,
      /** How long the process stood still, while its timers did not come. */
      pausedMs: 0,
      wallMs: () => this.now + clock.wallOffsetMs,
      monotonicMs: () => this.now + clock.pausedMs,
      after: (delayMs: number, call: () => void) => this.after(delayMs, call),
    };
    return clock;
  }

  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  /** Runs until it holds, at most so long; tells whether it does. */
  runUntil(holds: () => boolean, maxMs = 60_000): boolean {
    const end = this.now + maxMs;
    while (!holds()) if (!this.step(end)) return holds();
    return true;
  }

  /** Runs what is due while something that is written with promises goes on. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => {});
    for (let loops = 0; loops < 10_000; loops++) {
      await nextLoop();
      if (settled) return watched;
      this.run(1);
    }
    throw new Error('the promise does not settle');
  }
}

/** Connects everybody with everybody, at once and without loss, unless a test cuts a link. */
export class MemoryNet {
  readonly time: VirtualTime;
  readonly latencyMs: number;
  readonly #members = new Map<PeerId, Member>();
  readonly #cut = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #open = new Set<OpenRequest>();
  readonly penalties: { by: PeerId; peer: PeerId; reason: string }[] = [];
  readonly refusals: { by: PeerId; peer: PeerId; problem: Problem }[] = [];
  readonly published: { from: PeerId; topic: Topic; bytes: Uint8Array }[] = [];
  readonly requests: { from: PeerId; to: PeerId; protocol: RequestProtocol }[] = [];
  /** A test may swallow or change what one peer sends another. */
  onSend: (from: PeerId, to: PeerId, bytes: Uint8Array, urgent: boolean | undefined) => Uint8Array | null = (
    _from,
    _to,
    bytes,
  ) => bytes;
  onGossip: (from: PeerId, to: PeerId, topic: Topic) => boolean = () => true;
  onAnswer: (
    from: PeerId,
    to: PeerId,
    protocol: RequestProtocol,
    response: Uint8Array | null,
  ) => Uint8Array | null = (_from, _to, _protocol, response) => response;

  constructor(time: VirtualTime, latencyMs = 1) {
    this.time = time;
    this.latencyMs = latencyMs;
  }

  join(self: PeerId, hello: () => Uint8Array): Network {
    const member: Member = { self, hello, handlers: undefined, peers: new Set() };
    return {
      self,
      start: async (handlers) => {
        member.handlers = handlers;
        this.#members.set(self, member);
        for (const other of this.#members.values()) if (other !== member) this.#connect(member, other);
      },
      stop: async () => this.leave(self),
      addresses: () => [`memory://${self}`],
      peers: () => (this.#members.get(self) === member ? [...member.peers] : []),
      send: (peer, bytes, urgent) => this.#send(self, peer, { bytes, urgent }),
      publish: (topic, bytes) => {
        this.published.push({ from: self, topic, bytes });
        // Gossip drops what it has seen, whoever publishes it again.
        const name = `${topic} ${Buffer.from(bytes).toString('base64')}`;
        if (this.#seen.has(name)) return;
        this.#seen.add(name);
        this.#spread(self, topic, bytes, new Set([self]));
      },
      request: (peer, protocol, bytes, done) =>
        this.#request({ from: self, to: peer, protocol, bytes, done }),
      penalise: (peer, reason) => void this.penalties.push({ by: self, peer, reason }),
      stats: () => [],
    };
  }

  /** As when the process is gone. */
  leave(self: PeerId): void {
    const member = this.#members.get(self);
    if (member === undefined) return;
    this.#members.delete(self);
    this.#failOpen((request) => request.from === self || request.to === self);
    for (const peer of member.peers) {
      const other = this.#members.get(peer);
      if (other?.peers.delete(self) === true) this.time.defer(() => other.handlers?.onLost(self));
    }
  }

  cut(a: PeerId, b: PeerId): void {
    this.#cut.add(linkName(a, b));
    this.#failOpen((request) => linkName(request.from, request.to) === linkName(a, b));
    const [first, second] = [this.#members.get(a), this.#members.get(b)];
    if (first?.peers.delete(b) === true) this.time.defer(() => first.handlers?.onLost(b));
    if (second?.peers.delete(a) === true) this.time.defer(() => second.handlers?.onLost(a));
  }

  mend(a: PeerId, b: PeerId): void {
    this.#cut.delete(linkName(a, b));
    const [first, second] = [this.#members.get(a), this.#members.get(b)];
    if (first !== undefined && second !== undefined) this.#connect(first, second);
  }

  #failOpen(ends: (request: OpenRequest) => boolean): void {
    for (const request of this.#open) if (ends(request)) request.finish(lost(request.to));
  }

  #connect(a: Member, b: Member): void {
    if (this.#cut.has(linkName(a.self, b.self))) return;
    const [atA, atB] = [a.handlers?.onHello(b.self, b.hello()), b.handlers?.onHello(a.self, a.hello())];
    if (atA !== undefined) this.refusals.push({ by: a.self, peer: b.self, problem: atA });
    if (atB !== undefined) this.refusals.push({ by: b.self, peer: a.self, problem: atB });
    if (atA !== undefined || atB !== undefined) return;
    for (const [member, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.time.defer(() => {
        const gone = this.#members.get(member.self) !== member || this.#members.get(other.self) !== other;
        if (gone || this.#cut.has(linkName(a.self, b.self))) return;
        member.peers.add(other.self);
        member.handlers?.onConnected(other.self);
      });
    }
  }

  #send(from: PeerId, to: PeerId, message: { bytes: Uint8Array; urgent: boolean | undefined }): boolean {
    if (this.#members.get(from)?.peers.has(to) !== true) return false;
    if (message.bytes.length > limits.consensusMessageBytes) return false;
    const sent = this.onSend(from, to, message.bytes, message.urgent);
    if (sent !== null) {
      this.time.after(this.latencyMs, () => this.#members.get(to)?.handlers?.onMessage(from, sent.slice()));
    }
    return true;
  }

  #spread(from: PeerId, topic: Topic, bytes: Uint8Array, seen: Set<PeerId>): void {
    const peers = [...(this.#members.get(from)?.peers ?? [])].filter((peer) => !seen.has(peer));
    for (const peer of peers) {
      if (!this.onGossip(from, peer, topic)) continue;
      seen.add(peer);
      this.time.after(this.latencyMs, () => {
        const decide = (verdict: GossipVerdict): void => {
          if (verdict === 'accept') this.#spread(peer, topic, bytes, seen);
        };
        this.#members.get(peer)?.handlers?.onGossip(topic, bytes.slice(), from, decide);
      });
    }
  }

  #request(request: {
    from: PeerId;
    to: PeerId;
    protocol: RequestProtocol;
    bytes: Uint8Array;
    done: (response: Uint8Array | Problem) => void;
  }): void {
    const { from, to, protocol, bytes, done } = request;
    this.requests.push({ from, to, protocol });
    const open: OpenRequest = { from, to, finish: () => undefined };
    let ended = false;
    const finish = (result: Uint8Array | Problem): void => {
      if (ended) return;
      ended = true;
      this.#open.delete(open);
      done(result);
    };
    open.finish = (problem) => this.time.defer(() => finish(problem));
    if (this.#members.get(from)?.peers.has(to) !== true) return open.finish(lost(to));
    this.#open.add(open);
    this.time.after(limits.requestTimeoutMs, () => finish(timedOut(to)));
    const answer = (response: Uint8Array | null): void => {
      const given = this.onAnswer(to, from, protocol, response);
      const fits = given !== null && given.length <= limits.responseBytes;
      this.time.after(this.latencyMs, () => finish(fits ? given.slice() : refused(to)));
    };
    this.time.after(this.latencyMs, () =>
      this.#members.get(to)?.handlers?.onRequest(from, protocol, bytes.slice(), answer),
    );
  }
}

/** A request that was not answered yet. */
interface OpenRequest {
  readonly from: PeerId;
  readonly to: PeerId;
  finish: (problem: Problem) => void;
}

interface Member {
  readonly self: PeerId;
  readonly hello: () => Uint8Array;
  handlers: NetworkHandlers | undefined;
  readonly peers: Set<PeerId>;
}

function linkName(a: PeerId, b: PeerId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

function lost(peer: PeerId): Problem {
  return new Problem('network/lost', `${peer} is not connected`, { remedy: 'Ask another.' });
}

function timedOut(peer: PeerId): Problem {
  return new Problem('network/timeout', `${peer} did not answer in time`, { remedy: 'Ask another.' });
}

function refused(peer: PeerId): Problem {
  return new Problem('network/refused', `${peer} refused`, { remedy: 'Ask another.' });
}
