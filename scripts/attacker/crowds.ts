import type { Socket } from 'node:net';
import { newIdentity } from './identity.ts';
import { dialTcp, dialTls } from './raw-connection.ts';
import type { Scene } from './scene.ts';
import type { Stranger } from './stranger.ts';

export async function many(count: number, act: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => act(index)));
}

/** This many at each node, with others in the place of those that are cut. */
export async function staying(scene: Scene, count: number, act: (stranger: Stranger) => void): Promise<void> {
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
export async function callers(
  scene: Scene,
  perSecond: number,
  address: () => string,
  act: (socket: Socket) => void = () => {},
  identity = newIdentity(),
): Promise<void> {
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

export async function tcp(scene: Scene, node: number): Promise<Socket | undefined> {
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

export async function silent(scene: Scene, count: number, act: (socket: Socket) => void): Promise<void> {
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
