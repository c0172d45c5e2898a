import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { fromHex } from '../../base/bytes.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { FinalOutcome, Pace, SubmitResult, TransactionOutcome } from '../backend.ts';
import { readBatch } from '../body-readers.ts';
import {
  missingJson,
  originOf,
  receiptJson,
  submitResultJson,
  takenJson,
  transactionStatusJson,
} from '../present.ts';
import { problemPart, retryAfterSeconds } from '../problem-answer.ts';
import { statusOf } from '../problem-status.ts';
import {
  hashSchema,
  submissionQuerySchema,
  submissionSchema,
  type Submission,
  submittedBatchSchema,
  submittedSchema,
  type SubmitResultJson,
  transactionStatusSchema,
} from '../schemas.ts';
import { type Api, problemAnswer, type RouteContext } from './route-context.ts';

const defaultWaitMs = 10_000;

/** Submission, and what became of it. */
export function transactionRoutes(api: Api, context: RouteContext): void {
  const { backend, watch } = context;
  const { identity } = backend;

  api.post(
    '/v1/transactions',
    {
      schema: {
        operationId: 'submitTransactions',
        summary: 'Submit one transaction, or many',
        description:
          'JSON, or in binary as application/octet-stream: the count in 2 bytes, then each transaction behind its ' +
          'length in 2 bytes, big-endian. One transaction that is refused is a problem; of many each has its own ' +
          'result. With wait=final the answer comes when all that were accepted are final, or as they stand after ' +
          `timeoutMs (${defaultWaitMs} unless told). In Raft mode a submission waits that long for a leader while ` +
          'there is none; without wait it is refused with consensus/no-leader, to be sent again. A node that loses the ' +
          'lead meanwhile, or cannot go on, answers at once with consensus/outcome-unknown: ask for the transaction by its hash.',
        tags: ['transactions'],
        consumes: ['application/json', 'application/octet-stream'],
        querystring: submissionQuerySchema,
        body: submissionSchema,
        response: {
          200: z.union([transactionStatusSchema, submittedBatchSchema]).describe('With wait=final'),
          202: z.union([submittedSchema, submittedBatchSchema]).describe('Taken, and not yet final'),
          ...problemAnswer,
        },
      },
    },
    async (request, reply) => {
      const body: Submission | Uint8Array = request.body;
      const single = !(body instanceof Uint8Array) && 'transaction' in body;
      const transactions = transactionsOf(body);
      const { wait, timeoutMs = defaultWaitMs } = request.query;
      const pace = () => context.turn(request);
      context.stepAside(request);
      // What reads the body and what judges it are two pieces.
      await pace();
      if (wait === undefined) {
        const results = await backend.submit(transactions);
        refuseWhenNoneWasTaken(results, single);
        setRetryAfter(reply, results);
        const [first] = results;
        return reply
          .code(202)
          .send(
            single && first !== undefined && first.status !== 'refused'
              ? { ...originOf(identity), ...takenJson(first) }
              : { ...originOf(identity), results: results.map(submitResultJson) },
          );
      }

      const watching = watch.begin(transactions.length, context.clientOf(request));
      // A client that left waits no more.
      reply.raw.once('close', () => watching.end());
      try {
        const begin = performance.now();
        const results = await backend.submit(transactions, { waitMs: timeoutMs });
        refuseWhenNoneWasTaken(results, single);
        setRetryAfter(reply, results);
        const hashes = results.flatMap((result) => (result.status === 'accepted' ? [result.hash] : []));
        const known = await statusesOfKnown(results, pace);
        for (const [hash, status] of known) if (status === 'pending') hashes.push(hash);
        const left = Math.max(timeoutMs - (performance.now() - begin), 1);
        const outcomes = await watching.until(hashes, left);
        const first = results[0];
        if (single && first !== undefined && first.status !== 'refused') {
          const status = await backend.transaction(first.hash, pace);
          const unknown = outcomeUnknown(first.hash, watching.gaveUp);
          if (unknown !== undefined && (status.status === 'pending' || status.status === 'unknown'))
            throw unknown;
          return await reply.send(transactionStatusJson(identity, status));
        }
        const shown: SubmitResultJson[] = [];
        for (const result of results) {
          shown.push(await waitedResult({ result, outcomes, gaveUp: watching.gaveUp, pace }));
        }
        return await reply.send({ ...originOf(identity), results: shown });
      } finally {
        watching.end();
      }
    },
  );

  /**
   * It was taken and is not final, and the node lost the lead, cannot go on, or, when time is up, knows no leader: nobody here can tell what will
   * become of it.
   */
  function outcomeUnknown(hash: Hash, gaveUp: string | undefined): Problem | undefined {
    const leaderless = identity.leaderTakesAll && backend.status().primary === null;
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
  async function statusesOfKnown(
    results: readonly SubmitResult[],
    pace: Pace,
  ): Promise<ReadonlyMap<Hash, string>> {
    const statuses = new Map<Hash, string>();
    for (const result of results) {
      if (result.status !== 'known') continue;
      statuses.set(result.hash, (await outcomeOf(result.hash, pace)).status);
    }
    return statuses;
  }

  /** One among many: that the block of one was pruned must not take their results from the others. */
  async function outcomeOf(
    hash: Hash,
    pace: Pace,
  ): Promise<TransactionOutcome | { readonly status: 'pruned' }> {
    try {
      return await backend.outcome(hash, pace);
    } catch (problem) {
      if (problem instanceof Problem && problem.code === 'storage/pruned') return { status: 'pruned' };
      throw problem;
    }
  }

  async function waitedResult(waited: {
    readonly result: SubmitResult;
    readonly outcomes: ReadonlyMap<Hash, FinalOutcome>;
    readonly gaveUp: string | undefined;
    readonly pace: Pace;
  }): Promise<SubmitResultJson> {
    const { result, outcomes, gaveUp, pace } = waited;
    if (result.status === 'refused') return submitResultJson(result);
    const { hash } = result;
    const outcome = outcomes.get(hash);
    const status =
      outcome === undefined ? await outcomeOf(hash, pace) : { status: 'final' as const, ...outcome };
    if (status.status === 'final') {
      const { height, blockHash, receipt } = status;
      return { status: 'final', hash, height, blockHash, receipt: receiptJson(receipt) };
    }
    if (status.status === 'gone') return { status: 'gone', hash, problem: problemPart(status.problem) };
    // Final since long ago: what is left of it is that it is known.
    if (status.status === 'pruned') return { status: 'known', hash };
    const unknown = outcomeUnknown(hash, gaveUp) ?? (status.status === 'unknown' ? status.problem : null);
    if (unknown !== null) return { status: 'unknown', hash, problem: problemPart(unknown) };
    return {
      status: 'pending',
      hash,
      missing: status.status === 'pending' ? missingJson(status.missing) : null,
    };
  }

  api.get(
    '/v1/transactions/:hash',
    {
      schema: {
        operationId: 'getTransaction',
        summary: 'What this node knows of a transaction; of a final one with all that proves it',
        tags: ['transactions'],
        params: z.strictObject({ hash: hashSchema }),
        response: { 200: transactionStatusSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const status = await backend.transaction(request.params.hash as Hash, () => context.turn(request));
      return reply.send(transactionStatusJson(identity, status));
    },
  );
}

function transactionsOf(body: Submission | Uint8Array): readonly Uint8Array[] {
  if (body instanceof Uint8Array) return readBatch(body);
  return ('transaction' in body ? [body.transaction] : body.transactions).map(fromHex);
}

/**
 * One transaction has the HTTP status of its own refusal. Many have results of their own, but when none was taken because the
 * node takes nothing now, the whole request says so: then clients and proxies know to come back later.
 */
function refuseWhenNoneWasTaken(results: readonly SubmitResult[], single: boolean): void {
  const first = results[0];
  if (first?.status !== 'refused') return;
  if (single) throw first.problem;
  const busy = results.every(
    (result) => result.status === 'refused' && [429, 503].includes(statusOf(result.problem.code)),
  );
  if (busy) throw first.problem;
}

/** Tells a client of which some transactions were refused for want of room when to send them again. */
function setRetryAfter(reply: FastifyReply, results: readonly SubmitResult[]): void {
  for (const result of results) {
    if (result.status !== 'refused') continue;
    const seconds = retryAfterSeconds(result.problem);
    if (seconds === undefined) continue;
    void reply.header('retry-after', seconds);
    return;
  }
}
