import { fastify, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { z } from 'zod';
import { type $ZodType, safeParse } from 'zod/v4/core';
import { limits } from '../base/limits.ts';
import { machineRemedy } from '../base/machine-fault.ts';
import { Problem } from '../base/problem.ts';
import type { Backend } from './backend.ts';
import { binaryMediaType, readJson } from './body-readers.ts';
import { answerBrokenRequest, answerOnSocket, wrongHost } from './broken-requests.ts';
import { codingProblem } from './content-codings.ts';
import { describeApi } from './describe.ts';
import { EventStream, type EventStreamBounds } from './event-stream.ts';
import { badQuery, invalidRequest } from './invalid-request.ts';
import { FinalWatch, type WaitBounds } from './final-watch.ts';
import { MetricsPage } from './metrics-page.ts';
import { createServer } from './node-http.ts';
import { operatorGuard } from './operator-guard.ts';
import { allMethods, answerOtherMethods, methodNotAllowed, type OtherMethods } from './other-methods.ts';
import {
  apiProblem,
  internalProblem,
  problemJson,
  problemMediaType,
  problemOf,
  retryAfterSeconds,
} from './problem-answer.ts';
import { statusOf } from './problem-status.ts';
import { chainRoutes } from './routes/chain.ts';
import { reservationRoutes } from './routes/reservations.ts';
import type { GateBounds } from './gate-bounds.ts';
import { RequestGate } from './request-gate.ts';
import { type Explorer, explorerRoutes } from './routes/explorer.ts';
import { listRoutes } from './routes/lists.ts';
import { chainRulesRoutes } from './routes/chain-rules.ts';
import { namespaceRoutes } from './routes/namespaces.ts';
import { proofRoutes } from './routes/proofs.ts';
import { memberRoutes } from './routes/members.ts';
import { nodeRoutes } from './routes/node.ts';
import type { Api, RouteContext } from './routes/route-context.ts';
import { telemetryRoutes } from './routes/telemetry.ts';
import { transactionRoutes } from './routes/transactions.ts';

/** The part of the node's log that the API writes to. */
interface ApiLog {
  error(message: string, details?: Readonly<Record<string, string | number | boolean | null>>): void;
}

export interface ApiOptions {
  readonly backend: Backend;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** What operators show to change the members. Without one that is for requests from this machine only. */
  readonly operatorToken?: string | undefined;
  readonly log: ApiLog;
  /** The pages at `/`; without them that says how to build them. */
  readonly explorer?: Explorer | undefined;
  /** For tests: bounds tighter than those of `limits`. */
  readonly bounds?: {
    readonly requestTimeoutMs?: number;
    readonly events?: Partial<EventStreamBounds>;
    readonly gate?: Partial<GateBounds>;
    readonly waits?: Partial<WaitBounds>;
  };
}

export interface RunningApi {
  /** As `http://host:port`. */
  readonly address: string;
  /** How many connections there are, and how many requests that have a place or wait for one. */
  connections(): number;
  underWay(): number;
  /** Ends event streams, answers those who wait, finishes what is under way, and frees the port. */
  close(): Promise<void>;
}

/** The query of a path that takes none. */
const nothingToAsk = z.strictObject({});
/** How long requests under way may take while the API closes. */
const closeGraceMs = 1_000;

/** Starts the HTTP API. Rejects with a problem when the address cannot be used. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { backend, port, log, bounds = {} } = options;
  // Not resolved by the machine's hosts file: the operator guard relies on it being this machine.
  const host = options.host === 'localhost' ? '127.0.0.1' : options.host;
  const metrics = new MetricsPage(() => backend.metrics());
  let serve: RequestListener = () => undefined;
  const gate = new RequestGate({
    serve: (request, response) => serve(request, response),
    onRefused: ({ method = 'none' }, { code }) =>
      metrics.answered({ method, route: 'none', status: statusOf(code), ms: 0 }),
    bounds: bounds.gate,
  });
  const context: RouteContext = {
    backend,
    events: new EventStream(backend, bounds.events),
    watch: new FinalWatch(backend, bounds.waits),
    metrics,
    admitOperator: operatorGuard({ host, token: options.operatorToken }),
    turn: ({ raw }) => gate.turn(raw),
    stepAside: ({ raw }, bytes = 0) => gate.stepAside(raw, bytes),
    clientOf: ({ raw }) => gate.clientOf(raw),
  };
  let otherMethods: OtherMethods | undefined;
  const requestTimeout = bounds.requestTimeoutMs ?? limits.httpRequestTimeoutMs;
  const answer = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void =>
    answerProblem(log, thrown, request, reply);
  const api: Api = fastify({
    bodyLimit: limits.httpBodyBytes,
    serverFactory: (handler) => {
      serve = handler;
      const server = createServer(
        {
          requestTimeout,
          headersTimeout: requestTimeout,
          connectionsCheckingInterval: Math.min(requestTimeout / 4, 1_000),
          keepAliveTimeout: limits.httpKeepAliveMs,
          // Answers that Node makes by itself carry no problem, and bypass the gate.
          requireHostHeader: false,
        },
        (request, response) => gate.enter(request, response),
      );
      // RFC 9110, section 10.1.1: it may be ignored.
      server.on('checkExpectation', (request, response) => gate.enter(request, response));
      // Instead of the parser itself, which would read all that came at once.
      const [speak] = server.listeners('connection');
      server.removeAllListeners('connection');
      server.on('connection', (socket) => {
        const metered = gate.connected(socket);
        if (metered !== undefined) speak?.call(server, metered);
      });
      server.on('connect', (_request, socket) => {
        answerOnSocket(socket as Socket, methodNotAllowed('CONNECT', allMethods));
        // Node has let go of it, with all deadlines, and nothing more of it is read.
        (socket as Socket).setTimeout(requestTimeout, () => socket.destroy());
      });
      // No answer takes longer than the longest wait; a client that reads nothing for longer is gone.
      return server.setTimeout(limits.httpWaitMs + limits.httpRequestTimeoutMs);
    },
    routerOptions: { maxParamLength: limits.httpParameterBytes },
    frameworkErrors: answer,
    clientErrorHandler: (error, socket) =>
      answerBrokenRequest(error, socket, (path) => otherMethods?.allowAt(path)),
    return503OnClosing: false,
  }).withTypeProvider<ZodTypeProvider>();

  api.setValidatorCompiler<$ZodType>(({ schema, httpPart = 'request' }) => (data: unknown) => {
    // A binary body has no schema; its own reader judges it.
    if (data instanceof Uint8Array) return { value: data };
    const { data: value, error } = safeParse(schema, data);
    return error === undefined ? { value } : { error: invalidRequest(httpPart, error.issues, data) };
  });
  // Answers are made by our own code and compared with their schemas by the tests; checking each again
  // costs more than making it.
  api.setSerializerCompiler(() => (data) => JSON.stringify(data));
  api.removeAllContentTypeParsers();
  api.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => readJson(body),
  );
  api.addContentTypeParser(
    binaryMediaType,
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      refuseUnlessTaken(request, binaryMediaType);
      return body;
    },
  );
  api.setErrorHandler(answer);
  api.setNotFoundHandler((request, reply) => answer(nothingThere(request.raw.url), request, reply));
  api.addHook('onRequest', (request, _reply, done) => {
    // Before a body is looked at, whatever its method and media type.
    const host = wrongHost(request.raw);
    if (host !== undefined) return done(host);
    if (request.is404) return done(nothingThere(request.raw.url));
    done(badQuery(request.raw.url ?? '') ?? codingProblem(request.headers['content-encoding']));
  });
  api.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    context.metrics.answered({
      method: request.method,
      route,
      status: reply.statusCode,
      ms: reply.elapsedTime,
    });
  });
  api.addHook('preClose', async () => {
    context.watch.close();
    context.events.close();
  });

  api.addHook('onRoute', (route) => {
    // An unknown parameter is most often a misspelt one.
    const { url, schema } = route;
    if (url.startsWith('/v1/') && schema?.hide !== true) {
      route.schema = { querystring: nothingToAsk, ...schema };
    }
  });
  await describeApi(api, backend);
  otherMethods = answerOtherMethods(api);
  transactionRoutes(api, context);
  chainRoutes(api, context);
  listRoutes(api, context);
  reservationRoutes(api, context);
  namespaceRoutes(api, context);
  proofRoutes(api, context);
  nodeRoutes(api, context);
  telemetryRoutes(api, context);
  memberRoutes(api, context);
  chainRulesRoutes(api, context);
  explorerRoutes(api, options.explorer);
  let description: string | undefined;
  api.get('/v1/openapi.json', { schema: { hide: true } }, (_request, reply) => {
    description ??= JSON.stringify(api.swagger());
    return reply.type('application/json; charset=utf-8').send(description);
  });
  otherMethods.finish();

  await listen(api, host, port);
  const { port: bound } = api.server.address() as AddressInfo;
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    connections: () => gate.connections,
    underWay: () => gate.underWay,
    close: async () => {
      const cut = setTimeout(() => api.server.closeAllConnections(), closeGraceMs);
      await api.close();
      clearTimeout(cut);
    },
  };
}

/** Names the path, which a proxy or a wrong base address may have changed. */
function nothingThere(url = ''): Problem {
  const path = url.split('?', 1)[0] ?? '';
  const shown = path.length > 100 ? `${path.slice(0, 100)}…` : path;
  return apiProblem('api/not-found', `there is nothing at the path ${shown}`, {
    remedy: 'Check the path: /v1/openapi.json has all of them. The address of a node ends before /v1.',
  });
}

/** A body that no schema judges is for routes that say that they take it. */
function refuseUnlessTaken({ routeOptions }: FastifyRequest, mediaType: string): void {
  const { schema } = routeOptions;
  if (schema === undefined || schema.consumes?.includes(mediaType) === true) return;
  throw apiProblem('api/media-type', `this path takes no ${mediaType}`, {
    remedy: 'Send application/json: see /v1/openapi.json.',
  });
}

async function listen(api: Api, host: string, port: number): Promise<void> {
  try {
    await api.listen({ host, port });
  } catch (cause) {
    await api.close();
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    const what = `the API cannot listen on ${host}:${port} (${code})`;
    const rest = { details: { host, port, cause: code }, cause };
    if (code === 'EADDRINUSE') {
      throw new Problem('api/port-in-use', what, {
        remedy: 'Stop the program that uses the port, or choose another "port" under "api" in config.json.',
        ...rest,
      });
    }
    throw new Problem('api/listen', what, {
      remedy: `Choose another "host" or "port" under "api" in config.json. ${listenRemedy(code)}`,
      ...rest,
    });
  }
}

function listenRemedy(code: string): string {
  return code === 'EACCES'
    ? 'Ports below 1024 are for the system: this user may not listen there.'
    : machineRemedy(code);
}

function answerProblem(log: ApiLog, thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  let problem = problemOf(thrown);
  if (problem === undefined) {
    const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    log.error('a request failed', { method: request.method, path: request.url.slice(0, 200), error });
    problem = internalProblem();
  }
  const seconds = retryAfterSeconds(problem);
  if (seconds !== undefined) void reply.header('retry-after', seconds);
  // RFC 9110, section 15.5.16.
  if (problem.code === 'api/content-encoding') void reply.header('accept-encoding', 'identity');
  const json = problemJson(problem, request.url.split('?', 1)[0]?.slice(0, 1_000));
  void reply.code(json.status).type(problemMediaType).send(JSON.stringify(json));
}
