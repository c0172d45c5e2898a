import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { encodeBatch } from '../../src/client/batch.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { Attack } from './attack.ts';
import { many } from './crowds.ts';
import { keysNamed, payment, withFalseSignature } from './forge.ts';
import type { Scene } from './scene.ts';

const maxUnsentBytes = 1024 * 1024;
const bob = developmentKeyPair('bob');

/** On the HTTP API, by clients. */
export const httpAttacks = {
  'http-pipelined-headers': {
    does: '1,000 requests for 100 headers in one write, 4 connections a node that go on',
    run: (scene) => pipelined(scene, '/v1/headers?limit=100', { reads: true }),
  },
  'http-pipelined-and-gone': {
    does: '1,000 requests for 100 headers in one write, and closed at once, 2 a second and node',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.pace(2, () => {
          void open(scene, node).then(async (socket) => {
            if (socket === undefined) return;
            const requests = repeat(get('/v1/headers?limit=100'), 1_000);
            socket.write(requests, () => socket.resetAndDestroy());
            scene.sent(true, requests.length, 1_000);
          });
          return true;
        }),
      ),
  },
  'http-pipelined-blocks': {
    does: '1,000 requests for whole blocks in one write, answers never read, 4 connections a node',
    run: (scene) => pipelined(scene, '/v1/blocks/latest?full=true', { reads: false }),
  },
  'http-pipelined-metrics': {
    does: '1,000 requests for the metrics and the description in one write, 4 connections a node',
    run: async (scene) => {
      await Promise.all([
        pipelined(scene, '/metrics', { reads: true, connections: 2 }),
        pipelined(scene, '/v1/openapi.json', { reads: true, connections: 2 }),
      ]);
    },
  },
  'http-many-clients': {
    does: '50 clients a node that ask for 100 headers, again as soon as they are answered',
    run: (scene) =>
      scene.everywhere(async (node) => {
        await Promise.all(
          Array.from({ length: 50 }, () =>
            scene.again(async () => {
              const socket = await open(scene, node);
              if (socket === undefined) return;
              const request = get('/v1/headers?limit=100');
              socket.on('data', (piece: Buffer) => {
                // An answer's last piece ends with its closing brace.
                if (piece.at(-1) === 0x7d) scene.sent(write(socket, request), request.length);
              });
              socket.resume();
              socket.write(request);
              await untilClosed(scene, socket);
            }),
          ),
        );
      }),
  },
  'events-from-1': {
    does: '8 readers a node of all events from the first block on, again as soon as they are there',
    run: (scene) => readers(scene, 8, { reads: true }),
  },
  'events-deaf': {
    does: '64 readers a node of all events that never read',
    run: (scene) => readers(scene, 64, { reads: false }),
  },
  'events-head': {
    does: 'HEAD on the event stream, 50 a second and node',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.pace(50, () => {
          void open(scene, node).then((socket) => {
            if (socket === undefined) return;
            scene.sent(socket.write('HEAD /v1/events?from=1 HTTP/1.1\r\nHost: a\r\n\r\n'), 45);
            scene.signal.addEventListener('abort', () => socket.destroy(), { once: true });
          });
          return true;
        }),
      ),
  },
  'http-idle': {
    does: '520 connections a node that say nothing, again when cut',
    run: (scene) => holding(scene, 520, () => ''),
  },
  'http-slow-heads': {
    does: '520 connections a node with half a head, again when cut',
    run: (scene) => holding(scene, 520, () => 'GET /v1/status HTTP/1.1\r\nHost: a\r\nX-Slow: '),
  },
  'http-slow-bodies': {
    does: '200 connections a node with 1 MB of a body of 2 MB each, again when cut',
    run: (scene) => {
      const body = Buffer.alloc(1_000_000, 'a');
      const head =
        'POST /v1/transactions HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nContent-Length: 2000000\r\n\r\n';
      return holding(scene, 200, () => Buffer.concat([Buffer.from(head), body]));
    },
  },
  'http-chunks': {
    does: 'bodies in chunks of one byte, 8 connections a node, as fast as they are read',
    run: (scene) => {
      const head = Buffer.from(
        'POST /v1/transactions HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      const chunks = Buffer.from('1\r\na\r\n'.repeat(20_000));
      return scene.everywhere(async (node) => {
        await Promise.all(
          Array.from({ length: 8 }, () =>
            scene.again(async () => {
              const socket = await open(scene, node);
              if (socket === undefined) return;
              socket.resume();
              socket.write(head);
              await scene.pace(
                20,
                () => scene.sent(write(socket, chunks), chunks.length) || !socket.destroyed,
              );
              socket.destroy();
            }),
          ),
        );
      });
    },
  },
  'http-churn': {
    does: '500 connections a second and node that ask once and hang up',
    run: (scene) =>
      scene.everywhere(async (node) => {
        let underWay = 0;
        await scene.pace(500, () => {
          if (underWay >= 300) return true;
          underWay += 1;
          void open(scene, node).then((socket) => {
            underWay -= 1;
            if (socket === undefined) return;
            scene.sent(
              socket.write(get('/v1/health'), () => socket.resetAndDestroy()),
              45,
            );
          });
          return true;
        });
      }),
  },
  'http-heads': {
    does: '16 connections a node of requests with 1,500 header fields each, as fast as they are answered',
    run: (scene) => {
      const fields = Array.from({ length: 1_500 }, (_, index) => `a${index}: b\r\n`).join('');
      const text = Buffer.from(`GET /v1/status HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
      return scene.everywhere(async (node) => {
        await Promise.all(
          Array.from({ length: 16 }, () =>
            scene.again(async () => {
              const socket = await open(scene, node);
              if (socket === undefined) return;
              socket.resume();
              await scene.pace(50, () => scene.sent(write(socket, text), text.length) || !socket.destroyed);
              socket.destroy();
            }),
          ),
        );
      });
    },
  },
  'http-waits': {
    does: '1,000 submissions a node that wait until they are final, of what never will be',
    run: (scene) =>
      scene.everywhere(async (node) => {
        const { genesis } = scene.ground;
        await Promise.all(
          Array.from({ length: 250 }, async (_, index) => {
            await scene.pause(index * 10);
            await scene.again(async () => {
              const socket = await open(scene, node);
              if (socket === undefined) return;
              socket.resume();
              for (let at = 0; at < 4; at++) {
                const body = encodeBatch([payment(genesis, bob, 1_000 + node * 250 + index)]);
                socket.write(post('/v1/transactions?wait=final&timeoutMs=60000', body));
                scene.sent(true, body.length);
              }
              await untilClosed(scene, socket);
            });
          }),
        );
      }),
  },
  'http-forged-batches': {
    does: '20 batches a second and node of 500 transactions with wrong signatures',
    run: (scene) =>
      scene.everywhere(async (node) => {
        const template = payment(scene.ground.genesis, bob, 5);
        const body = encodeBatch(
          Array.from({ length: 500 }, () => ({ ...template, bytes: withFalseSignature(template) })),
        );
        const socket = { current: undefined as Socket | undefined };
        await scene.again(async () => {
          const opened = await open(scene, node);
          if (opened === undefined) return;
          socket.current = opened;
          opened.resume();
          await scene.pace(20, (index) => {
            // Another signature in each, so that no answer is known.
            body.set(randomBytes(8), 40 + (index % 100) * 100);
            return (
              scene.sent(write(opened, post('/v1/transactions', body)), body.length, 500) || !opened.destroyed
            );
          });
          opened.destroy();
        });
      }),
  },
  'http-many-keys': {
    does: '2 batches a second and node of 62 unsigned transactions that name 992 keys each',
    run: (scene) => {
      // Made one by one as the attack goes on; in three are more keys than a node remembers to be points.
      const bodies: Uint8Array[] = [];
      const { genesis } = scene.ground;
      const make = (): Uint8Array =>
        encodeBatch(Array.from({ length: 62 }, (_, at) => keysNamed(genesis, bob, 100 * bodies.length + at)));
      return scene.everywhere((node) =>
        scene.again(async () => {
          const socket = await open(scene, node);
          if (socket === undefined) return;
          socket.resume();
          await scene.pace(2, (index) => {
            const body = (bodies[index % 3] ??= make());
            return (
              scene.sent(write(socket, post('/v1/transactions', body)), body.length, 62) || !socket.destroyed
            );
          });
          socket.destroy();
        }),
      );
    },
  },
  'http-connects': {
    does: 'CONNECT, and the line reset or 2 MB/s behind it, 8 connections a node, again when cut',
    run: (scene) => {
      const request = Buffer.from('CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n');
      const piece = Buffer.alloc(64 * 1024);
      return scene.everywhere(async (node) => {
        await many(8, (index) =>
          scene.again(async () => {
            const socket = await open(scene, node);
            if (socket === undefined) return;
            socket.resume();
            scene.sent(socket.write(request), request.length);
            if (index % 2 === 0) {
              await scene.pause(20);
              return void socket.resetAndDestroy();
            }
            await scene.pace(32, () => scene.sent(write(socket, piece), piece.length) || !socket.destroyed);
            socket.destroy();
          }),
        );
      });
    },
  },
  'http-bad-requests': {
    does: 'broken requests, deep JSON and unknown paths, 500 a second and node',
    run: (scene) => {
      const deep = Buffer.from('['.repeat(50_000));
      const texts = [
        get('/no/such/path'),
        post('/v1/transactions', deep, 'application/json'),
        get(`/v1/records/${'%41'.repeat(300)}`),
        Buffer.from('NONSENSE\r\n\r\n'),
      ];
      return scene.everywhere((node) =>
        scene.again(async () => {
          const socket = await open(scene, node);
          if (socket === undefined) return;
          socket.resume();
          await scene.pace(500, (index) => {
            const text = texts[index % texts.length] ?? deep;
            return scene.sent(write(socket, text), text.length);
          });
          socket.destroy();
        }),
      );
    },
  },
} as const satisfies Record<string, Attack>;

function get(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
}

function post(path: string, body: Uint8Array, type = 'application/octet-stream'): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function repeat(request: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => request));
}

/** False when the connection is gone, or too much waits on it. */
function write(socket: Socket, bytes: Uint8Array): boolean {
  if (socket.destroyed || socket.writableLength > maxUnsentBytes) return false;
  socket.write(bytes);
  return true;
}

function open(scene: Scene, node: number): Promise<Socket | undefined> {
  const port = scene.ground.nodes[node]?.api ?? 0;
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: scene.address() });
    const onAbort = (): void => void socket.destroy();
    scene.signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', () => {});
    socket.once('connect', () => {
      scene.deeds.opened += 1;
      resolve(socket);
    });
    socket.on('data', (piece: Buffer) => void (scene.deeds.answered += piece.length));
    socket.pause();
    socket.once('close', () => {
      scene.signal.removeEventListener('abort', onAbort);
      if (!scene.over) scene.deeds.ended += 1;
      resolve(undefined);
    });
  });
}

async function untilClosed(scene: Scene, socket: Socket): Promise<void> {
  while (!socket.destroyed && !scene.over) await scene.pause(100);
  socket.destroy();
}

/** Writes a thousand requests, and the next thousand when there is room. */
function pipelined(
  scene: Scene,
  path: string,
  { reads, connections = 4 }: { readonly reads: boolean; readonly connections?: number },
): Promise<void> {
  const requests = repeat(get(path), 1_000);
  return scene.everywhere(async (node) => {
    await Promise.all(
      Array.from({ length: connections }, () =>
        scene.again(async () => {
          const socket = await open(scene, node);
          if (socket === undefined) return;
          if (reads) socket.resume();
          await scene.pace(
            2,
            () => scene.sent(write(socket, requests), requests.length, 1_000) || !socket.destroyed,
          );
          socket.destroy();
        }),
      ),
    );
  });
}

function readers(scene: Scene, count: number, { reads }: { readonly reads: boolean }): Promise<void> {
  return scene.everywhere(async (node) => {
    await Promise.all(
      Array.from({ length: count }, () =>
        scene.again(async () => {
          const socket = await open(scene, node);
          if (socket === undefined) return;
          socket.write(get('/v1/events?from=1'));
          scene.sent(true, 50);
          if (!reads) return await untilClosed(scene, socket);
          socket.resume();
          // Long enough to be sent all that there is.
          await scene.pause(2_000);
          socket.destroy();
        }),
      ),
    );
  });
}

function holding(scene: Scene, count: number, text: () => string | Buffer): Promise<void> {
  return scene.everywhere(async (node) => {
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        await scene.pause(index * 4);
        await scene.again(async () => {
          const socket = await open(scene, node);
          if (socket === undefined) return;
          socket.resume();
          const begun = text();
          if (begun.length > 0) socket.write(begun);
          scene.sent(true, begun.length);
          await untilClosed(scene, socket);
        });
      }),
    );
  });
}
