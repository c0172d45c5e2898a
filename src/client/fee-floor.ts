import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import { majority } from '../ledger/quorum.ts';
import type { ChainParametersAnswer } from './answers.ts';
import type { Nodes } from './nodes.ts';

/**
 * What is paid for so many units (operations, and signatures after the first) when nobody said: what the
 * chain asks for, and 1 at least. Where that is above `limits.unaskedFee` a node may lie: then 1, which an
 * honest one refuses with what it asks for.
 */
export function unaskedFee(units: number, perUnit: bigint): bigint {
  const least = perUnit > limits.unaskedFee ? 0n : perUnit * BigInt(units);
  return least > 1n ? least : 1n;
}

/** The least fee for each unit, now and by what is decided for later. */
export function floorIn({
  feePerOperation,
  scheduled,
}: Pick<ChainParametersAnswer, 'feePerOperation' | 'scheduled'>): bigint {
  const coming = scheduled.flatMap(({ change }): readonly string[] =>
    change.type === 'fee-floor' ? [change.feePerOperation] : [],
  );
  return [feePerOperation, ...coming].map(BigInt).reduce((a, b) => (a > b ? a : b));
}

/** What the chain asks for each unit, as the nodes say. */
export class FeeFloor {
  readonly #nodes: Nodes;
  #isAsked = false;
  #perUnit = 0n;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  get perUnit(): bigint {
    return this.#perUnit;
  }

  /**
   * Asks, unless it was asked before. A majority is heard, and the middle of what they say counts, of two the
   * lower: one that lies makes nobody pay more than an honest one asks for.
   */
  async learn(): Promise<void> {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const answers = await this.#nodes.some(
      (client, signal) => client.chainParameters({ signal }),
      ({ length }) => length >= majority(this.#nodes.endpoints.length),
    );
    const ascending = answers.map(floorIn).sort((a, b) => (a < b ? -1 : 1));
    this.#perUnit = ascending[Math.floor((ascending.length - 1) / 2)] ?? this.#perUnit;
  }

  /** Where a node asks for more, all are asked again before the next one is signed. */
  onRefused({ code }: Problem): void {
    if (code === 'transaction/fee-too-low' || code === 'mempool/fee-too-low') this.#isAsked = false;
  }
}
