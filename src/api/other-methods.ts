import type { RouteOptions } from 'fastify';
import type { Problem } from '../base/problem.ts';
import { METHODS } from './node-http.ts';
import { apiProblem } from './problem-answer.ts';
import type { Api } from './routes/route-context.ts';

/** What any path of the API takes, for requests that name none (CONNECT). */
export const allMethods = 'GET, HEAD, POST';

export interface OtherMethods {
  /** To be called after the last route. */
  readonly finish: () => void;
  /**
   * The methods that a path takes, as the header `Allow` lists them; undefined when there
   * is nothing at that path.
   */
  readonly allowAt: (path: string) => string | undefined;
}

/**
 * Makes every path that exists answer other methods with 405 and what it allows (RFC 9110, section
 * 15.5.6). To be called before the routes. Those that the HTTP parser does not know never come to a route:
 * for them there is `allowAt`.
 */
export function answerOtherMethods(api: Api): OtherMethods {
  for (const method of METHODS) {
    if (!api.supportedMethods.includes(method)) api.addHttpMethod(method);
  }
  const allowedAt = new Map<string, Set<string>>();
  let done = false;
  api.addHook('onRoute', ({ url, method }: RouteOptions) => {
    if (done) return;
    const allowed = allowedAt.get(url) ?? new Set();
    allowedAt.set(url, allowed);
    for (const each of [method].flat()) allowed.add(each);
    if (allowed.has('GET')) allowed.add('HEAD');
  });
  return {
    finish: () => {
      done = true;
      for (const [url, allowed] of allowedAt) {
        const allow = allowOf(allowed);
        api.route({
          url,
          method: api.supportedMethods.filter((method) => !allowed.has(method)),
          schema: { hide: true },
          // Before the body is read, so that what is in it cannot matter.
          onRequest: (request, reply) => {
            void reply.header('allow', allow);
            throw methodNotAllowed(request.method, allow);
          },
          handler: () => undefined,
        });
      }
    },
    allowAt: (path) => {
      const found = [...allowedAt].find(([pattern]) => fits(pattern, path));
      return found && allowOf(found[1]);
    },
  };
}

export function methodNotAllowed(method: string, allow: string): Problem {
  return apiProblem('api/method-not-allowed', `${method} is not for this path`, {
    remedy: `Use ${allow} for this path, in capitals.`,
    details: { allow },
  });
}

function allowOf(allowed: ReadonlySet<string>): string {
  return [...allowed].sort().join(', ');
}

/** Whether a path is one of a route's: a part that begins with a colon stands for any. */
function fits(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern, path].map((text) => text.split('/')) as [string[], string[]];
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => (part.startsWith(':') ? given[index] !== '' : part === given[index]))
  );
}
