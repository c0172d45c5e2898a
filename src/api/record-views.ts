import type { NamespaceEntry } from '../ledger/namespace-entry.ts';
import type { RecordEntry } from '../ledger/state-entry.ts';

export interface NamespaceView extends NamespaceEntry {
  readonly name: string;
}

/** Of records by their keys, or of namespaces by their names. */
export interface NamePage {
  /** Empty for all. */
  readonly prefix: string;
  /** The name behind which the page begins; it begins with the prefix. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface RecordList {
  /** In the order of the bytes of their keys. */
  readonly records: readonly RecordView[];
  /** The key behind which the next page begins; null where there is none. A page may be short, and go on. */
  readonly next: string | null;
}

export interface NamespaceList {
  /** In the order of the bytes of their names. */
  readonly namespaces: readonly NamespaceView[];
  /** As in `RecordList`. */
  readonly next: string | null;
}

export interface RecordView extends Omit<RecordEntry, 'type'> {
  readonly key: string;
}
