import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { fromHex } from '../../base/bytes.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Pace, SubmitResult } from '../backend.ts';
import { readBatch } from '../body-readers.ts';
import { inPieces } from '../in-pieces.ts';
import { originOf, submitResultJson, takenJson, transactionStatusJson } from '../present.ts';
import { retryAfterSeconds } from '../problem-answer.ts';
import { statusOf } from '../problem-status.ts';
import {
  hashSchema,
  submissionQuerySchema,
  submissionSchema,
  type Submission,
  submittedBatchSchema,
  submittedSchema,
  transactionStatusSchema,
} from '../schemas.ts';
import { manyWaited, singleWaited, waitForFinality } from './waiting.ts';
import { type Api, problemAnswer, type RouteContext } from './route-context.ts';

const defaultWaitMs = 10_000;

/** Submission, and what became of it. */
export function transactionRoutes(api: Api, context: RouteContext): void {
  submitTransactions(api, context);
  getTransaction(api, context);
}

function submitTransactions(api: Api, context: RouteContext): void {
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
          `timeoutMs (${defaultWaitMs} unless told), or earlier when too many wait, with Retry-After: then ask for ` +
          'what is pending by its hash. In Raft mode a submission waits that long for a leader while ' +
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
      const { wait, timeoutMs = defaultWaitMs } = request.query;
      const pace = () => context.turn(request);
      context.stepAside(request, sizeOf(body));
      const transactions = await transactionsOf(body, pace);
      if (wait === undefined) {
        const results = takenOf(reply, await backend.submit(transactions, { pace }), single);
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
        const submitted = await backend.submit(transactions, {
          waitMs: timeoutMs,
          waitsNoMore: () => watching.gaveWay,
          pace,
        });
        const results = takenOf(reply, submitted, single);
        const left = (): number => Math.max(timeoutMs - (performance.now() - begin), 1);
        const waited = await waitForFinality({ backend, watching, results, left, pace });
        if (watching.gaveWay) void reply.header('retry-after', 1);
        const first = results[0];
        return await reply.send(
          single && first !== undefined && first.status !== 'refused'
            ? await singleWaited(waited, first.hash)
            : { ...originOf(identity), results: await manyWaited(waited, results) },
        );
      } finally {
        watching.end();
      }
    },
  );
}

function getTransaction(api: Api, { backend, turn }: RouteContext): void {
  const { identity } = backend;
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
      const status = await backend.transaction(request.params.hash as Hash, () => turn(request));
      return reply.send(transactionStatusJson(identity, status));
    },
  );
}

/** What a body takes in memory, by its transactions. */
function sizeOf(body: Submission | Uint8Array): number {
  if (body instanceof Uint8Array) return body.length;
  const texts = 'transaction' in body ? [body.transaction] : body.transactions;
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** The transactions of a body that was read, some of them in a turn. */
async function transactionsOf(body: Submission | Uint8Array, pace: Pace): Promise<readonly Uint8Array[]> {
  await pace();
  if (body instanceof Uint8Array) return readBatch(body);
  if ('transaction' in body) return [fromHex(body.transaction)];
  return await inPieces(body.transactions, fromHex, pace);
}

/** The results, unless the whole request is refused; and a header that says when to send again what was. */
function takenOf(
  reply: FastifyReply,
  results: readonly SubmitResult[],
  single: boolean,
): readonly SubmitResult[] {
  refuseWhenNoneWasTaken(results, single);
  setRetryAfter(reply, results);
  return results;
}

/**
 * One transaction has the HTTP status of its own refusal. Many have results of their own, but when none was
 * taken because the node takes nothing now, the whole request says so: then clients and proxies know to come
 * back later.
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
