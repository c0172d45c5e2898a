import { limits } from '../base/limits.ts';
import type { Stream } from '@libp2p/interface';
import { concat, toHex } from '../base/bytes.ts';
import { Problem } from '../base/problem.ts';
import type { ReceivedCode } from '../base/problem-codes.ts';
import { FrameInbox, sendFrame } from './framed-stream.ts';

const sessionBytes = 16;
const envelopeBytes = sessionBytes + 1;
export const maxHelloBytes = limits.helloFrameBytes - envelopeBytes;

/** Only members are welcome, and the peer proved no member's key. */
const notAMember = 'network/not-a-member';

/** What a hello says besides the node's own bytes. */
export interface Greeting {
  /** Random per process start: tells a restarted peer from a second connection of a running one. */
  readonly session: string;
  /** Links to us that the sender believed to have when it sent this. */
  readonly links: number;
  readonly hello: Uint8Array;
}

/**
 * The conversation that opens every connection. Both sides send their greeting at once; each judges the
 * other's and sends its verdict; the link serves other protocols only after two good verdicts.
 *
 *     dialler  ── greeting ──▶  listener
 *              ◀── greeting ──
 *              ── verdict ───▶
 *              ◀── verdict ───
 */
export async function shakeHands(options: {
  stream: Stream;
  greeting: { session: Uint8Array; links: number; hello: Uint8Array };
  judge: (greeting: Greeting) => undefined | Problem;
}): Promise<Greeting | Problem> {
  const { stream, greeting, judge } = options;
  const inbox = new FrameInbox(stream, limits.helloFrameBytes);
  const links = Uint8Array.of(Math.min(greeting.links, 255));
  if (!sendFrame(stream, concat(greeting.session, links, greeting.hello))) return closedEarly();
  const received = await inbox.next();
  if (received instanceof Problem) return received;
  const theirs = parseGreeting(received);
  const problem = theirs instanceof Problem ? theirs : judge(theirs);
  sendFrame(stream, encodeVerdict(problem));
  const verdict = await inbox.next();
  if (theirs instanceof Problem) return theirs;
  if (problem !== undefined) return problem;
  if (verdict instanceof Problem) return verdict;
  return parseVerdict(verdict) ?? theirs;
}

function parseGreeting(frame: Uint8Array): Greeting | Problem {
  if (frame.length < envelopeBytes) {
    return new Problem('network/hello-malformed', 'the hello is too short', {
      remedy:
        'Check that a node of this program listens at that address, and compare the versions of both ("quorate status").',
      details: { size: frame.length },
    });
  }
  return {
    session: toHex(frame.subarray(0, sessionBytes)),
    links: frame[sessionBytes] as number,
    hello: frame.slice(envelopeBytes),
  };
}

/** Accepted is an empty list of words; refused is the problem's code. */
function encodeVerdict(problem: Problem | undefined): Uint8Array {
  if (problem === undefined) return Uint8Array.of(0);
  return concat(Uint8Array.of(1), new TextEncoder().encode(problem.code.slice(0, 100)));
}

function parseVerdict(frame: Uint8Array): Problem | undefined {
  if (frame.length === 1 && frame[0] === 0) return undefined;
  const text = new TextDecoder().decode(frame.subarray(1, 101));
  const theirCode = /^[a-z]+\/[a-z0-9-]+$/.test(text) ? text : 'network/hello-malformed';
  return new Problem('network/refused-by-peer', `the peer refused our hello: ${theirCode}`, {
    remedy:
      theirCode === notAMember
        ? 'Ask its operator to list this node\'s key, which the log there names, under "observers" in config.json, or to make it a member.'
        : 'Compare genesis file, engine and version of both nodes.',
    details: { code: theirCode },
  });
}

/** The other side's operator can change that at any time, so it is asked again as if the line had broken. */
export function mayChange({ code, details }: Problem): boolean {
  return code === notAMember || details['code'] === notAMember;
}

/** True when two nodes parted because of what a hello said, and not because the line broke. */
export function isRefusal(problem: Problem): boolean {
  const broken: readonly ReceivedCode[] = ['network/lost', 'network/timeout'];
  return !broken.includes(problem.code);
}

function closedEarly(): Problem {
  return new Problem('network/lost', 'the connection closed before the hello', {
    remedy: 'Wait: the peer is dialled again.',
  });
}
