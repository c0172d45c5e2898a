import { z } from 'zod';
import { fromHex } from '../../base/bytes.ts';
import { limits } from '../../base/limits.ts';
import { unwrap } from '../../base/problem.ts';
import { encodeAddress, parseAddress } from '../../crypto/address.ts';
import { toHeight } from '../../ledger/block.ts';
import { recordVersionJson } from '../../ledger/state-json.ts';
import type { Page } from '../listed.ts';
import { listPieces, pacedJson, sendPieces } from '../paced-json.ts';
import {
  accountTransactionJson,
  finalTransactionJson,
  listPageJson,
  originOf,
  recordAtJson,
} from '../present.ts';
import {
  accountTransactionsSchema,
  cursorSchema,
  decimalBetween,
  decimalParameter,
  listOrderSchema,
  recordDiffSchema,
  recordHistorySchema,
  recordKeyParameter,
  transactionsSchema,
} from '../schemas.ts';
import { accountName, type Api, problemAnswer, type RouteContext } from './route-context.ts';

const pageQuery = {
  order: listOrderSchema.default('newest'),
  limit: decimalBetween(1, limits.httpPage).optional(),
  cursor: cursorSchema.optional(),
};
const reference = z
  .string()
  .regex(
    new RegExp(`^(?:[0-9a-f]{2}){1,${limits.maxReferenceBytes}}$`),
    `must be 1 to ${limits.maxReferenceBytes} bytes in lower-case hex`,
  )
  .describe('The application’s own, in hex');

const aboutPages =
  'A page has what is final, and says from which height on nothing is left out: a node that prunes blocks, began ' +
  'with a snapshot or switched its indexes on later knows nothing of what was before. A cursor goes on with the ' +
  'same list in the same order, also at another node.';

/** Lists by the indexes: what became of an account, a reference, a record. */
export function listRoutes(api: Api, context: RouteContext): void {
  listAccountTransactions(api, context);
  listTransactions(api, context);
  getRecordHistory(api, context);
  diffRecord(api, context);
}

function listAccountTransactions(api: Api, { backend, turn }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/accounts/:account/transactions',
    {
      schema: {
        operationId: 'listAccountTransactions',
        summary: 'Final transactions that an account sent, or that touched or named it',
        description: `${aboutPages} One that failed stands in the list of its sender only.`,
        tags: ['transactions'],
        params: z.strictObject({ account: accountName }),
        querystring: z.strictObject(pageQuery),
        response: { 200: accountTransactionsSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const account = unwrap(parseAddress(request.params.account));
      const pace = () => turn(request);
      const page = await backend.lists.transactions({ by: 'account', account }, pageOf(request.query), pace);
      const head = { ...listPageJson(identity, page), address: encodeAddress(account) };
      const transactions = listPieces(page.items, accountTransactionJson, limits.httpPieceListed);
      return sendPieces(reply, pacedJson(head, { transactions }, pace));
    },
  );
}

function listTransactions(api: Api, { backend, turn }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/transactions',
    {
      schema: {
        operationId: 'listTransactions',
        summary: 'Final transactions with a reference, whoever sent them',
        description: `${aboutPages} A reference is not unique: anybody can use any.`,
        tags: ['transactions'],
        querystring: z.strictObject({ ...pageQuery, reference }),
        response: { 200: transactionsSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { reference: text } = request.query;
      const pace = () => turn(request);
      const list = { by: 'reference', reference: fromHex(text) } as const;
      const page = await backend.lists.transactions(list, pageOf(request.query), pace);
      const head = { ...listPageJson(identity, page), reference: text };
      const transactions = listPieces(page.items, finalTransactionJson, limits.httpPieceListed);
      return sendPieces(reply, pacedJson(head, { transactions }, pace));
    },
  );
}

function getRecordHistory(api: Api, { backend, turn }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/records/history',
    {
      schema: {
        operationId: 'getRecordHistory',
        summary: 'The versions of a record: where each was made, by whom, and what it wrote',
        description: aboutPages,
        tags: ['state'],
        querystring: z.strictObject({ ...pageQuery, key: recordKeyParameter }),
        response: { 200: recordHistorySchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { key } = request.query;
      const pace = () => turn(request);
      const page = await backend.lists.history(key, pageOf(request.query), pace);
      const head = { ...listPageJson(identity, page), key };
      const versions = listPieces(page.items, recordVersionJson, limits.httpPieceTransactions);
      return sendPieces(reply, pacedJson(head, { versions }, pace));
    },
  );
}

function diffRecord(api: Api, { backend, turn }: RouteContext): void {
  api.get(
    '/v1/records/diff',
    {
      schema: {
        operationId: 'diffRecord',
        summary: 'What a record was after each of two final blocks',
        tags: ['state'],
        querystring: z.strictObject({
          key: recordKeyParameter,
          from: decimalParameter.describe('A height'),
          to: decimalParameter.describe('Another height'),
        }),
        response: { 200: recordDiffSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { key, from, to } = request.query;
      const pace = () => turn(request);
      return reply.send({
        ...originOf(backend.identity),
        key,
        from: recordAtJson(await backend.lists.recordAt(key, toHeight(from), pace)),
        to: recordAtJson(await backend.lists.recordAt(key, toHeight(to), pace)),
      });
    },
  );
}

function pageOf(query: Omit<Page, 'limit'> & { readonly limit?: number | undefined }): Page {
  const { order, cursor, limit = limits.httpListPage } = query;
  return { order, cursor, limit };
}
