import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Identity } from './identity.ts';
import { YamuxReader, yamuxFlag, yamuxHeader, yamuxType, type YamuxHeader } from './yamux-frame.ts';

/** What one stream of a raw connection tells. Everything is optional: an attacker may be deaf. */
export interface StreamEars {
  readonly onData?: (piece: Buffer) => void;
  readonly onEnd?: () => void;
}

export interface DialOptions {
  readonly port: number;
  /** Where the call comes from: 127.x.y.z tells callers on one machine apart. */
  readonly localAddress: string;
  readonly identity: Identity;
}

const multistream = line('/multistream/1.0.0');
/** Unsent bytes past which an attacker holds back: it is bounded, too. */
const maxUnsentBytes = 2 * 1024 * 1024;
const timeoutMs = 8_000;

/** Calls over TCP and nothing more. */
export function dialTcp(options: { port: number; localAddress: string }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ ...options, host: '127.0.0.1', noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
  });
}

/** TLS as libp2p speaks it, with yamux agreed on in its first message. */
export async function dialTls(options: DialOptions): Promise<TLSSocket> {
  const tcp = await dialTcp(options);
  await negotiate(tcp, '/tls/1.0.0');
  const { certificate: cert, tlsKey: key } = options.identity;
  return await new Promise((resolve, reject) => {
    const fail = (): void => {
      tcp.destroy();
      reject(new Error('the secure channel was refused'));
    };
    const timer = setTimeout(fail, timeoutMs);
    const socket = connectTls({
      socket: tcp,
      cert,
      key,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      ALPNProtocols: ['/yamux/1.0.0', 'libp2p'],
    });
    socket.on('error', fail);
    socket.once('close', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('close', fail);
      if (socket.alpnProtocol === '/yamux/1.0.0') resolve(socket);
      else negotiate(socket, '/yamux/1.0.0').then(() => resolve(socket), reject);
    });
  });
}

/** Both sides say what they speak, one line each, behind its length. */
function negotiate(socket: Socket, protocol: string): Promise<void> {
  socket.write(Buffer.concat([multistream, line(protocol)]));
  const expected = multistream.length + line(protocol).length;
  return new Promise((resolve, reject) => {
    let heard = Buffer.alloc(0);
    const end = (error?: Error): void => {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('close', onClose);
      if (error !== undefined) {
        socket.destroy();
        return reject(error);
      }
      socket.pause();
      resolve();
    };
    const onClose = (): void => end(new Error('closed while a protocol was agreed on'));
    const timer = setTimeout(() => end(new Error('no agreement on a protocol in time')), timeoutMs);
    const onData = (chunk: Buffer): void => {
      heard = Buffer.concat([heard, chunk]);
      if (heard.length < expected) return;
      if (heard.length > expected) socket.unshift(heard.subarray(expected));
      end();
    };
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

/** A line of multistream-select. */
export function line(text: string): Buffer {
  return Buffer.concat([varint(text.length + 1), Buffer.from(`${text}\n`)]);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** Yamux by hand, above TLS: it keeps no rule that it is not told to keep. */
export class RawConnection {
  readonly socket: TLSSocket;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  isOpen = true;
  /** We ended it. */
  left = false;
  /** Takes nothing more: what the node writes stays with the node. */
  deaf = false;
  /** Instead of giving windows back: is told of each stream that the node opens. */
  stingy: ((stream: number) => void) | undefined;
  /** Hears what comes on streams that the node opened, by the protocol. */
  onInbound: ((protocol: string, piece: Buffer) => void) | undefined;
  readonly #ears = new Map<number, StreamEars>();
  #next = 1;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) =>
      socket.once('close', () => {
        this.isOpen = false;
        resolve();
      }),
    );
    const reader = new YamuxReader(
      (header) => this.#onFrame(header),
      (stream, piece) => this.#onData(stream, piece),
    );
    socket.on('data', (chunk: Buffer) => reader.read(chunk));
    socket.resume();
  }

  static async dial(options: DialOptions): Promise<RawConnection> {
    return new RawConnection(await dialTls(options));
  }

  /** False when it was not sent: the connection is gone, or the other side does not take it fast enough. */
  send(...frames: readonly Uint8Array[]): boolean {
    if (!this.isOpen || this.socket.writableLength > maxUnsentBytes) return false;
    this.socket.write(frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames));
    return true;
  }

  frame(header: YamuxHeader, body?: Uint8Array): boolean {
    return body === undefined ? this.send(yamuxHeader(header)) : this.send(yamuxHeader(header), body);
  }

  /** The next number of a stream of ours. */
  nextStream(): number {
    const stream = this.#next;
    this.#next += 2;
    return stream;
  }

  /** Opens a stream and asks for a protocol, without waiting for the answers: what is sent next comes behind. */
  open(protocol: string, ears: StreamEars = {}): number {
    const stream = this.nextStream();
    this.#ears.set(stream, withoutNegotiation(protocol, ears));
    const hello = Buffer.concat([multistream, line(protocol)]);
    const { window, data } = yamuxType;
    this.send(
      yamuxHeader({ type: window, flags: yamuxFlag.syn, stream, length: 0 }),
      yamuxHeader({ type: data, flags: 0, stream, length: hello.length }),
      hello,
    );
    return stream;
  }

  write(stream: number, bytes: Uint8Array): boolean {
    const header = yamuxHeader({ type: yamuxType.data, flags: 0, stream, length: bytes.length });
    return this.send(header, bytes);
  }

  /** Ends our side of a stream. */
  finish(stream: number): void {
    this.frame({ type: yamuxType.window, flags: yamuxFlag.fin, stream, length: 0 });
  }

  reset(stream: number): void {
    this.#ears.delete(stream);
    this.frame({ type: yamuxType.window, flags: yamuxFlag.reset, stream, length: 0 });
  }

  close(): void {
    this.left ||= this.isOpen;
    this.socket.destroy();
  }

  #onFrame({ type, flags, stream, length }: YamuxHeader): void {
    if (type === yamuxType.ping && (flags & yamuxFlag.syn) !== 0) {
      this.frame({ type, flags: yamuxFlag.ack, stream: 0, length });
    } else if ((flags & yamuxFlag.syn) !== 0) {
      // Whatever the node opens is agreed to, and its bytes go nowhere.
      this.#ears.set(stream, agreeToAll(this, stream));
      this.frame({ type: yamuxType.window, flags: yamuxFlag.ack, stream, length: 0 });
      this.stingy?.(stream);
    } else if ((flags & (yamuxFlag.fin | yamuxFlag.reset)) !== 0) {
      const ears = this.#ears.get(stream);
      this.#ears.delete(stream);
      ears?.onEnd?.();
    }
  }

  #onData(stream: number, piece: Buffer): void {
    if (this.deaf) return;
    if (this.stingy === undefined) {
      this.frame({ type: yamuxType.window, flags: 0, stream, length: piece.length });
    }
    this.#ears.get(stream)?.onData?.(piece);
  }
}

/** Leaves out the two lines that agree on the protocol. */
function withoutNegotiation(protocol: string, ears: StreamEars): StreamEars {
  let skip = multistream.length + line(protocol).length;
  return {
    ...ears,
    onData: (piece) => {
      const rest = piece.subarray(skip);
      skip = Math.max(0, skip - piece.length);
      if (rest.length > 0) ears.onData?.(rest);
    },
  };
}

function agreeToAll(connection: RawConnection, stream: number): StreamEars {
  let heard = Buffer.alloc(0);
  let protocol: string | undefined;
  return {
    onData: (piece) => {
      if (protocol !== undefined) return connection.onInbound?.(protocol, piece);
      heard = Buffer.concat([heard, piece]);
      const wanted = heard.subarray(multistream.length);
      const [length = 0] = wanted;
      if (wanted.length === 0 || wanted.length < length + 1) return;
      protocol = wanted.subarray(1, length).toString();
      connection.write(stream, Buffer.concat([multistream, wanted.subarray(0, length + 1)]));
      const rest = wanted.subarray(length + 1);
      if (rest.length > 0) connection.onInbound?.(protocol, rest);
    },
  };
}
