import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { joinFrames } from '../../src/network/frames.ts';
import { helloProtocol } from '../../src/network/protocol-names.ts';
import type { Attack } from './attack.ts';
import { newIdentity } from './identity.ts';
import { dialTcp, dialTls, line, type RawConnection } from './raw-connection.ts';
import type { Scene } from './scene.ts';
import { greetingFrames, helloOf, type Stranger } from './stranger.ts';
import { yamuxFlag, yamuxHeader, yamuxType } from './yamux-frame.ts';

const KiB = 1024;

/** On what lies below the hello: TCP, TLS and yamux. */
export const connectionAttacks = {
  'negotiation-tcp': {
    does: '20,000 lines a second that name unknown protocols, before TLS',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.again(async () => {
          const socket = await tcp(scene, node);
          if (socket === undefined) return;
          socket.write(line('/multistream/1.0.0'));
          await scene.pace(100, () => {
            const wasSent = socket.writableLength < KiB * KiB && !socket.destroyed;
            if (wasSent) socket.write(unknownLines);
            return scene.sent(wasSent, unknownLines.length, 200);
          });
          socket.destroy();
        }),
      ),
  },
  'negotiation-stream': {
    does: '20,000 such lines a second on a stream before the hello, again when cut',
    isCut: true,
    run: (scene) =>
      scene.everywhere((node) => scene.asCaller(node, (connection) => negotiate(scene, connection))),
  },
  'negotiation-stranger': {
    does: '20,000 such lines a second on a stream after the hello',
    run: (scene) =>
      scene.everywhere((node) => scene.asStranger(node, ({ connection }) => negotiate(scene, connection))),
  },
  'yamux-huge': {
    does: 'a frame of 0xffffffff bytes before the hello, and 4 MB/s of it',
    isCut: true,
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asCaller(node, (connection) => {
          connection.frame({ type: yamuxType.data, flags: yamuxFlag.syn, stream: 1, length: 0xffff_ffff });
          return pour(scene, connection, 4 * KiB * KiB);
        }),
      ),
  },
  'yamux-huge-greeted': {
    does: 'the same after the hello, 24 MB/s to one node',
    isCut: true,
    run: (scene) =>
      scene.asStranger(0, ({ connection }) => {
        connection.frame({ type: yamuxType.data, flags: yamuxFlag.syn, stream: 101, length: 0xffff_ffff });
        return pour(scene, connection, 24 * KiB * KiB);
      }),
  },
  'yamux-window': {
    does: 'data far beyond the window of one stream, 4 MB/s',
    isCut: true,
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asCaller(node, async (connection) => {
          const stream = connection.open(helloProtocol);
          const piece = randomBytes(64 * KiB);
          await scene.pace(64, () => scene.sent(connection.write(stream, piece), piece.length));
        }),
      ),
  },
  'yamux-pings': {
    does: '100,000 pings a second',
    isCut: true,
    run: (scene) => repeated(scene, 100_000, (id) => [header('ping', yamuxFlag.syn, 0, id)]),
  },
  'yamux-empty-data': {
    does: '20,000 frames of no data a second',
    isCut: true,
    run: (scene) =>
      repeated(scene, 20_000, (index) => [header('data', index === 0 ? yamuxFlag.syn : 0, 1, 0)]),
  },
  'yamux-windows': {
    does: '20,000 window updates a second, of a stream that is not there',
    isCut: true,
    run: (scene) => repeated(scene, 20_000, () => [header('window', 0, 77, 1)]),
  },
  'yamux-byte-data': {
    does: '10,000 frames of one byte a second',
    isCut: true,
    run: (scene) =>
      repeated(scene, 10_000, (index) => [
        header('data', index === 0 ? yamuxFlag.syn : 0, 1, 1),
        Buffer.from([0]),
      ]),
  },
  'yamux-nonsense': {
    does: '2,000 frames a second of unknown types, flags and streams, again when cut',
    isCut: true,
    run: (scene) =>
      repeated(scene, 2_000, (index) => [
        yamuxHeader({ type: index % 7, flags: index % 16, stream: index % 9, length: (index * 7) % 3 }),
      ]),
  },
  'yamux-go-aways': {
    does: 'callers that say goodbye at once, 20 a second and node',
    run: (scene) =>
      callers(
        scene,
        20,
        () => scene.address(),
        (socket) => socket.write(header('goAway', 0, 0, 1)),
      ),
  },
  'stream-resets': {
    does: '2,000 streams a second, opened and reset',
    isCut: true,
    run: (scene) =>
      repeated(scene, 2_000, (index) => {
        const stream = 1 + 2 * index;
        const hello = Buffer.concat([line('/multistream/1.0.0'), line('/ipfs/id/1.0.0')]);
        return [
          header('window', yamuxFlag.syn, stream, 0),
          header('data', 0, stream, hello.length),
          hello,
          header('window', yamuxFlag.reset, stream, 0),
        ];
      }),
  },
  'stream-syns': {
    does: '2,000 streams a second, opened and left',
    isCut: true,
    run: (scene) => repeated(scene, 2_000, (index) => [header('window', yamuxFlag.syn, 1 + 2 * index, 0)]),
  },
  'other-protocols': {
    does: '500 streams a second of identify, ping and unknown protocols',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asCaller(node, async (connection) => {
          const protocols = ['/ipfs/id/1.0.0', '/ipfs/ping/1.0.0', '/no/such/thing', '/meshsub/1.1.0'];
          await scene.pace(500, (index) => {
            const stream = connection.open(protocols[index % protocols.length] ?? '');
            connection.finish(stream);
            return scene.sent(connection.isOpen, 100);
          });
        }),
      ),
  },
  'false-hellos': {
    does: 'hellos with a wrong signature, one connection after the other',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.again(async () => {
          const connection = await scene.dial(node);
          if (connection === undefined) return;
          const hello = Buffer.from(helloOf(newIdentity(), scene.ground.genesis.chainId));
          connection.write(connection.open(helloProtocol), greetingFrames(hello));
          scene.sent(true, hello.length);
          await Promise.race([connection.closed, scene.pause(2_000)]);
          connection.close();
        }),
      ),
  },
  'huge-hello': {
    does: 'a hello that never ends, on a stream that is never closed',
    isCut: true,
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asCaller(node, async (connection) => {
          const stream = connection.open(helloProtocol);
          connection.write(stream, joinFrames([randomBytes(4_000)]).subarray(0, 3_000));
          scene.sent(true, 3_000);
          await scene.whileOpen(connection);
        }),
      ),
  },
  connections: {
    does: '40 callers a second and node through TLS, from many addresses',
    run: (scene) => callers(scene, 40, () => scene.address()),
  },
  'connections-one-host': {
    does: '40 callers a second and node through TLS, from one address',
    run: (scene) => callers(scene, 40, () => scene.address(true)),
  },
  'silent-callers': {
    does: '100 a node that connect and say nothing, again when cut',
    run: (scene) => silent(scene, 100, (socket) => void socket),
  },
  'slow-callers': {
    does: '100 a node that say a byte a second, again when cut',
    run: (scene) =>
      silent(scene, 100, (socket) => {
        let at = 0;
        const text = line('/multistream/1.0.0');
        const timer = setInterval(() => socket.write(text.subarray(at, ++at)), 1_000);
        socket.once('close', () => clearInterval(timer));
      }),
  },
  'slow-tls': {
    does: '100 a node that begin TLS and do not end it, again when cut',
    run: (scene) =>
      silent(scene, 100, (socket) => {
        socket.write(Buffer.concat([line('/multistream/1.0.0'), line('/tls/1.0.0')]));
        // The head of a record of 512 bytes, and half of it.
        socket.write(Buffer.concat([Buffer.from('1603010200', 'hex'), randomBytes(256)]));
      }),
  },
  'silent-after-tls': {
    does: '100 a node that finish TLS and say nothing, again when cut',
    run: (scene) =>
      scene.everywhere(async (node) => {
        const identity = newIdentity();
        await many(100, async (index) => {
          await scene.pause(index * 20);
          await scene.again(async () => {
            const connection = await scene.dial(node, identity);
            if (connection !== undefined) await scene.whileOpen(connection);
            connection?.close();
            await scene.pause(1_000);
          });
        });
      }),
  },
  'come-and-go': {
    does: 'strangers that say hello and leave, 10 a second and node',
    run: (scene) =>
      scene.everywhere(async (node) => {
        const identities = Array.from({ length: 20 }, () => newIdentity());
        let underWay = 0;
        await scene.pace(10, (index) => {
          if (underWay >= 20) return true;
          underWay += 1;
          void scene.meet(node, identities[index % identities.length]).then((stranger) => {
            underWay -= 1;
            scene.sent(stranger !== undefined);
            stranger?.connection.close();
          });
          return true;
        });
      }),
  },
  observers: {
    does: '250 a node that say hello and stay, others in the place of those that are cut',
    run: (scene) => staying(scene, 250, () => {}),
  },
  subscribers: {
    does: 'the same, and each wants all gossip',
    run: (scene) => staying(scene, 250, (stranger) => stranger.listen(() => {})),
  },
  'deaf-subscribers': {
    does: 'the same, and none of them reads it',
    run: (scene) =>
      staying(scene, 250, (stranger) => {
        stranger.listen(() => {});
        stranger.connection.deaf = true;
        stranger.connection.socket.pause();
      }),
  },
} as const satisfies Record<string, Attack>;

const unknownLines = Buffer.concat(Array.from({ length: 200 }, () => line('/a')));

async function negotiate(scene: Scene, connection: RawConnection): Promise<void> {
  const stream = connection.open('/a');
  await scene.pace(
    100,
    () => scene.sent(connection.write(stream, unknownLines), unknownLines.length, 200) || connection.isOpen,
  );
}

function header(type: keyof typeof yamuxType, flags: number, stream: number, length: number): Buffer {
  return yamuxHeader({ type: yamuxType[type], flags, stream, length });
}

/** The same kind of frames at a rate, from somebody that never said hello. */
function repeated(
  scene: Scene,
  perSecond: number,
  make: (index: number) => readonly Buffer[],
): Promise<void> {
  return scene.everywhere((node) =>
    scene.asCaller(node, async (connection) => {
      let next = 0;
      let batch: Buffer[] = [];
      const group = Math.max(1, perSecond / 100);
      await scene.pace(perSecond, (index) => {
        batch.push(...make(next));
        next += 1;
        if (index % group !== 0) return true;
        const bytes = batch.reduce((sum, one) => sum + one.length, 0);
        const wasSent = connection.send(...batch);
        batch = [];
        return scene.sent(wasSent, bytes, group) || connection.isOpen;
      });
    }),
  );
}

async function pour(scene: Scene, connection: RawConnection, bytesPerSecond: number): Promise<void> {
  const piece = Buffer.alloc(32 * KiB);
  await scene.pace(
    bytesPerSecond / piece.length,
    () => scene.sent(connection.send(piece), piece.length) || connection.isOpen,
  );
}

/** This many at each node, with others in the place of those that are cut. */
async function staying(scene: Scene, count: number, act: (stranger: Stranger) => void): Promise<void> {
  await scene.everywhere(async (node) => {
    let present = 0;
    // Few dial at a time: it is the places that count.
    await many(4, () =>
      scene.again(async () => {
        if (present >= count) return;
        present += 1;
        const stranger = await scene.meet(node);
        if (stranger === undefined) {
          present -= 1;
          return;
        }
        scene.sent(true);
        act(stranger);
        void stranger.connection.closed.then(() => (present -= 1));
      }, 20),
    );
  });
}

/** Each goes through the secure channel and leaves. */
async function callers(
  scene: Scene,
  perSecond: number,
  address: () => string,
  act: (socket: Socket) => void = () => {},
): Promise<void> {
  const identity = newIdentity();
  await scene.everywhere(async (node) => {
    let underWay = 0;
    await scene.pace(perSecond, () => {
      if (underWay >= perSecond) return true;
      underWay += 1;
      dialTls({ port: scene.port(node), localAddress: address(), identity })
        .then(
          (socket) => {
            scene.deeds.opened += 1;
            scene.sent(true);
            act(socket);
            socket.destroySoon();
          },
          () => void (scene.deeds.refused += 1),
        )
        .finally(() => void (underWay -= 1));
      return true;
    });
  });
}

async function tcp(scene: Scene, node: number): Promise<Socket | undefined> {
  try {
    const socket = await dialTcp({ port: scene.port(node), localAddress: scene.address() });
    scene.deeds.opened += 1;
    socket.resume();
    socket.once('close', () => {
      if (!scene.over) scene.deeds.ended += 1;
    });
    return socket;
  } catch {
    scene.deeds.refused += 1;
    return undefined;
  }
}

async function silent(scene: Scene, count: number, act: (socket: Socket) => void): Promise<void> {
  await scene.everywhere(async (node) => {
    await many(count, async () => {
      await scene.again(async () => {
        const socket = await tcp(scene, node);
        if (socket === undefined) return;
        act(socket);
        while (!socket.destroyed && !scene.over) await scene.pause(100);
        socket.destroy();
      });
    });
  });
}

async function many(count: number, act: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => act(index)));
}
