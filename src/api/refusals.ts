import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Problem } from '../base/problem.ts';
import { apiProblem, problemJson, problemMediaType, retryAfterSeconds } from './problem-answer.ts';

/** Answers a request that is not let in, before anything looked at it. */
export function answerRefused(refused: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly problem: Problem;
  readonly andClose: boolean;
}): void {
  const { request, response, problem, andClose } = refused;
  const json = problemJson(problem);
  const body = JSON.stringify(json);
  response.writeHead(json.status, {
    'content-type': problemMediaType,
    'content-length': Buffer.byteLength(body),
    'retry-after': `${retryAfterSeconds(problem) ?? 1}`,
    ...(andClose ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

export function tooManyPipelined(limit: number): Problem {
  return apiProblem('api/too-many-pipelined', 'the connection has more unanswered requests than it may', {
    remedy: 'Wait for answers before sending more, or use several connections.',
    details: { limit, retryable: true },
  });
}

export function tooManyRequests(): Problem {
  return apiProblem('api/busy', 'the node has as many requests under way as it takes', {
    remedy: 'Try again later, or ask another node.',
    details: { retryable: true },
  });
}

export function tooManyConnections(limit: number): Problem {
  return apiProblem('api/too-many-connections', 'all connections of the API are in use', {
    remedy: 'Try again later, or ask another node.',
    details: { limit, retryable: true },
  });
}

export function tooManyWaiting(limit: number): Problem {
  return apiProblem('api/too-many-waiting', 'too many requests of this client wait for their outcome', {
    remedy: 'Submit without wait=final, and ask for the transactions later.',
    details: { limit, retryable: true },
  });
}

export function clientGone(): Problem {
  return apiProblem('api/client-gone', 'the client closed its connection', { remedy: 'Ask again.' });
}
