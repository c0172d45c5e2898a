import { compareBytes, utf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { RecordPage } from '../ledger/page-reading.ts';

/**
 * All records of a namespace as they were at once, in the order of the bytes of their keys, and the last of
 * the pages that `pageBehind` reads, each of them proven. Each may be of another block: it counts that the
 * tree of the namespace is the same one in all.
 */
export async function wholeNamespace<Page extends { readonly value: RecordPage }>(
  namespace: string,
  pageBehind: (after: string | undefined) => Promise<Page | Problem>,
): Promise<{ readonly page: Page; readonly records: RecordPage['records'] } | Problem> {
  for (let begun = 0; begun < limits.wholeListTries; begun++) {
    const records: RecordPage['records'][number][] = [];
    let page: Page | undefined;
    do {
      const read: Page | Problem = await pageBehind(page?.value.next);
      if (read instanceof Problem) return read;
      if (page !== undefined && read.value.root !== page.value.root) break;
      page = read;
      records.push(...read.value.records);
    } while (page.value.next !== undefined);
    if (page.value.next === undefined) return { page, records: records.toSorted(byKey) };
  }
  return new Problem(
    'proof/changing',
    `the namespace ${JSON.stringify(namespace)} changed ${limits.wholeListTries} times while its pages were read`,
    {
      remedy:
        'Ask again when less is written there; or read page by page ("recordsProof" with "verifyRecords"), where each page is of a block of its own.',
      details: { namespace, retryable: true },
    },
  );
}

/** Texts themselves compare otherwise: by UTF-16. */
function byKey({ key: one }: { readonly key: string }, { key: other }: { readonly key: string }): number {
  return compareBytes(utf8(one), utf8(other));
}
