import type { FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Backend } from '../backend.ts';
import type { EventStream } from '../event-stream.ts';
import type { FinalWatch } from '../final-watch.ts';
import type { MetricsPage } from '../metrics-page.ts';
import { z } from 'zod';
import { consistencySchema, problemSchema } from '../schemas.ts';

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
  /**
   * To be awaited between two pieces of a long answer: resolves in a later turn of the loop, when it is this
   * client's turn. Rejects with a problem when the client is gone.
   */
  readonly turn: (request: FastifyRequest) => Promise<void>;
  /**
   * The request waits for others from here on and needs no place, and keeps so many bytes of its body until
   * it ends; throws a problem when too many of its client do, or too much is kept.
   */
  readonly stepAside: (request: FastifyRequest, bytes?: number) => void;
  /** Whom the request counts for. */
  readonly clientOf: (request: FastifyRequest) => string;
}

/** The answer of every route when it cannot do what was asked, for the OpenAPI description. */
export const problemAnswer = {
  default: {
    description: 'A problem (RFC 9457)',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
};

export const accountName = z.string().describe('A qr1… address, or the public key in hex');

/** How a read of the state is asked for. */
export const readQuery = z.strictObject({ consistency: consistencySchema.default('stale') });
