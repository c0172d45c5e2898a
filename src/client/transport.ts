import { limits } from '../base/limits.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { Problem, type ProblemDetails, unwrap } from '../base/problem.ts';
import { readJson } from './answer-json.ts';
import { readBounded } from './bounded-body.ts';
import { connectionProblem } from './connection-problem.ts';
import { isNodeCode } from './looks.ts';
import { parseNodeAddress } from './node-address.ts';
import { wrongTime } from './option-checks.ts';
import { watchedFetch } from './write-watch.ts';

/**
 * The world as the client needs it; tests give another one. Everything here exists in browsers and in Node.
 */
export interface Surroundings {
  readonly fetch: typeof fetch;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Ends earlier when it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls once after this long, unless the returned function was called before. */
  readonly alarm: (ms: number, call: () => void) => () => void;
  /** In [0, 1); spreads the retries of many clients. */
  readonly random: () => number;
}

export const defaultSurroundings: Surroundings = {
  fetch: (input, init) => fetch(input, init),
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end);
      if (signal?.aborted === true) end();
    }),
  alarm: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Below the node's address, with its query. */
  readonly path: string;
  readonly body?: Uint8Array;
  readonly contentType?: string;
  /** What an operator shows to the node. */
  readonly token?: string | undefined;
  /** What a good answer is; JSON when absent. */
  readonly answer?: 'json' | 'text';
  /** How long this request and its retries may take in all. The client's own default when absent. */
  readonly deadlineMs?: number;
  /** Aborted when the answer is not wanted any more. */
  readonly signal?: AbortSignal | undefined;
  /** Called, at least once, when a try may have arrived and brought no answer. */
  readonly onLost?: () => void;
}

export interface TransportOptions {
  /** Where the node's API is, for example http://127.0.0.1:4600. */
  readonly baseUrl: string;
  /** How long one attempt may take. */
  readonly attemptMs?: number;
  /** How long a request and its retries may take in all; 0 tries once. */
  readonly deadlineMs?: number;
  readonly surroundings?: Surroundings;
}

const firstPauseMs = 100;
const longestPauseMs = 2_000;
/**
 * One HTTP exchange with retries. An answer with a status of 2xx gives its JSON; everything else is a
 * `Problem`, with the node's own code and remedy when it sent problem+json (RFC 9457). What may succeed later
 * (see `isRetryable`) is tried again with growing pauses until the deadline. All requests of the API may be
 * repeated without harm: a transaction is known by its hash, and a second copy of it changes nothing.
 */
export class Transport {
  readonly baseUrl: string;
  readonly #attemptMs: number;
  readonly #deadlineMs: number;
  readonly #around: Surroundings;

  /** Throws the problems `api/address` for what is not an address, and `api/option`. */
  constructor(options: TransportOptions) {
    const { attemptMs, deadlineMs } = options;
    const wrong = wrongTime('attemptMs', attemptMs, 1) ?? wrongTime('deadlineMs', deadlineMs, 0);
    if (wrong !== undefined) throw wrong;
    this.baseUrl = unwrap(parseNodeAddress(options.baseUrl));
    this.#attemptMs = attemptMs ?? 10_000;
    this.#deadlineMs = deadlineMs ?? 10_000;
    this.#around = options.surroundings ?? defaultSurroundings;
  }

  get surroundings(): Surroundings {
    return this.#around;
  }

  async request(request: HttpRequest): Promise<unknown> {
    const wrong = wrongTime('deadlineMs', request.deadlineMs);
    if (wrong !== undefined) return wrong;
    const { now, sleep, random } = this.#around;
    const until = now() + (request.deadlineMs ?? this.#deadlineMs);
    let sent = false;
    const isWanted = (): boolean => request.signal?.aborted !== true;
    const ended = (problem: Problem): Problem => (sent ? asSent(problem) : problem);
    for (let attempt = 0; ; attempt++) {
      const left = Math.max(until - now(), 0);
      const budget = left === 0 ? this.#attemptMs : Math.min(this.#attemptMs, left);
      const answer = await this.#attempt(request, budget);
      if (!(answer instanceof Problem)) return answer;
      if (!isRetryable(answer)) return ended(answer);
      sent ||= answer.details['sent'] === true;
      if (sent) request.onLost?.();
      const asked = answer.details['retryAfterMs'];
      const backOff = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs) * (0.5 + random() / 2);
      const pause = Math.max(backOff, typeof asked === 'number' ? asked : 0);
      const inTime = now() + pause < until && isWanted();
      if (inTime) await sleep(pause, request.signal);
      // A sleep may take longer than it was told to.
      if (!inTime || now() >= until || !isWanted()) return ended(answer);
    }
  }

  async #attempt(request: HttpRequest, budgetMs: number): Promise<unknown> {
    const { method, path, body: sent, contentType, token, answer = 'json', signal } = request;
    const timeout = AbortSignal.timeout(Math.min(Math.max(1, Math.ceil(budgetMs)), limits.clientAttemptMs));
    if (token !== undefined && !tokenShape.test(token)) return unfitToken();
    let body: Uint8Array | undefined;
    const asked = watchedFetch(async () =>
      this.#around.fetch(`${this.baseUrl}${path}`, {
        method,
        headers: {
          accept: `${answer === 'json' ? 'application/json' : 'text/plain'}, application/problem+json`,
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(sent === undefined ? {} : { body: sent as Uint8Array<ArrayBuffer> }),
        redirect: 'manual',
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      }),
    );
    let response: Response;
    try {
      response = await asked.response;
      body = await readBounded(response, limits.clientAnswerBytes);
    } catch (cause) {
      const { name } = cause instanceof Error ? cause : {};
      const isLate = name === 'TimeoutError' || name === 'AbortError';
      const isUnsent = asked.isCertainlyUnsent();
      const howLong =
        signal?.aborted === true ? 'while it was waited for' : `within ${Math.round(budgetMs)} ms`;
      return isLate ? this.#late(cause, howLong, isUnsent) : connectionProblem(this.baseUrl, cause, isUnsent);
    }
    const text = body && fromUtf8(body);
    if (text === undefined) {
      const why =
        body === undefined ? `it has more than ${limits.clientAnswerBytes} bytes` : 'it is not UTF-8';
      return this.#notUnderstood(response.status, why);
    }
    if (response.ok && answer === 'text') {
      const type = response.headers.get('content-type') ?? '';
      return type.startsWith('text/plain')
        ? text
        : this.#notUnderstood(response.status, 'it is no plain text');
    }
    if (!response.ok) return refusalIn(this.baseUrl, response, text);
    const read = readJson(text);
    return 'json' in read ? read.json : this.#notUnderstood(response.status, read.fault);
  }

  #late(cause: unknown, howLong: string, isUnsent: boolean): Problem {
    const what = isUnsent ? 'took no connection' : 'did not answer';
    return new Problem('api/timeout', `${this.baseUrl} ${what} ${howLong}`, {
      remedy: 'The node may be overloaded or stopped. Try again, or ask another node (quorate: --node URL).',
      details: { url: this.baseUrl, retryable: true, sent: !isUnsent },
      cause,
    });
  }

  #notUnderstood(status: number, why: string): Problem {
    return new Problem(
      'api/answer',
      `the answer of ${this.baseUrl} (HTTP ${status}) is not understood: ${why}`,
      {
        remedy: 'Check that this is the address of a Quorate node of the same version.',
        details: { url: this.baseUrl, status, sent: mayHaveArrived(status) },
      },
    );
  }
}

/** Visible ASCII, as a node’s settings have it (RFC 6750, section 2.1): no header carries anything else. */
const tokenShape = /^[\x21-\x7e]+$/;

/** The token is not repeated in the message, and fetch is not tried, because its error would repeat it. */
function unfitToken(): Problem {
  return new Problem('api/token-wrong', 'the token is empty, or holds what no token of a node can hold', {
    remedy: 'Give the "operatorToken" that stands under "api" in the config.json of the node that is asked.',
    details: { sent: false },
  });
}

/**
 * Whether a proxy may have forwarded a request before it answered with this status. A proxy that calls the
 * request itself wrong did not forward it; one that redirects may do so because the node failed in the middle
 * of it. A browser gives a redirect the status 0.
 */
function mayHaveArrived(status: number): boolean {
  return status === 408 || status < 400 || status >= 500;
}

/** Why a node refuses: its own problem, or what something else answered in its place. */
export function refusalIn(url: string, response: Response, text: string): Problem {
  const read = readJson(text);
  const own = 'json' in read ? problemFromJson(read.json, response) : undefined;
  return own ?? plainRefusal(url, response, text);
}

/**
 * The problem of an answer that is neither a result nor a node's own problem: something else answered in the
 * node's place.
 */
function plainRefusal(url: string, response: Response, text: string): Problem {
  const { status } = response;
  const to = response.headers.get('location');
  const isRedirect = response.type === 'opaqueredirect' || (status >= 300 && status < 400);
  const shown = text.trim().slice(0, 120).replace(/\s+/g, ' ');
  const what = isRedirect
    ? `answered with a redirect${to === null ? '' : ` to ${to.slice(0, 200)}`}, which no node does`
    : `answered HTTP ${status} without saying why${shown === '' ? '' : `: ${shown}`}`;
  return new Problem('api/answer', `${url} ${what}`, {
    remedy: 'Check that this is the address of a Quorate node, and no proxy in front of it that refuses.',
    details: {
      url,
      status,
      retryable: retryableStatus(status),
      sent: mayHaveArrived(status),
      ...retryAfter(response),
    },
  });
}

/** Whether the same request may succeed later: the node is not reachable, overloaded, or not ready. */
export function isRetryable(problem: Problem): boolean {
  return problem.details['retryable'] === true;
}

/** An earlier attempt may have reached the node. That the last one did not says nothing about its outcome. */
export function asSent(problem: Problem): Problem {
  if (problem.details['sent'] === true) return problem;
  const { message, remedy, details } = problem;
  return problem.restated(message, { remedy, details: { ...details, sent: true }, cause: problem });
}

function retryableStatus(status: number): boolean {
  return status === 408 || status === 429 || status === 502 || status === 503 || status === 504;
}

function retryAfter(response: Response): { retryAfterMs?: number } {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {};
}

/** The problem that a problem+json body describes, or undefined when it describes none. */
export function problemFromJson(json: unknown, response?: Response): Problem | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { code, title, detail, remedy, details, status } = json as Record<string, unknown>;
  if (typeof code !== 'string' || !/^[a-z]+\/[a-z0-9-]+$/.test(code) || !isNodeCode(code)) return undefined;
  const httpStatus = response?.status ?? (typeof status === 'number' ? status : undefined);
  return Problem.received(code, firstText(detail, title, code), {
    remedy: firstText(remedy, 'See the node’s log.'),
    details: {
      ...plainDetails(details),
      ...(httpStatus === undefined ? {} : { status: httpStatus, retryable: retryableStatus(httpStatus) }),
      // It failed in the middle of something.
      ...(httpStatus === 500 && { sent: true }),
      ...(response === undefined ? {} : retryAfter(response)),
    },
  });
}

function firstText(...candidates: unknown[]): string {
  return candidates.find((one): one is string => typeof one === 'string' && one !== '') ?? '';
}

function plainDetails(value: unknown): ProblemDetails {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      ([, one]) => one === null || ['string', 'number', 'boolean'].includes(typeof one),
    ),
  );
}
