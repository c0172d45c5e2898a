import type { Connection, Stream } from '@libp2p/interface';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import { TokenBucket } from '../base/token-bucket.ts';
import { addressBlock } from './address-block.ts';
import type { PeerId } from './port.ts';
import { DirectWriter } from './direct-stream.ts';
import { limitWriteBuffer, receivedBytes } from './libp2p-internals.ts';
import type { LineBudget } from './line-budget.ts';

/** greeting → accepted → closed, or greeting → closed. */
type LinkStatus = 'greeting' | 'accepted' | 'closed';

/**
 * One connection to a peer. A peer may have two for a while, when both sides dialled at once; each carries
 * its own streams, and the peer is lost when the last is gone.
 */
export class Link {
  readonly connection: Connection;
  /** What the other side may send. */
  readonly budget: LineBudget;
  /** How fast we ask. */
  readonly requests: TokenBucket;
  readonly peer: PeerId;
  /** Where the other side is, as strangers are counted. */
  readonly block: string;
  /** We dialled it: its address is in our settings. */
  readonly invited: boolean;
  /** The member's key that it proved; undefined for a stranger, and before the hello. */
  member: string | undefined;
  /** What the other side said when it came. */
  hello: Uint8Array = new Uint8Array(0);
  /** Settles with true when both hellos are accepted, with false when the link closed before. */
  readonly settled: Promise<boolean>;
  status: LinkStatus = 'greeting';
  /** A hello was refused, by us or by them. */
  refused = false;
  /** Why the hellos came to nothing. */
  refusal: Problem | undefined;
  /** The conversation of hellos, once it has begun; there is one per connection. It never rejects. */
  conversation: Promise<void> | undefined;
  session = '';
  acceptedAt = 0;
  writer: DirectWriter | undefined;
  #settle: (accepted: boolean) => void = () => {};
  #greetingTimer: NodeJS.Timeout | undefined;
  #silentBeats = 0;
  #bytesSeen = -1;

  constructor(connection: Connection, budget: LineBudget, now: number) {
    const { requestsPerSecond } = limits;
    this.connection = connection;
    this.budget = budget;
    this.requests = new TokenBucket({ perSecond: requestsPerSecond, burst: requestsPerSecond }, now);
    this.peer = connection.remotePeer.toString();
    this.block = addressBlock(connection.remoteAddr.toString());
    this.invited = connection.direction === 'outbound';
    limitWriteBuffer(connection, limits.underMuxerBytes);
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Without two good verdicts in this time, `onTimeout` is called. */
  limitGreeting(timeoutMs: number, onTimeout: () => void): void {
    this.#greetingTimer = setTimeout(onTimeout, timeoutMs);
  }

  accept(options: { session: string; now: number; directProtocol: string }): void {
    clearTimeout(this.#greetingTimer);
    this.status = 'accepted';
    this.rank(this.member);
    this.session = options.session;
    this.acceptedAt = options.now;
    this.writer = new DirectWriter({
      connection: this.connection,
      protocol: options.directProtocol,
      onGiveUp: (cause) => this.connection.abort(cause),
    });
    this.#settle(true);
  }

  /** What the peer proved counts, from now on, for the key of this member, or for nothing. */
  rank(member: string | undefined): void {
    this.member = member;
    if (this.status === 'accepted') this.budget.standing = member === undefined ? 'stranger' : 'member';
  }

  /** The connection is gone, or has to go at once. */
  close(cause: Error): void {
    this.leave();
    if (this.connection.status === 'open') this.connection.abort(cause);
  }

  /**
   * Refuses the peer. It shall read why before the connection ends, and TLS loses what arrives together with
   * the end: so the other side hangs up, or `onTimeout` is called.
   */
  part(onTimeout: () => void): void {
    this.leave();
    this.#greetingTimer = setTimeout(onTimeout, limits.verdictReadMs);
  }

  /** Stops to use the connection, and leaves it open. */
  leave(): void {
    clearTimeout(this.#greetingTimer);
    this.status = 'closed';
    this.budget.standing = 'greeting';
    this.writer?.close();
    // The verdict may have come in one packet with the end of the connection: it is heard first.
    if (this.conversation === undefined) this.#settle(false);
    else void this.conversation.then(() => this.#settle(false));
  }

  /** Heartbeat: sends one when idle, and says how many beats in a row nothing came from the other side. */
  beat(): number {
    this.writer?.beat();
    const bytes = receivedBytes(this.connection);
    if (bytes !== this.#bytesSeen) this.#silentBeats = 0;
    else this.#silentBeats++;
    this.#bytesSeen = bytes;
    return this.#silentBeats;
  }
}

/**
 * Holds a stream back until the hello of its link is settled, without reading from it. False, and the stream
 * is aborted, when the peer is not accepted.
 */
export async function admitStream(stream: Stream, link: Link | undefined): Promise<boolean> {
  if (link?.status === 'greeting') {
    stream.pause();
    await link.settled;
    if (stream.status === 'open') stream.resume();
  }
  if (link?.status === 'accepted' && stream.status === 'open') return true;
  stream.abort(new Error('the peer is not accepted'));
  return false;
}
