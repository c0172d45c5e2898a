import type { NamespaceEntry } from '../ledger/namespace-entry.ts';
import type { RecordEntry } from '../ledger/state-entry.ts';

export interface NamespaceView extends NamespaceEntry {
  readonly name: string;
}

export interface RecordPage {
  /** Empty for all. */
  readonly prefix: string;
  /** The key behind which the page begins; it begins with the prefix. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface RecordList {
  /** In the order of the bytes of their keys. */
  readonly records: readonly RecordView[];
  /** The key behind which the next page begins; null where there is none. A page may be short, and go on. */
  readonly next: string | null;
}

export interface RecordView extends Omit<RecordEntry, 'type'> {
  readonly key: string;
}
