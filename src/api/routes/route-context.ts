import type { FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Backend } from '../backend.ts';
import type { EventStream } from '../event-stream.ts';
import type { FinalWatch } from '../final-watch.ts';
import type { MetricsPage } from '../metrics-page.ts';
import { problemSchema } from '../schemas.ts';

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyInstance['log'],
  ZodTypeProvider
>;

/** What the routes work with. */
export interface RouteContext {
  readonly backend: Backend;
  readonly events: EventStream;
  readonly watch: FinalWatch;
  readonly metrics: MetricsPage;
  /** Throws a problem unless the request is an operator's. */
  readonly admitOperator: (request: FastifyRequest) => void;
}

/** The answer of every route when it cannot do what was asked, for the OpenAPI description. */
export const problemAnswer = {
  default: {
    description: 'A problem (RFC 9457)',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
};
