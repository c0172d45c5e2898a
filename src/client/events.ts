import { Problem } from '../base/problem.ts';
import type { Height } from '../ledger/block.ts';
import type { HeaderItem, Origin } from './answers.ts';
import { defaultSurroundings, isRetryable, problemFromJson, type Surroundings } from './transport.ts';

export type FinalBlockEvent = Origin & HeaderItem;

/** One event of a stream of server-sent events (WHATWG HTML, section 9.2), with its last id. */
interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** An event is a header; more text than this without one is no event stream of ours. */
const largestEvent = 64 * 1024;

/**
 * The blocks that become final at a node, in order of height and each once, from the one after `after` when it is given. When the
 * stream breaks it connects again and goes on after the last block. It ends when `signal` is aborted, and throws the node's problem when
 * that will not pass by itself: the next block was pruned there.
 */
export async function* finalBlocks(options: {
  readonly baseUrl: string;
  readonly after?: Height;
  readonly signal?: AbortSignal;
  readonly surroundings?: Surroundings;
}): AsyncGenerator<FinalBlockEvent, void> {
  const { baseUrl, signal, surroundings = defaultSurroundings } = options;
  let last: Height | undefined = options.after;
  let pause = firstPauseMs;
  const ended = (): boolean => signal?.aborted ?? false;
  while (!ended()) {
    try {
      for await (const { data } of connect({ baseUrl, last, signal, surroundings })) {
        const block = parseEvent(data);
        if (block === undefined || (last !== undefined && block.header.height <= last)) continue;
        last = block.header.height;
        pause = firstPauseMs;
        yield block;
      }
    } catch (failure) {
      if (failure instanceof Problem) throw failure;
      // A stream that breaks, for whatever reason, is connected again below.
    }
    if (ended()) return;
    await surroundings.sleep(pause * (0.5 + surroundings.random() / 2));
    pause = Math.min(pause * 2, longestPauseMs);
  }
}

async function* connect(options: {
  readonly baseUrl: string;
  readonly last: Height | undefined;
  readonly signal: AbortSignal | undefined;
  readonly surroundings: Surroundings;
}): AsyncGenerator<ServerEvent, void> {
  const { baseUrl, last, signal, surroundings } = options;
  const response = await surroundings.fetch(`${baseUrl.replace(/\/+$/, '')}/v1/events`, {
    headers: {
      accept: 'text/event-stream',
      ...(last === undefined ? {} : { 'last-event-id': String(last) }),
    },
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok || response.body === null) {
    const problem = await refusal(response);
    if (problem !== undefined && !isRetryable(problem)) throw problem;
    throw new Error(`the event stream answered HTTP ${response.status}`);
  }
  yield* parseEvents(response.body);
}

/** Why the node gives no stream; undefined when it is not the node that says so. */
async function refusal(response: Response): Promise<Problem | undefined> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  if (isProblem) return problemFromJson(await response.json(), response);
  await response.body?.cancel();
  return undefined;
}

/** Events of a byte stream, whatever the pieces in which it comes. */
export async function* parseEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let id = '';
  let event = '';
  let data: string[] = [];
  for await (const piece of stream) {
    rest += decoder.decode(piece, { stream: true });
    // A lone CR at the end may be the first half of CR LF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    if (rest.length > largestEvent) throw new Error('a line of the event stream is too long');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, event, data: data.join('\n') };
        event = '';
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id') id = value;
      else if (field === 'event') event = value;
      else if (field === 'data') data.push(value);
    }
  }
}

function parseEvent(data: string): FinalBlockEvent | undefined {
  try {
    const value = JSON.parse(data) as FinalBlockEvent;
    return typeof value.header.height === 'number' && typeof value.hash === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
