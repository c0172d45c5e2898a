import { Problem } from '../../base/problem.ts';
import { finalBlocks } from '../../client/events.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type Height, toHeight } from '../../ledger/block.ts';
import { merkleRoot } from '../../ledger/merkle.ts';
import type { BenchNode } from './testbed.ts';

/** Blocks that are asked for at once. */
const atOnce = 4;

/**
 * What becomes final, as clients of the nodes see it: when each node told of each block, and what is in it. A
 * node tells by its stream of events, which costs it little; the hashes of a block are asked for once, at
 * the node that told first.
 */
export class FinalView {
  /** By node: when it told of a height. */
  readonly #told: readonly Map<number, number>[];
  readonly #nodes: readonly BenchNode[];
  /** The hash of each block whose transactions were read, by height. */
  readonly blocks = new Map<number, Hash>();
  readonly #onBlock: (height: Height, hashes: readonly Hash[]) => void;
  readonly #ending = new AbortController();
  readonly #waiting: { readonly height: Height; readonly node: BenchNode }[] = [];
  readonly #asked = new Set<number>();
  #asking = 0;
  #height: Height;
  /** What ended the view of a node for good: another chain at its address, or no node. */
  trouble: Problem | undefined;

  constructor(options: {
    readonly nodes: readonly BenchNode[];
    readonly chainId: Hash;
    readonly after: Height;
    readonly onBlock: (height: Height, hashes: readonly Hash[]) => void;
  }) {
    const { nodes, chainId, after } = options;
    this.#nodes = nodes;
    this.#onBlock = options.onBlock;
    this.#height = after;
    this.#told = nodes.map(() => new Map<number, number>());
    for (const [place, node] of nodes.entries()) {
      this.#follow(node, place, { chainId, after }).catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        this.trouble ??= error;
      });
    }
  }

  /** The highest block that any node told of. */
  get height(): Height {
    return this.#height;
  }

  /** When a node told of a block; when it did not (it ended), the first that did. */
  toldAt(height: number, node: number): number | undefined {
    const place = this.#nodes.findIndex(({ index }) => index === node);
    return this.#told[place]?.get(height) ?? this.firstToldAt(height);
  }

  firstToldAt(height: number): number | undefined {
    const times = this.#told.flatMap((one) => one.get(height) ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  close(): void {
    this.#ending.abort();
  }

  async #follow(
    node: BenchNode,
    place: number,
    { chainId, after }: { readonly chainId: Hash; readonly after: Height },
  ): Promise<void> {
    const { signal } = this.#ending;
    for await (const { header } of finalBlocks({ baseUrl: node.url, after, chainId, signal })) {
      this.#told[place]?.set(header.height, performance.now());
      if (header.height > this.#height) this.#height = toHeight(header.height);
      if (this.#asked.has(header.height)) continue;
      this.#asked.add(header.height);
      this.#waiting.push({ height: toHeight(header.height), node });
      this.#ask();
    }
  }

  #ask(): void {
    while (this.#asking < atOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#asking += 1;
      void this.#fetch(next.height, next.node).finally(() => {
        this.#asking -= 1;
        this.#ask();
      });
    }
  }

  async #fetch(height: Height, node: BenchNode): Promise<void> {
    const { signal } = this.#ending;
    const others = this.#nodes.filter((one) => one !== node);
    for (const { client } of [node, ...others, node]) {
      if (signal.aborted) return;
      const block = await client.block(height);
      if (block instanceof Problem) continue;
      // Otherwise these are not the transactions of this header.
      if (merkleRoot(block.transactionHashes) !== block.header.transactionRoot) continue;
      this.blocks.set(height, block.hash);
      this.#onBlock(height, block.transactionHashes);
      return;
    }
    // It is asked for again at the next block: what is missing at the end is counted as missing.
    this.#waiting.push({ height, node });
  }
}
