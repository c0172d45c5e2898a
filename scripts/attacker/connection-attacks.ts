import { randomBytes } from 'node:crypto';
import { joinFrames } from '../../src/network/frames.ts';
import { helloProtocol } from '../../src/network/protocol-names.ts';
import type { Attack } from './attack.ts';
import { callers, many, silent, staying, tcp } from './crowds.ts';
import { chainedIdentity, newIdentity } from './identity.ts';
import { line, type RawConnection } from './raw-connection.ts';
import type { Scene } from './scene.ts';
import { greetingFrames, helloOf } from './stranger.ts';

const KiB = 1024;

/** On what lies below the hello, but for the muxer: TCP, the choice of protocols, TLS, and places. */
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
  'tcp-churn': {
    does: 'callers that hang up at once, 500 a second and node',
    run: (scene) =>
      scene.everywhere(async (node) => {
        let underWay = 0;
        await scene.pace(500, () => {
          if (underWay >= 500) return true;
          underWay += 1;
          void tcp(scene, node).then((socket) => {
            underWay -= 1;
            scene.sent(socket !== undefined);
            socket?.resetAndDestroy();
          });
          return true;
        });
      }),
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
  'tls-chains': {
    does: 'callers with 22 certificates of the longest keys, 96 kB each, 10 a second and node',
    run: (scene) =>
      callers(
        scene,
        10,
        () => scene.address(),
        (socket) => void setTimeout(() => socket.destroy(), 500),
        chainedIdentity(22),
      ),
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
