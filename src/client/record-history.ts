import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import type { Height } from '../ledger/block.ts';
import { followVersions, type HistoryStep, type RecordVersions } from '../ledger/history-proof.ts';
import type { RecordEntry, Tombstone } from '../ledger/state-entry.ts';
import type { HttpClient } from './http-client.ts';
import type { VerifiedReceipt } from './verify.ts';

/**
 * The newest versions of a record, as one node serves them: from what the state has of it (proven) from
 * transaction to transaction (each proven by `checked`), each of which says where the version before was
 * made. The node's list only says which transactions to ask for. A node that pruned blocks, or hides some,
 * shows fewer than there were: then `older` is not 0.
 */
export async function historyAt(
  client: Pick<HttpClient, 'recordHistory' | 'transaction'>,
  key: string,
  /** What the state after the block of this height has of it, proven. */
  state: { readonly height: Height; readonly value: RecordEntry | Tombstone | undefined },
  options: {
    /** At most so many versions. */
    readonly newest: number;
    /** What is proven by an answer about a transaction that is final. */
    readonly checked: (answer: unknown, hash: Hash) => Promise<Pick<VerifiedReceipt, 'inclusion'> | Problem>;
  },
): Promise<RecordVersions | Problem> {
  const { height, value: entry } = state;
  const newest = Math.min(options.newest, entry?.version ?? 0);
  const followed = (shown: readonly HistoryStep[]): RecordVersions | Problem => {
    const found = followVersions({ key, entry, height, steps: shown });
    if (found instanceof Problem) return found;
    const versions = found.versions.slice(0, newest);
    return { versions, older: found.older + found.versions.length - versions.length };
  };
  const hashes = await transactionsIn(client, key, { height, newest });
  if (hashes instanceof Problem) return hashes;
  const steps: HistoryStep[] = [];
  for (let from = 0; from < hashes.length; from += limits.historyAtOnce) {
    const part = hashes.slice(from, from + limits.historyAtOnce);
    const answers = await Promise.all(part.map((hash) => client.transaction(hash)));
    for (const [at, answer] of answers.entries()) {
      if (isNotKept(answer)) return followed(steps);
      const proven = answer instanceof Problem ? answer : await options.checked(answer, part[at] as Hash);
      if (proven instanceof Problem) return proven;
      steps.push(proven.inclusion);
    }
  }
  return followed(steps);
}

/** The transactions that made them, as the node names them; the newest first. */
async function transactionsIn(
  client: Pick<HttpClient, 'recordHistory'>,
  key: string,
  { height, newest }: { readonly height: number; readonly newest: number },
): Promise<readonly Hash[] | Problem> {
  const hashes = new Set<Hash>();
  let found = 0;
  let cursor: string | undefined;
  // What was written since the state was read may fill a page; nodes that go on for ever are not followed.
  for (let pages = 0; found < newest && pages <= (2 * newest) / limits.httpPage + 2; pages++) {
    const page = await client.recordHistory(key, {
      limit: limits.httpPage,
      ...(cursor !== undefined && { cursor }),
    });
    if (page instanceof Problem) return page;
    for (const { made, transactionHash } of page.versions) {
      if (made.height > height || found >= newest) continue;
      hashes.add(transactionHash);
      found += 1;
    }
    if (page.next === null) break;
    cursor = page.next;
  }
  return [...hashes];
}

/** The node does not show a transaction that it named: it let go of it, or never had it. */
function isNotKept(answer: Awaited<ReturnType<HttpClient['transaction']>>): boolean {
  return answer instanceof Problem ? answer.code === 'storage/pruned' : answer.status !== 'final';
}
