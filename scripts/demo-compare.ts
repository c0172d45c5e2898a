import { Problem, unwrap } from '../src/base/problem.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import type { Hash } from '../src/crypto/hash.ts';
import { type Height, toHeight } from '../src/ledger/block.ts';

export interface Head {
  readonly url: string;
  readonly height: Height;
  readonly hash: Hash;
  readonly stateRoot: Hash;
}

/** Waits until a node has a height final, and returns its block there. */
export async function headAt(
  client: HttpClient,
  height: Height,
  deadlineMs: number,
): Promise<Head | Problem> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const status = await client.status();
    if (status instanceof Problem) return status;
    if (status.finalHeight >= height) break;
    if (performance.now() > until) {
      return new Problem(
        'api/not-final',
        `${client.baseUrl} is at height ${status.finalHeight}, not at ${height}`,
        {
          remedy: 'Ask it what it waits for (quorate why --node URL).',
          details: { url: client.baseUrl, finalHeight: status.finalHeight, height },
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const block = await client.block(height);
  if (block instanceof Problem) return block;
  return { url: client.baseUrl, height, hash: block.hash, stateRoot: block.header.stateRoot };
}

/** The heights, from one to another, at which some node's block is not the first node's. */
export async function differingHeights(
  clients: readonly HttpClient[],
  from: Height,
  to: Height,
): Promise<number[]> {
  const [first = [], ...others] = await Promise.all(clients.map((client) => hashesOf(client, from, to)));
  return first.flatMap((hash, index) =>
    others.every((hashes) => hashes[index] === hash) ? [] : [from + index],
  );
}

async function hashesOf(client: HttpClient, from: Height, to: Height): Promise<Hash[]> {
  const hashes: Hash[] = [];
  while (from + hashes.length <= to) {
    const page = unwrap(await client.headers(toHeight(from + hashes.length)));
    if (page.headers.length === 0) break;
    hashes.push(...page.headers.filter(({ header }) => header.height <= to).map(({ hash }) => hash));
  }
  return hashes;
}

/** How often each of the transactions stands in the blocks of a range, and what came of them. */
export async function countOutcomes(
  client: HttpClient,
  range: { readonly from: Height; readonly to: Height },
  wanted: ReadonlySet<Hash>,
): Promise<{ applied: number; failed: number; twice: number; missing: number }> {
  const seen = new Set<Hash>();
  const counts = { applied: 0, failed: 0, twice: 0 };
  for (let height = range.from; height <= range.to; height = toHeight(height + 1)) {
    const { receipts = [] } = unwrap(await client.block(height, { full: true }));
    for (const { transactionHash, status } of receipts) {
      if (!wanted.has(transactionHash)) continue;
      if (seen.has(transactionHash)) counts.twice++;
      seen.add(transactionHash);
      counts[status]++;
    }
  }
  return { ...counts, missing: wanted.size - seen.size };
}
