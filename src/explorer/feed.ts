import { effect, signal } from '@preact/signals';
import { Problem, unwrap } from '../base/problem.ts';
import type { HeaderItem } from '../client/answers.ts';
import { finalBlocks } from '../client/events.ts';
import { headerFromJson } from '../client/inclusion-json.ts';
import { isRetryable } from '../client/transport.ts';
import { certifiedHeader } from '../client/verify.ts';
import type { Hash } from '../crypto/hash.ts';
import { hashHeader, headerJson, toHeight } from '../ledger/block.ts';
import { certified } from './certified.ts';
import { node, status, validators, why } from './node.ts';
import { renewChecker, trust } from './trust.ts';

/** A block as the node tells of it, and what this page found when it checked that. */
interface SeenBlock extends HeaderItem {
  /** Undefined until it was checked. */
  readonly verdict: 'final' | Problem | undefined;
}

const keptBlocks = 200;
const shownAtStart = 100;
/** How often what came is shown, checked, and asked for: people see no more. */
const renderMs = 100;
const verifyMs = 400;
const askMs = 1_500;

/** The newest first. */
export const blocks = signal<readonly SeenBlock[]>([]);
/** Why the stream of blocks stands still, if it does. */
export const trouble = signal<Problem | undefined>(undefined);
/** The newest block that this page had proven, while the node's chain is without it. */
export const missed = signal<Pick<HeaderItem, 'hash' | 'header'> | undefined>(undefined);
/** Transactions in blocks of each of the last seconds, by the blocks' own time, the newest last. */
export const rates = signal<readonly number[]>([]);
export const rateSeconds = 60;

let arrived: SeenBlock[] = [];
/** Aborts the running read when the node fell back below it. */
let reading = new AbortController();
/** The lower height that the node reported after a higher one, and how often in a row. */
let timesBehind = 0;
/** Once may be an answer that a new block overtook. */
const mostTimesBehind = 2;
const perSecond = new Map<number, number>();

/** Shows the chain as it grows, for as long as the page is open. */
export async function followChain(): Promise<void> {
  setInterval(takeArrived, renderMs);
  setInterval(() => void verifyNewest(), verifyMs);
  setInterval(showRates, 1_000);
  setInterval(() => void ask(), askMs);
  // What was found against one genesis file says nothing of another.
  effect(() => {
    if (trust.value !== undefined) {
      blocks.value = blocks.peek().map((one) => ({ ...one, verdict: undefined }));
    }
  });
  await ask();
  for (;;) {
    try {
      await readChain();
    } catch (failure) {
      // Another chain at the same address, or a pruned position: start again with what there is.
      trouble.value = failure instanceof Problem ? failure : undefined;
    }
    beginAnew();
    await new Promise((resolve) => setTimeout(resolve, askMs));
  }
}

/** What was proven is remembered until it is there again; what was not is forgotten. */
function beginAnew(): void {
  takeArrived();
  missed.value ??= blocks.value.find(({ verdict }) => verdict === 'final');
  arrived = [];
  blocks.value = [];
  timesBehind = 0;
  renewChecker();
}

async function readChain(): Promise<void> {
  reading = new AbortController();
  const now = await node.status();
  if (now instanceof Problem) throw now;
  const from = toHeight(Math.max(0, now.finalHeight - shownAtStart));
  const past = await node.headers(from);
  if (past instanceof Problem) throw past;
  blocks.value = past.headers.map(seen).toReversed();
  perSecond.clear();
  blocks.value.forEach(count);
  lookForMissed();
  const [last] = blocks.value;
  const after = last && { height: last.header.height, hash: last.hash };
  const stream = finalBlocks({
    baseUrl: location.origin,
    chainId: now.chainId,
    signal: reading.signal,
    ...(after !== undefined && { after }),
    onTrouble: (problem) => (trouble.value = problem),
  });
  for await (const block of stream) {
    trouble.value = undefined;
    const one = seen(block);
    arrived.push(one);
    count(one);
  }
}

/** As it is read from what its hash covers; the number of transactions is the node's word. */
function seen({ header: shown, transactionCount }: HeaderItem): SeenBlock {
  const header = unwrap(headerFromJson(shown));
  return { hash: hashHeader(header), header: headerJson(header), transactionCount, verdict: undefined };
}

function takeArrived(): void {
  if (arrived.length === 0) return;
  const fresh = arrived.toReversed();
  arrived = [];
  blocks.value = [...fresh, ...blocks.value].slice(0, keptBlocks);
  lookForMissed();
}

/** A node that lost its disk gets the same blocks again from the others. */
function lookForMissed(): void {
  const { value: block } = missed;
  if (block !== undefined && blocks.value.some(({ hash }) => hash === block.hash)) missed.value = undefined;
}

function count({ header, transactionCount }: HeaderItem): void {
  const second = Math.floor(header.timestamp / 1_000);
  perSecond.set(second, (perSecond.get(second) ?? 0) + transactionCount);
}

function showRates(): void {
  // The one that goes on is not shown: it would look like a fall.
  const first = Math.floor(Date.now() / 1_000) - rateSeconds;
  for (const second of perSecond.keys()) {
    // Nor is one so far in the future that no clock here will reach it.
    if (second < first || second > first + 2 * rateSeconds) perSecond.delete(second);
  }
  rates.value = Array.from({ length: rateSeconds }, (_, index) => perSecond.get(first + index) ?? 0);
}

async function ask(): Promise<void> {
  const newestBefore = blocks.value[0]?.header.height ?? 0;
  const [now, reason, listed] = await Promise.all([node.status(), node.why(), node.validators()]);
  if (!(now instanceof Problem)) {
    status.value = now;
    // A final height never falls: the node lost what it had, or it is another one.
    timesBehind = now.finalHeight < newestBefore ? timesBehind + 1 : 0;
    if (timesBehind >= mostTimesBehind) reading.abort();
    // The stream is complete again, whatever broke before.
    if (now.finalHeight === blocks.value[0]?.header.height) trouble.value = undefined;
  }
  if (!(reason instanceof Problem)) why.value = reason.why;
  if (!(listed instanceof Problem)) validators.value = listed.validators;
}

let isVerifying = false;

/**
 * Checks the newest block by its certificate, and with it all below that it leads to by parent hashes: one
 * certificate makes a block and all its ancestors final.
 */
async function verifyNewest(): Promise<void> {
  const [newest] = blocks.value;
  if (isVerifying || newest === undefined || newest.verdict !== undefined) return;
  isVerifying = true;
  try {
    const { value: against } = trust;
    const found = await certified(newest.header.height);
    // What is not known yet is asked for again; and a verdict is one on the file that is trusted now.
    if (trust.value !== against || (found instanceof Problem && isRetryable(found))) return;
    const verdicts =
      found instanceof Problem
        ? new Map([[newest.hash, found]])
        : verdictsBelow(hashHeader(found.header), found.header.height);
    blocks.value = blocks.value.map((block) =>
      block.verdict === undefined ? { ...block, verdict: verdicts.get(block.hash) } : block,
    );
  } finally {
    isVerifying = false;
  }
}

/** What a certified block makes of itself and those below it, by their hashes. */
function verdictsBelow(certifiedHash: Hash, height: number): ReadonlyMap<Hash, SeenBlock['verdict']> {
  const verdicts = new Map<Hash, SeenBlock['verdict']>();
  let expected = certifiedHash;
  for (const block of blocks.value) {
    if (block.header.height > height) continue;
    const header = certifiedHeader(block.header, expected);
    if (header instanceof Problem) verdicts.set(block.hash, header);
    if (header instanceof Problem || block.verdict === 'final') break;
    verdicts.set(block.hash, 'final');
    expected = header.parentHash;
  }
  return verdicts;
}
