import { z } from 'zod';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import { encodeAddress } from '../../crypto/address.ts';
import { toHeight } from '../../ledger/block.ts';
import type { NodeStatus } from '../backend.ts';
import { listPieces, pacedJson, sendPieces } from '../paced-json.ts';
import { evidenceJson, originOf, statusJson, validatorJson } from '../present.ts';
import { apiProblem } from '../problem-answer.ts';
import {
  decimalBetween,
  decimalParameter,
  evidenceSchema,
  finalEventSchema,
  healthSchema,
  readySchema,
  statusSchema,
  validatorsSchema,
  whySchema,
} from '../schemas.ts';
import { type Api, problemAnswer, type RouteContext } from './route-context.ts';

/** The node itself: how it is, whom it agrees with, and what it saw of them. */
export function nodeRoutes(api: Api, context: RouteContext): void {
  getStatus(api, context);
  getWhy(api, context);
  listValidators(api, context);
  listEvidence(api, context);
  getHealth(api, context);
  getReady(api, context);
  streamFinalBlocks(api, context);
  getMetrics(api, context);
}

function getStatus(api: Api, { backend }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/status',
    {
      schema: {
        operationId: 'getStatus',
        summary: 'How this node is',
        tags: ['node'],
        response: { 200: statusSchema, ...problemAnswer },
      },
    },
    async (_request, reply) =>
      reply.send(statusJson(identity, backend.status(), backend.readiness() === undefined)),
  );
}

function getWhy(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/why',
    {
      schema: {
        operationId: 'getWhy',
        summary: 'What progress waits for',
        tags: ['node'],
        response: { 200: whySchema, ...problemAnswer },
      },
    },
    async (_request, reply) =>
      reply.send({
        ...originOf(backend.identity),
        finalHeight: backend.status().finalHeight,
        why: backend.why(),
      }),
  );
}

function listValidators(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/validators',
    {
      schema: {
        operationId: 'listValidators',
        summary: 'Who agrees on blocks',
        tags: ['node'],
        response: { 200: validatorsSchema, ...problemAnswer },
      },
    },
    async (_request, reply) => {
      const unreached = backend.unreached().map(({ address, why, remedy }) => ({ address, why, remedy }));
      return reply.send({
        ...originOf(backend.identity),
        validators: backend.validators().map(validatorJson),
        strangers: backend.strangers().map(encodeAddress),
        ...(unreached.length > 0 && { unreached }),
      });
    },
  );
}

function listEvidence(api: Api, context: RouteContext): void {
  const { backend } = context;
  api.get(
    '/v1/evidence',
    {
      schema: {
        operationId: 'listEvidence',
        summary: 'Stored proof that validators signed what no correct one signs, oldest first',
        tags: ['node'],
        querystring: z.strictObject({
          offset: decimalParameter.optional(),
          limit: decimalBetween(1, limits.httpPage).optional(),
        }),
        response: { 200: evidenceSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { offset = 0, limit = limits.httpPage } = request.query;
      const evidence = await backend.evidence(offset, limit);
      const list = listPieces(evidence, evidenceJson, 1);
      return sendPieces(
        reply,
        pacedJson({ ...originOf(backend.identity), offset }, { evidence: list }, () => context.turn(request)),
      );
    },
  );
}

function getHealth(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/health',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'Whether the node works at all; 503 when it must be restarted or looked at',
        tags: ['node'],
        response: { 200: healthSchema, ...problemAnswer },
      },
    },
    async (_request, reply) => {
      const problem = backend.health();
      if (problem !== undefined) throw problem;
      return reply.send({ ...originOf(backend.identity), status: 'ok' });
    },
  );
}

function getReady(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/ready',
    {
      schema: {
        operationId: 'getReady',
        summary: 'Whether clients may expect progress; 503 while behind or without contact to a quorum',
        tags: ['node'],
        response: { 200: readySchema, ...problemAnswer },
      },
    },
    async (_request, reply) => {
      const problem = backend.health() ?? backend.readiness();
      if (problem !== undefined) throw problem;
      return reply.send({ ...originOf(backend.identity), status: 'ready' });
    },
  );
}

function streamFinalBlocks(api: Api, context: RouteContext): void {
  const { backend, events } = context;
  api.get(
    '/v1/events',
    {
      schema: {
        operationId: 'streamFinalBlocks',
        summary: 'Final blocks as server-sent events, each height once and in order',
        description:
          'Event "final", with the height as its id. Starts behind Last-Event-ID or at "from"; otherwise at the next block. ' +
          'A place above the next block is refused: 503 while this node is behind and will get there, 409 when it knows no such block.',
        tags: ['node'],
        querystring: z.strictObject({ from: decimalParameter.optional() }),
        headers: z.object({ 'last-event-id': decimalParameter.optional() }),
        response: {
          200: {
            description:
              'Events until one side ends it. The data of each is one of these; comments come in between.',
            content: { 'text/event-stream': { schema: finalEventSchema } },
          },
          ...problemAnswer,
        },
      },
    },
    async (request, reply) => {
      const client = context.clientOf(request);
      const pace = () => context.turn(request);
      events.admit(client);
      const last = request.headers['last-event-id'];
      const from = last === undefined ? request.query.from : last + 1;
      // Problems while they can still be told: what was pruned cannot be streamed, nor what comes after a
      // block that is not there.
      if (from !== undefined) {
        await backend.headers(toHeight(from), 1, pace);
        refuseFuture(from, backend.status());
      }
      const response = reply.raw;
      if (request.method === 'HEAD') {
        reply.hijack();
        return events.answerHead(response);
      }
      // Others may have come while the disk was read.
      events.admit(client);
      context.stepAside(request);
      reply.hijack();
      return events.serve({
        response,
        from: from === undefined ? undefined : toHeight(from),
        client,
        pace,
      });
    },
  );
}

function getMetrics(api: Api, { metrics }: RouteContext): void {
  api.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.render()),
  );
}

/**
 * Refuses to continue after a block that the chain does not have. Such a reader would wait for ever or, on a
 * chain that was started anew, miss all blocks below that height. A node that is merely behind will get
 * there.
 */
function refuseFuture(from: number, { finalHeight, highestKnown }: NodeStatus): void {
  if (from <= finalHeight + 1) return;
  const details = { from, finalHeight, highestKnown };
  if (from <= highestKnown + 1) {
    throw new Problem(
      'node/behind',
      `this node is at height ${finalHeight} and catching up with ${highestKnown}`,
      {
        remedy: 'Ask another node, or try again in a moment.',
        details: { ...details, retryable: true },
      },
    );
  }
  throw apiProblem(
    'api/cursor-ahead',
    `the stream cannot begin at height ${from}: the chain ends at ${finalHeight}`,
    {
      remedy:
        'If you read that far before, this is another chain, or it began anew (a development chain has the same id then): compare the hash of a block that you read, and read it from its beginning.',
      details,
    },
  );
}
