import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { limits } from '../base/limits.ts';
import type { Problem } from '../base/problem.ts';
import { methodNotAllowed } from './other-methods.ts';
import { apiProblem, problemJson, problemMediaType } from './problem-answer.ts';

/** What the HTTP parser could not make a request of. */
interface BrokenRequest extends NodeJS.ErrnoException {
  /** The piece of input that it failed on, as a Buffer. */
  readonly rawPacket?: unknown;
  /** Where in it. */
  readonly bytesParsed?: number;
}

/**
 * Answers what is not even a request: too slow, too large a head, an unknown method, no HTTP. There is no
 * reply object, only the socket. `allowAt` as in `OtherMethods`.
 */
export function answerBrokenRequest(
  error: BrokenRequest,
  socket: Socket,
  allowAt: (path: string) => string | undefined,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const unknown = error.code === 'HPE_INVALID_METHOD' ? unknownMethod(error, allowAt) : undefined;
  answerOnSocket(socket, unknown ?? problemOf(error.code));
}

/** A whole answer on a connection that ends with it. */
export function answerOnSocket(socket: Pick<Socket, 'end'>, problem: Problem): void {
  const json = problemJson(problem);
  const body = JSON.stringify(json);
  const { allow } = problem.details;
  socket.end(
    `HTTP/1.1 ${json.status} ${json.title}\r\nContent-Type: ${problemMediaType}\r\n` +
      (typeof allow === 'string' ? `Allow: ${allow}\r\n` : '') +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/**
 * A request line with a method that the parser does not know (RFC 9112, section 3);
 * undefined when it is none. Other requests may stand before it in the same packet.
 */
function unknownMethod(
  { rawPacket, bytesParsed = 0 }: BrokenRequest,
  allowAt: (path: string) => string | undefined,
): Problem | undefined {
  const packet = rawPacket instanceof Uint8Array ? Buffer.from(rawPacket).toString('latin1') : '';
  const begin = packet.lastIndexOf('\n', Math.max(bytesParsed - 1, 0)) + 1;
  const line = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (\/[^ ?\r\n]*)[^ \r\n]* HTTP\/1\.[01]\r?\n/.exec(
    packet.slice(begin),
  );
  const [, method, path] = line ?? [];
  if (method === undefined || path === undefined) return undefined;
  const allow = allowAt(path);
  return allow === undefined ? undefined : methodNotAllowed(method, allow);
}

/**
 * A request of HTTP/1.1 names one host (RFC 9112, section 3.2): of two, whoever stands between may have gone
 * by the other.
 */
export function wrongHost({ httpVersion, rawHeaders }: IncomingMessage): Problem | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (/^host$/i.test(rawHeaders[at] ?? '')) hosts += 1;
  if (hosts === 1 || (hosts === 0 && httpVersion !== '1.1')) return undefined;
  return apiProblem('api/bad-request', `the request names ${hosts === 0 ? 'no host' : `${hosts} hosts`}`, {
    remedy: 'Send one Host header, as HTTP/1.1 demands.',
  });
}

function problemOf(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return apiProblem('api/request-timeout', 'the request took too long to arrive', {
      remedy: `Send the whole request within ${limits.httpRequestTimeoutMs} ms.`,
    });
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return apiProblem('api/headers-too-large', 'the head of the request is too large', {
      remedy: 'Send fewer and shorter headers, and a shorter path and query.',
    });
  }
  return apiProblem('api/bad-request', 'this is not an HTTP request that can be read', {
    remedy: 'Use an HTTP/1.1 client, and http:// rather than https:// unless a proxy adds TLS.',
  });
}
