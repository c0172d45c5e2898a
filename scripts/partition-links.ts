import { connect, createServer, type Server, type Socket } from 'node:net';

const host = '127.0.0.1';

/**
 * How a cut link behaves. `silent`: nothing gets through and nobody is told, as when a cable is pulled or a router
 * drops packets. `reset`: connections end at once and new ones are refused, as when a firewall rejects.
 */
export type CutKind = 'silent' | 'reset';

/** A TCP connection through a door: the side that dialled, and the way on, once there is one. */
interface Passage {
  readonly near: Socket;
  far: Socket | undefined;
}

interface DoorState {
  readonly from: number;
  readonly to: number;
  readonly port: number;
  readonly server: Server;
  readonly passages: Set<Passage>;
}

/**
 * TCP links between processes that can be cut and healed without the rights of an administrator: each node dials the others through doors
 * of this process. The nodes are as shipped and know nothing of it.
 */
export class Links {
  readonly #doors: DoorState[] = [];
  #isCut: (from: number, to: number) => boolean = () => false;
  #kind: CutKind = 'silent';

  /** A door from one node to another's port; returns the port to dial instead. */
  async open(from: number, to: number, port: number): Promise<number> {
    const passages = new Set<Passage>();
    const server = createServer({ pauseOnConnect: true }, (near) => this.#enter(door, near));
    const door: DoorState = { from, to, port, server, passages };
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: 0, host }, resolve);
    });
    this.#doors.push(door);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Cuts the links of which this is true, in both directions each. */
  cut(isCut: (from: number, to: number) => boolean, kind: CutKind): void {
    this.#isCut = isCut;
    this.#kind = kind;
    for (const door of this.#doors) {
      if (!isCut(door.from, door.to)) continue;
      for (const { near, far } of door.passages) {
        for (const socket of [near, far]) {
          if (kind === 'reset') socket?.destroy();
          else socket?.pause();
        }
      }
    }
  }

  /** All links work again. What waited in silent ones goes on its way, late. */
  heal(): void {
    this.#isCut = () => false;
    for (const door of this.#doors) {
      for (const passage of door.passages) {
        if (passage.far === undefined) this.#goOn(door, passage);
        else for (const socket of [passage.near, passage.far]) socket.resume();
      }
    }
  }

  close(): void {
    for (const { server, passages } of this.#doors) {
      server.close();
      for (const { near, far } of passages) {
        near.destroy();
        far?.destroy();
      }
    }
  }

  #enter(door: DoorState, near: Socket): void {
    const passage: Passage = { near, far: undefined };
    near.on('error', () => near.destroy());
    if (!this.#isCut(door.from, door.to)) {
      door.passages.add(passage);
      this.#goOn(door, passage);
    } else if (this.#kind === 'reset') near.destroy();
    else {
      door.passages.add(passage);
      near.once('close', () => door.passages.delete(passage));
    }
  }

  #goOn(door: DoorState, passage: Passage): void {
    const { near } = passage;
    const far = connect({ port: door.port, host, noDelay: true });
    passage.far = far;
    near.setNoDelay(true);
    const stands = (): boolean => !this.#isCut(door.from, door.to) || this.#kind === 'reset';
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => one.destroy());
      one.once('close', () => {
        other.destroy();
        door.passages.delete(passage);
      });
      one.on('data', (bytes) => {
        if (other.write(bytes)) return;
        one.pause();
        other.once('drain', () => {
          if (stands()) one.resume();
        });
      });
    }
    near.resume();
  }
}
