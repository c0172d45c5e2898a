import type { Hash } from '../crypto/hash.ts';
import { CandidateTable, recentBlocks } from './candidate-table.ts';
import {
  checkChain,
  type Extent,
  foreign,
  type FinalPosition,
  readExtent,
  readFinal,
  wholeChain,
} from './chain-records.ts';
import { readChecksummed } from './checksummed.ts';
import { compactTables } from './compacting.ts';
import { EvidenceTable } from './evidence-table.ts';
import { IndexTables } from './index-tables.ts';
import { keys, wholeSpace } from './keys.ts';
import { Leftovers } from './leftovers.ts';
import { LogTable } from './log-table.ts';
import type { Store } from './port.ts';
import { SnapshotTable } from './snapshot-table.ts';

/** What a store holds when it is opened. */
export interface Opened {
  readonly store: Store;
  readonly chainId: Hash;
  /** Undefined in a store without any block. */
  readonly final: FinalPosition | undefined;
  readonly extent: Extent;
  readonly log: LogTable;
  readonly candidates: CandidateTable;
  readonly evidence: EvidenceTable;
  readonly snapshot: SnapshotTable;
  readonly indexes: IndexTables;
  readonly leftovers: Leftovers;
}

/** See `ChainStore.open`. */
export async function openTables(
  store: Store,
  options: { readonly chainId: Hash; readonly checkedHeights?: number },
): Promise<Opened> {
  const { chainId, checkedHeights = recentBlocks } = options;
  const stored = readChecksummed(store, keys.chain);
  if (stored === undefined) {
    const [first] = await store.scan({ ...wholeSpace, limit: 1 });
    if (first !== undefined) throw foreign();
  } else {
    checkChain(stored, chainId);
  }
  const extent = stored === undefined ? wholeChain : readExtent(store);
  const final = stored === undefined ? [] : readFinal(store, checkedHeights, extent);
  const log = await LogTable.open(store);
  const candidates = await CandidateTable.open(
    store,
    final.map(({ hash }) => hash),
  );
  const evidence = await EvidenceTable.open(store);
  const snapshot = SnapshotTable.open(store);
  const indexes = IndexTables.open(store, stored === undefined);
  const leftovers = await Leftovers.open(store, extent);
  compactTables(store, log);
  const tables = { log, candidates, evidence, snapshot, indexes, leftovers };
  return { store, chainId, final: final.at(-1), extent, ...tables };
}
