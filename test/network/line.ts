import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * A TCP line between two nodes that a test can hold back, cut, or let go dead without a sign, as a pulled plug does.
 */
export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  #target: number | undefined;
  /** Connections that were opened through the line. */
  opened = 0;
  /** Bytes that came from the side that it leads to. */
  back = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Line> {
    const server = createServer();
    const line = new Line(server);
    server.on('connection', (socket) => line.#onConnection(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Leads to this port from now on; connections that waited go on. */
  leadTo(port: number): void {
    this.#target = port;
    for (const go of this.#held.splice(0)) go();
  }

  /** From now on no byte passes on existing connections, and nobody is told. New ones work. */
  goDead(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #onConnection(near: Socket): void {
    this.opened++;
    this.#track(near);
    const go = (): void => {
      const far = connect(this.#target ?? 0, '127.0.0.1');
      this.#track(far);
      near.pipe(far);
      far.pipe(near);
      far.on('data', (bytes) => (this.back += bytes.length));
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    };
    if (this.#target === undefined) this.#held.push(go);
    else go();
  }

  #track(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** The TCP port in a multiaddr. */
export function portOf(address: string): number {
  return Number(/\/tcp\/(\d+)/.exec(address)?.[1]);
}
