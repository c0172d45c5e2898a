import type { Problem } from '../base/problem.ts';
import type { NetworkLog } from './log.ts';
import type { Unreached } from './port.ts';

/** What went wrong, as far as it makes a difference to who has to mend it. */
interface Failure {
  readonly kind: string;
  readonly why: string;
  readonly remedy: string;
}

interface Rule extends Failure {
  readonly pattern: RegExp;
}

/** The first that fits what the libraries below say. */
const rules: readonly Rule[] = [
  {
    kind: 'refused-port',
    pattern: /ECONNREFUSED/,
    why: 'nothing listens there',
    remedy: 'Start that node, or correct its address in "peers" of config.json.',
  },
  {
    kind: 'no-name',
    pattern: /ENOTFOUND|EAI_AGAIN|no valid addresses/i,
    why: 'its name is not known',
    remedy: 'Correct its address in "peers" of config.json, or look at the name service of this machine.',
  },
  {
    kind: 'no-route',
    pattern: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/,
    why: 'there is no way to that address from here',
    remedy: 'Look at the network of both machines, and at firewalls between them.',
  },
  {
    kind: 'other-peer',
    pattern: /UnexpectedPeer|unexpected peer|payload identity key/i,
    why: 'another node than the one that its /p2p part names answers there',
    remedy:
      'Correct the address in "peers" of config.json: what "quorate start" prints there names its peer id.',
  },
  {
    kind: 'closed',
    pattern:
      /ECONNRESET|EPIPE|EncryptionFailed|hang up|stream (?:was |has been )?(?:reset|closed|ended)|unexpected end|closed/i,
    why: 'it hung up before the connection was secure',
    remedy: 'Its own log says why: it may have no place for this node, or be of another version.',
  },
  {
    kind: 'timeout',
    pattern: /TimeoutError|AbortError|aborted|timed? ?out|ETIMEDOUT/i,
    why: 'it does not answer in time',
    remedy: 'Look whether the machine is up, and at firewalls between.',
  },
];

/** Everything that an error says, its causes included. */
function textOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const parts = error instanceof AggregateError ? error.errors.map((part) => textOf(part, depth + 1)) : [];
  const cause = error.cause === undefined ? '' : textOf(error.cause, depth + 1);
  return [error.name, code, error.message, ...parts, cause].join(' ');
}

/** Tells from what a dial ended with what went wrong. */
export function failureOf(error: unknown): Failure {
  const text = textOf(error);
  const rule = rules.find(({ pattern }) => pattern.test(text));
  if (rule !== undefined) return { kind: rule.kind, why: rule.why, remedy: rule.remedy };
  return {
    kind: 'other',
    why: `the connection fails (${text.slice(0, 120)})`,
    remedy: 'Look at its log and at the network between.',
  };
}

/**
 * Which configured peers cannot be reached, and why. The first failure of each and every new kind is a
 * warning; the same one again is a matter of a line for those who debug.
 */
export class DialFailures {
  readonly #log: NetworkLog;
  readonly #byAddress = new Map<string, Failure>();

  constructor(log: NetworkLog) {
    this.#log = log;
  }

  failed(address: string, error: unknown): void {
    this.#note(address, failureOf(error), String(error));
  }

  /** It was reached, and one of the two refused the other. */
  refused(address: string, { code, message, remedy }: Problem): void {
    this.#note(address, { kind: code, why: message, remedy }, code);
  }

  /** It is connected, by whoever's dial. */
  reached(isOf: (address: string) => boolean): void {
    for (const address of this.#byAddress.keys()) if (isOf(address)) this.#byAddress.delete(address);
  }

  list(): readonly Unreached[] {
    return [...this.#byAddress].map(([address, { why, remedy }]) => ({ address, why, remedy }));
  }

  #note(address: string, failure: Failure, cause: string): void {
    const { kind, why, remedy } = failure;
    const known = this.#byAddress.get(address);
    this.#byAddress.set(address, failure);
    if (known?.kind === kind) this.#log.debug('dial failed', { address, cause });
    else this.#log.warn('a peer cannot be reached', { address, why, remedy, cause });
  }
}
