import type { FastifyRequest } from 'fastify';
import { sha256 } from '../crypto/hash.ts';
import { equalBytes, utf8 } from '../base/bytes.ts';
import { apiProblem } from './problem-answer.ts';

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);

/** A name of this machine under which no other can be reached. */
export function isLoopback(host: string): boolean {
  return loopbackHosts.has(host);
}

/**
 * Admits operators. With a token in the configuration, an operator is whoever sends it. Without one, it is
 * whoever is on this machine, and only when the API listens on a loopback address and the request names one
 * as its host, so that no web page can reach it through a name of its own (DNS rebinding). Throws a problem
 * for others.
 */
export function operatorGuard(options: {
  readonly host: string;
  readonly token: string | undefined;
}): (request: FastifyRequest) => void {
  const { host, token } = options;
  if (token !== undefined) return (request) => checkToken(request.headers.authorization, token);
  const isLocal = isLoopback(host);
  return (request) => {
    if (isLocal && isLoopback(request.hostname)) return;
    throw apiProblem(
      'api/operators-only',
      'this is for the operators of the node, and nobody shows to be one',
      {
        remedy:
          'Ask the operator of the node, who sets "operatorToken" under "api" in its config.json and sends it (Authorization: Bearer TOKEN; quorate: --token-file FILE), or sets "host" there to 127.0.0.1.',
      },
    );
  };
}

function checkToken(authorization: string | undefined, token: string): void {
  const given = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (given === undefined) {
    throw apiProblem('api/token-missing', 'this is for the operators of the node: a token is needed', {
      remedy:
        'Send the "operatorToken" that stands under "api" in the node’s config.json: Authorization: Bearer TOKEN (quorate: --token-file FILE).',
    });
  }
  // Hashes have one length, and comparing them in constant time reveals nothing about the token.
  if (equalBytes(sha256(utf8(given)), sha256(utf8(token)))) return;
  throw apiProblem('api/token-wrong', 'the token is not that of this node', {
    remedy: 'Send the "operatorToken" that stands under "api" in the config.json of the node that is asked.',
  });
}
