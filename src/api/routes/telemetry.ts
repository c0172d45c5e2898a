import { z } from 'zod';
import { limits } from '../../base/limits.ts';
import { listPieces, pacedJson, sendPieces } from '../paced-json.ts';
import { originOf } from '../present.ts';
import { blockVotesJson, sampleJson, viewChangeJson } from '../present-telemetry.ts';
import { samplesSchema, sampleSpanSchema, viewChangesSchema, votesSchema } from '../telemetry-schemas.ts';
import { type Api, problemAnswer, type RouteContext } from './route-context.ts';

/** What this node saw since it started: for people, and no proof of anything. */
export function telemetryRoutes(api: Api, context: RouteContext): void {
  const { backend } = context;
  const { identity, telemetry } = backend;
  api.get(
    '/v1/telemetry/samples',
    {
      schema: {
        operationId: 'listSamples',
        summary: 'What this node measured over the last minutes or hours',
        tags: ['telemetry'],
        querystring: z.strictObject({ span: sampleSpanSchema.default('minutes') }),
        response: { 200: samplesSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const { everyMs, samples } = telemetry.samples(request.query.span);
      const list = listPieces(samples, sampleJson, limits.httpPieceHeaders);
      const pace = () => context.turn(request);
      return sendPieces(reply, pacedJson({ ...originOf(identity), everyMs }, { samples: list }, pace));
    },
  );
  api.get(
    '/v1/telemetry/views',
    {
      schema: {
        operationId: 'listViewChanges',
        summary: 'The last changes of the view (Raft: of the term), with their reasons',
        tags: ['telemetry'],
        response: { 200: viewChangesSchema, ...problemAnswer },
      },
    },
    async (_request, reply) =>
      reply.send({ ...originOf(identity), changes: telemetry.viewChanges().map(viewChangeJson) }),
  );
  api.get(
    '/v1/telemetry/votes',
    {
      schema: {
        operationId: 'listVotes',
        summary: 'When the votes for the last final blocks came to this node',
        tags: ['telemetry'],
        response: { 200: votesSchema, ...problemAnswer },
      },
    },
    async (request, reply) => {
      const list = listPieces(telemetry.blockVotes(), blockVotesJson, limits.httpPieceHeaders);
      const pace = () => context.turn(request);
      return sendPieces(reply, pacedJson(originOf(identity), { blocks: list }, pace));
    },
  );
}
