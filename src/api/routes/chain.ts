import { z } from 'zod';
import { limits } from '../../base/limits.ts';
import { type Problem, unwrap } from '../../base/problem.ts';
import { parseAddress } from '../../crypto/address.ts';
import type { Hash } from '../../crypto/hash.ts';
import { hashHeader, toHeight } from '../../ledger/block.ts';
import { receiptJson } from '../../ledger/receipt.ts';
import { transactionJson } from '../../ledger/transaction.ts';
import type { Backend, BlockReference, Consistency } from '../backend.ts';
import { listPieces, pacedJson, pacedText, sendPieces } from '../paced-json.ts';
import { accountJson, blockJson, epochJson, finalityJson, headerItemJson, originOf } from '../present.ts';
import { recordJson } from '../present-records.ts';
import { apiProblem } from '../problem-answer.ts';
import {
  accountSchema,
  blockSchema,
  decimalBetween,
  decimalParameter,
  epochsSchema,
  finalitySchema,
  genesisSchema,
  headersSchema,
  type RecordJson,
  recordKeyParameter,
  recordSchema,
} from '../schemas.ts';
import { accountName, type Api, problemAnswer, readQuery, type RouteContext } from './route-context.ts';

/** One pattern instead of three, because an error about one form would mislead somebody who meant another. */
const blockName = z
  .string()
  .regex(
    /^(?:latest|[0-9a-f]{64}|0|[1-9][0-9]*)$/,
    'must be a height in plain decimal digits, a hash in lower-case hex, or "latest"',
  )
  .transform((text) => (/^[0-9]+$/.test(text) && text.length !== 64 ? Number(text) : text))
  .refine((name) => typeof name === 'string' || name < 2 ** 48, 'must be below 2^48 when it is a height')
  .meta({ type: ['string', 'integer'] })
  .describe('A height, a hash, or "latest"');
const pageLimit = decimalBetween(1, limits.httpPage).optional();

/** Blocks, and the state after the final one. */
export function chainRoutes(api: Api, context: RouteContext): void {
  getGenesis(api, context);
  listEpochs(api, context);
  getBlock(api, context);
  getFinality(api, context);
  listHeaders(api, context);
  getAccount(api, context);
  getRecord(api, context);
  getRecordByPath(api, context);
}

function getBlock(api: Api, { backend, turn }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/blocks/:name',
    {
      schema: {
        operationId: 'getBlock',
        summary: 'A final block, by height, by hash, or the latest',
        tags: ['chain'],
        params: z.strictObject({ name: blockName }),
        querystring: z.strictObject({
          full: z.enum(['true', 'false']).default('false').describe('With transactions and receipts'),
        }),
        response: { 200: blockSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const pace = () => turn(request);
      const block = await backend.block(asBlockReference(name), pace);
      if (block === undefined) throw noSuchBlock(name);
      const json = blockJson(identity, block);
      if (request.query.full === 'false') return reply.send(json);
      const contents = {
        transactions: listPieces(block.transactions, transactionJson, limits.httpPieceTransactions),
        receipts: listPieces(block.receipts, receiptJson, limits.httpPieceTransactions),
      };
      return sendPieces(reply, pacedJson(json, contents, pace));
    },
  );
}

function getFinality(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/blocks/:name/finality',
    {
      schema: {
        operationId: 'getFinality',
        summary: 'What shows that a block is final: its certificate, or that of a block above it',
        tags: ['chain'],
        params: z.strictObject({ name: blockName }),
        response: { 200: finalitySchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const proof = await backend.finality(asBlockReference(name));
      if (proof === undefined) throw noSuchBlock(name);
      const hash = hashHeader(proof.header);
      return reply.send({ ...originOf(backend.identity), hash, ...finalityJson(proof) });
    },
  );
}

function listEpochs(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/epochs',
    {
      schema: {
        operationId: 'listEpochs',
        summary: 'How the validators changed, each change with what proves it (PBFT)',
        description: `From a height upward; a page has at most ${limits.httpEpochs} changes.`,
        tags: ['chain'],
        querystring: z.strictObject({ from: decimalParameter.optional() }),
        response: { 200: epochsSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const epochs = await backend.epochs(toHeight(request.query.from ?? 0));
      return reply.send({ ...originOf(backend.identity), epochs: epochs.map(epochJson) });
    },
  );
}

function getGenesis(api: Api, { backend, turn }: RouteContext): void {
  api.get(
    '/v1/genesis',
    {
      schema: {
        operationId: 'getGenesis',
        summary: 'The genesis file that this node follows, to be compared with one’s own',
        tags: ['chain'],
        response: { 200: genesisSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { identity } = backend;
      const pieces = pacedText(originOf(identity), { genesis: identity.genesis }, () => turn(request));
      return sendPieces(reply, pieces);
    },
  );
}

function listHeaders(api: Api, { backend, turn }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/headers',
    {
      schema: {
        operationId: 'listHeaders',
        summary: 'Headers of final blocks, from a height upward',
        tags: ['chain'],
        querystring: z.strictObject({ from: decimalParameter.optional(), limit: pageLimit }),
        response: { 200: headersSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { from = 0, limit = limits.httpPage } = request.query;
      const headers = await backend.headers(toHeight(from), limit, () => turn(request));
      return reply.send({ ...originOf(identity), headers: headers.map(headerItemJson) });
    },
  );
}

function getAccount(api: Api, { backend, stepAside }: RouteContext): void {
  const { identity } = backend;
  api.get(
    '/v1/accounts/:account',
    {
      schema: {
        operationId: 'getAccount',
        summary: 'Balance and nonces of an account',
        tags: ['state'],
        params: z.strictObject({ account: accountName }),
        querystring: readQuery,
        response: { 200: accountSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const key = unwrap(parseAddress(request.params.account));
      const { consistency } = request.query;
      if (consistency !== 'stale') stepAside(request);
      return reply.send(accountJson(identity, await backend.account(key, consistency)));
    },
  );
}

function getRecord(api: Api, { backend, stepAside }: RouteContext): void {
  api.get(
    '/v1/records',
    {
      schema: {
        operationId: 'getRecord',
        summary: 'A record: its owner and its value',
        description:
          'Takes every key, "." and ".." among them, which no path can name (RFC 3986, section 5.2.4).',
        tags: ['state'],
        querystring: readQuery.extend({ key: recordKeyParameter }),
        response: { 200: recordSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { key, consistency } = request.query;
      if (consistency !== 'stale') stepAside(request);
      return reply.send(await readRecord(backend, key, consistency));
    },
  );
}

function getRecordByPath(api: Api, { backend, stepAside }: RouteContext): void {
  api.get(
    '/v1/records/:key',
    {
      schema: {
        operationId: 'getRecordByPath',
        summary: 'The same, for keys that a path can name',
        tags: ['state'],
        params: z.strictObject({ key: recordKeyParameter }),
        querystring: readQuery,
        response: { 200: recordSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { consistency } = request.query;
      if (consistency !== 'stale') stepAside(request);
      return reply.send(await readRecord(backend, request.params.key, consistency));
    },
  );
}

async function readRecord(backend: Backend, key: string, consistency: Consistency): Promise<RecordJson> {
  const read = await backend.record(key, consistency);
  if (read.value !== undefined) return recordJson(backend.identity, read, read.value);
  throw apiProblem(
    'api/no-such-record',
    `there is no record ${JSON.stringify(key)} at height ${read.height}`,
    {
      remedy: `Check the key; if it was just written, wait until that transaction is final.${twoWays(key)}`,
      details: { key, height: read.height, consistency: read.consistency },
    },
  );
}

/** Keys are compared byte by byte, and what looks alike may be written in several ways (Unicode UAX #15). */
function twoWays(key: string): string {
  return key.normalize('NFC') === key.normalize('NFD')
    ? ''
    : ' Its accents can be written in two ways (Unicode NFC and NFD), which are two keys.';
}

function noSuchBlock(name: string | number): Problem {
  return apiProblem('api/no-such-block', `this node has no final block ${name}`, {
    remedy: 'Ask for "latest" to see how far this node is.',
    details: { name },
  });
}

function asBlockReference(name: string | number): BlockReference {
  if (typeof name === 'number') return { height: toHeight(name) };
  return name === 'latest' ? 'latest' : { hash: name as Hash };
}
