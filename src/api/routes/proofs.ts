import { z } from 'zod';
import { unwrap } from '../../base/problem.ts';
import { parseAddress } from '../../crypto/address.ts';
import type { StateReading } from '../../ledger/state-reading.ts';
import { stateReadingJson } from '../present.ts';
import { apiProblem } from '../problem-answer.ts';
import { recordKeyParameter, stateReadingSchema, type StateReadingJson } from '../schemas.ts';
import { type Api, problemAnswer, type RouteContext } from './route-context.ts';

/** What the state has of something, for those who believe no node. */
export function proofRoutes(api: Api, context: RouteContext): void {
  getAccountProof(api, context);
  getRecordProof(api, context);
}

const description =
  'Of the state after the newest block that is final on this node. Anybody can check it against the genesis file: ' +
  'the tree of states shows the entry, or that there is none, and the certificate shows that the block is final.';

function getAccountProof(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/proofs/accounts/:account',
    {
      schema: {
        operationId: 'getAccountProof',
        summary: 'What an account has, with all that proves it',
        description,
        tags: ['state'],
        params: z.strictObject({ account: z.string().describe('A qr1… address, or the public key in hex') }),
        response: { 200: stateReadingSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const key = unwrap(parseAddress(request.params.account));
      return reply.send(proven(backend, await backend.accountProof(key)));
    },
  );
}

function getRecordProof(api: Api, { backend }: RouteContext): void {
  api.get(
    '/v1/proofs/records',
    {
      schema: {
        operationId: 'getRecordProof',
        summary: 'A record, or that there is none, with all that proves it',
        description,
        tags: ['state'],
        querystring: z.strictObject({ key: recordKeyParameter }),
        response: { 200: stateReadingSchema, ...problemAnswer },
      },
    },
    async (request, reply) => reply.send(proven(backend, await backend.recordProof(request.query.key))),
  );
}

function proven({ identity }: RouteContext['backend'], reading: StateReading | undefined): StateReadingJson {
  if (reading !== undefined) return stateReadingJson(identity, reading);
  throw apiProblem('api/no-such-block', 'no block is final yet, so no validator has signed a state', {
    remedy: 'Ask again when one is; until then the state is that of the genesis file.',
  });
}
