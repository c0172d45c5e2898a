import { Problem } from '../base/problem.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import type { HeaderItem, Origin } from './answers.ts';
import { HttpClient } from './http-client.ts';
import type { Surroundings } from './transport.ts';

/** After so long without a piece of the stream, the node is asked whether its chain went on. */
const firstLookMs = 3_000;
const longestLookMs = 15_000;
/** How long one look may take. */
const lookMs = 3_000;
/** What is on its way comes within this time. */
const grantedMs = 1_000;
/** How often blocks are asked for while no stream comes through. */
const askMs = 1_000;

/**
 * While a stream is silent, checks whether blocks became final that it did not deliver: if so, something
 * between here and the node buffers what it should pass on. A node that does not answer such a question
 * stands still, or cannot be reached: its connection may stay open for long all the same.
 */
export class SilenceLook {
  readonly #client: HttpClient;
  readonly #surroundings: Surroundings;
  readonly #after: () => Height | undefined;
  readonly #onTrouble: (problem: Problem) => void;
  /** Where the chain stood at the first look, for one who reads from its end on. */
  #begin: Height | undefined;
  #heard = 0;
  #isSuspected = false;
  #isEnded = false;
  #cancel: () => void = () => undefined;

  constructor(options: {
    readonly url: string;
    readonly surroundings: Surroundings;
    /** The last block that came. */
    readonly after: () => Height | undefined;
    readonly onTrouble: (problem: Problem) => void;
  }) {
    const { url, surroundings, after, onTrouble } = options;
    this.#client = new HttpClient({ baseUrl: url, attemptMs: lookMs, deadlineMs: 0, surroundings });
    this.#surroundings = surroundings;
    this.#after = after;
    this.#onTrouble = onTrouble;
    this.begin();
  }

  /** The next piece of the stream is waited for. */
  begin(): void {
    this.#isSuspected = false;
    this.#lookIn(firstLookMs);
  }

  /** It came: until the next is waited for, silence says nothing. */
  rest(): void {
    this.#heard += 1;
    this.#cancel();
  }

  end(): void {
    this.#isEnded = true;
    this.#cancel();
  }

  #lookIn(ms: number, last = ms): void {
    this.#cancel();
    if (!this.#isEnded) this.#cancel = this.#surroundings.alarm(ms, () => void this.#look(last));
  }

  async #look(last: number): Promise<void> {
    const before = this.#heard;
    const missing = await this.#missing();
    if (this.#isEnded || this.#heard !== before) return;
    if (missing instanceof Problem) {
      this.#onTrouble(missing);
      return;
    }
    if (missing !== undefined && this.#isSuspected) {
      this.#onTrouble(heldBack(this.#client.baseUrl, missing));
      return;
    }
    this.#isSuspected = missing !== undefined;
    const next = Math.min(2 * last, longestLookMs);
    this.#lookIn(this.#isSuspected ? grantedMs : next, next);
  }

  /** A final block that the stream should have told of; a problem when the node does not answer. */
  async #missing(): Promise<Height | Problem | undefined> {
    const after = this.#after() ?? this.#begin;
    if (after === undefined) {
      const status = await this.#client.status();
      if (status instanceof Problem) return unanswered(status);
      // The first of several looks that are answered late.
      this.#begin ??= status.finalHeight;
      return undefined;
    }
    const next = toHeight(after + 1);
    const page = await this.#client.headers(next, { limit: 1 });
    if (page instanceof Problem) return unanswered(page);
    return page.headers.length === 0 ? undefined : next;
  }
}

/**
 * The blocks after one, asked for one page after the other, for so long: what is read where no stream comes
 * through. Throws the problem of a page that does not come.
 */
export async function* askedBlocks(options: {
  readonly url: string;
  readonly after: Height;
  readonly forMs: number;
  readonly signal: AbortSignal | undefined;
  readonly surroundings: Surroundings;
}): AsyncGenerator<Origin & HeaderItem, void> {
  const { url, after, forMs, signal, surroundings } = options;
  const client = new HttpClient({ baseUrl: url, deadlineMs: 0, surroundings });
  const until = surroundings.now() + forMs;
  let next = after + 1;
  const isOver = (): boolean => signal?.aborted === true || surroundings.now() >= until;
  while (!isOver()) {
    const page = await client.headers(toHeight(next));
    if (page instanceof Problem) throw page;
    const { headers, engine, chainId } = page;
    const before = next;
    for (const item of headers) {
      yield { engine, chainId, ...item };
      next = Math.max(next, item.header.height + 1);
    }
    // Also after a page that was seen before: the next one would be the same.
    if (next === before) await surroundings.sleep(askMs, signal);
  }
}

/** What an answer says in words says nothing about the stream. */
function unanswered(problem: Problem): Problem | undefined {
  return problem.code === 'api/timeout' || problem.code === 'api/unreachable' ? problem : undefined;
}

function heldBack(url: string, missing: Height): Problem {
  return new Problem(
    'api/held-back',
    `block ${missing} is final at ${url}, and its stream of events did not tell of it: something in between holds the stream back`,
    {
      remedy:
        'Blocks are asked for one page after the other meanwhile, which takes a little longer. Have what stands before the node hand the stream on at once (a proxy: no buffering, no compression, for /v1/events).',
      details: { url, height: missing, retryable: true },
    },
  );
}
