import { randomBytes } from 'node:crypto';
import { encode } from '../../src/base/codec.ts';
import { Problem } from '../../src/base/problem.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import type { Signature } from '../../src/crypto/signature.ts';
import { limits } from '../../src/base/limits.ts';
import {
  blocksRequestCodec,
  blockRequestCodec,
  snapshotRequestCodec,
  transactionsRequestCodec,
} from '../../src/node/peers/wire.ts';
import type { Attack } from './attack.ts';
import { forgedMessage, forgedNewView, oldMessage, someHash, withFalseSeal } from './forge.ts';
import type { Scene } from './scene.ts';
import type { Stranger } from './stranger.ts';

const KiB = 1024;
const validators = 4;
const unsigned = '00'.repeat(64) as Signature;

/** With consensus messages and requests, by strangers whose hello was accepted. */
export const messageAttacks = {
  'forged-new-views': {
    does: 'NewViews in which every signature is wrong, 200 a second, directly and by gossip',
    run: (scene) => direct(scene, 200, (index) => forgedNewView(validators, 5 + (index % 1_000)), true),
  },
  'forged-messages': {
    does: 'votes, suspects, statuses and view changes with wrong signatures, 500 a second',
    run: (scene) => direct(scene, 500, (index) => forgedMessage(validators, index), true),
  },
  'replayed-status': {
    does: 'the Status that each validator signed at the start, 200 a second',
    run: (scene) => {
      const old = Array.from({ length: validators }, (_, from) =>
        oldMessage(scene.ground.genesis, {
          epoch: toHeight(0),
          kind: 'status',
          from,
          view: toView(0),
          changing: false,
          finalHeight: toHeight(0),
          finalCertificate: undefined,
          signature: unsigned,
        }),
      );
      return direct(scene, 200, (index) => old[index % validators] ?? new Uint8Array(1));
    },
  },
  'replayed-suspects': {
    does: 'a Suspect of this view that each validator signed at an earlier height, 200 a second',
    run: (scene) => {
      const old = Array.from({ length: validators }, (_, from) =>
        oldMessage(scene.ground.genesis, {
          epoch: toHeight(0),
          kind: 'suspect',
          from,
          view: toView(0),
          reason: 'no-progress',
          height: toHeight(1),
          sequence: 1,
          signature: unsigned,
        }),
      );
      // One of them at most can be true: more would be a reason to leave the view.
      return direct(scene, 200, () => old[1] ?? new Uint8Array(1));
    },
  },
  'muted-flood': {
    does: 'messages of a megabyte that mean nothing, 8 MB/s to one node',
    run: async (scene) => {
      const junk = randomBytes(1_000 * KiB);
      await scene.asStranger(0, async (stranger) => {
        await scene.pace(8, () => scene.sent(stranger.tell(junk), junk.length) || stranger.connection.isOpen);
      });
    },
  },
  'empty-messages': {
    does: 'messages of no bytes, 5,000 a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          const hundred = Buffer.alloc(4 * 100);
          await scene.pace(50, () => scene.sent(stranger.tellRaw(hundred), hundred.length, 100));
        }),
      ),
  },
  'candidate-requests': {
    does: 'for the newest block and all its transactions, four at once, from 3 strangers a node',
    run: async (scene) => {
      const client = new HttpClient({ baseUrl: `http://127.0.0.1:${scene.ground.nodes[0]?.api}` });
      const latest = await client.block('latest');
      if (latest instanceof Problem) return;
      const places = latest.transactionHashes.map((_, place) => place);
      const { hash } = latest;
      let index = 0;
      await asking(scene, 3, (stranger, done) => {
        index += 1;
        return index % 2 === 0
          ? stranger.ask('candidate', encode(blockRequestCodec, hash), done)
          : stranger.ask('transactions', encode(transactionsRequestCodec, { blockHash: hash, places }), done);
      });
    },
  },
  'block-requests': {
    does: 'for all blocks, four at once and again as soon as they are answered, from 3 strangers a node',
    run: (scene) =>
      asking(scene, 3, (stranger, done) =>
        stranger.ask('blocks', encode(blocksRequestCodec, { from: toHeight(1), count: 128 }), done),
      ),
  },
  'other-requests': {
    does: 'for candidates, transactions and snapshots that are not there, four at once, from 3 strangers a node',
    run: (scene) => {
      let index = 0;
      return asking(scene, 3, (stranger, done) => {
        index += 1;
        const blockHash = someHash();
        switch (index % 3) {
          case 0:
            return stranger.ask('candidate', encode(blockRequestCodec, blockHash), done);
          case 1:
            return stranger.ask('snapshot', encode(snapshotRequestCodec, { kind: 'head', blockHash }), done);
          default: {
            const places = Array.from({ length: limits.maxBlockTransactions }, (_, place) => place);
            return stranger.ask(
              'transactions',
              encode(transactionsRequestCodec, { blockHash, places }),
              done,
            );
          }
        }
      });
    },
  },
  'deaf-requests': {
    does: 'for all blocks, and never reads the answers, from 20 strangers a node',
    run: (scene) =>
      scene.everywhere(async (node) => {
        await Promise.all(
          Array.from({ length: 20 }, () =>
            scene.asStranger(node, async (stranger) => {
              stranger.connection.deaf = true;
              stranger.connection.socket.pause();
              await scene.pace(2, () => {
                stranger.ask('blocks', encode(blocksRequestCodec, { from: toHeight(1), count: 128 }));
                return scene.sent(stranger.connection.isOpen, 50);
              });
            }),
          ),
        );
      }),
  },
  'open-requests': {
    does: 'request streams that ask for nothing, 100 a second',
    run: (scene) =>
      scene.everywhere((node) =>
        scene.asStranger(node, async (stranger) => {
          await scene.pace(100, () => scene.sent(stranger.openRequest('blocks'), 100));
        }),
      ),
  },
} as const satisfies Record<string, Attack>;

/** On the stream of consensus messages of one stranger a node, and by gossip as well. */
function direct(
  scene: Scene,
  perSecond: number,
  make: (index: number) => Uint8Array,
  alsoGossip = false,
): Promise<void> {
  return scene.everywhere(async (node) => {
    let next = node;
    await scene.asStranger(node, async (stranger) => {
      await scene.pace(perSecond, () => {
        const bytes = make((next += validators + 1));
        const wasSent =
          alsoGossip && next % 2 === 0
            ? stranger.gossip('consensus', withFalseSeal(bytes))
            : stranger.tell(bytes);
        return scene.sent(wasSent, bytes.length) || stranger.connection.isOpen;
      });
    });
  });
}

/** Four requests at once of each stranger, the next as soon as one is answered. */
function asking(
  scene: Scene,
  strangers: number,
  ask: (stranger: Stranger, ears: { onData: (piece: Buffer) => void; onEnd: () => void }) => number,
): Promise<void> {
  return scene.everywhere(async (node) => {
    await Promise.all(
      Array.from({ length: strangers }, () =>
        scene.asStranger(node, async (stranger) => {
          let underWay = 0;
          // A request that is refused at once is not repeated faster than this.
          await scene.pace(400, () => {
            if (underWay >= limits.requestsPerPeer) return stranger.connection.isOpen;
            underWay += 1;
            ask(stranger, {
              onData: (piece) => void (scene.deeds.answered += piece.length),
              onEnd: () => void (underWay -= 1),
            });
            return scene.sent(stranger.connection.isOpen, 50);
          });
        }),
      ),
    );
  });
}
