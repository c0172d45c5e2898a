import { Problem } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type Height, toHeight } from '../ledger/block.ts';
import type { HeaderItem, Origin } from './answers.ts';
import { askedBlocks } from './held-back.ts';
import { parseNodeAddress } from './node-address.ts';
import { broken, noStream, streamedBlocks } from './streamed-blocks.ts';
import { defaultSurroundings, isRetryable, type Surroundings } from './transport.ts';

export type FinalBlockEvent = Origin & HeaderItem;

export interface FinalBlocksOptions {
  /** One node's API, or those of several: when the stream of one breaks, it goes on at the next. */
  readonly baseUrl: string | readonly string[];
  /**
   * The last block that was seen. With its hash, the stream also shows that the chain is still the
   * one that was read before. Without it they begin with the next block of the node that is read; when that
   * one is left before it told of any, with the next of another one, and what was final in between is missed.
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
/** How long blocks are asked for, where the stream does not come through, until it is tried again. */
const askForMs = 60_000;
/**
 * So often in a row it is told that there is no such place yet, for about 12 s, before that is believed: of
 * several nodes behind one address one may be behind the others, and know of none while it starts.
 */
const timesAhead = 8;

/** Where a reader is: after this block, on this chain. */
interface Cursor {
  readonly chainId: Hash | undefined;
  readonly height: Height | undefined;
  readonly hash: Hash | undefined;
}

/**
 * The blocks that become final, in order of height, each once and each on the one before, from the one after
 * `after` when it is given. When the stream breaks, or is silent and the node does not answer, it goes on
 * after the last block, at the next node if there are several; when none comes and another node has more, at
 * that one. Where something holds the stream back, the blocks are asked for. It ends when `signal` is
 * aborted, and throws a problem when trying again cannot help, at none of the addresses: the chain there is
 * another one than the one that was read (`api/other-chain`), the next block was pruned, the place to go on
 * from is not there and does not come (`api/cursor-ahead`), or it does not answer as a node does.
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
    const url = urls[at++ % urls.length] as string;
    let trouble: Problem | undefined;
    const { height: after } = cursor;
    try {
      const others = urls.filter((one) => one !== url);
      const connection = { url, others, after: () => cursor.height, signal, surroundings };
      const source =
        isHeldBack && after !== undefined
          ? askedBlocks({ ...connection, after, forMs: askForMs })
          : streamedBlocks(connection);
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
    if (misfits >= timesUntilBelieved(trouble, urls.length)) throw trouble;
    onTrouble?.(trouble);
    if (trouble.code === 'api/held-back') {
      isHeldBack = true;
      at -= 1;
      cursor = { ...cursor, height: cursor.height ?? toHeight(Number(trouble.details['height']) - 1) };
      continue;
    }
    if (trouble.code === 'node/behind') at = whereItWentOn(urls, trouble);
    await surroundings.sleep(pause * (0.5 + surroundings.random() / 2), signal);
    pause = Math.min(pause * 2, longestPauseMs);
  }
}

function timesUntilBelieved({ code }: Problem, nodes: number): number {
  return code === 'api/cursor-ahead' ? Math.max(nodes, timesAhead) : nodes;
}

/** The node that is further: one who reads from the end on begins there with the next block. */
function whereItWentOn(urls: readonly string[], { details }: Problem): number {
  return Math.max(urls.indexOf(String(details['other'])), 0);
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

function textOfError(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** Checks every field that the client relies on later. */
function isBlock(value: unknown): value is FinalBlockEvent {
  const { chainId, hash, transactionCount, header } = (value ?? {}) as Partial<FinalBlockEvent>;
  return (
    [chainId, hash, header?.parentHash].every((one) => typeof one === 'string') &&
    [header?.height, transactionCount].every((one) => Number.isSafeInteger(one) && Number(one) >= 0)
  );
}
