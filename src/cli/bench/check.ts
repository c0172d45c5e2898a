import { unwrap } from '../../base/problem.ts';
import type { HttpClient } from '../../client/http-client.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import type { FinalView } from './final-view.ts';
import type { Load } from './load.ts';
import { type BenchNode, reaches } from './testbed.ts';

/** What was compared after a run, and what did not hold. */
export interface Checked {
  /** Nodes that have the same block, and with it the same state root, at each of the heights. */
  readonly nodes: number;
  readonly heights: number;
  readonly stateRoot: Hash;
  /** Transactions that are final exactly once, of those that were sent. */
  readonly once: number;
  readonly sent: number;
  /** Receipts that were read, of transactions spread over the run. */
  readonly receipts: number;
  /** Empty when all held. */
  readonly breaches: readonly string[];
}

const receiptsRead = 100;
const levelMs = 60_000;

/**
 * Compares the nodes after a run. That each transaction is in one block was counted while it ran, from
 * hashes under the header's root; the headers are compared here on all nodes, and with them the state roots,
 * so that it holds on each of them.
 */
export async function check(options: {
  readonly nodes: readonly BenchNode[];
  readonly load: Load;
  readonly view: FinalView;
  readonly from: Height;
  readonly stop: AbortSignal;
}): Promise<Checked> {
  const { nodes, load, view, from, stop } = options;
  const breaches: string[] = [];
  const statuses = await Promise.all(nodes.map(async ({ client }) => unwrap(await client.status())));
  const height = toHeight(Math.max(...statuses.map(({ finalHeight }) => finalHeight)));
  for (const node of nodes) await reaches(node, height, { deadlineMs: levelMs, stop });

  const chains = await Promise.all(
    nodes.map(async ({ client }) => await headersOf(client, toHeight(from + 1), height)),
  );
  const [first = []] = chains;
  for (const [index, { hash }] of first.entries()) {
    const at = from + 1 + index;
    if (chains.some((chain) => chain[index]?.hash !== hash)) breaches.push(`two blocks at height ${at}`);
    const read = view.blocks.get(at);
    if (read !== undefined && read !== hash) breaches.push(`block ${at} is not what was told during the run`);
  }
  if (load.twice.length > 0) breaches.push(`${load.twice.length} transactions are in two blocks`);
  if (load.final !== load.sent) breaches.push(`${load.sent - load.final} transactions are in no block`);
  const failed = nodes[0] === undefined ? [] : await failedOf(nodes[0].client, load);
  if (failed.length > 0) {
    breaches.push(
      `${failed.length} transactions failed that had no reason to: ${[...new Set(failed)].join(', ')}`,
    );
  }
  return {
    nodes: nodes.length,
    heights: first.length,
    stateRoot: (first.at(-1)?.stateRoot ?? statuses[0]?.stateRoot) as Hash,
    once: load.final - load.twice.length,
    sent: load.sent,
    receipts: Math.min(receiptsRead, load.final),
    breaches,
  };
}

async function headersOf(
  client: HttpClient,
  from: Height,
  to: Height,
): Promise<{ readonly hash: Hash; readonly stateRoot: Hash }[]> {
  const found: { hash: Hash; stateRoot: Hash }[] = [];
  while (from + found.length <= to) {
    const page = unwrap(await client.headers(toHeight(from + found.length)));
    if (page.headers.length === 0) break;
    for (const { hash, header } of page.headers) {
      if (header.height <= to) found.push({ hash, stateRoot: header.stateRoot });
    }
  }
  return found;
}

/** Why each of those failed that were looked at, and did. */
async function failedOf(client: HttpClient, load: Load): Promise<string[]> {
  const step = Math.max(1, Math.floor(load.transactions.length / receiptsRead));
  const failed: string[] = [];
  for (let index = 0; index < load.transactions.length; index += step) {
    const transaction = load.transactions[index];
    if (transaction === undefined || load.height[index] === 0) continue;
    const answer = unwrap(await client.transaction(transaction.hash));
    if (answer.status !== 'final') failed.push(answer.status);
    else if (answer.inclusion.receipt.status === 'failed') failed.push(answer.inclusion.receipt.code);
  }
  return failed;
}
