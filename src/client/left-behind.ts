import { Problem } from '../base/problem.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import { HttpClient } from './http-client.ts';
import type { Surroundings } from './transport.ts';

/** After so long without a block another node is asked whether its chain went on. */
const firstLookMs = 5_000;
const longestLookMs = 20_000;
/** How long one look may take. */
const lookMs = 3_000;
/** A block that another node has comes from this one within this time, unless it is cut off. */
const grantedMs = 2_000;

/**
 * While no block comes from one of several nodes, asks the others in turn whether their chain went on. A node
 * that is cut off from the rest sends signs of life all the same, and so does one that lies: whoever reads
 * it alone would wait for ever.
 */
export class OthersLook {
  readonly #others: readonly string[];
  readonly #surroundings: Surroundings;
  readonly #after: () => Height | undefined;
  readonly #onTrouble: (problem: Problem) => void;
  readonly #url: string;
  /** Where each stood when it was asked first, for one who reads from the end of the chain on. */
  readonly #stood = new Map<string, Height>();
  #turn = 0;
  #isSuspected = false;
  #isLooking = false;
  #isWaiting = true;
  #dueAt = 0;
  #pause = firstLookMs;
  #seen: Height | undefined;
  #isEnded = false;
  #cancel: () => void = () => undefined;

  constructor(options: {
    readonly url: string;
    readonly others: readonly string[];
    readonly surroundings: Surroundings;
    /** The last block that came. */
    readonly after: () => Height | undefined;
    readonly onTrouble: (problem: Problem) => void;
  }) {
    const { url, others, surroundings, after, onTrouble } = options;
    this.#url = url;
    this.#others = others;
    this.#surroundings = surroundings;
    this.#after = after;
    this.#onTrouble = onTrouble;
    this.#seen = after();
    this.#lookIn(firstLookMs);
    this.begin();
  }

  /** The next piece of the stream is waited for. */
  begin(): void {
    this.#isWaiting = true;
    if (this.#isEnded || this.#isLooking || this.#others.length === 0) return;
    this.#cancel();
    const left = Math.max(this.#dueAt - this.#surroundings.now(), 0);
    this.#cancel = this.#surroundings.alarm(left, () => void this.#look());
  }

  /** It came: whoever takes long over it is not left behind. */
  rest(): void {
    this.#isWaiting = false;
    this.#cancel();
  }

  end(): void {
    this.#isEnded = true;
    this.#cancel();
  }

  #lookIn(ms: number): void {
    this.#dueAt = this.#surroundings.now() + ms;
  }

  async #look(): Promise<void> {
    if (!this.#hasMoved()) {
      this.#isLooking = true;
      const other = this.#others[this.#turn % this.#others.length] as string;
      const further = await this.#furtherAt(other);
      this.#isLooking = false;
      if (this.#isEnded) return;
      if (!this.#hasMoved()) this.#judge(other, further);
    }
    if (this.#isWaiting) this.begin();
  }

  #judge(other: string, further: Height | undefined): void {
    if (further !== undefined && this.#isSuspected && this.#isWaiting) {
      this.#onTrouble(leftBehind(this.#url, other, further));
      return;
    }
    this.#isSuspected = further !== undefined;
    // It is asked once more before this one is left.
    if (this.#isSuspected) return this.#lookIn(grantedMs);
    this.#turn += 1;
    this.#pause = Math.min(2 * this.#pause, longestLookMs);
    this.#lookIn(this.#pause);
  }

  /** A block came: from here on the next is waited for. */
  #hasMoved(): boolean {
    if (this.#after() === this.#seen) return false;
    this.#seen = this.#after();
    this.#isSuspected = false;
    this.#pause = firstLookMs;
    this.#lookIn(firstLookMs);
    return true;
  }

  /** A final block that the other node has, and that did not come here. */
  async #furtherAt(url: string): Promise<Height | undefined> {
    const surroundings = this.#surroundings;
    const client = new HttpClient({ baseUrl: url, attemptMs: lookMs, deadlineMs: 0, surroundings });
    const after = this.#seen ?? this.#stood.get(url);
    if (after === undefined) {
      const status = await client.status();
      if (!(status instanceof Problem)) this.#stood.set(url, status.finalHeight);
      return undefined;
    }
    const next = toHeight(after + 1);
    const page = await client.headers(next, { limit: 1 });
    return page instanceof Problem || page.headers.length === 0 ? undefined : next;
  }
}

function leftBehind(url: string, other: string, height: Height): Problem {
  return new Problem('node/behind', `block ${height} is final at ${other}, and ${url} does not tell of it`, {
    remedy:
      'The other node is read from here on. Ask the first one what it waits for: "quorate why" (quorate: --node URL).',
    details: { url, other, height, retryable: true },
  });
}
