import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from '../../../src/api/listed.ts';
import { fromUtf8, utf8 } from '../../../src/base/bytes.ts';
import { limits } from '../../../src/base/limits.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { Lists } from '../../../src/node/backend/lists.ts';
import { keyOf, put, remove, transaction, transfer } from '../../ledger/samples.ts';
import { IndexedChain } from '../../storage/indexed-chain.ts';

const h = toHeight;
const account = (name: string) => ({ by: 'account', account: keyOf(name) }) as const;
const page = (changes: Partial<Page> = {}): Page => ({ order: 'newest', limit: 100, ...changes });

class World {
  readonly chain = new IndexedChain();
  #nonces: Record<string, number> = {};

  async open(indexes = true): Promise<this> {
    await this.chain.open(indexes);
    return this;
  }

  get lists(): Lists {
    return new Lists(this.chain.chain, () => this.chain.state);
  }

  nonce(name: string): number {
    const nonce = this.#nonces[name] ?? 0;
    this.#nonces[name] = nonce + 1;
    return nonce;
  }

  /** A block in which alice writes this value of the key; null removes it. */
  async write(key: string, value: string | null): Promise<void> {
    const order = { from: 'alice', nonce: this.nonce('alice') };
    await this.chain.add([value === null ? remove(order, key) : put(order, key, value)]);
  }

  async pay(to: string, count: number): Promise<void> {
    const orders = Array.from({ length: count }, () =>
      transfer({ from: 'alice', nonce: this.nonce('alice'), fee: 0n, reference: utf8('wages') }, to, 1n),
    );
    await this.chain.add(orders);
  }

  async valueAt(key: string, height: number): Promise<string | number> {
    const { version, value } = await this.lists.recordAt(key, h(height));
    return value === undefined ? version : `${version} ${fromUtf8(value)}`;
  }
}

/** All pages, one after the other; each as places. */
async function walk(
  world: World,
  list: Parameters<Lists['transactions']>[0],
  first: Page,
): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | undefined; ;) {
    const { items, next } = await world.lists.transactions(list, { ...first, cursor });
    pages.push(items.map(({ height, index }) => `${height}/${index}`));
    if (next === null) return pages;
    cursor = next;
  }
}

describe('lists', () => {
  test('show a transaction with its receipt, and whose it is', async () => {
    const world = await new World().open();
    await world.pay('bob', 1);
    const { items, height, completeFrom, next } = await world.lists.transactions(account('bob'), page());
    assert.deepEqual([height, completeFrom, next], [1, 1, null]);
    const [item] = items;
    assert.equal(item?.role, 'touched');
    assert.equal(item.receipt.transactionHash, item.transaction.hash);
    assert.equal(item.timestamp, 1_700_000_000_000);
    const sent = await world.lists.transactions(account('alice'), page());
    assert.equal(sent.items[0]?.role, 'sender');
    const byReference = await world.lists.transactions({ by: 'reference', reference: utf8('wages') }, page());
    assert.deepEqual(
      byReference.items.map((one) => [one.transaction.hash, one.role]),
      [[item.transaction.hash, undefined]],
    );
    const nobody = await world.lists.transactions(account('nobody'), page());
    assert.deepEqual([nobody.items, nobody.next], [[], null]);
  });

  test('the largest transactions of one block have a turn of the loop each', async () => {
    const world = await new World().open();
    const operations = Array.from({ length: 7 }, () => ({
      type: 'put' as const,
      key: 'deed',
      value: new Uint8Array(limits.maxRecordValueBytes),
    }));
    const deeds = [0, 1, 2].map((nonce) => transaction({ from: 'alice', nonce, fee: 0n }, ...operations));
    await world.chain.add(deeds);
    let turns = 0;
    const pace = async (): Promise<void> => void (turns += 1);
    const { items } = await world.lists.transactions(account('alice'), page(), pace);
    // One before anything is read, and one for the block.
    assert.deepEqual([items.length, turns], [3, 1 + 1 + 2]);
    turns = 0;
    const versions = await world.lists.history('deed', page(), pace);
    assert.deepEqual([versions.items.length, turns], [21, 1 + 1 + 20]);
  });

  test('pages of any size hold each entry once, both ways, while the chain grows', async () => {
    const world = await new World().open();
    for (const count of [3, 1, 4, 2]) await world.pay('bob', count);
    const places = ['1/0', '1/1', '1/2', '2/0', '3/0', '3/1', '3/2', '3/3', '4/0', '4/1'];
    for (const limit of [1, 2, 3, 9, 10, 11]) {
      const oldest = await walk(world, account('bob'), page({ order: 'oldest', limit }));
      assert.deepEqual(oldest.flat(), places);
      const newest = await walk(world, account('bob'), page({ limit }));
      assert.deepEqual(newest.flat(), places.toReversed());
      assert.equal(newest.length, Math.ceil(places.length / limit), 'no page is empty');
    }
    const first = await world.lists.transactions(account('bob'), page({ limit: 4 }));
    const end = await world.lists.transactions(account('bob'), page({ order: 'oldest', limit: 9 }));
    await world.pay('bob', 1);
    const second = await world.lists.transactions(account('bob'), page({ cursor: first.next ?? undefined }));
    assert.equal(second.items.length, 6);
    const more = await world.lists.transactions(
      account('bob'),
      page({ order: 'oldest', cursor: end.next ?? undefined }),
    );
    assert.deepEqual(
      more.items.map(({ height }) => height),
      [4, 5],
    );
  });

  test('a cursor is of one list, one order and one chain', async () => {
    const world = await new World().open();
    await world.pay('bob', 3);
    const { next } = await world.lists.transactions(account('bob'), page({ limit: 1 }));
    const cursor = next ?? assert.fail('a next page');
    const wrong = { code: 'api/wrong-cursor' };
    const changed = cursor.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    const further = `${'0'.repeat(11)}9${cursor.slice(12)}`;
    for (const [list, asked] of [
      [account('carol'), page({ cursor })],
      [account('bob'), page({ order: 'oldest', cursor })],
      [{ by: 'reference', reference: utf8('wages') }, page({ cursor })],
      [account('bob'), page({ cursor: changed })],
      [account('bob'), page({ cursor: further })],
      [account('bob'), page({ cursor: '0'.repeat(40) })],
    ] as const) {
      await assert.rejects(world.lists.transactions(list, asked), wrong);
    }
    await assert.rejects(world.lists.history('bob', page({ cursor })), wrong);
    const other = await new World().open();
    await other.write('other', 'chain');
    await assert.rejects(other.lists.transactions(account('bob'), page({ cursor })), wrong);
  });

  test('the history of a record says what each version did', async () => {
    const world = await new World().open();
    await world.write('a', '1');
    await world.chain.add([
      transaction(
        { from: 'alice', nonce: world.nonce('alice') },
        { type: 'put', key: 'b', value: utf8('other') },
        { type: 'give', key: 'a', to: keyOf('bob') },
      ),
      transaction({ from: 'bob', nonce: 0 }, { type: 'delete', key: 'a' }),
    ]);
    const { items } = await world.lists.history('a', page());
    assert.deepEqual(
      items.map(({ version, made, by, change, value, to }) => [version, made, by, change, value, to]),
      [
        [3, { height: 2, transaction: 1, operation: 0 }, keyOf('bob'), 'delete', null, null],
        [2, { height: 2, transaction: 0, operation: 1 }, keyOf('alice'), 'give', null, keyOf('bob')],
        [1, { height: 1, transaction: 0, operation: 0 }, keyOf('alice'), 'put', utf8('1'), null],
      ],
    );
    const first = await world.lists.history('a', page({ limit: 1, order: 'oldest' }));
    const rest = await world.lists.history('a', page({ order: 'oldest', cursor: first.next ?? undefined }));
    assert.deepEqual(
      [...first.items, ...rest.items].map(({ version }) => version),
      [1, 2, 3],
    );
  });

  test('what a record was at a height: not yet there, written, given on, deleted, written again', async () => {
    const world = await new World().open();
    await world.write('other', 'x');
    await world.write('a', 'one');
    await world.chain.add([
      transaction(
        { from: 'alice', nonce: world.nonce('alice') },
        { type: 'give', key: 'a', to: keyOf('bob') },
      ),
    ]);
    await world.chain.add([transaction({ from: 'bob', nonce: 0 }, { type: 'delete', key: 'a' })]);
    await world.write('a', 'two');
    const seen = [];
    for (let height = 0; height <= 5; height++) seen.push(await world.valueAt('a', height));
    assert.deepEqual(seen, [0, 0, '1 one', '2 one', 3, '4 two']);
    await assert.rejects(world.valueAt('a', 6), { code: 'api/no-such-block' });
  });

  test('a value that was written far back is looked for so far, and no further', async () => {
    const world = await new World().open();
    await world.write('a', 'one');
    for (let block = 0; block <= limits.historyWalk; block++) {
      await world.chain.add([
        transaction(
          { from: 'alice', nonce: world.nonce('alice'), fee: 0n, expiry: 10_000 },
          { type: 'give', key: 'a', to: keyOf('alice') },
        ),
      ]);
    }
    assert.equal(await world.valueAt('a', 500), '500 one');
    await assert.rejects(world.valueAt('a', limits.historyWalk + 2), { code: 'api/history-too-long' });
  });

  test('after pruning they say from where on they are complete, and claim nothing else', async () => {
    const world = await new World().open();
    for (const value of ['one', 'two']) await world.write('a', value);
    await world.write('still', 'here');
    await world.write('late', 'yes');
    await world.write('a', 'three');
    await world.pay('bob', 2);
    const alices = await world.lists.transactions(account('alice'), page({ order: 'oldest', limit: 1 }));
    const bobs = await world.lists.transactions(account('bob'), page({ limit: 1 }));
    await world.chain.prune(4);
    const { items, completeFrom } = await world.lists.history('a', page());
    assert.deepEqual([items.map(({ version }) => version), completeFrom], [[3], 4]);
    // An older page goes on where that is possible; what would leave something out is refused.
    const older = await world.lists.transactions(account('bob'), page({ cursor: bobs.next ?? undefined }));
    assert.equal(older.items.length, 1);
    await assert.rejects(
      world.lists.transactions(account('alice'), page({ order: 'oldest', cursor: alices.next ?? undefined })),
      { code: 'storage/pruned', details: { indexedFrom: 4, height: 1 } },
    );
    // Version 2 was made below: which it was is not known.
    await assert.rejects(world.valueAt('a', 4), { code: 'storage/pruned' });
    await assert.rejects(world.valueAt('a', 2), { code: 'storage/pruned' });
    assert.equal(await world.valueAt('a', 5), '3 three');
    // Its first version is higher up, or nothing changed it since, or nobody ever wrote it.
    assert.equal(await world.valueAt('late', 2), 0);
    assert.equal(await world.valueAt('still', 3), '1 here');
    await assert.rejects(world.valueAt('still', 2), { code: 'storage/pruned' });
    assert.equal(await world.valueAt('never', 1), 0);
  });

  test('without indexes they say so', async () => {
    const world = await new World().open(false);
    await world.pay('bob', 1);
    const none = { code: 'storage/not-indexed' };
    await assert.rejects(world.lists.transactions(account('bob'), page()), none);
    await assert.rejects(world.lists.history('a', page()), none);
    await assert.rejects(world.valueAt('a', 1), none);
    await world.chain.open(true);
    const { items, completeFrom } = await world.lists.transactions(account('bob'), page());
    assert.deepEqual([items, completeFrom], [[], 2]);
  });
});
