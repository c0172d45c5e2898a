import { toHex } from '../../base/bytes.ts';
import { decode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Network, PeerId, RequestProtocol } from '../../network/port.ts';
import { blocksRequestCodec, blocksResponseCodec } from '../../node/peers/wire.ts';
import { promise } from './breach.ts';

/** What is looked for this often. */
const lookEveryMs = 100;

interface AskingOptions {
  readonly node: number;
  /** By the node's own clock, as its timers go. */
  readonly now: () => number;
  readonly after: (delayMs: number, call: () => void) => void;
  readonly peers: () => readonly PeerId[];
  /** The last block that it has stored. */
  readonly height: () => number;
  /** That peer is honest, and has what is asked for, to stay. */
  readonly has: (peer: PeerId, protocol: RequestProtocol, request: Uint8Array) => boolean;
  /** Runs a check, and keeps what it finds. */
  readonly check: (look: () => void) => void;
}

/** One thing that the node looks for. */
interface Question {
  readonly protocol: RequestProtocol;
  readonly request: Uint8Array;
  readonly since: number;
  readonly asked: Set<PeerId>;
  readonly answered: Set<PeerId>;
  /** Requests under way. */
  readonly pending: Map<PeerId, number>;
  /** Peers that have it and are not being asked, and since when. */
  readonly owed: Map<PeerId, number>;
  /** Somebody gave something: unless others are asked all the same, that was it. */
  given: boolean;
  looksAt: number;
}

/**
 * A correct node that looks for something is held up by nobody: while one peer does not answer, every other
 * that is connected and has it is asked in its turn, also one that had it not when it was asked before. A
 * fetch of a single thing ends in time by itself.
 */
export class AskingChecker {
  readonly #options: AskingOptions;
  readonly #questions = new Map<string, Question>();
  #timeouts = 0;

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /** The node's port with somebody looking over its shoulder. */
  watch(request: Network['request']): Network['request'] {
    return (peer, protocol, bytes, done) => {
      // A block's transactions may come by gossip meanwhile, and nobody can tell from outside.
      if (protocol === 'transactions') return request(peer, protocol, bytes, done);
      const key = `${protocol} ${toHex(bytes)}`;
      const question = this.#questionOf(key, protocol, bytes);
      question.given = false;
      question.asked.add(peer);
      question.owed.delete(peer);
      question.pending.set(peer, (question.pending.get(peer) ?? 0) + 1);
      request(peer, protocol, bytes, (response) => {
        this.#onAnswer(key, question, { peer, response });
        done(response);
      });
      this.#lookLater(key, question);
    };
  }

  #questionOf(key: string, protocol: RequestProtocol, request: Uint8Array): Question {
    const open = this.#questions.get(key);
    if (open !== undefined) return open;
    const question: Question = {
      protocol,
      request,
      since: this.#options.now(),
      asked: new Set(),
      answered: new Set(),
      pending: new Map(),
      owed: new Map(),
      given: false,
      looksAt: -1,
    };
    this.#questions.set(key, question);
    return question;
  }

  #onAnswer(
    key: string,
    question: Question,
    { peer, response }: { readonly peer: PeerId; readonly response: Uint8Array | Problem },
  ): void {
    const under = (question.pending.get(peer) ?? 1) - 1;
    if (under > 0) question.pending.set(peer, under);
    else question.pending.delete(peer);
    question.answered.add(peer);
    if (response instanceof Problem && response.code === 'network/timeout') this.#timeouts += 1;
    question.given ||= !isEmpty(question.protocol, response);
    // Nobody is waited for who is asked again.
    const isOver = [...question.asked].every((each) => question.answered.has(each));
    if (isOver && this.#questions.get(key) === question) this.#questions.delete(key);
  }

  #lookLater(key: string, question: Question): void {
    const { now, after, check } = this.#options;
    if (question.looksAt > now()) return;
    question.looksAt = now() + lookEveryMs;
    after(lookEveryMs, () => {
      if (this.#questions.get(key) !== question) return;
      check(() => this.#look(question));
      this.#lookLater(key, question);
    });
  }

  #look(question: Question): void {
    const { node, now, peers, has } = this.#options;
    const { protocol, request, pending, owed } = question;
    const connected = peers();
    const due = connected.filter((peer) => !pending.has(peer) && has(peer, protocol, request));
    // So many are asked at once, and no more.
    const isFull = [...pending.values()].reduce((sum, each) => sum + each, 0) >= limits.fetchParallel;
    // What waited while the process stood still comes to it at once, and its timers among it.
    const stoodStill = now() > question.looksAt + lookEveryMs;
    const isIdle = isFull || stoodStill || question.given || !this.#isWanted(question);
    for (const peer of owed.keys()) if (isIdle || !due.includes(peer)) owed.delete(peer);
    if (isIdle) return;
    // Each in its turn; and what does not come in time makes sync wait longer.
    const patienceMs = Math.min(limits.fetchHedgeMs * 2 ** this.#timeouts, limits.requestTimeoutMs);
    const mostMs = 2 * patienceMs * connected.length + lookEveryMs;
    for (const peer of due) {
      const since = owed.get(peer) ?? now();
      owed.set(peer, since);
      promise(
        now() - since <= mostMs,
        'duty',
        () =>
          `node ${node} waits for ${[...pending.keys()].join(' and ')}, whom it asked for ${protocol}, and does not ask ${peer}, who has what it looks for`,
      );
    }
  }

  /** Blocks until they are here, and anything else as long as a fetch lasts. */
  #isWanted({ protocol, request, since }: Question): boolean {
    const { now, height } = this.#options;
    if (protocol !== 'blocks') return now() - since <= limits.fetchDeadlineMs - lookEveryMs;
    const wanted = decode(blocksRequestCodec, request, 'request');
    return !(wanted instanceof Problem) && wanted.from > height();
  }
}

/** Such an answer ends no search. What is not good is followed by other questions. */
function isEmpty(protocol: RequestProtocol, response: Uint8Array | Problem): boolean {
  if (response instanceof Problem) return true;
  if (protocol !== 'blocks') return false;
  const answer = decode(blocksResponseCodec, response, 'answer');
  return answer instanceof Problem || answer.blocks.length === 0;
}
