import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { plainBytes } from './frames.ts';

/** What opens every negotiation of multistream-select. */
const multistreamName = '/multistream/1.0.0';
/** The longest line that libp2p takes, without its length. */
const maxLineBytes = 1_024;

/**
 * Hears the other side negotiate a protocol, and says when it goes on without end: each name that we do not
 * have costs us an answer and 40 µs, and libp2p declines as many as come, before anybody said who they are.
 */
export class NegotiationGuard {
  readonly #isKnown: (protocol: string) => boolean;
  #line: number[] = [];
  #unknown = 0;
  #greeted = false;
  #agreed = false;

  constructor(isKnown: (protocol: string) => boolean) {
    this.#isKnown = isKnown;
  }

  /** A protocol that we have was named: there is nothing left to guard. */
  get agreed(): boolean {
    return this.#agreed;
  }

  /**
   * Reads on. A problem ends the conversation; once a protocol that we have was named,
   * everything is let through.
   */
  read(bytes: Uint8Array): Problem | undefined {
    for (const byte of bytes) {
      if (this.#agreed) return undefined;
      this.#line.push(byte);
      const line = this.#wholeLine();
      const problem = line === undefined ? this.#judgeLength() : this.#judge(line);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /**
   * Of the line that comes: its text, and how many bytes it takes with its length; undefined
   * until the length is there.
   */
  #measure(): { readonly at: number; readonly size: number } | undefined {
    const [low = 0x80, high = 0x80] = this.#line;
    if (low < 0x80) return { at: 1, size: low };
    if (high < 0x80) return { at: 2, size: (low & 0x7f) + high * 0x80 };
    return undefined;
  }

  #wholeLine(): string | undefined {
    const measured = this.#measure();
    if (measured === undefined || this.#line.length < measured.at + measured.size) return undefined;
    const text = String.fromCharCode(...this.#line.slice(measured.at));
    this.#line = [];
    return text;
  }

  #judgeLength(): Problem | undefined {
    const size = this.#measure()?.size ?? 0;
    if (size > maxLineBytes || this.#line.length > maxLineBytes + 2) return endless();
    return undefined;
  }

  #judge(line: string): Problem | undefined {
    const name = line.endsWith('\n') ? line.slice(0, -1) : line;
    if (name === multistreamName && !this.#greeted) {
      this.#greeted = true;
      return undefined;
    }
    this.#agreed = this.#isKnown(name);
    if (this.#agreed) return undefined;
    this.#unknown += 1;
    return this.#unknown > limits.unknownProtocols ? endless() : undefined;
  }
}

/** Where bytes come in, which libp2p's streams and lines have and do not offer. */
interface Insides {
  onData(bytes: Uint8Array | Iterable<Uint8Array>): void;
}

/**
 * Puts a guard before what libp2p reads of a stream or line on which the other side is to name a protocol.
 * `onFault` is called once, and what it came with is not passed on.
 */
export function guardNegotiation(
  line: object,
  isKnown: (protocol: string) => boolean,
  onFault: (problem: Problem) => void,
): void {
  const insides = line as Insides;
  const guard = new NegotiationGuard(isKnown);
  const onData = insides.onData.bind(line);
  let fault: Problem | undefined;
  insides.onData = (bytes) => {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
      if (fault !== undefined) return;
      fault = guard.read(plainBytes(piece));
      if (fault !== undefined) return onFault(fault);
    }
    if (guard.agreed) insides.onData = onData;
    onData(bytes);
  };
}

function endless(): Problem {
  return new Problem('network/negotiation', 'a peer asks for one protocol after the other that nobody has', {
    remedy: 'Run software of the same version on all nodes.',
  });
}
