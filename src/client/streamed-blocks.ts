import { fromUtf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Height } from '../ledger/block.ts';
import { readJson } from './answer-json.ts';
import { readBounded } from './bounded-body.ts';
import { connectionProblem } from './connection-problem.ts';
import { SilenceLook } from './held-back.ts';
import { OthersLook } from './left-behind.ts';
import { EventTooLong, parseEvents, piecesOf, type ServerEvent } from './server-events.ts';
import { refusalIn, type Surroundings } from './transport.ts';

/** The node sends something at least this often. After three such spans of silence it is taken for dead. */
const silenceMs = 3 * limits.httpEventPingMs;

interface Connection {
  readonly url: string;
  /** Other nodes of the chain. */
  readonly others: readonly string[];
  /** The last block that was seen. */
  readonly after: () => Height | undefined;
  readonly signal: AbortSignal | undefined;
  readonly surroundings: Surroundings;
}

/** What each event tells; undefined for what no event of a node tells. */
export async function* streamedBlocks(connection: Connection): AsyncGenerator<unknown, void> {
  let before = connection.after();
  let repeated = 0;
  for await (const { event, data } of connect(connection)) {
    // What later versions may tell besides.
    if (event !== 'final' && event !== '') continue;
    yield parseEvent(data);
    // Repeating an old block counts as a sign of life only.
    const after = connection.after();
    repeated = after === before ? repeated + 1 : 0;
    if (repeated > limits.httpPage) throw broken(connection.url, 'it told only of blocks that came before');
    before = after;
  }
}

async function* connect(connection: Connection): AsyncGenerator<ServerEvent, void> {
  const { url, after, signal, surroundings } = connection;
  const last = after();
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal?.addEventListener('abort', end);
  const watch = new StreamWatch(connection, (trouble) => ending.abort(trouble));
  try {
    const asked = surroundings.fetch(`${url}/v1/events`, {
      headers: {
        accept: 'text/event-stream',
        ...(last === undefined ? {} : { 'last-event-id': String(last) }),
      },
      redirect: 'manual',
      signal: ending.signal,
    });
    const response = await asked.catch((cause: unknown) => {
      throw cause instanceof Problem ? cause : connectionProblem(url, cause);
    });
    const isStream = /^text\/event-stream\s*(?:;|$)/i.test(response.headers.get('content-type') ?? '');
    if (response.status !== 200 || !isStream || response.body === null) throw await refusal(url, response);
    yield* parseEvents(piecesOf(response.body, watch), limits.clientEventBytes);
  } catch (failure) {
    if (failure instanceof EventTooLong) throw noStream(url, failure.message);
    throw failure;
  } finally {
    watch.end();
    signal?.removeEventListener('abort', end);
    // Also when the reader of the events leaves in the middle.
    ending.abort();
  }
}

/** What is looked for while pieces of a stream are waited for, so that nobody waits for ever. */
class StreamWatch {
  readonly #connection: Connection;
  readonly #onTrouble: (trouble: Error) => void;
  readonly #looks: readonly (SilenceLook | OthersLook)[];
  #calm: () => void;
  #before: Height | undefined;
  #bytes = 0;

  constructor(connection: Connection, onTrouble: (trouble: Error) => void) {
    this.#connection = connection;
    this.#onTrouble = onTrouble;
    this.#before = connection.after();
    this.#calm = this.#silence();
    const options = { ...connection, onTrouble };
    this.#looks = [new SilenceLook(options), new OthersLook(options)];
  }

  /** The next piece is waited for. */
  readonly begin = (): void => {
    this.#calm();
    this.#calm = this.#silence();
    for (const look of this.#looks) look.begin();
  };

  /** It came, with so many bytes. */
  readonly rest = (bytes: number): void => {
    this.#calm();
    for (const look of this.#looks) look.rest();
    const { url, after } = this.#connection;
    if (after() !== this.#before) {
      this.#before = after();
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    const { clientIdleStreamBytes: most } = limits;
    if (this.#bytes > most) throw broken(url, `it told of no new block in ${most} bytes`);
  };

  end(): void {
    this.#calm();
    for (const look of this.#looks) look.end();
  }

  #silence(): () => void {
    return this.#connection.surroundings.alarm(silenceMs, () =>
      this.#onTrouble(new Error(`nothing came for ${silenceMs / 1_000} s, not even a sign of life`)),
    );
  }
}

/** Why there is no stream: the node's own problem, or what came in its place. */
async function refusal(url: string, response: Response): Promise<Problem> {
  if (response.ok) {
    return noStream(
      url,
      `HTTP ${response.status} with ${response.headers.get('content-type') ?? 'no content type'}`,
    );
  }
  const body = await readBounded(response, limits.clientRefusalBytes);
  return refusalIn(url, response, (body && fromUtf8(body)) ?? '');
}

export function noStream(url: string, what: string): Problem {
  return new Problem('api/answer', `${url} gave no stream of events, but ${what}`, {
    remedy:
      'Check that this is the address of a Quorate node, and no proxy in front of it that answers itself.',
    details: { url },
  });
}

function parseEvent(data: string): unknown {
  const read = readJson(data);
  return 'json' in read ? read.json : undefined;
}

export function broken(url: string, why: string): Problem {
  return new Problem('api/unreachable', `the stream of ${url} broke: ${why}`, {
    remedy: 'It is tried again by itself. Check that the node runs and can be reached.',
    details: { url, retryable: true },
  });
}
