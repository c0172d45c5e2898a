import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { hashHeader, headerCodec, toHeight } from '../../src/ledger/block.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import { keys, rangeOf } from '../../src/storage/keys.ts';
import { type MemoryEntries, MemoryStore } from '../../src/storage/memory-store.ts';
import type { Store } from '../../src/storage/port.ts';
import { chainId, commit, commitOf, persist, type SampleBlock, sampleBlocks } from './chain-samples.ts';

type Range = Parameters<Store['compact']>[0];

/** A store that keeps what it was told of removals. */
class ToldStore extends MemoryStore {
  #told: string[] = [];

  override readonly compact: Store['compact'] = async (range, livingBytes) => {
    this.#told.push(told(range, livingBytes));
  };

  take(): string[] {
    return this.#told.splice(0);
  }
}

const told = ({ from, to }: Range, livingBytes: number): string =>
  `${toHex(from)} to ${toHex(to)}, ${livingBytes} live`;

const blocks = sampleBlocks(3);

/** Another block, at a height that no test gets to block by block. */
function blockAt(height: number): SampleBlock {
  const header = { ...(blocks[2] as SampleBlock).header, height: toHeight(height) };
  return { ...(blocks[2] as SampleBlock), header, hash: hashHeader(header) };
}

function install(chain: ChainStore, { header, hash }: SampleBlock): Promise<void> {
  const request = {
    height: header.height,
    hash,
    headerBytes: encode(headerCodec, header),
    certificate: utf8('a certificate'),
    stateChanges: [],
    forgetCandidates: [],
  };
  return new Promise((resolve, reject) => {
    chain.install(request, (problem) => (problem === undefined ? resolve() : reject(problem)));
  });
}

describe('the store is told where much was removed', () => {
  test('of the consensus log and the candidates, at each start and now and then', async () => {
    const entries: MemoryEntries = new Map();
    const store = new ToldStore(setImmediate, entries);
    const chain = await ChainStore.open(store, { chainId });
    const expected = (living: number): string[] => [
      told(rangeOf('log'), living),
      told(rangeOf('candidate'), 0),
    ];
    assert.deepEqual(store.take(), expected(0));
    await commit(chain, commitOf(blocks[0] as SampleBlock));
    store.take();
    await persist(chain, { records: [{ key: 'position', value: utf8('here') }] });
    await install(chain, blockAt(limits.compactBlocks - 2));
    await commit(chain, commitOf(blockAt(limits.compactBlocks - 1), { stateChanges: [] }));
    assert.deepEqual(store.take(), []);
    const next = blockAt(limits.compactBlocks);
    const records = [{ key: 'prepare', value: utf8('a vote') }];
    await persist(chain, { records });
    await commit(chain, commitOf(next, { stateChanges: [], forgetRecords: ['prepare'] }));
    assert.deepEqual(store.take(), expected(12), 'what lives, once the block is final');
    await commit(chain, commitOf(blockAt(limits.compactBlocks + 1), { stateChanges: [] }));
    assert.deepEqual(store.take(), []);
    await chain.close();
  });

  test('of the blocks that a snapshot replaced, up to the first that is left', async () => {
    const entries: MemoryEntries = new Map();
    const chain = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
    for (const block of blocks) await commit(chain, commitOf(block));
    const snapshot = blockAt(100);
    await install(chain, snapshot);
    await chain.close();
    const header = (height: number): Uint8Array => keys.header(toHeight(height));
    const toldAtStart = async (): Promise<string | undefined> => {
      const store = new ToldStore(setImmediate, entries);
      await ChainStore.open(store, { chainId, checkedHeights: 1 });
      return store.take()[0];
    };
    assert.equal(await toldAtStart(), told({ from: header(1), to: header(1) }, 0));
    const again = await ChainStore.open(new MemoryStore(setImmediate, entries), { chainId });
    await commit(again, commitOf(blockAt(101), { stateChanges: [] }));
    await again.close();
    assert.equal(await toldAtStart(), told({ from: header(1), to: header(100) }, 0), 'all are gone');
  });
});
