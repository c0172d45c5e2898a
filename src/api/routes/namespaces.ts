import { z } from 'zod';
import { utf8 } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { isNamespaceName } from '../../ledger/namespace.ts';
import { listPieces, pacedJson, sendPieces } from '../paced-json.ts';
import {
  namespaceItemJson,
  namespaceJson,
  namespaceListJson,
  recordItemJson,
  recordListJson,
} from '../present-records.ts';
import { apiProblem } from '../problem-answer.ts';
import {
  decimalBetween,
  namespaceListSchema,
  namespaceSchema,
  recordKeyParameter,
  recordListSchema,
} from '../schemas.ts';
import { type Api, problemAnswer, readQuery, type RouteContext } from './route-context.ts';

export const namespaceName = z
  .string()
  .refine(
    (name) => isNamespaceName(name) && utf8(name).length <= limits.maxNamespaceNameBytes,
    `must be 1 to ${limits.maxNamespaceNameBytes} bytes without "/", and neither "." nor ".."`,
  )
  .describe('What stands before the first "/" of keys');

/** A page of what has names in an order. */
const listQuery = <Name extends z.ZodType<string>>(name: Name, maxBytes: number) =>
  z
    .strictObject({
      prefix: z
        .string()
        .refine((text) => utf8(text).length <= maxBytes, { error: `must be at most ${maxBytes} bytes` })
        .default('')
        .describe('What they begin with; all without it'),
      after: name.optional().describe('Behind which the page begins: the "next" of the one before'),
      limit: decimalBetween(1, limits.httpPage).optional(),
      ...readQuery.shape,
    })
    .refine(({ prefix, after }) => after === undefined || after.startsWith(prefix), {
      path: ['after'],
      error: 'must begin with the prefix',
    });

/** Namespaces, and records by the beginning of their keys. */
export function namespaceRoutes(api: Api, context: RouteContext): void {
  getNamespace(api, context);
  listNamespaces(api, context);
  listRecords(api, context);
}

function getNamespace(api: Api, { backend, stepAside }: RouteContext): void {
  api.get(
    '/v1/namespaces/:name',
    {
      schema: {
        operationId: 'getNamespace',
        summary: 'A namespace: its owner, who may write there, and how much stands there',
        tags: ['state'],
        params: z.strictObject({ name: namespaceName }),
        querystring: readQuery,
        response: { 200: namespaceSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      if (request.query.consistency !== 'stale') stepAside(request);
      const read = await backend.namespace(name, request.query.consistency);
      if (read.value !== undefined) return reply.send(namespaceJson(backend.identity, read, read.value));
      throw apiProblem(
        'api/no-such-namespace',
        `the namespace ${JSON.stringify(name)} was never opened, up to height ${read.height}`,
        {
          remedy:
            'Check the name; if it was just opened, wait until that transaction is final. Whoever opens it ("quorate namespace open NAME --from KEY") owns it.',
          details: { name, height: read.height, consistency: read.consistency },
        },
      );
    },
  );
}

function listNamespaces(api: Api, { backend, stepAside, turn }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/namespaces',
    {
      schema: {
        operationId: 'listNamespaces',
        summary: 'Namespaces whose names begin with a prefix, in the order of the bytes of their names',
        description:
          'All of a page is as it was after one final block, which it names; the next page may be of a later one.',
        tags: ['state'],
        querystring: listQuery(namespaceName, limits.maxNamespaceNameBytes),
        response: { 200: namespaceListSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { prefix, after, limit = limits.httpPage, consistency } = request.query;
      const pace = () => turn(request);
      if (consistency !== 'stale') stepAside(request);
      const read = await backend.listNamespaces({ prefix, after, limit }, consistency, pace);
      const namespaces = listPieces(read.value.namespaces, namespaceItemJson, limits.httpPieceTransactions);
      return sendPieces(reply, pacedJson(namespaceListJson(identity, prefix, read), { namespaces }, pace));
    },
  );
}

function listRecords(api: Api, { backend, stepAside, turn }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/records/list',
    {
      schema: {
        operationId: 'listRecords',
        summary: 'Records whose keys begin with a prefix, in the order of the bytes of their keys',
        description:
          'All of a page is as it was after one final block, which it names; the next page may be of a later one. ' +
          'A namespace is listed by its name with "/" behind it. Deleted records are left out.',
        tags: ['state'],
        querystring: listQuery(recordKeyParameter, limits.maxRecordKeyBytes),
        response: { 200: recordListSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { prefix, after, limit = limits.httpPage, consistency } = request.query;
      const pace = () => turn(request);
      if (consistency !== 'stale') stepAside(request);
      const read = await backend.listRecords({ prefix, after, limit }, consistency, pace);
      const records = listPieces(read.value.records, recordItemJson, limits.httpPieceTransactions);
      return sendPieces(reply, pacedJson(recordListJson(identity, prefix, read), { records }, pace));
    },
  );
}
