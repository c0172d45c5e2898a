import { randomBytes } from 'node:crypto';
import { decode, encode } from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { generateKeyPair } from '../../src/crypto/keys.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { decodeTransaction } from '../../src/ledger/transaction.ts';
import { announcementCodec, transactionFrameCodec } from '../../src/node/peers/wire.ts';
import type { Attack } from './attack.ts';
import { forgedCertificate, frameOf, payment, withFalseSignature } from './forge.ts';
import { controlRpc, field, number, publishRpc, rpc as rpcOf, subscribeRpc } from './gossip-rpc.ts';
import type { Scene } from './scene.ts';
import type { Stranger } from './stranger.ts';

const KiB = 1024;
/** Strangers at one node who send at the same time. */
const crowd = 7;
/** Forged transactions in a frame: about 60 kB. */
const perFrame = 300;

const bob = developmentKeyPair('bob');

/** On gossip, by strangers whose hello was accepted. */
export const gossipAttacks = {
  'frames-used-nonce': {
    does: 'a true transaction and a forged one whose nonce was just used, 40 frames a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          const used = justUsed(stranger);
          const { genesis } = scene.ground;
          const pending = payment(genesis, bob, 900);
          stranger.gossip('transactions', frameOf(0, [pending.bytes]));
          await scene.pace(40, (index) => {
            const forged = used().map((bytes) => withFalseSignature({ bytes }));
            if (forged.length === 0) return stranger.connection.isOpen;
            const frame = frameOf(node * 1e6 + index, [pending.bytes, ...forged.slice(0, 2)]);
            return scene.sent(stranger.gossip('transactions', frame), frame.length);
          });
        }),
      ),
  },
  'frames-forged': {
    does: 'frames of 300 wrong signatures, 10 a second from each of 28 identities, new ones when cut',
    run: (scene) =>
      scene.everywhere((node) =>
        inCrowd(async (member) => {
          let salt = (node * crowd + member) * 1e6;
          await scene.again(async () => {
            const stranger = await scene.meet(node);
            if (stranger === undefined) return;
            await scene.pace(10, () => {
              const frame = forgedFrame(scene, (salt += 1));
              return scene.sent(stranger.gossip('transactions', frame), frame.length, perFrame);
            });
            stranger.connection.close();
          });
        }),
      ),
  },
  'frames-repeated': {
    does: 'one true transaction 300 times in a frame, 20 frames a second with another salt each',
    run: (scene) =>
      flood(scene, 20, (index, node) => {
        const { bytes } = payment(scene.ground.genesis, bob, 901);
        return frameOf(
          node * 1e6 + index,
          Array.from({ length: perFrame }, () => bytes),
        );
      }),
  },
  'frames-empty': {
    does: 'frames without transactions, 500 a second with another salt each',
    run: (scene) => flood(scene, 500, (index, node) => frameOf(node * 1e6 + index, [])),
  },
  'frames-poor': {
    does: 'true transactions of accounts that do not exist, 1,000 a second',
    run: async (scene) => {
      const made = poorTransactions(scene);
      await flood(scene, 10, (index, node) => frameOf(node * 1e6 + index, made(100)));
    },
  },
  'gossip-garbage': {
    does: 'random bytes on all topics, 200 messages a second, new identities when cut',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          const topics = ['transactions', 'blocks', 'consensus', 'evidence'] as const;
          await scene.pace(200, (index) =>
            scene.sent(stranger.gossip(topics[index % 4] ?? 'blocks', randomBytes(200)), 200),
          );
        }),
      ),
  },
  'gossip-echo': {
    does: 'brings what each node gossips to all others at once, and so much else that it is not looked at',
    run: async (scene) => {
      const { genesis } = scene.ground;
      const much = Array.from({ length: perFrame }, (_, at) => payment(genesis, bob, 2_000 + at).bytes);
      const present = new Map<number, Stranger>();
      await scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          present.set(node, stranger);
          stranger.listen((topic, data) => {
            for (const [other, to] of present) {
              if (other !== node) scene.sent(to.gossip(topic, data), data.length);
            }
          });
          await scene.pace(8, (index) => {
            const frame = frameOf(node * 1e6 + index, much);
            return scene.sent(stranger.gossip('transactions', frame), frame.length);
          });
        }),
      );
    },
  },
  'gossip-control': {
    does: 'IHAVE, IWANT, GRAFT, PRUNE and subscriptions, 500 RPCs a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          await scene.pace(500, (index) => {
            const rpc = controlOf(stranger, index);
            return scene.sent(stranger.gossipRpc(rpc), rpc.length);
          });
        }),
      ),
  },
  'gossip-control-full': {
    does: 'as many IHAVE, IWANT, GRAFT, PRUNE and IDONTWANT in an RPC as are read, 500 a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          const rpcs = [fullControl(stranger), fullControl(stranger)];
          await scene.pace(500, (index) => {
            const rpc = rpcs[index % rpcs.length] ?? Buffer.alloc(1);
            return scene.sent(stranger.gossipRpc(rpc), rpc.length);
          });
        }),
      ),
  },
  'gossip-fields': {
    does: 'RPCs of 600 kB of fields that nobody knows, two bytes each, 12 a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          const rpc = rpcOf(Buffer.alloc(600 * KiB, field(15, Buffer.alloc(0))));
          await scene.pace(12, () => scene.sent(stranger.gossipRpc(rpc), rpc.length));
        }),
      ),
  },
  'gossip-many-topics': {
    does: 'RPCs of 300 kB with thousands of unknown topics, 5 a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          await scene.pace(5, (index) => {
            const names = Array.from({ length: 10_000 }, (_, at) => `/no/such/topic/${index}/${at}`);
            const rpc = subscribeRpc(names);
            return scene.sent(stranger.gossipRpc(rpc), rpc.length);
          });
        }),
      ),
  },
  'gossip-huge': {
    does: 'a message of 16 MB, a megabyte a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          const [topic = ''] = stranger.topics();
          const whole = publishRpc(topic, [randomBytes(64 * KiB)]);
          // The length says 16 MB, and the bytes come one piece after the other.
          stranger.gossipRpc(Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x08]), whole]));
          const piece = randomBytes(64 * KiB);
          await scene.pace(16, () => scene.sent(stranger.gossipRpc(piece), piece.length));
        }),
      ),
  },
  'old-certificates': {
    does: 'the true certificates of the first blocks, 500 a second',
    run: async (scene) => {
      const certificates = await certificatesOf(scene);
      await flood(
        scene,
        500,
        (index) => certificates[index % certificates.length] ?? new Uint8Array(1),
        'blocks',
      );
    },
  },
  'forged-certificates': {
    does: 'certificates of old and coming blocks with wrong signatures, 500 a second, new identities when cut',
    run: (scene) =>
      flood(
        scene,
        500,
        (index) => {
          const certificate = forgedCertificate(4, { phase: 'commit', view: 0, height: 1 + (index % 2_000) });
          return encode(announcementCodec, { certificate: { engine: 'pbft', ...certificate } });
        },
        'blocks',
      ),
  },
} as const satisfies Record<string, Attack>;

async function inCrowd(act: (member: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: crowd }, (_, member) => act(member)));
}

/** One stranger a node, always the same kind of message. */
function flood(
  scene: Scene,
  perSecond: number,
  make: (index: number, node: number) => Uint8Array,
  topic: 'transactions' | 'blocks' = 'transactions',
): Promise<void> {
  return scene.everywhere(async (node) => {
    let next = 0;
    await scene.asStranger(node, async (stranger) => {
      await scene.pace(perSecond, () => {
        const bytes = make((next += 1), node);
        return scene.sent(stranger.gossip(topic, bytes), bytes.length);
      });
    });
  });
}

/** The nonces that were used a moment ago: transactions that the node gossiped up to half a second before. */
function justUsed(stranger: Stranger): () => Uint8Array[] {
  let heard: { at: number; bytes: Uint8Array }[] = [];
  stranger.listen((topic, data) => {
    const frame = topic === 'transactions' ? decode(transactionFrameCodec, data, 'frame') : undefined;
    if (frame === undefined || frame instanceof Problem) return;
    const [bytes] = frame.transactions;
    if (bytes !== undefined && !(decodeTransaction(bytes) instanceof Problem)) {
      heard.push({ at: performance.now(), bytes });
    }
  });
  return () => {
    const now = performance.now();
    heard = heard.filter(({ at }) => now - at < 500);
    return heard.filter(({ at }) => now - at > 100).map(({ bytes }) => bytes);
  };
}

function forgedFrame(scene: Scene, salt: number): Uint8Array {
  const template = payment(scene.ground.genesis, bob, 3_000);
  return frameOf(
    salt,
    Array.from({ length: perFrame }, () => withFalseSignature(template)),
  );
}

/** Of keys that have nothing. */
function poorTransactions(scene: Scene): (count: number) => Uint8Array[] {
  const { genesis } = scene.ground;
  const keys = Array.from({ length: 50 }, () => generateKeyPair());
  let made = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      made += 1;
      return payment(genesis, keys[made % keys.length] ?? bob, Math.floor(made / keys.length)).bytes;
    });
}

function controlOf(stranger: Stranger, index: number): Buffer {
  const topics = stranger.topics();
  const topic = Buffer.from(topics[index % topics.length] ?? '');
  const ids = Array.from({ length: 60 }, () => randomBytes(20));
  switch (index % 5) {
    case 0:
      return controlRpc([field(1, Buffer.concat([field(1, topic), ...ids.map((id) => field(2, id))]))]);
    case 1:
      return controlRpc([field(2, Buffer.concat(ids.slice(0, 15).map((id) => field(1, id))))]);
    case 2:
      return controlRpc([field(3, field(1, topic))]);
    case 3:
      return controlRpc([field(4, Buffer.concat([field(1, topic), number(3, 0xffff_ffff)]))]);
    default:
      return subscribeRpc([topics[index % topics.length] ?? ''], index % 2 === 0);
  }
}

function fullControl(stranger: Stranger): Buffer {
  const topics = stranger.topics().map((topic) => Buffer.from(topic));
  const topicAt = (index: number): Buffer => topics[index % topics.length] ?? Buffer.alloc(0);
  const times = <T>(make: (index: number) => T): T[] => Array.from({ length: 16 }, (_, index) => make(index));
  return controlRpc([
    ...times((index) => field(1, field(1, topicAt(index)))),
    ...times(() => field(2, Buffer.alloc(0))),
    ...times((index) => field(3, field(1, topicAt(index)))),
    ...times((index) => field(4, Buffer.concat([field(1, topicAt(index)), number(3, 1)]))),
    ...times(() => field(5, Buffer.alloc(0))),
  ]);
}

/** Of the first blocks, as anybody can read them. */
async function certificatesOf(scene: Scene): Promise<Uint8Array[]> {
  const client = new HttpClient({ baseUrl: `http://127.0.0.1:${scene.ground.nodes[0]?.api}` });
  const heights = Array.from({ length: 40 }, (_, index) => toHeight(index + 1));
  const blocks = await Promise.all(heights.map((height) => client.block(height, { deadlineMs: 0 })));
  return blocks.flatMap((block) =>
    !(block instanceof Problem) && block.certificate?.engine === 'pbft'
      ? [encode(announcementCodec, { certificate: block.certificate })]
      : [],
  );
}
