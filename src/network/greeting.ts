import { randomBytes } from 'node:crypto';
import type { Connection, Stream } from '@libp2p/interface';
import { invariant } from '../base/invariant.ts';
import { Problem } from '../base/problem.ts';
import { closeQuietly } from './framed-stream.ts';
import { type Greeting, isRefusal, maxHelloBytes, mayChange, shakeHands } from './handshake.ts';
import type { Link } from './link.ts';
import type { NetworkLog } from './log.ts';
import type { Penalties } from './penalties.ts';
import type { PeerTable } from './peer-table.ts';
import { isStranger } from './places.ts';
import type { NetworkHandlers, PeerId } from './port.ts';
import { helloProtocol } from './protocol-names.ts';

interface GreeterOptions {
  /** Our hello, asked for anew at every connection; at most `maxHelloBytes`. */
  readonly hello: () => Uint8Array;
  /** The node's side while the network runs. */
  readonly running: () => NetworkHandlers | undefined;
  readonly peers: Pick<PeerTable, 'linksOf'>;
  readonly penalties: Pick<Penalties, 'isBanned'>;
  readonly handshakeMs: number;
  readonly now: () => number;
  readonly log: NetworkLog;
  /** Both hellos are good. */
  readonly accept: (link: Link, greeting: Greeting) => void;
  readonly drop: (link: Link, cause: Error) => void;
}

/** The hellos of a connection: one each way, and a verdict on each, before anything else is said on it. */
export class Greeter {
  readonly #options: GreeterOptions;
  readonly #session = randomBytes(16);

  constructor(options: GreeterOptions) {
    this.#options = options;
  }

  /** Whoever dialled speaks first. */
  async open(link: Link): Promise<void> {
    try {
      const stream = await link.connection.newStream(helloProtocol);
      link.conversation = this.#greet(link, stream);
    } catch {
      this.#options.drop(link, new Error('the hello stream did not open'));
    }
  }

  /** The other side opened the stream of hellos: it may once, on a connection that it opened. */
  answer(stream: Stream, connection: Connection, link: Link | undefined): void {
    const expected =
      link?.status === 'greeting' && connection.direction === 'inbound' && link.conversation === undefined;
    if (link !== undefined && expected) link.conversation = this.#greet(link, stream);
    else stream.abort(new Error('unexpected hello'));
  }

  /**
   * Members change: a former member is judged anew by its hello, and goes if it would not be let in now.
   */
  isStillWelcome(link: Link): boolean {
    const { log, drop } = this.#options;
    const before = link.member;
    link.rank(this.#memberKeyOf(link.peer));
    if (before === undefined || !isStranger(link)) return true;
    const problem = this.#judge(link, link.hello);
    if (problem === undefined) return true;
    log.warn('peer disconnected: it is no member any more', { peer: link.peer, code: problem.code });
    drop(link, problem);
    return false;
  }

  async #greet(link: Link, stream: Stream): Promise<void> {
    const { peers, handshakeMs, running, accept, drop, log } = this.#options;
    const hello = this.#options.hello();
    invariant(hello.length <= maxHelloBytes, 'our hello is within maxHelloBytes');
    const links = peers.linksOf(link.peer).length;
    const theirs = await shakeHands({
      stream,
      greeting: { session: this.#session, links, hello },
      judge: ({ hello: bytes }) => this.#judge(link, bytes),
    });
    closeQuietly(stream, handshakeMs);
    if (running() === undefined) return;
    if (!(theirs instanceof Problem)) {
      if (link.status === 'greeting') accept(link, theirs);
      return;
    }
    link.refused = isRefusal(theirs) && !mayChange(theirs);
    link.refusal = theirs;
    const { code, message } = theirs;
    log[isRefusal(theirs) ? 'warn' : 'debug']('peer not accepted', { peer: link.peer, code, message });
    if (link.status !== 'greeting') return;
    if (code === 'network/refused-by-peer') drop(link, theirs);
    else link.part(() => drop(link, theirs));
  }

  /** The node's verdict on a hello, after which it knows whose it is; and ours on where it comes from. */
  #judge(link: Link, hello: Uint8Array): Problem | undefined {
    const { running, penalties, now } = this.#options;
    link.hello = hello;
    const problem = running()?.onHello(link.peer, hello, link.invited);
    if (problem !== undefined) return problem;
    link.rank(this.#memberKeyOf(link.peer));
    if (!isStranger(link) || !penalties.isBanned(link.block, now())) return undefined;
    return new Problem('network/banned', 'strangers from your addresses did too much wrong', {
      remedy: 'Wait a minute, or ask the operator to list your key under "observers" in config.json.',
    });
  }

  #memberKeyOf(peer: PeerId): string | undefined {
    const handlers = this.#options.running();
    return handlers?.memberKeyOf === undefined ? peer : handlers.memberKeyOf(peer);
  }
}
