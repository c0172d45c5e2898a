import type { Problem } from '../../src/base/problem.ts';
import type { Network, NetworkHandlers, PeerId, RequestProtocol, Topic } from '../../src/network/port.ts';
import { Links } from '../../src/simulator/world/links.ts';
import { ProcessLife } from '../../src/simulator/world/process-life.ts';
import type { Scheduler } from '../../src/simulator/world/scheduler.ts';
import { Trace } from '../../src/simulator/world/trace.ts';
import { peerIndex, peerName } from '../../src/simulator/world/station.ts';
import { VirtualNetwork } from '../../src/simulator/world/virtual-network.ts';

/** The most nodes that a test has. */
const size = 12;

/** The simulator's network in good weather, by the names of nodes. A test may swallow or change what goes over it. */
export class TestNet {
  readonly penalties: { by: string; of: string; reason: string }[] = [];
  readonly refusals: { by: string; of: string; problem: Problem }[] = [];
  readonly published: { from: string; topic: Topic; bytes: Uint8Array }[] = [];
  /** Whom nobody dials. */
  readonly strangers = new Set<string>();
  readonly requests: { from: string; to: string; protocol: RequestProtocol }[] = [];
  onSend: (from: string, to: string, bytes: Uint8Array, urgent: boolean | undefined) => Uint8Array | null = (
    _from,
    _to,
    bytes,
  ) => bytes;
  onGossip: (from: string, to: string, topic: Topic) => boolean = () => true;
  onAnswer: (
    from: string,
    to: string,
    protocol: RequestProtocol,
    response: Uint8Array | null,
  ) => Uint8Array | null = (_from, _to, _protocol, response) => response;
  readonly #links = new Links({
    size,
    seed: 1,
    conditions: { delayMs: [1, 1], loss: 0, duplication: 0, reordering: 0 },
    count: () => undefined,
  });
  readonly #network: VirtualNetwork;
  readonly #names: string[] = [];
  readonly #joined = new Map<string, Network>();

  constructor(scheduler: Scheduler) {
    const trace = new Trace(false);
    this.#network = new VirtualNetwork({
      scheduler,
      links: this.#links,
      trace,
      seed: 1,
      size,
      kindOf: () => '',
    });
  }

  peer(name: string): PeerId {
    return peerName(this.#indexOf(name));
  }

  #indexOf(name: string): number {
    const index = this.#names.indexOf(name);
    return index < 0 ? this.#names.push(name) - 1 : index;
  }

  #nameOf(peer: PeerId): string {
    return this.#names[peerIndex(peer)] ?? peer;
  }

  join(self: string, hello: () => Uint8Array): Network {
    const life = new ProcessLife((error) => {
      throw error;
    });
    const onPenalise = (peer: PeerId, reason: string): void =>
      void this.penalties.push({ by: self, of: this.#nameOf(peer), reason });
    const network = this.#network.join(this.#indexOf(self), { life, hello, onPenalise });
    this.#joined.set(self, network);
    return {
      ...network,
      start: (handlers) => network.start(this.#watched(self, handlers)),
      send: (peer, bytes, urgent) => {
        const sent = this.onSend(self, this.#nameOf(peer), bytes, urgent);
        return sent === null || network.send(peer, sent, urgent);
      },
      publish: (topic, bytes) => {
        this.published.push({ from: self, topic, bytes });
        network.publish(topic, bytes);
      },
      request: (peer, protocol, bytes, done) => {
        this.requests.push({ from: self, to: this.#nameOf(peer), protocol });
        network.request(peer, protocol, bytes, done);
      },
    };
  }

  #watched(self: string, handlers: NetworkHandlers): NetworkHandlers {
    return {
      ...handlers,
      onHello: (peer, hello, invited) => {
        const isInvited = invited === true && !this.strangers.has(this.#nameOf(peer));
        const problem = handlers.onHello(peer, hello, isInvited);
        if (problem !== undefined) this.refusals.push({ by: self, of: this.#nameOf(peer), problem });
        return problem;
      },
      onGossip: (topic, bytes, from, decide) => {
        if (this.onGossip(this.#nameOf(from), self, topic)) handlers.onGossip(topic, bytes, from, decide);
      },
      onRequest: (peer, protocol, bytes, respond) =>
        handlers.onRequest(peer, protocol, bytes, (response) =>
          respond(this.onAnswer(self, this.#nameOf(peer), protocol, response)),
        ),
    };
  }

  /** How many others it is connected to. */
  reaches(name: string): number {
    return this.#joined.get(name)?.peers().length ?? 0;
  }

  /** As when the process is gone. */
  leave(name: string): void {
    this.#network.leave(this.#indexOf(name));
  }

  cut(a: string, b: string): void {
    this.#set('cut', a, b);
  }

  mend(a: string, b: string): void {
    this.#set('mend', a, b);
  }

  #set(how: 'cut' | 'mend', a: string, b: string): void {
    const [one, other] = [this.#indexOf(a), this.#indexOf(b)];
    this.#links[how](one, other);
    this.#links[how](other, one);
    this.#network.reconcile();
  }
}
