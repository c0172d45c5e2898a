import { Problem, type ProblemDetails } from '../base/problem.ts';
import type { ProblemJson, ProblemPartJson } from './schemas.ts';

/** The media type of RFC 9457. */
export const problemMediaType = 'application/problem+json; charset=utf-8';

/** The one table of HTTP statuses: by code, and by area for the codes that are not listed. */
const statusByCode: Readonly<Record<string, number>> = {
  'api/not-found': 404,
  'api/no-such-block': 404,
  'api/no-such-record': 404,
  'api/method-not-allowed': 405,
  'api/request-timeout': 408,
  'api/body-too-large': 413,
  'api/path-too-long': 414,
  'api/media-type': 415,
  'api/headers-too-large': 431,
  'api/internal': 500,
  'api/too-many-readers': 503,
  'api/too-many-waiting': 503,
  'api/too-many-pipelined': 503,
  'api/too-many-connections': 503,
  'api/busy': 503,
  'api/stopping': 503,
  'api/operators-only': 403,
  'api/token-missing': 401,
  'api/token-wrong': 403,
  'api/cursor-ahead': 409,
  'storage/pruned': 410,
  'consensus/unsupported': 501,
  'consensus/no-leases': 501,
  'consensus/not-leader': 409,
  'consensus/members': 409,
  'consensus/not-caught-up': 409,
  'consensus/quorum-loss': 409,
  'consensus/no-heir': 409,
  'consensus/transfer-failed': 409,
  'consensus/change-outcome-unknown': 409,
  'consensus/outcome-unknown': 504,
  'transaction/malformed': 400,
  'transaction/oversize': 413,
  'transaction/nonce-used': 409,
  'transaction/nonce-gap': 409,
  'transaction/duplicate': 409,
  'mempool/nonce-gap': 409,
  'mempool/replacement-underpriced': 409,
  'mempool/full': 429,
  'mempool/sender-full': 429,
  'mempool/busy': 429,
};
const statusByArea: Readonly<Record<string, number>> = {
  api: 400,
  codec: 400,
  keys: 400,
  transaction: 422,
  crypto: 422,
  mempool: 422,
  node: 503,
  consensus: 503,
  sync: 503,
  network: 503,
  storage: 503,
};

export function statusOf(code: string): number {
  return statusByCode[code] ?? statusByArea[code.slice(0, code.indexOf('/'))] ?? 500;
}

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
    title: code.replace('/', ': ').replaceAll('-', ' '),
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
  Record<string, { readonly code: `api/${string}`; readonly remedy: string }>
> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'api/body-too-large',
    remedy: 'Send fewer transactions in one request (see the limits in /v1/openapi.json).',
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'api/media-type',
    remedy: 'Send application/json, or transactions in binary as application/octet-stream.',
  },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'api/path-too-long', remedy: 'Check the path; no name is that long.' },
  FST_ERR_BAD_URL: { code: 'api/bad-path', remedy: 'Percent-encode the path as UTF-8.' },
};

interface FrameworkError {
  readonly code?: string;
  readonly message?: string;
  readonly statusCode?: number;
  readonly validationContext?: string;
  readonly validation?: readonly { readonly instancePath: string; readonly message?: string }[];
}

/** The problem behind anything thrown while a request was answered; undefined when the fault is our own. */
export function problemOf(thrown: unknown): Problem | undefined {
  if (thrown instanceof Problem) return thrown;
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const error = thrown as FrameworkError;
  if (error.validation !== undefined) {
    const first = error.validation[0];
    const where = `${error.validationContext ?? 'request'}${first?.instancePath ?? ''}`;
    return apiProblem('api/invalid-request', `${where}: ${first?.message ?? 'is not valid'}`, {
      remedy: 'See /v1/openapi.json for what this path takes.',
      details: { where },
    });
  }
  const known = frameworkProblems[error.code ?? ''];
  const message = error.message ?? 'the request cannot be read';
  if (known !== undefined) return apiProblem(known.code, message, { remedy: known.remedy });
  if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode >= 500) return undefined;
  return apiProblem('api/bad-request', message, { remedy: 'See /v1/openapi.json for what the API takes.' });
}

export function apiProblem(
  code: `api/${string}`,
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
