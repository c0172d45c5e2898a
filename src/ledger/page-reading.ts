import { toHex } from '../base/bytes.ts';
import { decode, encode } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { listingCodec, listingProofCodec, verifyListing } from './listing-proof.ts';
import { treeRootIn } from './namespace-entry.ts';
import { recordCodec, type RecordEntry } from './state-entry.ts';
import { shows, type StateKind } from './state-reading.ts';

/** A page of a namespace: what stands behind `after`, or from its first record on. */
export interface PageName {
  readonly namespace: string;
  readonly after: string | undefined;
}

/** Records of a namespace that lie side by side, in the order of their paths; no other lies between them. */
export interface RecordPage {
  /** Without those that were deleted. */
  readonly records: readonly (Omit<RecordEntry, 'type'> & { readonly key: string })[];
  /** Behind which key the next page begins; undefined where these are the last ones. */
  readonly next: string | undefined;
  /**
   * Root of the tree that holds all records of the namespace, and nothing else: pages with the same one are
   * of one list. Undefined for a namespace that was never opened.
   */
  readonly root: Hash | undefined;
}

export const pageReading: StateKind<PageName, RecordPage> = {
  says: ({ namespace, after }) =>
    `the records of ${JSON.stringify(namespace)}${after === undefined ? '' : ` behind ${JSON.stringify(after)}`}, none left out`,
  lacks: ({ namespace }) => `the namespace ${JSON.stringify(namespace)} has no more records`,
  read(state, { namespace, after }) {
    const page = { after, limit: limits.listingEntries, bytes: limits.listingBytes };
    const { listing, proof } = state.proveListing(namespace, page);
    return { entry: encode(listingCodec, listing), proof: encode(listingProofCodec, proof) };
  },
  holds(root, { namespace: name, after }, { entry, proof }) {
    const listing = entry === null ? undefined : decode(listingCodec, entry, 'the listing');
    if (listing === undefined || listing instanceof Problem) return false;
    return shows(listingProofCodec, proof, (read) =>
      verifyListing({ root, name, after, listing, proof: read }),
    );
  },
  valueOf({ entry, proof }) {
    const listing = decode(listingCodec, entry ?? new Uint8Array(), 'the listing');
    if (listing instanceof Problem) return listing;
    const shown = decode(listingProofCodec, proof, 'the proof of a listing');
    if (shown instanceof Problem) return shown;
    const records: RecordPage['records'][number][] = [];
    for (const { key, value } of listing.entries) {
      const found = decode(recordCodec, value, 'the record');
      if (found instanceof Problem) return found;
      if (found.type === 'record') records.push({ key, ...found });
    }
    const { value } = shown.namespace;
    return {
      records,
      next: listing.complete ? undefined : listing.entries.at(-1)?.key,
      root: value === null ? undefined : (toHex(treeRootIn(value)) as Hash),
    };
  },
};
