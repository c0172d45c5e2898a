import { signal } from '@preact/signals';
import { Problem } from '../base/problem.ts';
import type { HeaderItem } from '../client/answers.ts';
import { type FinalBlockEvent, finalBlocks } from '../client/events.ts';
import { headerFromJson } from '../client/inclusion-json.ts';
import { verifyHeader } from '../client/verify.ts';
import { hashHeader, toHeight } from '../ledger/block.ts';
import { genesisHeader } from '../ledger/genesis.ts';
import { node, status, validators, why } from './node.ts';
import { checkAgainstGenesis, trustedGenesis } from './trust.ts';

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
/** Transactions in blocks of each of the last seconds, by the blocks' own time, the newest last. */
export const rates = signal<readonly number[]>([]);
export const rateSeconds = 60;

let arrived: FinalBlockEvent[] = [];
const perSecond = new Map<number, number>();

/** Shows the chain as it grows, for as long as the page is open. */
export async function followChain(): Promise<void> {
  setInterval(takeArrived, renderMs);
  setInterval(() => void verifyNewest(), verifyMs);
  setInterval(showRates, 1_000);
  setInterval(() => void ask(), askMs);
  await ask();
  for (;;) {
    try {
      await readChain();
    } catch (failure) {
      // Another chain at the same address, or a place that was pruned: from the beginning of what there is.
      trouble.value = failure instanceof Problem ? failure : undefined;
      arrived = [];
      blocks.value = [];
    }
    await new Promise((resolve) => setTimeout(resolve, askMs));
  }
}

async function readChain(): Promise<void> {
  const now = await node.status();
  if (now instanceof Problem) throw now;
  const from = toHeight(Math.max(0, now.finalHeight - shownAtStart));
  const past = await node.headers(from);
  if (past instanceof Problem) throw past;
  blocks.value = past.headers.map((one) => ({ ...one, verdict: undefined })).toReversed();
  perSecond.clear();
  past.headers.forEach(count);
  const [last] = blocks.value;
  const after = last && { height: last.header.height, hash: last.hash };
  const stream = finalBlocks({
    baseUrl: location.origin,
    chainId: now.chainId,
    ...(after !== undefined && { after }),
    onTrouble: (problem) => (trouble.value = problem),
  });
  for await (const block of stream) {
    trouble.value = undefined;
    arrived.push(block);
    count(block);
  }
}

function takeArrived(): void {
  if (arrived.length === 0) return;
  const fresh = arrived.map((one) => ({ ...one, verdict: undefined })).toReversed();
  arrived = [];
  blocks.value = [...fresh, ...blocks.value].slice(0, keptBlocks);
}

function count({ header, transactionCount }: HeaderItem): void {
  const second = Math.floor(header.timestamp / 1_000);
  perSecond.set(second, (perSecond.get(second) ?? 0) + transactionCount);
}

function showRates(): void {
  // The one that goes on is not shown: it would look like a fall.
  const first = Math.floor(Date.now() / 1_000) - rateSeconds;
  for (const second of perSecond.keys()) if (second < first) perSecond.delete(second);
  rates.value = Array.from({ length: rateSeconds }, (_, index) => perSecond.get(first + index) ?? 0);
}

async function ask(): Promise<void> {
  const [now, reason, listed] = await Promise.all([node.status(), node.why(), node.validators()]);
  if (!(now instanceof Problem)) status.value = now;
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
  const genesis = trustedGenesis();
  if (isVerifying || newest === undefined || genesis === undefined || newest.verdict !== undefined) return;
  if (newest.header.height === 0) {
    // Nothing stands on it yet that could be signed: the genesis file itself says what it is.
    const isGenesis = newest.hash === hashHeader(genesisHeader(genesis));
    blocks.value = [{ ...newest, verdict: isGenesis ? 'final' : notThat(newest) }];
    return;
  }
  isVerifying = true;
  try {
    const answer = await node.finality(newest.header.height);
    if (answer instanceof Problem) return;
    const verified = await checkAgainstGenesis((known) => verifyHeader(answer, known));
    if (verified === undefined) return;
    const verdicts = new Map<string, SeenBlock['verdict']>();
    if (verified instanceof Problem) verdicts.set(newest.hash, verified);
    else {
      let expected: string = hashHeader(verified.header);
      for (const block of blocks.value) {
        if (block.header.height > verified.header.height) continue;
        if (block.verdict === 'final') break;
        const header = headerFromJson(block.header);
        const isThat =
          !(header instanceof Problem) && block.hash === expected && hashHeader(header) === expected;
        verdicts.set(block.hash, isThat ? 'final' : notThat(block));
        if (!isThat || header instanceof Problem) break;
        expected = header.parentHash;
      }
    }
    blocks.value = blocks.value.map((block) =>
      block.verdict === undefined && verdicts.has(block.hash)
        ? { ...block, verdict: verdicts.get(block.hash) }
        : block,
    );
  } finally {
    isVerifying = false;
  }
}

function notThat({ hash, header }: HeaderItem): Problem {
  return new Problem('proof/headers', `the certified chain has another block at height ${header.height}`, {
    remedy: 'Believe nothing of it, and ask another node.',
    details: { height: header.height, hash },
  });
}
