import { Problem } from '../base/problem.ts';

/**
 * Failures before there is a connection, in which certainly nothing was sent (errno(3),
 * getaddrinfo(3), and fetch in Node).
 */
const unconnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Certificates that are refused before anything is sent (`openssl verify`, and Node's own checks). */
const certificateFault =
  /^(?:CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_)/;

/** Why no answer came, of an error that `fetch` threw; `isUnsent` when it is known that nothing was sent. */
export function connectionProblem(url: string, cause: unknown, isUnsent = false): Problem {
  const { code, text, name, isInner } = innermost(cause);
  const isUnconnected = isUnsent || unconnected.has(code);
  const isTls = /^(?:ERR_SSL_|EPROTO)/.test(code);
  // Node's client asserts what it did not look at, such as that a status is one.
  const isHttp = name !== 'HTTPParserError' && code !== 'ERR_ASSERTION';
  const other = isTls ? 'HTTPS' : isHttp ? '' : 'HTTP';
  if (other !== '') {
    // Whatever answers in no HTTP may still have handed the request on.
    return new Problem('api/answer', `what listens at ${url} speaks no ${other}`, {
      remedy: 'Check the address and its port, and whether it begins with http:// or with https://.',
      details: { url, retryable: false, sent: !isUnconnected },
      cause,
    });
  }
  if (certificateFault.test(code)) {
    return new Problem(
      'api/unreachable',
      `${url} cannot be reached: its certificate is not valid (${code})`,
      {
        remedy:
          'Write the address as the certificate has it, and have this machine trust who signed it (in Node: NODE_EXTRA_CA_CERTS).',
        details: { url, retryable: false, sent: false },
        cause,
      },
    );
  }
  // Browsers do not say why.
  const isBroken = isInner && !isUnconnected;
  const what = isBroken ? `the connection to ${url} broke` : `${url} cannot be reached`;
  return new Problem('api/unreachable', `${what}: ${text}`, {
    remedy: 'Check that the node runs and that this is the address of its API (quorate: --node URL).',
    details: {
      url,
      // A name that nobody knows is a wrong one; the others may pass.
      retryable: code !== 'ENOTFOUND',
      sent: !isUnconnected,
    },
    cause,
  });
}

/** A proxy that wants a password is an error without a word (WHATWG Fetch, section 4.6). */
const noReason = 'no reason is given, as when a proxy asks for a password (HTTP 407)';

interface Innermost {
  readonly text: string;
  readonly code: string;
  readonly name: string;
  /** Whether it stands inside of another. */
  readonly isInner: boolean;
}

/** fetch hides the system's error in `cause`, and the errors of several addresses in `errors`. */
function innermost(error: unknown): Innermost {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    const inner: unknown = current instanceof AggregateError ? current.errors[0] : current.cause;
    if (!(inner instanceof Error)) break;
    current = inner;
  }
  const given = (current as { code?: unknown } | null)?.code;
  const code = typeof given === 'string' ? given : '';
  const { message, name } = current instanceof Error ? current : { message: String(current), name: '' };
  const text = message === '' ? code || noReason : message;
  return { text, code, name, isInner: current !== error };
}
