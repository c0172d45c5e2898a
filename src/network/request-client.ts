import { setTimeout as sleep } from 'node:timers/promises';
import type { Stream } from '@libp2p/interface';
import { limits } from '../base/limits.ts';
import { othersAreAsked } from '../base/peer-faults.ts';
import { Problem } from '../base/problem.ts';
import type { CodeOf } from '../base/problem-codes.ts';
import type { PeerId, RequestProtocol } from './port.ts';
import { closeQuietly, readFrames, sendFrame } from './framed-stream.ts';
import type { Link } from './link.ts';
import type { Meter } from './receiving.ts';
import { responseMarks } from './response-marks.ts';

type Done = (response: Uint8Array | Problem) => void;

interface Job {
  readonly peer: PeerId;
  readonly protocol: RequestProtocol;
  readonly bytes: Uint8Array;
  readonly done: Done;
  readonly abort: AbortController;
  timer: NodeJS.Timeout | undefined;
  stream: Stream | undefined;
  /** waiting → active → over */
  status: 'waiting' | 'active' | 'over';
}

/**
 * The asking side. At most `limits.requestsPerPeer` are on the way to one peer, as many as it serves at once,
 * and `limits.requestsPerSecond` start in a second; the others wait here, and their time runs.
 */
export class RequestClient {
  readonly #linkOf: (peer: PeerId) => RequestLink | undefined;
  readonly #meter: (link: RequestLink) => Meter;
  readonly #nameOf: (protocol: RequestProtocol) => string;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #jobs = new Map<PeerId, Set<Job>>();

  constructor(options: {
    linkOf: (peer: PeerId) => RequestLink | undefined;
    /** Counts what has come of an answer. */
    meter: (link: RequestLink) => Meter;
    nameOf: (protocol: RequestProtocol) => string;
    timeoutMs: number;
    /** Milliseconds of a monotonic clock. */
    now: () => number;
  }) {
    this.#linkOf = options.linkOf;
    this.#meter = options.meter;
    this.#nameOf = options.nameOf;
    this.#timeoutMs = options.timeoutMs;
    this.#now = options.now;
  }

  request(peer: PeerId, protocol: RequestProtocol, bytes: Uint8Array, done: Done): void {
    const jobs = this.#jobs.get(peer) ?? new Set();
    const refusal = this.#refuse(peer, bytes, jobs.size);
    if (refusal !== undefined) {
      setImmediate(done, refusal);
      return;
    }
    const job: Job = {
      peer,
      protocol,
      bytes,
      done,
      abort: new AbortController(),
      timer: undefined,
      stream: undefined,
      status: 'waiting',
    };
    job.timer = setTimeout(
      () => this.#finish(job, problem('network/timeout', 'the peer did not answer in time')),
      this.#timeoutMs,
    );
    jobs.add(job);
    this.#jobs.set(peer, jobs);
    this.#startNext(peer);
  }

  /** Fails what is on the way or waits, for one peer or for all. */
  fail(peer?: PeerId): void {
    for (const [id, jobs] of this.#jobs) {
      if (peer !== undefined && id !== peer) continue;
      for (const job of jobs) this.#finish(job, problem('network/lost', 'the peer is not connected'));
    }
  }

  #refuse(peer: PeerId, bytes: Uint8Array, queued: number): Problem | undefined {
    if (this.#linkOf(peer) === undefined) return problem('network/lost', 'the peer is not connected');
    if (bytes.length > limits.requestBytes) return problem('network/oversize', 'the request is too large');
    if (queued >= limits.requestsPerPeer + limits.requestsWaiting) {
      return problem('network/busy', 'too many requests wait for this peer');
    }
    return undefined;
  }

  #startNext(peer: PeerId): void {
    let active = 0;
    for (const job of this.#jobs.get(peer) ?? []) {
      if (job.status === 'waiting') {
        job.status = 'active';
        void this.#run(job);
      }
      active++;
      if (active >= limits.requestsPerPeer) return;
    }
  }

  async #run(job: Job): Promise<void> {
    const link = this.#linkOf(job.peer);
    if (link === undefined) {
      this.#finish(job, problem('network/lost', 'the peer is not connected'));
      return;
    }
    try {
      // The other side ends a connection on which too many streams are opened.
      link.requests.owe(1, this.#now());
      const waitMs = link.requests.waitFor(0, this.#now());
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: job.abort.signal });
      link.budget.expect(limits.responseBytes);
      const stream = await link.connection.newStream(this.#nameOf(job.protocol), {
        signal: job.abort.signal,
      });
      if (job.status === 'over') {
        stream.abort(new Error('request over'));
        return;
      }
      job.stream = stream;
      const handlers = {
        onFrame: (frame: Uint8Array) => this.#finish(job, parseResponse(frame)),
        onEnd: (fault: Problem | undefined) =>
          this.#finish(job, fault ?? problem('network/lost', 'the peer closed the request')),
      };
      readFrames(stream, limits.responseBytes + 1, handlers, this.#meter(link));
      sendFrame(stream, job.bytes);
      closeQuietly(stream, this.#timeoutMs);
    } catch {
      this.#finish(job, problem('network/lost', 'the request could not be sent'));
    }
  }

  #finish(job: Job, result: Uint8Array | Problem): void {
    if (job.status === 'over') return;
    job.status = 'over';
    clearTimeout(job.timer);
    const jobs = this.#jobs.get(job.peer);
    jobs?.delete(job);
    if (jobs?.size === 0) this.#jobs.delete(job.peer);
    if (result instanceof Problem) {
      job.abort.abort();
      job.stream?.abort(new Error(result.code));
    }
    this.#startNext(job.peer);
    job.done(result);
  }
}

function parseResponse(frame: Uint8Array): Uint8Array | Problem {
  if (frame[0] === responseMarks.answered) return frame.subarray(1);
  if (frame[0] === responseMarks.busy)
    return problem('network/busy', 'the peer serves too many requests of ours already');
  return problem('network/refused', 'the peer has no answer to this request');
}

function problem(code: CodeOf<'network'>, message: string): Problem {
  return new Problem(code, message, { remedy: othersAreAsked });
}

type RequestLink = Pick<Link, 'connection' | 'budget' | 'requests' | 'member' | 'invited'>;
