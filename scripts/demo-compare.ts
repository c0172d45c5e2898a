import { Problem, unwrap } from '../src/base/problem.ts';
import type { HttpClient } from '../src/client/http-client.ts';
import { isRetryable } from '../src/client/transport.ts';
import type { Hash } from '../src/crypto/hash.ts';
import { type Height, toHeight } from '../src/ledger/block.ts';
import { whoAnswers } from './demo-nodes.ts';

interface Head {
  readonly url: string;
  readonly height: Height;
  readonly hash: Hash;
  readonly stateRoot: Hash;
}

/** What all nodes that answer say of the blocks after one, and of the wanted transactions in them. */
interface Comparison {
  readonly down: readonly HttpClient[];
  readonly height: Height;
  readonly heads: readonly Head[];
  readonly differing: readonly number[];
  readonly outcomes: Outcomes;
}

interface Outcomes {
  readonly applied: number;
  readonly failed: number;
  readonly twice: number;
  readonly missing: number;
}

interface Wanted {
  readonly from: Height;
  readonly wanted: ReadonlySet<Hash>;
  readonly deadlineMs: number;
}

/** A node may have been killed, may be started again, or may die in the middle of it: it must not matter. */
export async function compareAll(nodes: readonly HttpClient[], what: Wanted): Promise<Comparison> {
  for (let tries = 1; ; tries++) {
    try {
      return await compare(nodes, what);
    } catch (problem) {
      const mayPass = problem instanceof Problem && isRetryable(problem);
      if (!mayPass || tries > nodes.length) throw problem;
    }
  }
}

async function compare(
  nodes: readonly HttpClient[],
  { from, wanted, deadlineMs }: Wanted,
): Promise<Comparison> {
  const { running, down } = await whoAnswers(nodes);
  const statuses = await Promise.all(running.map((client) => client.status()));
  const height = toHeight(Math.max(...statuses.map((status) => unwrap(status).finalHeight)));
  const heads = await Promise.all(
    running.map(async (client) => unwrap(await headAt(client, height, deadlineMs))),
  );
  const differing = await differingHeights(running, from, height);
  const outcomes = await countOutcomes(running[0], { from: toHeight(from + 1), to: height }, wanted);
  return { down, height, heads, differing, outcomes };
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
          remedy: `Ask it what it waits for ("quorate why --node ${client.baseUrl}").`,
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
): Promise<Outcomes> {
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
