import { Problem } from '../../base/problem.ts';
import type { StatusAnswer } from '../../client/answers.ts';
import { HttpClient } from '../../client/http-client.ts';
import { grouped } from '../../client/plain-words.ts';
import { toHeight } from '../../ledger/block.ts';
import type { EngineName } from '../../ledger/engine-names.ts';
import { engineWords } from '../../client/engine-words.ts';
import { styled } from '../terminal.ts';
import type { TestnetNode } from './node-processes.ts';

/** A node is behind when it misses more blocks than are commonly on their way. */
const behindBlocks = 5;

interface Second {
  readonly height: number;
  readonly transactionsPerSecond: number;
  readonly view: number | null;
  readonly primary: number | null;
  readonly pending: number;
  readonly nodes: readonly (
    | { readonly name: string; readonly height: number; readonly ready: boolean }
    | { readonly name: string; readonly down: string }
  )[];
}

/** Looks at all nodes through their API, as any client would. */
export class Overview {
  readonly #nodes: readonly { readonly node: TestnetNode; readonly client: HttpClient }[];
  #height: number | undefined;
  #at = 0;

  constructor(nodes: readonly TestnetNode[]) {
    this.#nodes = nodes.map((node) => ({
      node,
      client: new HttpClient({ baseUrl: node.apiUrl, attemptMs: 900, deadlineMs: 0 }),
    }));
  }

  /** The nodes that do not yet say that they are ready, each with the reason. */
  async notReady(): Promise<{ node: TestnetNode; problem: Problem }[]> {
    const answers = await Promise.all(
      this.#nodes.map(async ({ node, client }) => ({ node, problem: await client.ready() })),
    );
    return answers.flatMap(({ node, problem }) => (problem instanceof Problem ? [{ node, problem }] : []));
  }

  async look(): Promise<Second> {
    const answers = await Promise.all(
      this.#nodes.map(async ({ node, client }) => ({ node, client, status: await client.status() })),
    );
    const alive = answers.flatMap(({ client, status }) =>
      status instanceof Problem ? [] : [{ client, status }],
    );
    const highest = alive.reduce<(typeof alive)[number] | undefined>(
      (best, one) => (best === undefined || one.status.finalHeight > best.status.finalHeight ? one : best),
      undefined,
    );
    return {
      height: highest?.status.finalHeight ?? this.#height ?? 0,
      transactionsPerSecond: highest === undefined ? 0 : await this.#rate(highest.client, highest.status),
      view: highest?.status.view ?? null,
      primary: highest?.status.primary ?? null,
      pending: Math.max(0, ...alive.map(({ status }) => status.mempool.transactions)),
      nodes: answers.map(({ node, status }) =>
        status instanceof Problem
          ? { name: node.name, down: status.code === 'api/timeout' ? 'does not answer' : 'down' }
          : { name: node.name, height: status.finalHeight, ready: status.ready },
      ),
    };
  }

  /** Transactions that became final since the last look, by the time between the looks. */
  async #rate(client: HttpClient, status: StatusAnswer): Promise<number> {
    const now = performance.now();
    const from = this.#height;
    const elapsed = now - this.#at;
    this.#height = status.finalHeight;
    this.#at = now;
    if (from === undefined || status.finalHeight <= from) return 0;
    let count = 0;
    for (let height = from + 1; height <= status.finalHeight;) {
      const page = await client.headers(toHeight(height));
      if (page instanceof Problem || page.headers.length === 0) break;
      for (const { header, transactionCount } of page.headers) {
        if (header.height <= status.finalHeight) count += transactionCount;
      }
      height += page.headers.length;
    }
    return Math.round((count * 1000) / elapsed);
  }
}

/**
 * One line that a person can read at a glance: what is normal is short, what is not stands out at its end.
 */
export function secondLine(second: Second, engine: EngineName, at: Date): string {
  const parts = [
    styled('dim', at.toTimeString().slice(0, 8)),
    `height ${grouped(second.height).padStart(6)}`,
    `${grouped(second.transactionsPerSecond).padStart(6)} tx/s`,
    `${engineWords[engine].period} ${second.view ?? '?'}`,
    second.primary === null
      ? styled('yellow', 'nobody leads')
      : `${engineWords[engine].leader} ${second.primary}`,
    `pool ${grouped(second.pending)}`,
  ];
  for (const node of second.nodes) {
    if ('down' in node) parts.push(styled('red', `${node.name} ${node.down}`));
    else if (second.height - node.height > behindBlocks) {
      parts.push(styled('yellow', `${node.name} ${grouped(second.height - node.height)} behind`));
    } else if (!node.ready) parts.push(styled('yellow', `${node.name} not ready`));
  }
  return parts.join('  ');
}
