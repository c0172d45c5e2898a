import { randomBytes } from 'node:crypto';
import { joinFrames } from '../../src/network/frames.ts';
import { helloProtocol, protocolNames, type ProtocolNames } from '../../src/network/protocol-names.ts';
import type { RequestProtocol, Topic } from '../../src/network/port.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import type { Hash } from '../../src/crypto/hash.ts';
import { PeerRegistry } from '../../src/node/peers/peer-registry.ts';
import { silentLog } from '../../src/node/process/log.ts';
import { GossipReader, publishRpc, subscribeRpc } from './gossip-rpc.ts';
import type { Identity } from './identity.ts';
import { type DialOptions, RawConnection } from './raw-connection.ts';

const gossipProtocol = '/meshsub/1.2.0';
const topicNames: readonly Topic[] = ['transactions', 'blocks', 'consensus', 'evidence'];
const helloTimeoutMs = 8_000;

/** Somebody whose hello was accepted: it speaks gossip, direct messages and requests as nodes do, and says what it likes. */
export class Stranger {
  readonly connection: RawConnection;
  readonly #names: ProtocolNames;
  #gossip: number | undefined;
  #direct: number | undefined;

  private constructor(connection: RawConnection, names: ProtocolNames) {
    this.connection = connection;
    this.#names = names;
  }

  /** Rejects when the node does not accept it. */
  static async meet(options: DialOptions & { readonly chainId: Hash }): Promise<Stranger> {
    const connection = await RawConnection.dial(options);
    try {
      await sayHello(connection, helloOf(options.identity, options.chainId));
    } catch (error) {
      connection.close();
      throw error;
    }
    return new Stranger(connection, protocolNames(options.chainId));
  }

  /** One gossip message. False when it was not sent. */
  gossip(topic: Topic, ...messages: readonly Uint8Array[]): boolean {
    return this.gossipRpc(publishRpc(this.#names.topic(topic), messages));
  }

  /** Any bytes as an RPC of gossipsub, behind their length. */
  gossipRpc(rpc: Uint8Array): boolean {
    if (this.#gossip === undefined) {
      this.#gossip = this.connection.open(gossipProtocol);
      this.connection.write(this.#gossip, subscribeRpc(this.topics()));
    }
    return this.connection.write(this.#gossip, rpc);
  }

  /** Hears what the node gossips, from its next message on. */
  listen(onMessage: (topic: Topic, data: Buffer) => void): void {
    const names = new Map(topicNames.map((topic) => [this.#names.topic(topic), topic]));
    const reader = new GossipReader((name, data) => {
      const topic = names.get(name);
      if (topic !== undefined) onMessage(topic, data);
    });
    this.connection.onInbound = (protocol, piece) => {
      if (protocol.startsWith('/meshsub/')) reader.read(piece);
    };
    this.#gossip ??= this.connection.open(gossipProtocol);
    this.connection.write(this.#gossip, subscribeRpc(this.topics()));
  }

  topics(): string[] {
    return topicNames.map((topic) => this.#names.topic(topic));
  }

  /** A consensus message on the stream that validators use among themselves. */
  tell(bytes: Uint8Array): boolean {
    return this.tellRaw(joinFrames([bytes]));
  }

  /** Any bytes there. */
  tellRaw(bytes: Uint8Array): boolean {
    this.#direct ??= this.connection.open(this.#names.direct);
    return this.connection.write(this.#direct, bytes);
  }

  /** Asks for something; `onData` hears the answer's bytes as they come. */
  ask(
    protocol: RequestProtocol,
    bytes: Uint8Array,
    ears: { onData?: (piece: Buffer) => void; onEnd?: () => void } = {},
  ): number {
    const stream = this.connection.open(this.#names.request(protocol), ears);
    this.connection.write(stream, joinFrames([bytes]));
    this.connection.finish(stream);
    return stream;
  }

  /** Opens a stream for a request, and asks for nothing. */
  openRequest(protocol: RequestProtocol): boolean {
    this.connection.open(this.#names.request(protocol));
    return this.connection.isOpen;
  }
}

export function helloOf({ keyPair, peerId }: Identity, chainId: Hash): Uint8Array {
  const registry = new PeerRegistry({
    chainId,
    engine: 'pbft',
    protocolVersions: { oldest: 1, newest: 1 },
    keys: [],
    identity: { publicKey: keyPair.publicKey, sign: nativeSigner(keyPair.secretKey) },
    checkSignature: () => false,
    log: silentLog,
  });
  return registry.hello(peerId);
}

/** A session, no links, and the hello; then the verdict that it welcomes the node. */
export function greetingFrames(hello: Uint8Array): Uint8Array {
  return joinFrames([Buffer.concat([randomBytes(16), Buffer.from([0]), hello]), Uint8Array.of(0)]);
}

export function sayHello(connection: RawConnection, hello: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard = Buffer.alloc(0);
    const end = (error?: Error): void => {
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    };
    const timer = setTimeout(() => end(new Error('no verdict on the hello in time')), helloTimeoutMs);
    void connection.closed.then(() => end(new Error('closed before the verdict on the hello')));
    const stream = connection.open(helloProtocol, {
      onData: (piece) => {
        heard = Buffer.concat([heard, piece]);
        const frames = framesIn(heard);
        const [, verdict] = frames;
        if (verdict === undefined) return;
        end(verdict[0] === 0 ? undefined : new Error(`refused: ${verdict.subarray(1).toString()}`));
      },
    });
    connection.write(stream, greetingFrames(hello));
  });
}

function framesIn(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    if (at + 4 + length > bytes.length) break;
    frames.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return frames;
}
