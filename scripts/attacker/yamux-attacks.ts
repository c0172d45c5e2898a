import { randomBytes } from 'node:crypto';
import { encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { helloProtocol } from '../../src/network/protocol-names.ts';
import { blocksRequestCodec } from '../../src/node/peers/wire.ts';
import type { Attack } from './attack.ts';
import { callers, many, staying } from './crowds.ts';
import { line, type RawConnection } from './raw-connection.ts';
import type { Scene } from './scene.ts';
import type { Stranger } from './stranger.ts';
import { yamuxFlag, yamuxHeader, yamuxType } from './yamux-frame.ts';

const KiB = 1024;

/** With frames of the muxer, before the hello and after it. */
export const yamuxAttacks = {
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
  'yamux-tiny-windows': {
    does: 'asks for blocks and all gossip, and opens windows by a few bytes, 1,500 times a second',
    run: (scene) =>
      scene.everywhere((node) => scene.asStranger(node, (stranger) => tinyWindows(scene, stranger))),
  },
  'yamux-wide-windows': {
    does: 'windows of 4 GiB for blocks and all gossip, by 20 strangers a node who take nothing off the line',
    run: (scene) =>
      scene.everywhere(async (node) => {
        await many(20, () => scene.asStranger(node, (stranger) => wideWindows(scene, stranger)));
      }),
  },
  'yamux-go-away-greeted': {
    does: 'strangers that say goodbye below their streams and stay, 250 a node',
    run: (scene) => staying(scene, 250, ({ connection }) => connection.send(header('goAway', 0, 0, 0))),
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
} as const satisfies Record<string, Attack>;

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

async function tinyWindows(scene: Scene, stranger: Stranger): Promise<void> {
  const { connection } = stranger;
  const inbound: number[] = [];
  connection.stingy = (stream) => inbound.push(stream);
  stranger.listen(() => {});
  const ask = (): number =>
    stranger.ask('blocks', encode(blocksRequestCodec, { from: toHeight(1), count: limits.syncBlocks }));
  let asked = ask();
  await scene.pace(1_500, (index) => {
    if (index % 3_000 === 2_999) asked = ask();
    const stream = index % 2 === 0 ? asked : (inbound[index % inbound.length] ?? asked);
    return scene.sent(connection.send(header('window', 0, stream, 13)), 12);
  });
}

async function wideWindows(scene: Scene, stranger: Stranger): Promise<void> {
  const { connection } = stranger;
  connection.stingy = (stream) => void connection.send(header('window', 0, stream, 0xffff_ffff));
  stranger.listen(() => {});
  await scene.pause(500);
  connection.socket.pause();
  await scene.pace(4, () => {
    stranger.tellRaw(Buffer.alloc(4));
    const stream = stranger.ask(
      'blocks',
      encode(blocksRequestCodec, { from: toHeight(1), count: limits.syncBlocks }),
    );
    return scene.sent(connection.send(header('window', 0, stream, 0xffff_ffff)), 100);
  });
}

async function pour(scene: Scene, connection: RawConnection, bytesPerSecond: number): Promise<void> {
  const piece = Buffer.alloc(32 * KiB);
  await scene.pace(
    bytesPerSecond / piece.length,
    () => scene.sent(connection.send(piece), piece.length) || connection.isOpen,
  );
}
