import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat, toHex } from '../../src/base/bytes.ts';
import { decode, encode } from '../../src/base/codec.ts';
import { unwrap } from '../../src/base/problem.ts';
import { headerCodec, toHeight } from '../../src/ledger/block.ts';
import { blocksRequestCodec, blocksResponseCodec } from '../../src/node/peers/wire.ts';
import { ServingChecker } from '../../src/simulator/checkers/serving-checker.ts';
import { genesisHeader } from '../consensus/raft/world.ts';

/** What the checker says of a node with these headers, and no bodies, on its disk that answers "nothing". */
function judge(headers: readonly number[]): unknown {
  const disk = new Map(
    headers.map((height) => [
      toHex(Uint8Array.of(2, 0, 0, 0, 0, 0, height)),
      concat(new Uint8Array(4), encode(headerCodec, { ...genesisHeader(3), height: toHeight(height) })),
    ]),
  );
  let found: unknown;
  const checker = new ServingChecker({
    node: 2,
    onDisk: (key) => disk.get(toHex(key)),
    after: () => undefined,
    keepBlocks: 5,
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
  const nothing = { blocks: [], headers: [], certificate: undefined, snapshot: undefined };
  const answer = encode(blocksResponseCodec, nothing);
  assert.deepEqual(unwrap(decode(blocksResponseCodec, answer, 'answer')), nothing);
  const request = encode(blocksRequestCodec, { from: toHeight(21), count: 1 });
  checker.watch((_, __, ___, respond) => respond(answer))('peer', 'blocks', request, () => undefined);
  return found;
}

test('a block that is final by its own way must be given, and one that a snapshot came for has no body to give', () => {
  assert.match(String(judge([20, 21])), /node 2 has block 21, is asked for it, and does not give it/);
  assert.equal(judge([21]), undefined);
});
