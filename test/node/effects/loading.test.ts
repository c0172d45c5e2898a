import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Input } from '../../../src/consensus/engine.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { encodeBlock } from '../../../src/ledger/block-body.ts';
import { Loading } from '../../../src/node/effects/loading.ts';
import { raftGenesis } from '../cluster.ts';
import { ChainMaker } from '../chain-maker.ts';

test('blocks are read one in each turn, and given together: heartbeats go out between them', () => {
  const maker = new ChainMaker(raftGenesis(3));
  const first = maker.block(maker.start);
  const second = maker.block(first);
  const stored = [first, second];
  const turns: (() => void)[] = [];
  const given: Extract<Input<never>, { type: 'loaded' }>[] = [];
  let reads = 0;
  const loading = new Loading({
    chain: { get: () => undefined },
    store: {
      hashAt: (height) => stored[height - 1]?.hash,
      certificateAt: () => undefined,
      blockBytes: (hash) => {
        reads += 1;
        const found = stored.find((one) => one.hash === hash);
        return found === undefined ? undefined : encodeBlock(found.block);
      },
    },
    clock: {
      after(_, call) {
        turns.push(call);
        return () => undefined;
      },
    },
    enqueue: (input) => given.push(input),
  });
  loading.load({
    type: 'load',
    blocks: [1, 2, 3].map((height) => ({ height: toHeight(height), blockHash: null })),
  });
  const readsByTurn: number[] = [];
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    assert.equal(given.length, 0);
    turn();
    readsByTurn.push(reads);
  }
  assert.deepEqual(readsByTurn, [1, 2, 2]);
  assert.deepEqual(
    given[0]?.blocks.map(({ block }) => block?.blockHash),
    [first.hash, second.hash, undefined],
  );
  assert.deepEqual(given[0]?.blocks[1]?.block?.proposal.header, second.header);
});
