import { limits } from '../base/limits.ts';
import { Problem, type ProblemDetails } from '../base/problem.ts';
import { type CodeOf, meaningOf } from '../base/problem-codes.ts';
import { statusOf } from './problem-status.ts';
import type { ProblemJson, ProblemPartJson } from './schemas.ts';

/** The media type of RFC 9457. */
export const problemMediaType = 'application/problem+json; charset=utf-8';

/** Seconds after which to try again, for problems that may pass by themselves. */
export function retryAfterSeconds(problem: Problem): number | undefined {
  const asked = problem.details['retryAfterMs'];
  if (typeof asked === 'number') return Math.max(Math.ceil(asked / 1_000), 1);
  const status = statusOf(problem.code);
  return status === 429 || status === 503 || status === 504 || problem.details['retryable'] === true
    ? 1
    : undefined;
}

export function problemJson(problem: Problem, instance?: string): ProblemJson {
  const { code, message, remedy, details } = problem;
  return {
    type: `urn:quorate:problem:${code}`,
    title: meaningOf(code) ?? code,
    status: statusOf(code),
    detail: message,
    ...(instance === undefined ? {} : { instance }),
    code,
    remedy,
    details,
  };
}

export function problemPart({ code, message, remedy, details }: Problem): ProblemPartJson {
  return { code, detail: message, remedy, details };
}

/** What Fastify calls our problems. */
const frameworkProblems: Readonly<
  Record<string, { readonly code: CodeOf<'api'>; readonly what: string; readonly remedy: string }>
> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'api/body-too-large',
    what: `the body has more than ${limits.httpBodyBytes} bytes`,
    remedy: 'Send fewer transactions in one request (see the limits in /v1/openapi.json).',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'api/media-type',
    what: 'the body has no Content-Type, or one that this path does not take',
    remedy: 'Send application/json, or transactions in binary as application/octet-stream.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'api/path-too-long',
    what: 'a part of the path is longer than any name',
    remedy: 'Check the path; no name is that long.',
  },
  FST_ERR_BAD_URL: {
    code: 'api/bad-path',
    what: 'the path is not percent-encoded UTF-8',
    remedy: 'Percent-encode the path as UTF-8.',
  },
};

interface FrameworkError {
  readonly code?: string;
  readonly message?: string;
  readonly statusCode?: number;
}

/** The problem behind anything thrown while a request was answered; undefined when the fault is our own. */
export function problemOf(thrown: unknown): Problem | undefined {
  if (thrown instanceof Problem) return thrown;
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const error = thrown as FrameworkError;
  const known = frameworkProblems[error.code ?? ''];
  if (known !== undefined) return apiProblem(known.code, known.what, { remedy: known.remedy });
  if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode >= 500) return undefined;
  return apiProblem('api/bad-request', error.message ?? 'the request cannot be read', {
    remedy: 'See /v1/openapi.json for what the API takes.',
  });
}

export function apiProblem(
  code: CodeOf<'api'>,
  message: string,
  options: { readonly remedy: string; readonly details?: ProblemDetails },
): Problem {
  return new Problem(code, message, options);
}

export function internalProblem(): Problem {
  return apiProblem('api/internal', 'the node failed to answer; the cause is in its log', {
    remedy: 'Try again or ask another node; if it stays, report it with the log.',
  });
}
