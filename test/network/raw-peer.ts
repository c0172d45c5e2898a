import { randomBytes } from 'node:crypto';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { gossipsub } from '@libp2p/gossipsub';
import { multiaddr } from '@multiformats/multiaddr';
import { Problem } from '../../src/base/problem.ts';
import { closeQuietly } from '../../src/network/framed-stream.ts';
import { shakeHands } from '../../src/network/handshake.ts';
import type { GuardedYamux } from '../../src/network/guarded-yamux.ts';
import { createHost, createMuxers } from '../../src/network/libp2p-host.ts';
import { helloProtocol, protocolNames } from '../../src/network/protocol-names.ts';
import { defaultTuning } from '../../src/network/tuning.ts';
import { nodeSeed, testTuning } from './libp2p-world.ts';

/** A libp2p node that speaks the protocols by hand, and so can break every rule. */
export class RawPeer {
  readonly host: Libp2p;
  readonly #muxers: GuardedYamux;
  readonly names = protocolNames('test');
  connection: Connection | undefined;

  private constructor(host: Libp2p, muxers: GuardedYamux) {
    this.host = host;
    this.#muxers = muxers;
  }

  static async start(index: number, options: { onDirect?: (stream: Stream) => void } = {}): Promise<RawPeer> {
    const muxers = createMuxers(
      () => performance.now(),
      () => true,
    );
    const host = await createHost({
      seed: nodeSeed(index),
      listen: [],
      gossip: gossipsub({ fallbackToFloodsub: false }),
      gater: {},
      muxers,
      tuning: { ...defaultTuning, ...testTuning },
    });
    const peer = new RawPeer(host, muxers);
    await host.start();
    await host.handle(peer.names.direct, (stream) => options.onDirect?.(stream));
    return peer;
  }

  get id(): string {
    return this.host.peerId.toString();
  }

  /** Opens a connection and nothing more. */
  async connect(address: string): Promise<Connection> {
    this.connection = await this.host.dial(multiaddr(address), { force: true });
    this.#muxers.budgetOf(this.connection).standing = 'member';
    return this.connection;
  }

  /** Says hello as an honest node does. The problem says why it was refused. */
  async greet(hello = 'hello'): Promise<Problem | undefined> {
    const stream = await this.open(helloProtocol);
    const answer = await shakeHands({
      stream,
      greeting: { session: randomBytes(16), links: 0, hello: new TextEncoder().encode(hello) },
      judge: () => undefined,
    });
    closeQuietly(stream, 1_000);
    return answer instanceof Problem ? answer : undefined;
  }

  async open(protocol: string): Promise<Stream> {
    if (this.connection === undefined) throw new Error('connect first');
    return await this.connection.newStream(protocol);
  }

  async stop(): Promise<void> {
    await this.host.stop();
  }
}
