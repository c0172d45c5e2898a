import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { generateCertificate } from '@libp2p/tls/utils';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { joinFrames } from '../../src/network/frames.ts';
import { helloProtocol } from '../../src/network/protocol-names.ts';

/** Kinds and flags of yamux frames, as its specification numbers them. */
export const yamux = {
  data: 0,
  windowUpdate: 1,
  ping: 2,
  goAway: 3,
  syn: 1,
  ack: 2,
  fin: 4,
  rst: 8,
  headerBytes: 12,
} as const;

export interface FrameHeader {
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly length?: number;
}

/** One yamux header, whatever it says. */
export function yamuxHeader({ type, flags = 0, stream = 0, length = 0 }: FrameHeader): Uint8Array {
  const header = Buffer.alloc(yamux.headerBytes);
  header[1] = type;
  header.writeUInt16BE(flags, 2);
  header.writeUInt32BE(stream, 4);
  header.writeUInt32BE(length, 8);
  return header;
}

export interface BareIdentity {
  readonly id: string;
  readonly cert: string;
  readonly key: string;
}

/** A key and its certificate: many connections may share one, as making it is the slow part. */
export async function bareIdentity(seed: Uint8Array): Promise<BareIdentity> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed);
  return {
    id: peerIdFromPrivateKey(privateKey).toString(),
    ...(await generateCertificate(privateKey)),
  };
}

export interface BareDial {
  readonly port: number;
  readonly host?: string;
  /** The address to call from: every address of 127.0.0.0/8 is this machine's, so attackers can have their own. */
  readonly from?: string;
}

/** The plain TCP part of a call, and nothing else: what a silent caller does. */
export async function bareSocket({ port, host = '127.0.0.1', from }: BareDial): Promise<Socket> {
  const socket = connect({ port, host, ...(from === undefined ? {} : { localAddress: from }) });
  socket.on('error', () => socket.destroy());
  socket.setNoDelay(true);
  await new Promise((resolve) => void ['connect', 'close'].map((event) => socket.once(event, resolve)));
  return socket;
}

/**
 * A caller without libp2p: TCP, TLS and yamux frames by hand. It costs little, so that a test can have hundreds of them, and it can
 * send whatever it likes. The other side's frames are read and kept in order, for each stream.
 */
export class BarePeer {
  readonly socket: TLSSocket;
  readonly identity: BareIdentity;
  /** Settles when the connection is over, by whoever's doing. */
  readonly closed: Promise<void>;
  isOpen = true;
  /** Frames of the other side so far, by type. */
  readonly frames = [0, 0, 0, 0];
  readonly #streams = new Map<number, BareStream>();
  #received: Uint8Array = new Uint8Array(0);
  #nextStream = 1;

  private constructor(socket: TLSSocket, identity: BareIdentity) {
    this.socket = socket;
    this.identity = identity;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isOpen = false;
        for (const stream of this.#streams.values()) stream.end();
        resolve();
      });
    });
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Uint8Array) => this.#read(bytes));
  }

  /** Up to the muxer: TCP, the choice of TLS, and its handshake. Throws when it is turned away. */
  static async connect(
    dial: BareDial,
    identity: BareIdentity,
    muxers: readonly string[] = ['/yamux/1.0.0', 'libp2p'],
    more: ConnectionOptions = {},
  ): Promise<BarePeer> {
    const plain = await bareSocket(dial);
    plain.write(concat(line('/multistream/1.0.0'), line('/tls/1.0.0')));
    await readBytes(plain, line('/multistream/1.0.0').length + line('/tls/1.0.0').length);
    const secure = connectTls({
      socket: plain,
      cert: identity.cert,
      key: identity.key,
      ALPNProtocols: [...muxers],
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      ...more,
    });
    const peer = new BarePeer(secure, identity);
    await Promise.race([once(secure, 'secureConnect'), peer.closed]);
    if (!peer.isOpen) throw new Error('turned away');
    return peer;
  }

  /** Bytes below the muxer. False when the socket holds them back, or is gone. */
  write(bytes: Uint8Array): boolean {
    return this.socket.writable && this.socket.write(bytes);
  }

  /** The socket takes more, or is gone. */
  async drained(): Promise<void> {
    if (this.socket.writableNeedDrain) {
      await Promise.race([new Promise((resolve) => this.socket.once('drain', resolve)), this.closed]);
    }
  }

  frame(header: FrameHeader, payload?: Uint8Array): boolean {
    const length = header.length ?? payload?.length ?? 0;
    const encoded = yamuxHeader({ ...header, length });
    return this.write(payload === undefined ? encoded : concat(encoded, payload));
  }

  /** A stream with its first frame sent; no protocol is asked for. */
  openStream(): BareStream {
    const stream = new BareStream(this, this.#nextStream);
    this.#nextStream += 2;
    this.#streams.set(stream.id, stream);
    this.frame({ type: yamux.windowUpdate, flags: yamux.syn, stream: stream.id });
    return stream;
  }

  /** A stream of a protocol. It does not wait for the other side to agree. */
  speak(protocol: string): BareStream {
    const stream = this.openStream();
    stream.send(concat(line('/multistream/1.0.0'), line(protocol)));
    stream.skip(line('/multistream/1.0.0').length + line(protocol).length);
    return stream;
  }

  /** Says hello as an honest node does. The other side's verdict: a 0, or a 1 and the code of its problem; undefined when it hung up. */
  async greet(hello: Uint8Array = utf8('hello')): Promise<string | undefined> {
    const session = Buffer.alloc(16, this.identity.id);
    const stream = this.speak(helloProtocol);
    stream.send(joinFrames([concat(session, Uint8Array.of(0), hello)]));
    if ((await stream.nextFrame()) === undefined) return undefined;
    stream.send(joinFrames([Uint8Array.of(0)]));
    const verdict = await stream.nextFrame();
    if (verdict === undefined) return undefined;
    return verdict[0] === 0 ? 'accepted' : new TextDecoder().decode(verdict.subarray(1));
  }

  destroy(): void {
    this.socket.destroy();
  }

  #read(bytes: Uint8Array): void {
    this.#received = this.#received.length === 0 ? bytes : concat(this.#received, bytes);
    for (;;) {
      const view = Buffer.from(this.#received.buffer, this.#received.byteOffset, this.#received.byteLength);
      if (view.length < yamux.headerBytes) return;
      const type = view[1] as number;
      const size = yamux.headerBytes + (type === yamux.data ? view.readUInt32BE(8) : 0);
      if (view.length < size) return;
      this.frames[type] = (this.frames[type] ?? 0) + 1;
      const flags = view.readUInt16BE(2);
      const id = view.readUInt32BE(4);
      const stream = this.#streams.get(id);
      const payload = this.#received.subarray(yamux.headerBytes, size);
      this.#received = this.#received.subarray(size);
      // Its pings are answered: it takes a peer that does not for dead.
      if (type === yamux.ping && flags === yamux.syn)
        this.frame({ type: yamux.ping, flags: yamux.ack, length: view.readUInt32BE(8) });
      if (payload.length > 0) {
        this.frame({ type: yamux.windowUpdate, stream: id, length: payload.length });
        stream?.push(payload);
      }
      if ((flags & (yamux.fin | yamux.rst)) !== 0) stream?.end();
    }
  }
}

/** One yamux stream of a bare peer. */
export class BareStream {
  readonly id: number;
  readonly #peer: BarePeer;
  #buffer: Uint8Array = new Uint8Array(0);
  #skip = 0;
  #ended = false;
  #wake: () => void = () => {};

  constructor(peer: BarePeer, id: number) {
    this.#peer = peer;
    this.id = id;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  send(payload: Uint8Array): boolean {
    return this.#peer.frame({ type: yamux.data, stream: this.id }, payload);
  }

  reset(): boolean {
    return this.#peer.frame({ type: yamux.windowUpdate, flags: yamux.rst, stream: this.id });
  }

  /** So many bytes that are to come are not looked at. */
  skip(bytes: number): void {
    this.#skip += bytes;
  }

  /** The next frame of ours (four bytes of length before it), or undefined when the stream is over. */
  async nextFrame(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { length } = this.#buffer;
      const size = length < 4 ? 0 : 4 + Buffer.from(this.#buffer.subarray(0, 4)).readUInt32BE(0);
      if (size > 0 && length >= size) {
        const frame = this.#buffer.subarray(4, size);
        this.#buffer = this.#buffer.subarray(size);
        return frame;
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Called by the peer with what came. */
  push(payload: Uint8Array): void {
    const skipped = Math.min(this.#skip, payload.length);
    this.#skip -= skipped;
    this.#buffer = concat(this.#buffer, payload.subarray(skipped));
    this.#wake();
  }

  /** Called by the peer when nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }
}

/** A message of multistream-select. */
export function line(text: string): Uint8Array {
  return concat(Uint8Array.of(text.length + 1), utf8(`${text}\n`));
}

/** Reads so many bytes and no more, so that what follows is left for TLS. */
async function readBytes(socket: Socket, count: number): Promise<void> {
  let missing = count;
  while (missing > 0) {
    // Less than what is there: asked for more, a socket gives nothing, and says at once that it has something.
    const bytes = socket.read(Math.min(missing, socket.readableLength)) as Buffer | null;
    if (bytes !== null) missing -= bytes.length;
    else if (socket.destroyed || socket.readableEnded) throw new Error('turned away');
    else
      await new Promise(
        (resolve) => void ['readable', 'close', 'end'].map((event) => socket.once(event, resolve)),
      );
  }
}
