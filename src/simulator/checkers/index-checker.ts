import { Buffer } from 'node:buffer';
import { fromHex, toHex } from '../../base/bytes.ts';
import { defined } from '../../base/invariant.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { Height } from '../../ledger/block.ts';
import { keysNamedIn } from '../../ledger/operation.ts';
import type { Receipt } from '../../ledger/receipt.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import { IndexTables } from '../../storage/index-tables.ts';
import { heightIn, indexKinds, rangeOf } from '../../storage/keys.ts';
import { type MemoryEntries, MemoryStore } from '../../storage/memory-store.ts';
import type { Store } from '../../storage/port.ts';

/** A final block, as it was read. */
export interface ScannedBlock {
  readonly height: Height;
  readonly transactions: readonly Transaction[];
  readonly receipts: readonly Receipt[];
}

/** Lists by name; each line says where, and what. */
type Lists<Name> = Map<Name, string[]>;

interface Expected {
  readonly accounts: Lists<PublicKey>;
  readonly references: Lists<string>;
  readonly records: Lists<string>;
}

/**
 * Whether the indexes of a store say of a run of final blocks what a look through all of them says, and
 * nothing else of these or of what is above. Returns the first difference in words. `orders` are the ways in
 * which each list is read.
 */
export async function indexDifference(
  store: Store,
  blocks: readonly ScannedBlock[],
  orders: readonly ('oldest first' | 'newest first')[],
): Promise<string | undefined> {
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const entries = await indexEntries(store);
  // Nothing else is looked through for each name.
  const tables = IndexTables.open(new MemoryStore(() => undefined, entries), false);
  const expected = lookThrough(blocks);
  for (const order of orders) {
    const newestFirst = order === 'newest first';
    const range = { from: first.height, to: last.height, newestFirst, limit: entries.size };
    for await (const { name, found, lines } of listsOf(tables, expected, range)) {
      const wanted = newestFirst ? lines.toReversed() : lines;
      if (found.join() !== wanted.join()) {
        return `${name} has ${found.join()} and not ${wanted.join()}, ${order}`;
      }
    }
  }
  const stored = [...entries.keys()].filter((key) => heightIn(Buffer.from(key, 'latin1')) >= first.height);
  const all = Object.values(expected).flatMap((lists: Lists<string>) => [...lists.values()]);
  const wanted = all.reduce((sum, lines) => sum + new Set(lines.map(heightOf)).size, 0);
  return stored.length === wanted
    ? undefined
    : `${stored.length} entries are stored, and ${wanted} belong there`;
}

const heightOf = (line: string): string => line.split(' ', 1)[0] ?? '';

function lookThrough(blocks: readonly ScannedBlock[]): Expected {
  const expected: Expected = { accounts: new Map(), references: new Map(), records: new Map() };
  const add = <Name>(lists: Lists<Name>, name: Name, line: string): void => {
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [line]);
    else list.push(line);
  };
  for (const { height, transactions, receipts } of blocks) {
    for (const [index, { sender, reference, operations }] of transactions.entries()) {
      const { status, accounts, records } = defined(receipts[index], 'its receipt');
      const named = status === 'applied' ? operations.flatMap(keysNamedIn) : [];
      for (const account of new Set([sender, ...accounts.map(({ publicKey }) => publicKey), ...named])) {
        add(expected.accounts, account, `${height} ${index} ${account === sender}`);
      }
      if (reference.length > 0) add(expected.references, toHex(reference), `${height} ${index}`);
      for (const { operation, version } of records) {
        const done = defined(operations[operation], 'an operation that was done');
        const key = 'key' in done ? done.key : '';
        add(expected.records, key, `${height} ${index} ${operation} ${version} ${done.type}`);
      }
    }
  }
  return expected;
}

/** Each list that there must be, with what is found under its name. */
async function* listsOf(
  tables: IndexTables,
  { accounts, references, records }: Expected,
  range: Parameters<IndexTables['versions']>[1],
) {
  for (const [account, lines] of accounts) {
    const found = await tables.transactions({ by: 'account', account }, range);
    const texts = found.map(({ height, transaction, sent }) => `${height} ${transaction} ${sent}`);
    yield { name: `account ${account}`, found: texts, lines };
  }
  for (const [reference, lines] of references) {
    const found = await tables.transactions({ by: 'reference', reference: fromHex(reference) }, range);
    const texts = found.map(({ height, transaction }) => `${height} ${transaction}`);
    yield { name: `reference ${reference}`, found: texts, lines };
  }
  for (const [key, lines] of records) {
    const found = await tables.versions(key, range);
    const texts = found.map(
      ({ height, transaction, operation, version, change }) =>
        `${height} ${transaction} ${operation} ${version} ${change}`,
    );
    yield { name: `record ${JSON.stringify(key)}`, found: texts, lines };
  }
}

async function indexEntries(store: Store): Promise<MemoryEntries> {
  const entries: MemoryEntries = new Map();
  for (const kind of indexKinds) {
    for (const [key, value] of await store.scan(rangeOf(kind))) {
      entries.set(Buffer.from(key).toString('latin1'), value);
    }
  }
  return entries;
}
