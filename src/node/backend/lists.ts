import type { Pace } from '../../api/backend.ts';
import { Piece } from '../../api/in-pieces.ts';
import type { ListBackend, ListedTransaction, ListPage, Page, RecordAt } from '../../api/listed.ts';
import { decode } from '../../base/codec.ts';
import { defined, invariant } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import { type BlockHeader, type Height, toHeight } from '../../ledger/block.ts';
import { decodePartsOf } from '../../ledger/block-body.ts';
import { isRecordOperation } from '../../ledger/operation.ts';
import { type Receipt, receiptsCodec } from '../../ledger/receipt.ts';
import type { State } from '../../ledger/state.ts';
import { type VersionView, versionView } from '../../ledger/state-json.ts';
import { decodeOwnTransaction, type Transaction } from '../../ledger/transaction.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { ListedVersion } from '../../storage/index-postings.ts';
import type { At, IndexRange } from '../../storage/index-tables.ts';
import { askWhoKeepsBlocks } from './final-blocks.ts';
import { listName, ListCursors, type ListPosition } from './list-cursors.ts';
import { unpaced } from './reads.ts';

type Range = Omit<IndexRange, 'newestFirst'>;

/** A stored block, of which some transactions are wanted. */
interface OpenBlock {
  readonly header: BlockHeader;
  readonly transactions: readonly Uint8Array[];
  readonly receipts: readonly Receipt[];
}

/**
 * What the indexes list, with what the blocks say of each entry. A page is of the final block at its
 * beginning; it never shows what is not final, and says from which height on nothing is left out. Throws
 * `storage/not-indexed`, `api/wrong-cursor` and `storage/pruned`.
 */
export class Lists implements ListBackend {
  readonly #store: ChainStore;
  readonly #finalState: () => State;
  readonly #cursors: ListCursors;

  constructor(store: ChainStore, finalState: () => State) {
    this.#store = store;
    this.#finalState = finalState;
    this.#cursors = new ListCursors(store);
  }

  async transactions(
    ...[list, page, pace = unpaced]: Parameters<ListBackend['transactions']>
  ): Promise<ListPage<ListedTransaction>> {
    const name = list.by === 'account' ? list : { by: list.by, reference: list.reference };
    return this.#page({
      name: listName(list),
      page,
      pace,
      read: (range) => this.#store.listTransactions(name, range),
      positionOf: ({ height, transaction }) => ({ height, at: transaction }),
      view: ({ height, transaction: index, sent }, block) => ({
        height,
        index,
        timestamp: block.header.timestamp,
        ...(list.by === 'account' && { role: sent ? ('sender' as const) : ('touched' as const) }),
        transaction: transactionIn(block, index),
        receipt: defined(block.receipts[index], 'a receipt for each transaction'),
      }),
    });
  }

  async history(
    ...[key, page, pace = unpaced]: Parameters<ListBackend['history']>
  ): Promise<ListPage<VersionView>> {
    return this.#page({
      name: listName({ by: 'record', key }),
      page,
      pace,
      read: (range) => this.#store.listVersions(key, range),
      positionOf: ({ height, transaction, operation }) => ({ height, at: transaction * 256 + operation }),
      view: (listed, block) => versionIn(block, listed),
    });
  }

  /**
   * What a record was after the block of a height. Where the index does not reach back so far it still
   * follows from a first version that is higher up, or from a record that did not change since.
   */
  async recordAt(...[key, height, pace = unpaced]: Parameters<ListBackend['recordAt']>): Promise<RecordAt> {
    this.#refuseUnknown(height);
    const [version] = await this.#versions(key, { to: height, limit: 1 });
    if (version !== undefined) return this.#atVersion(key, height, version, pace);
    const absent = { height, version: 0, made: undefined, value: undefined };
    const from = toHeight(height + 1);
    const [later] = await this.#versions(key, { from, limit: 1, newestFirst: false });
    if (later?.version === 1) return absent;
    const now = this.#finalState().recordEntry(key);
    if (later === undefined && now === undefined) return absent;
    if (now === undefined || now.changed.height > height) throw this.#notIndexed(height);
    const value = now.type === 'record' ? now.value : undefined;
    return { height, version: now.version, made: now.changed, value };
  }

  async #atVersion(key: string, height: Height, version: At<ListedVersion>, pace: Pace): Promise<RecordAt> {
    const { transaction, operation } = version;
    const made = { height: version.height, transaction, operation };
    const found = { height, version: version.version, made };
    if (version.change === 'delete') return { ...found, value: undefined };
    const written = version.change === 'put' ? version : await this.#written(key, version, pace);
    const block = this.#open(written.height);
    const view = block && versionIn(block, written);
    if (view?.value == null) throw this.#notIndexed(height);
    return { ...found, value: view.value };
  }

  /** The version that wrote the value, which was only given to others since. */
  async #written(key: string, given: At<ListedVersion>, pace: Pace): Promise<At<ListedVersion>> {
    let to = given.height;
    for (let walked = 0; walked < limits.historyWalk; walked += limits.httpPage) {
      await pace();
      const page = await this.#versions(key, { to, limit: limits.httpPage });
      const put = page.find(({ version, change }) => version < given.version && change === 'put');
      if (put !== undefined) return put;
      const last = page.at(-1);
      if (last === undefined || last.height <= this.#from()) throw this.#notIndexed(given.height);
      to = toHeight(last.height - 1);
    }
    throw new Problem(
      'api/history-too-long',
      'the record was given on too often since its value was written',
      {
        remedy: 'Read its history in pages, until the version that wrote the value.',
        details: { height: given.height },
      },
    );
  }

  /** Newest first unless told otherwise, up to the final block. */
  #versions(
    key: string,
    range: Partial<IndexRange> & { readonly limit: number },
  ): Promise<readonly At<ListedVersion>[]> {
    const whole = { from: this.#from(), to: this.#store.finalHeight, newestFirst: true };
    return this.#store.listVersions(key, { ...whole, ...range });
  }

  async #page<Entry extends { readonly height: Height; readonly transaction: number }, View>(list: {
    readonly name: Uint8Array;
    readonly page: Page;
    readonly pace: Pace;
    readonly read: (range: IndexRange) => Promise<readonly Entry[]>;
    readonly positionOf: (entry: Entry) => ListPosition;
    readonly view: (entry: Entry, block: OpenBlock) => View;
  }): Promise<ListPage<View>> {
    const { name, page, pace, positionOf } = list;
    const newestFirst = page.order === 'newest';
    const limit = Math.min(page.limit, limits.httpPage);
    const { finalHeight: height } = this.#store;
    const after = page.cursor === undefined ? undefined : this.#cursors.read(page.cursor, name, page.order);
    const range = this.#rangeBehind(after, newestFirst);
    await pace();
    // Each entry of the store has one at least that is wanted, but for that of the cursor; one more tells
    // whether there is a next page.
    const found = await list.read({ ...range, newestFirst, limit: limit + 2 });
    const behind = found.filter(
      (entry) => after === undefined || isBehind(positionOf(entry), after, newestFirst),
    );
    const items: View[] = [];
    let last: Entry | undefined;
    let block: OpenBlock | undefined;
    let piece = new Piece();
    for (const entry of behind.slice(0, limit)) {
      if (last?.height !== entry.height) {
        await pace();
        block = this.#open(entry.height);
        piece = new Piece();
      }
      if (piece.isFullBefore(block?.transactions[entry.transaction]?.length ?? 0)) await pace();
      // It was pruned meanwhile.
      if (block !== undefined) items.push(list.view(entry, block));
      last = entry;
    }
    const next =
      behind.length > limit && last ? this.#cursors.make(positionOf(last), name, page.order) : null;
    return { height, completeFrom: this.#from(), items, next };
  }

  #rangeBehind(after: ListPosition | undefined, newestFirst: boolean): Pick<Range, 'from' | 'to'> {
    const whole = { from: this.#from(), to: this.#store.finalHeight };
    if (after === undefined) return whole;
    if (newestFirst) return { ...whole, to: after.height };
    // What was between is not known any more.
    if (after.height + 1 < whole.from) throw this.#notIndexed(after.height);
    return { ...whole, from: toHeight(Math.max(whole.from, after.height)) };
  }

  #open(height: Height): OpenBlock | undefined {
    const bytes = this.#store.blockBytesAt(height);
    const receipts = bytes && this.#store.receiptsBytesAt(height);
    if (bytes === undefined || receipts === undefined) return undefined;
    const { header, transactions } = unwrap(decodePartsOf(bytes));
    return {
      header,
      transactions,
      receipts: unwrap(decode(receiptsCodec, receipts, 'stored receipts')),
    };
  }

  #from(): Height {
    const { indexedFrom } = this.#store;
    if (indexedFrom !== undefined) return indexedFrom;
    throw new Problem('storage/not-indexed', 'this node keeps no indexes', {
      remedy:
        'Ask a node that keeps them (quorate: --node URL); "quorate members list" names the APIs of the others. Or set "indexes" to true in the config.json of this one and start it again: they begin with the next block.',
    });
  }

  #refuseUnknown(height: Height): void {
    const { finalHeight } = this.#store;
    if (height <= finalHeight) return;
    throw new Problem(
      'api/no-such-block',
      `this node has no final block ${height}, and ${finalHeight} at most`,
      {
        remedy: 'Name a height that is final.',
        details: { height, finalHeight },
      },
    );
  }

  #notIndexed(height: Height): Problem {
    const from = this.#from();
    return new Problem(
      'storage/pruned',
      `the indexes of this node begin at height ${from}: what was at height ${height} is not known here`,
      {
        remedy: `${askWhoKeepsBlocks} Or begin without a cursor and at a later height.`,
        details: { indexedFrom: from, height },
      },
    );
  }
}

function isBehind(entry: ListPosition, after: ListPosition, newestFirst: boolean): boolean {
  const order = entry.height - after.height || entry.at - after.at;
  return newestFirst ? order < 0 : order > 0;
}

function transactionIn({ transactions }: OpenBlock, index: number): Transaction {
  return unwrap(decodeOwnTransaction(defined(transactions[index], 'a transaction of the block')));
}

function versionIn(block: OpenBlock, listed: At<ListedVersion>): VersionView {
  const { height, version, transaction: index, operation: at } = listed;
  const { hash, sender, operations } = transactionIn(block, index);
  const operation = defined(operations[at], 'an operation of the transaction');
  invariant(isRecordOperation(operation), 'an operation that made a version of a record');
  return versionView({
    version,
    made: { height, transaction: index, operation: at },
    timestamp: block.header.timestamp,
    transactionHash: hash,
    by: sender,
    operation,
  });
}
