import { z } from 'zod';
import { unwrap } from '../../base/problem.ts';
import { parseAddress } from '../../crypto/address.ts';
import { parseReservation } from '../../ledger/reservation-id.ts';
import { pageReading } from '../../ledger/page-reading.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
  type StateKind,
} from '../../ledger/state-reading.ts';
import { stateReadingJson } from '../present.ts';
import { apiProblem } from '../problem-answer.ts';
import { recordKeyParameter, stateReadingSchema, type StateReadingJson } from '../schemas.ts';
import { namespaceName } from './namespaces.ts';
import { reservationName } from './reservations.ts';
import { accountName, type Api, problemAnswer, type RouteContext } from './route-context.ts';

const description =
  'Of the state after the newest block that is final on this node. Anybody can check it against the genesis file: ' +
  'the tree of states shows the entry, or that there is none, and the certificate shows that the block is final.';

const aboutPages =
  'Here the entry is a "listing" of the specification: records in the order of their paths, which is that of no ' +
  'text, deleted ones among them. It is as long as the node made it, and says whether it is complete.';

const schemaOf = (operationId: string, summary: string) => ({
  operationId,
  summary: `${summary}, with all that proves it`,
  description,
  tags: ['state'],
  response: { 200: stateReadingSchema, ...problemAnswer },
});

/** What the state has of something, for those who believe no node. */
export function proofRoutes(api: Api, { backend }: RouteContext): void {
  const proven = async <Name>(kind: StateKind<Name, unknown>, name: Name): Promise<StateReadingJson> => {
    const reading = await backend.stateReading(kind, name);
    if (reading !== undefined) return stateReadingJson(backend.identity, reading);
    throw apiProblem('api/no-such-block', 'no block is final yet, so no validator has signed a state', {
      remedy: 'Ask again when one is; until then the state is that of the genesis file.',
    });
  };
  const account = z.strictObject({ account: accountName });
  api.get(
    '/v1/proofs/accounts/:account',
    { schema: { ...schemaOf('getAccountProof', 'What an account has'), params: account } },
    ({ params }) => proven(accountReading, unwrap(parseAddress(params.account))),
  );
  const key = z.strictObject({ key: recordKeyParameter });
  api.get(
    '/v1/proofs/records',
    { schema: { ...schemaOf('getRecordProof', 'A record, or that there is none'), querystring: key } },
    ({ query }) => proven(recordReading, query.key),
  );
  const reservation = z.strictObject({ reservation: reservationName });
  api.get(
    '/v1/proofs/reservations/:reservation',
    {
      schema: {
        ...schemaOf('getReservationProof', 'A reservation, or that there is none'),
        params: reservation,
      },
    },
    ({ params }) => proven(reservationReading, unwrap(parseReservation(params.reservation))),
  );
  const name = z.strictObject({ name: namespaceName });
  api.get(
    '/v1/proofs/namespaces/:name',
    {
      schema: { ...schemaOf('getNamespaceProof', 'A namespace, or that it was never opened'), params: name },
    },
    ({ params }) => proven(namespaceReading, params.name),
  );
  const page = z.strictObject({
    after: recordKeyParameter
      .optional()
      .describe('Behind which the page begins: the last key of the one before'),
  });
  api.get(
    '/v1/proofs/namespaces/:name/records',
    {
      schema: {
        ...schemaOf('getRecordsProof', 'A page of the records of a namespace, and that none is missing'),
        description: `${description} ${aboutPages}`,
        params: name,
        querystring: page,
      },
    },
    ({ params, query }) => proven(pageReading, { namespace: params.name, after: query.after }),
  );
}
