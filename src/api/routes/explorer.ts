import { apiProblem } from '../problem-answer.ts';
import type { Api } from './route-context.ts';

/** A file of the explorer, as it is sent. */
export interface ExplorerFile {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** The same, packed with gzip. */
  readonly gzipped: Uint8Array;
  /** Names this content (RFC 9110, section 8.8.3), so that it is sent once to each browser. */
  readonly etag: string;
}

/** By path: `/` and what it needs. */
export type Explorer = ReadonlyMap<string, ExplorerFile>;

/**
 * Only this origin's own files run and are asked; nothing is framed, sent elsewhere, or made into code at run
 * time (Content Security Policy, level 3).
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The explorer's pages; without a build of it, `/` says how to make one. */
export function explorerRoutes(api: Api, explorer: Explorer | undefined): void {
  if (explorer === undefined) {
    api.get('/', { schema: { hide: true } }, () => {
      throw apiProblem('api/no-explorer', 'this node serves no explorer: it was not built', {
        remedy:
          'Run "npm run build:web" in the program’s directory, and start the node again. The API is under /v1.',
      });
    });
    return;
  }
  for (const [path, { type, bytes, gzipped, etag }] of explorer) {
    api.get(path, { schema: { hide: true } }, (request, reply) => {
      void reply.headers({
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        // Asked for anew each time, and sent only when it changed: a node may be upgraded under an open page.
        'cache-control': 'no-cache',
        vary: 'accept-encoding',
        etag,
      });
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      void reply.type(type);
      const isPacked = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
      return isPacked ? reply.header('content-encoding', 'gzip').send(gzipped) : reply.send(bytes);
    });
  }
}
