import { fromUtf8 } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import type { HeaderItem, Origin } from './answers.ts';
import { readJson } from './answer-json.ts';
import { readBounded } from './bounded-body.ts';
import { connectionProblem } from './connection-problem.ts';
import { askedBlocks, SilenceLook } from './held-back.ts';
import { parseNodeAddress } from './node-address.ts';
import { EventTooLong, parseEvents, piecesOf, type ServerEvent } from './server-events.ts';
import { defaultSurroundings, isRetryable, refusalIn, type Surroundings } from './transport.ts';

export type FinalBlockEvent = Origin & HeaderItem;

export interface FinalBlocksOptions {
  /** One node's API, or those of several: when the stream of one breaks, it goes on at the next. */
  readonly baseUrl: string | readonly string[];
  /**
   * The last block that was seen. With its hash, the stream also shows that the chain is still the
   * one that was read before.
   */
  readonly after?: Height | { readonly height: Height; readonly hash: Hash };
  /** The chain that is expected; without it, that of the first block. */
  readonly chainId?: Hash;
  readonly signal?: AbortSignal;
  /** Told of what broke the stream, each time before it is tried again. */
  readonly onTrouble?: (problem: Problem) => void;
  /**
   * Looks at each block, with the address from which it came, before it counts as seen. With a problem it
   * does not, and another node is read.
   */
  readonly admit?: (block: FinalBlockEvent, url: string) => Promise<Problem | undefined>;
  readonly surroundings?: Surroundings;
}

const firstPauseMs = 200;
const longestPauseMs = 5_000;
/** The node sends something at least this often. After three such spans of silence it is taken for dead. */
const silenceMs = 3 * limits.httpEventPingMs;
/** How long blocks are asked for, where the stream does not come through, until it is tried again. */
const askForMs = 60_000;

/** Where a reader is: after this block, on this chain. */
interface Cursor {
  readonly chainId: Hash | undefined;
  readonly height: Height | undefined;
  readonly hash: Hash | undefined;
}

/**
 * The blocks that become final, in order of height, each once and each on the one before, from the one after
 * `after` when it is given. When the stream breaks, or is silent and the node does not answer, it goes on
 * after the last block, at the next node if there are several. Where something holds the stream back, the
 * blocks are asked for. It ends when `signal` is aborted, and throws a problem when trying again cannot help,
 * at none of the addresses: the chain there is another one than the one that was read (`api/other-chain`),
 * the next block was pruned, the node does not know the place to go on from, or it does not answer as a node
 * does.
 */
export async function* finalBlocks(options: FinalBlocksOptions): AsyncGenerator<FinalBlockEvent, void> {
  const { signal, onTrouble, admit, surroundings = defaultSurroundings } = options;
  const urls = addressesOf(options.baseUrl);
  let cursor = cursorOf(options);
  let pause = firstPauseMs;
  let at = 0;
  /** How many nodes in a row gave an answer that asking again cannot change. */
  let misfits = 0;
  let isHeldBack = false;
  while (!isEnded(signal)) {
    const url = urls[at % urls.length] as string;
    at += 1;
    let trouble: Problem | undefined;
    const { height: after } = cursor;
    try {
      const source =
        isHeldBack && after !== undefined
          ? askedBlocks({ url, after, forMs: askForMs, signal, surroundings })
          : streamedBlocks({ url, after: () => cursor.height, signal, surroundings });
      const end = isHeldBack ? undefined : broken(url, 'the node ended it');
      trouble = end;
      isHeldBack = false;
      for await (const block of source) {
        if (!isBlock(block)) throw noStream(url, 'an event that tells of no final block');
        if (isSeen(cursor, block, url)) continue;
        // What is missing in between comes when the stream begins anew after the last one.
        if (cursor.height !== undefined && block.header.height > cursor.height + 1) {
          trouble = broken(url, `block ${block.header.height} came after block ${cursor.height}`);
          break;
        }
        trouble = await admit?.(block, url);
        if (trouble !== undefined) break;
        trouble = end;
        cursor = { chainId: block.chainId, height: block.header.height, hash: block.hash };
        pause = firstPauseMs;
        misfits = 0;
        yield block;
      }
    } catch (failure) {
      trouble = failure instanceof Problem ? failure : broken(url, textOfError(failure));
    }
    if (isEnded(signal)) return;
    if (trouble === undefined) continue;
    // A name that does not resolve now may resolve again later.
    const isMisfit = !isRetryable(trouble) && (trouble.code !== 'api/unreachable' || after === undefined);
    misfits = isMisfit ? misfits + 1 : 0;
    if (misfits >= urls.length) throw trouble;
    onTrouble?.(trouble);
    if (trouble.code === 'api/held-back') {
      isHeldBack = true;
      at -= 1;
      cursor = { ...cursor, height: cursor.height ?? toHeight(Number(trouble.details['height']) - 1) };
      continue;
    }
    await surroundings.sleep(pause * (0.5 + surroundings.random() / 2), signal);
    pause = Math.min(pause * 2, longestPauseMs);
  }
}

function isEnded(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

function addressesOf(baseUrl: string | readonly string[]): readonly string[] {
  const urls = typeof baseUrl === 'string' ? [baseUrl] : baseUrl;
  return urls.map((url) => {
    const address = parseNodeAddress(url);
    if (address instanceof Problem) throw address;
    return address;
  });
}

function cursorOf({ after, chainId }: FinalBlocksOptions): Cursor {
  if (typeof after === 'object') return { chainId, ...after };
  return { chainId, height: after, hash: undefined };
}

/**
 * Whether a block was seen before. Throws `api/other-chain` for one that does not belong to what was seen.
 */
function isSeen({ chainId, height, hash }: Cursor, block: FinalBlockEvent, url: string): boolean {
  const { header } = block;
  if (chainId !== undefined && block.chainId !== chainId) {
    throw otherChain(url, `it is on chain ${block.chainId}, and not on ${chainId}`);
  }
  if (height === undefined || hash === undefined) return height !== undefined && header.height <= height;
  if (header.height === height && block.hash !== hash) {
    throw otherChain(url, `its block ${height} is ${block.hash}, and not ${hash}, which was seen before`);
  }
  if (header.height === height + 1 && header.parentHash !== hash) {
    throw otherChain(url, `its block ${header.height} does not follow block ${height} that was seen before`);
  }
  return header.height <= height;
}

function otherChain(url: string, why: string): Problem {
  return new Problem('api/other-chain', `${url} serves another chain than the one that was read: ${why}`, {
    remedy:
      'The chain began anew there, or the address is another one’s. What was read before is no part of it: ask a node of the old chain, or read the new one from its beginning.',
    details: { url },
  });
}

function broken(url: string, why: string): Problem {
  return new Problem('api/unreachable', `the stream of ${url} broke: ${why}`, {
    remedy: 'It is tried again by itself. Check that the node runs and can be reached.',
    details: { url, retryable: true },
  });
}

function textOfError(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

interface Connection {
  readonly url: string;
  /** The last block that was seen. */
  readonly after: () => Height | undefined;
  readonly signal: AbortSignal | undefined;
  readonly surroundings: Surroundings;
}

/** What each event tells; undefined for what no event of a node tells. */
async function* streamedBlocks(connection: Connection): AsyncGenerator<unknown, void> {
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

async function* connect({ url, after, signal, surroundings }: Connection): AsyncGenerator<ServerEvent, void> {
  const last = after();
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal?.addEventListener('abort', end);
  const silence = (): (() => void) =>
    surroundings.alarm(silenceMs, () =>
      ending.abort(new Error(`nothing came for ${silenceMs / 1_000} s, not even a sign of life`)),
    );
  let calm = silence();
  let heard: { readonly before: Height | undefined; bytes: number } = { before: last, bytes: 0 };
  const look = new SilenceLook({ url, surroundings, after, onTrouble: (problem) => ending.abort(problem) });
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
    yield* parseEvents(
      piecesOf(response.body, {
        begin: () => {
          calm();
          calm = silence();
          look.begin();
        },
        rest: (bytes) => {
          calm();
          look.rest();
          if (after() !== heard.before) heard = { before: after(), bytes: 0 };
          heard.bytes += bytes;
          const { clientIdleStreamBytes: most } = limits;
          if (heard.bytes > most) throw broken(url, `it told of no new block in ${most} bytes`);
        },
      }),
      limits.clientEventBytes,
    );
  } catch (failure) {
    if (failure instanceof EventTooLong) throw noStream(url, failure.message);
    throw failure;
  } finally {
    calm();
    look.end();
    signal?.removeEventListener('abort', end);
    // Also when the reader of the events leaves in the middle.
    ending.abort();
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

function noStream(url: string, what: string): Problem {
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

/** Checks every field that the client relies on later. */
function isBlock(value: unknown): value is FinalBlockEvent {
  const { chainId, hash, transactionCount, header } = (value ?? {}) as Partial<FinalBlockEvent>;
  return (
    [chainId, hash, header?.parentHash].every((one) => typeof one === 'string') &&
    [header?.height, transactionCount].every((one) => Number.isSafeInteger(one) && Number(one) >= 0)
  );
}
