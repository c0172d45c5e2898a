import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { receiptJson } from '../../ledger/receipt.ts';
import type { Backend, FinalOutcome, Pace, SubmitResult, TransactionOutcome } from '../backend.ts';
import type { FinalWatch } from '../final-watch.ts';
import { missingJson, submitResultJson, transactionStatusJson } from '../present.ts';
import { problemPart } from '../problem-answer.ts';
import type { SubmitResultJson } from '../schemas.ts';

type Watching = ReturnType<FinalWatch['begin']>;

/** What is known when all that was submitted is final, or time is up. */
interface Waited {
  readonly backend: Backend;
  readonly outcomes: ReadonlyMap<Hash, FinalOutcome>;
  /** Tells why this node cannot tell of finality any more, if so. */
  readonly watching: Watching;
  readonly pace: Pace;
}

/** Waits until all that was accepted is final, as long as there is time left, in milliseconds. */
export async function waitForFinality(waiting: {
  readonly backend: Backend;
  readonly watching: Watching;
  readonly results: readonly SubmitResult[];
  readonly left: () => number;
  readonly pace: Pace;
}): Promise<Waited> {
  const { backend, watching, results, left, pace } = waiting;
  const hashes = results.flatMap((result) => (result.status === 'accepted' ? [result.hash] : []));
  const known = new Map<Hash, FinalOutcome>();
  for (const [hash, outcome] of await outcomesOfKnown({ backend, pace }, results)) {
    if (outcome.status === 'pending') hashes.push(hash);
    if (outcome.status === 'final') known.set(hash, outcome);
  }
  const watched = await watching.until(hashes, left(), async (hash) => {
    const outcome = await outcomeOf({ backend, pace }, hash);
    return outcome.status === 'final' ? outcome : undefined;
  });
  return { backend, watching, outcomes: new Map([...known, ...watched]), pace };
}

/**
 * The answer of one that was submitted alone; throws a problem when nobody here can tell what will become of
 * it.
 */
export async function singleWaited({ backend, watching, pace }: Waited, hash: Hash) {
  const status = await backend.transaction(hash, pace);
  const unknown = outcomeUnknown(backend, hash, watching.gaveUp);
  if (unknown !== undefined && (status.status === 'pending' || status.status === 'unknown')) throw unknown;
  return transactionStatusJson(backend.identity, status);
}

/** The answers of many, in their order. */
export async function manyWaited(
  waited: Waited,
  results: readonly SubmitResult[],
): Promise<SubmitResultJson[]> {
  const shown: SubmitResultJson[] = [];
  for (const result of results) shown.push(await waitedResult(waited, result));
  return shown;
}

async function waitedResult(waited: Waited, result: SubmitResult): Promise<SubmitResultJson> {
  const { backend, watching, outcomes } = waited;
  if (result.status === 'refused') return submitResultJson(result);
  const { hash } = result;
  const outcome = outcomes.get(hash);
  const status =
    outcome === undefined ? await outcomeOf(waited, hash) : { status: 'final' as const, ...outcome };
  if (status.status === 'final') {
    const { height, blockHash, receipt } = status;
    return { status: 'final', hash, height, blockHash, receipt: receiptJson(receipt) };
  }
  if (status.status === 'gone') return { status: 'gone', hash, problem: problemPart(status.problem) };
  // It was final long before: all that is still known is that it is known.
  if (status.status === 'pruned') return { status: 'known', hash };
  const unknown =
    outcomeUnknown(backend, hash, watching.gaveUp) ?? (status.status === 'unknown' ? status.problem : null);
  if (unknown !== null) return { status: 'unknown', hash, problem: problemPart(unknown) };
  return {
    status: 'pending',
    hash,
    missing: status.status === 'pending' ? missingJson(status.missing) : null,
  };
}

/**
 * It was taken and is not final, and the node lost the lead, cannot go on, or, when time is up, knows no
 * leader: nobody here can tell what will become of it.
 */
function outcomeUnknown(backend: Backend, hash: Hash, gaveUp: string | undefined): Problem | undefined {
  const leaderless = backend.identity.leaderTakesAll && backend.status().primary === null;
  if (gaveUp === undefined && !leaderless) return undefined;
  const why =
    gaveUp === undefined
      ? 'the transaction was not final in time, and no leader is known'
      : `the node ${backend.health() === undefined ? 'lost the lead' : 'could not go on'} before the transaction was final: ${gaveUp}`;
  return new Problem('consensus/outcome-unknown', why, {
    remedy: `It may still become final: ask for transaction ${hash}, or submit the same one again; it counts only once.`,
    details: { hash, outcome: 'unknown', retryable: true },
  });
}

/** What is known already may be final since long ago, when no block will tell of it. */
async function outcomesOfKnown(at: Pick<Waited, 'backend' | 'pace'>, results: readonly SubmitResult[]) {
  const outcomes = new Map<Hash, Awaited<ReturnType<typeof outcomeOf>>>();
  for (const { status, hash } of results) {
    if (status === 'known') outcomes.set(hash, await outcomeOf(at, hash));
  }
  return outcomes;
}

/** One of many: a pruned block of one transaction must not cost the others their results. */
async function outcomeOf(
  { backend, pace }: Pick<Waited, 'backend' | 'pace'>,
  hash: Hash,
): Promise<TransactionOutcome | { readonly status: 'pruned' }> {
  try {
    return await backend.outcome(hash, pace);
  } catch (problem) {
    if (problem instanceof Problem && problem.code === 'storage/pruned') return { status: 'pruned' };
    throw problem;
  }
}
