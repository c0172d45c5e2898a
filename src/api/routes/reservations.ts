import { z } from 'zod';
import { unwrap } from '../../base/problem.ts';
import { parseReservation, reservationText } from '../../ledger/reservation-id.ts';
import { reservationJson } from '../present.ts';
import { apiProblem } from '../problem-answer.ts';
import { reservationSchema } from '../schemas.ts';
import { type Api, problemAnswer, readQuery, type RouteContext } from './route-context.ts';

export const reservationName = z
  .string()
  .describe('ADDRESS:NONCE:OPERATION, as the operation that made it is named');

/** What is held for somebody, or was until not long ago. */
export function reservationRoutes(api: Api, { backend, stepAside }: RouteContext): void {
  api.get(
    '/v1/reservations/:reservation',
    {
      schema: {
        operationId: 'getReservation',
        summary: 'A reservation, and what became of it',
        description:
          'It stands until 1,000 blocks past its last height; no receipt tells of one that expired, so that is where it shows.',
        tags: ['state'],
        params: z.strictObject({ reservation: reservationName }),
        querystring: readQuery,
        response: { 200: reservationSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const id = unwrap(parseReservation(request.params.reservation));
      const { consistency } = request.query;
      if (consistency !== 'stale') stepAside(request);
      const read = await backend.reservation(id, consistency);
      if (read.value !== undefined) {
        return reply.send(reservationJson(backend.identity, read, id, read.value));
      }
      const reservation = reservationText(id);
      throw apiProblem(
        'api/no-such-reservation',
        `there is no reservation ${reservation} at height ${read.height}`,
        {
          remedy:
            'Check the name. If it was just made, wait until that transaction is final; if it ended long ago, look at the transactions of its sender.',
          details: { reservation, height: read.height, consistency: read.consistency },
        },
      );
    },
  );
}
