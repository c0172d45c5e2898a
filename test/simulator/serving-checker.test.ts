import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, toHex } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { unwrap } from '../../src/base/problem.ts';
import { headerCodec, toHeight } from '../../src/ledger/block.ts';
import { encodeBlock } from '../../src/ledger/block-body.ts';
import { blocksRequestCodec, type BlocksResponse, blocksResponseCodec } from '../../src/node/peers/wire.ts';
import { ServingChecker } from '../../src/simulator/checkers/serving-checker.ts';
import { extentCodec } from '../../src/storage/chain-records.ts';
import { keys } from '../../src/storage/keys.ts';
import { genesisHeader } from '../consensus/raft/world.ts';
import { ChainMaker } from '../node/chain-maker.ts';
import { testGenesis } from '../node/cluster.ts';

/** What the checker says of an answer of a node that has this on its disk. */
function verdict(
  disk: ReadonlyMap<string, Uint8Array>,
  asked: Parameters<typeof blocksRequestCodec.write>[1],
  answer: BlocksResponse,
  keepBlocks: number | null,
): unknown {
  let found: unknown;
  const checker = new ServingChecker({
    node: 2,
    onDisk: (key) => disk.get(toHex(key)),
    after: () => undefined,
    keepBlocks,
    finalHeight: () => 21,
    snapshot: () => undefined,
    check: (look) => {
      try {
        look();
      } catch (breach) {
        found = breach;
      }
    },
  });
  const bytes = encode(blocksResponseCodec, answer);
  assert.deepEqual(unwrap(decode(blocksResponseCodec, bytes, 'answer')), answer);
  const request = encode(blocksRequestCodec, asked);
  checker.watch((_, __, ___, respond) => respond(bytes))('peer', 'blocks', request, () => undefined);
  return found;
}

const stored = (value: Uint8Array): Uint8Array => concat(new Uint8Array(4), value);

const nothing = { blocks: [], headers: [], certificate: undefined, snapshot: undefined };

/** The same of a node with these headers, and no bodies, that answers "nothing"; a snapshot came for a block. */
function judge(headers: readonly number[], installed?: number): unknown {
  const disk = new Map(
    headers.map((height) => [
      toHex(keys.header(toHeight(height))),
      stored(encode(headerCodec, { ...genesisHeader(3), height: toHeight(height) })),
    ]),
  );
  if (installed !== undefined) {
    const extent = { firstHeader: toHeight(installed), firstBlock: toHeight(installed + 1) };
    disk.set(toHex(keys.pruned), stored(encode(extentCodec, extent)));
  }
  return verdict(disk, { from: toHeight(21), count: 1 }, nothing, 5);
}

test('a block that is final by its own way must be given, and one that a snapshot came for has no body to give', () => {
  assert.match(String(judge([20, 21])), /node 2 has block 21, is asked for it, and does not give it/);
  assert.match(String(judge([21])), /node 2 has block 21/);
  assert.match(String(judge([19, 20, 21], 20)), /node 2 has block 21/);
  assert.equal(judge([21], 21), undefined);
  assert.equal(judge([20, 21], 21), undefined, 'what it had before is not deleted yet');
});

test('all that was asked for must be given, or all up to the last certificate in it', () => {
  const genesis = testGenesis(4);
  const maker = new ChainMaker(genesis);
  const run = maker.run(6);
  const judged = (given: number, proven: readonly number[]): unknown => {
    const disk = new Map([
      [toHex(keys.header(toHeight(0))), stored(encode(headerCodec, maker.start.header))],
    ]);
    for (const { block, hash, header } of run) {
      disk.set(toHex(keys.header(header.height)), stored(encode(headerCodec, header)));
      disk.set(toHex(keys.block(hash)), stored(encodeBlock(block)));
    }
    for (const height of proven)
      disk.set(toHex(keys.certificate(toHeight(height))), stored(new Uint8Array(1)));
    const blocks = run.slice(0, given).map(({ block }) => encodeBlock(block));
    return verdict(disk, { from: toHeight(1), count: 5 }, { ...nothing, blocks }, null);
  };
  const tooFew = /is asked for 5 blocks from 1 on, and gives [23], though it has more/;
  assert.equal(judged(5, [6]), undefined);
  assert.equal(judged(3, [3, 6]), undefined);
  assert.match(String(judged(2, [3, 6])), tooFew);
  assert.match(String(judged(3, [3, 5])), tooFew);
  assert.match(String(judged(3, [6])), tooFew);
});
