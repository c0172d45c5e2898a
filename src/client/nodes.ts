import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type Deadline, HttpClient } from './http-client.ts';
import { wrongTime } from './option-checks.ts';
import { asSent, defaultSurroundings, isRetryable, type Surroundings } from './transport.ts';

export interface NodesOptions {
  /** Addresses of the APIs of nodes of one chain, the preferred one first. */
  readonly endpoints: readonly string[];
  /** How long one node may take to answer before the next one is asked. */
  readonly attemptMs?: number;
  readonly surroundings?: Surroundings;
}

const firstPauseMs = 100;
const longestPauseMs = 2_000;
/** A node that did not answer is passed over for so long, where there are others. */
const passedOverMs = 15_000;

/**
 * Several nodes of one chain, any of which will do. It asks the one that answered last; one that cannot
 * answer now is left for the next.
 */
export class Nodes {
  readonly endpoints: readonly string[];
  readonly surroundings: Surroundings;
  /** Their chain, once it is known: a node that answers of another one is passed over. */
  chainId: Hash | undefined;
  readonly #clients: readonly HttpClient[];
  /** When each of them did not answer in time, last. */
  readonly #lateAt = new Map<number, number>();
  #current = 0;

  /** Throws `api/address` for what is no address, and when there is none; and `api/option`. */
  constructor(options: NodesOptions) {
    const { attemptMs = 3_000, surroundings = defaultSurroundings } = options;
    // Plain JavaScript may give one alone.
    const endpoints = [options.endpoints].flat();
    this.#clients = endpoints.map(
      (baseUrl) =>
        new HttpClient({
          baseUrl,
          attemptMs,
          deadlineMs: 0,
          surroundings,
          chainId: () => this.chainId,
        }),
    );
    if (this.#clients.length === 0) {
      throw new Problem('api/address', 'no node is named', {
        remedy: 'Name at least one address of an API.',
      });
    }
    this.endpoints = this.#clients.map(({ baseUrl }) => baseUrl);
    this.surroundings = surroundings;
  }

  /**
   * Every node is asked once, until what they said is enough. Those that were late last are not waited for
   * where others answer. Fewer answers when more went wrong. `signal` tells a call that no more are wanted.
   */
  async some<T>(
    call: (client: HttpClient, signal: AbortSignal) => Promise<T | Problem>,
    isEnough: (answers: readonly T[]) => boolean,
  ): Promise<readonly T[]> {
    const over = new AbortController();
    const answers: T[] = [];
    const asked = this.#clients.map((client, at) => ({ client, isLate: this.#isLate(at) }));
    let expected = asked.filter(({ isLate }) => !isLate).length;
    await Promise.all(
      asked.map(async ({ client, isLate }) => {
        const answer = await call(client, over.signal);
        if (over.signal.aborted) return;
        if (!(answer instanceof Problem)) answers.push(answer);
        else if (answer.code === 'api/timeout') this.late(client.baseUrl);
        if (!isLate) expected -= 1;
        if (answers.length > 0 && (expected === 0 || isEnough(answers))) over.abort();
      }),
    );
    return answers;
  }

  /**
   * The first answer that does not say "later": from the current node, then from the others in turn, with
   * pauses after each round. The last answer when `signal` is aborted, when the deadline passed and each was
   * asked (only one with a deadline of 0), or when none of all can ever help: no node answers at its address,
   * or it says `never`. Where several were asked and none answers as a node, it names each of them with its
   * own reason. Details say `sent: true` when any of the tries may have arrived.
   */
  async ask<T>(
    call: (client: HttpClient) => Promise<T | Problem>,
    options: Deadline & {
      readonly signal?: AbortSignal;
      /** What to do about a problem that does not say itself that it may pass. */
      readonly verdict?: (problem: Problem) => 'later' | 'never' | 'answer';
    } = {},
  ): Promise<T | Problem> {
    const { deadlineMs = 10_000, signal, verdict = () => 'answer' } = options;
    const wrong = wrongTime('deadlineMs', deadlineMs);
    if (wrong !== undefined) return wrong;
    const { now, sleep, random } = this.surroundings;
    const until = now() + deadlineMs;
    let pause = firstPauseMs;
    let sent = false;
    /** Addresses in a row at which asking again cannot help. */
    let hopeless = 0;
    /** What each of them said last. */
    const said = new Map<string, Problem>();
    for (let tries = 1; ; tries++) {
      const at = this.#current;
      const client = this.#clients[at] as HttpClient;
      const answer = await call(client);
      if (!(answer instanceof Problem)) return answer;
      const what = isRetryable(answer) ? 'later' : isNobody(answer) ? 'never' : verdict(answer);
      if (what === 'answer') return answer;
      sent ||= answer.details['sent'] === true;
      said.set(client.baseUrl, answer);
      hopeless = what === 'never' ? hopeless + 1 : 0;
      if (answer.code === 'api/timeout') this.#lateAt.set(at, now());
      // Another call may have moved on meanwhile.
      if (this.#current === at) this.#current = what === 'later' ? this.#after(at) : this.#next(at);
      const isOver = now() >= until && (deadlineMs === 0 || tries >= this.#clients.length);
      if (isOver || signal?.aborted === true || hopeless >= this.#clients.length) {
        const shown = noneAnswers(said) ?? answer;
        return sent ? asSent(shown) : shown;
      }
      if (tries % this.#clients.length !== 0) continue;
      await sleep(Math.min(pause * (0.5 + random() / 2), Math.max(until - now(), 0)));
      pause = Math.min(pause * 2, longestPauseMs);
    }
  }

  /** All addresses, the one that answered last first, and those from which no answer may be expected last. */
  get inOrder(): readonly string[] {
    const all = this.endpoints.map((_, index) => (this.#current + index) % this.endpoints.length);
    const late = all.filter((at) => at !== this.#current && this.#isLate(at));
    return [...all.filter((at) => !late.includes(at)), ...late].map((at) => this.endpoints[at] as string);
  }

  /** The node at this address. */
  at(url: string): HttpClient | undefined {
    return this.#clients[this.endpoints.indexOf(url)];
  }

  /** All but one, the one after it first. */
  others(than: HttpClient): readonly HttpClient[] {
    const at = this.#clients.indexOf(than);
    return [...this.#clients.slice(at + 1), ...this.#clients.slice(0, at)];
  }

  /** What was given to the current node came to nothing so far: the next one is asked from here on. */
  leave(): void {
    this.#current = this.#after(this.#current);
  }

  /** The node at this address did not answer: somebody else found out. */
  late(url: string): void {
    const at = this.endpoints.indexOf(url);
    if (at < 0) return;
    this.#lateAt.set(at, this.surroundings.now());
    if (this.#current === at) this.#current = this.#after(at);
  }

  #next(at: number): number {
    return (at + 1) % this.#clients.length;
  }

  #isLate(at: number): boolean {
    return this.surroundings.now() - (this.#lateAt.get(at) ?? -Infinity) < passedOverMs;
  }

  /** The next one from which an answer may be expected; whichever is next when there is none. */
  #after(at: number): number {
    for (let one = this.#next(at); one !== at; one = this.#next(one)) if (!this.#isLate(one)) return one;
    return this.#next(at);
  }
}

/** What went wrong at each of several addresses, when no node answered at any of them. */
function noneAnswers(said: ReadonlyMap<string, Problem>): Problem | undefined {
  const problems = [...said.values()];
  const [last] = problems.slice(-1);
  if (last === undefined || problems.length === 1) return undefined;
  if (!problems.every((one) => isNobody(one) || one.code === 'api/timeout')) return undefined;
  const each = problems.map(({ message }) => message).join('; ');
  return last.restated(`no node answers at any of ${problems.length} addresses: ${each}`, {
    remedy:
      'Check that the nodes run, that this machine reaches them, and that these are the addresses of their APIs; or name other nodes of the chain.',
    details: { ...last.details, url: [...said.keys()].join(' ') },
    cause: last,
  });
}

/** Whether something other than a node said so. */
function isNobody({ code }: Problem): boolean {
  return code === 'api/answer' || code === 'api/unreachable';
}
