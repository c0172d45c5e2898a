import type { HTTPMethods, RouteOptions } from 'fastify';
import { apiProblem } from './problem-answer.ts';
import type { Api } from './routes/route-context.ts';

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Makes every path that exists answer other methods with 405 and what it allows. To be called before the routes; the result, after them. */
export function answerOtherMethods(api: Api): () => void {
  const allowedAt = new Map<string, Set<string>>();
  let done = false;
  api.addHook('onRoute', ({ url, method }: RouteOptions) => {
    if (done) return;
    const allowed = allowedAt.get(url) ?? new Set();
    allowedAt.set(url, allowed);
    for (const each of [method].flat()) allowed.add(each);
  });
  return () => {
    done = true;
    for (const [url, allowed] of allowedAt) {
      if (allowed.has('GET')) allowed.add('HEAD');
      const allow = [...allowed].sort().join(', ');
      api.route({
        url,
        method: methods.filter((method) => !allowed.has(method)),
        schema: { hide: true },
        // Before the body is read, so that what is in it cannot matter.
        onRequest: (request, reply) => {
          void reply.header('allow', allow);
          throw apiProblem('api/method-not-allowed', `${request.method} is not for this path`, {
            remedy: `Use ${allow} for this path.`,
            details: { allow },
          });
        },
        handler: () => undefined,
      });
    }
  };
}
