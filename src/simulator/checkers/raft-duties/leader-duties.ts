import type { EngineRequest } from '../../../consensus/engine.ts';
import type { Hash } from '../../../crypto/hash.ts';
import { type Books, isJoint, isQuorum, takesPart, tickMs, votes } from './books.ts';
import { heard, type Kind, sent, type Step } from './step.ts';

/** What a leader knows of one member, by what went to and fro. */
interface Follower {
  /** It acknowledged the log up to here. */
  match: number;
  /** An append, a snapshot or a question to its own storage is on its way for it, and was not answered. */
  pending: boolean;
  /** What went to it last: the block that it had to fit on, and the last one that it brought. */
  sentOn: number;
  sentUpTo: number;
  /** When something was last sent to it, or more of it came in there. */
  movedAt: number;
  received: number;
  fetches: boolean;
  /** When it last answered. */
  heardAt: number;
  /** The newest round that it answered. */
  round: number;
}

interface Read {
  readonly member: number;
  readonly context: string;
  /** The round that must be answered by a majority before it counts; then one more. */
  round: number;
  confirmed: boolean;
}

const answers: readonly Kind[] = ['accepted', 'rejected', 'heartbeat-answer', 'snapshot-answer'];

/**
 * What a leader owes its term: a round of heartbeats at each interval, to all; to each member that is
 * behind the next block, or storage's, or a snapshot; a first block, and the block that ends a joint phase;
 * what a majority has to be committed; reads that a majority confirmed to be answered; and to step down
 * when no majority answers.
 */
export class LeaderDuties {
  readonly #books: Books;
  #followers = new Map<number, Follower>();
  #roundAt = Number.NEGATIVE_INFINITY;
  #round = 0;
  #making = false;
  #nothing = false;
  #executable = 0;
  /** Since when it could make a block. */
  #idleSince = 0;
  #reads: Read[] = [];
  #handsOver = false;
  /** Requests of its clients and operators, and until when each has to be answered. */
  readonly #requests = new Map<number, { readonly kind: EngineRequest['kind']; readonly until: number }>();

  constructor(books: Books) {
    this.#books = books;
  }

  look(step: Step): void {
    this.#noteRequests(step);
    this.#mustAnswerRequests(step);
    if (step.input.type === 'work') {
      if (this.#executable === 0) this.#idleSince = step.now;
      this.#executable = step.input.work.executable;
    }
    if (step.after.role !== 'leader') {
      if (step.before.role === 'leader') this.#mustRefuseReads(step);
      return;
    }
    if (step.before.role !== 'leader' || step.before.term !== step.after.term) this.#begin();
    this.#note(step);
    this.#mustBeat(step);
    this.#mustReplicate(step);
    this.#mustCommit(step);
    this.#mustBuild(step);
    this.#mustServeReads(step);
    this.#mustStepDown(step);
  }

  #begin(): void {
    this.#followers = new Map();
    this.#roundAt = Number.NEGATIVE_INFINITY;
    this.#round = 0;
    this.#making = false;
    this.#nothing = false;
    this.#idleSince = 0;
    this.#reads = [];
    this.#handsOver = false;
  }

  #note(step: Step): void {
    const { input, effects, now, after, sends } = step;
    // Rounds to nobody were not seen.
    if (this.#followers.size === 0) this.#roundAt = now;
    for (const index of after.members.keys()) {
      if (index === after.self) continue;
      if (!takesPart(after.members, index)) this.#followers.delete(index);
      else if (!this.#followers.has(index))
        this.#followers.set(index, {
          match: 0,
          pending: false,
          sentOn: -1,
          sentUpTo: -1,
          movedAt: now,
          received: 0,
          fetches: false,
          heardAt: now,
          round: 0,
        });
    }
    const message = input.type === 'message' ? input.message : undefined;
    const from = message === undefined ? undefined : this.#followers.get(message.from);
    if (message !== undefined && from !== undefined && message.term === after.term)
      this.#noteAnswer(step, from);
    if (input.type === 'connected' || input.type === 'lost') {
      const follower = this.#followers.get(input.validator);
      // Storage may be asked for it just now.
      if (follower !== undefined && follower.sentUpTo !== Infinity) follower.pending = follower.fetches;
    }
    if (input.type === 'loaded' && this.#cannotServe(input, after))
      for (const follower of this.#followers.values()) follower.movedAt = now;
    if (input.type === 'built' && input.proposal === null) {
      this.#making = false;
      this.#nothing = true;
    }
    if (input.type === 'signed') this.#making = false;
    if (input.type === 'work' || input.type === 'applied') this.#nothing = false;
    if (input.type === 'request' && input.request.kind === 'transfer') this.#handsOver = true;
    if (input.type === 'tick' && input.lateMs !== undefined) {
      // While it stood still it could send nothing.
      for (const follower of this.#followers.values())
        follower.movedAt = Math.min(now, follower.movedAt + input.lateMs);
    }
    const loads = effects.some(({ type }) => type === 'load');
    if (effects.some(({ type }) => type === 'build')) this.#making = true;
    for (const { message: sentMessage, to } of sends) {
      for (const index of to) {
        const follower = this.#followers.get(index);
        if (follower === undefined) continue;
        if (sentMessage.kind === 'append' || sentMessage.kind === 'snapshot-offer') {
          follower.pending = true;
          follower.movedAt = now;
          follower.fetches = sentMessage.kind === 'snapshot-offer';
          if (sentMessage.kind === 'snapshot-offer') continue;
          follower.sentOn = sentMessage.previous.height;
          follower.sentUpTo = sentMessage.previous.height + sentMessage.entries.length;
        }
      }
      if (sentMessage.kind === 'heartbeat' && sentMessage.round > this.#round) {
        this.#round = sentMessage.round;
        this.#roundAt = now;
        this.#nothing = false;
        this.#mustReachAll(step, sentMessage.round);
      }
    }
    // Whom it loads for is not said: for all that nothing is on its way to.
    if (loads) {
      for (const follower of this.#followers.values()) {
        follower.sentOn = -1;
        follower.sentUpTo = Infinity;
        follower.pending = true;
      }
    }
  }

  /**
   * A block is here without its own certificate, and comes to the member by sync; or is gone, and the
   * next snapshot is on its way.
   */
  #cannotServe(
    { blocks }: Extract<Step['input'], { type: 'loaded' }>,
    { snapshot, membersHeight }: Step['after'],
  ): boolean {
    const block = blocks[0]?.block;
    return block == null ? (snapshot ?? -1) < membersHeight : block.certificate === null;
  }

  #noteAnswer({ input, now }: Step, from: Follower): void {
    if (input.type !== 'message') return;
    const { message } = input;
    if (!answers.includes(message.kind)) return;
    from.heardAt = now;
    if (message.kind === 'accepted') {
      const { height, blockHash } = message.block;
      const own = this.#books.log.hashAt(height);
      if (own !== undefined && own !== blockHash) return;
      if (height > from.match) {
        from.match = height;
        from.movedAt = now;
      }
      if (from.match >= from.sentUpTo) from.pending = false;
    } else if (message.kind === 'rejected') {
      if (message.previous > from.match) {
        if (message.previous === from.sentOn && !from.fetches) from.pending = false;
      } else if (message.previous === from.sentOn) {
        // Its log was lost since. One to something else is old, and came late: what follows tells.
        from.match = Math.min(from.match, message.final);
        from.pending = true;
        from.sentOn = -1;
        from.sentUpTo = Infinity;
      }
    } else if (message.kind === 'heartbeat-answer') {
      from.round = Math.max(from.round, Math.min(message.round, this.#round));
      if (message.received > from.received) from.movedAt = now;
      from.received = message.received;
    } else if (message.kind === 'snapshot-answer') {
      from.movedAt = now;
      if (message.state === 'failed') from.fetches = false;
    }
  }

  #mustReachAll(step: Step, round: number): void {
    for (const index of this.#followers.keys()) {
      this.#books.must(
        sent(step, 'heartbeat', index),
        () => `sends round ${round} of its heartbeats, and none of it to ${index}`,
      );
    }
  }

  #mustBeat({ input, now }: Step): void {
    if (input.type !== 'tick' || this.#followers.size === 0) return;
    const since = now - Math.max(this.#roundAt, this.#books.roleSince);
    this.#books.must(
      since < this.#books.seat.timing.heartbeatMs + tickMs,
      () => `leads, and sends no heartbeat for ${since} ms`,
    );
  }

  /** A follower that is behind is sent what follows, and again when nothing comes of it. */
  #mustReplicate(step: Step): void {
    const { input, after, now } = step;
    const books = this.#books;
    const { electionTimeoutMs, heartbeatMs } = books.seat.timing;
    const begins = step.before.role !== 'leader';
    const answered = heard(step, 'accepted', 'heartbeat-answer', 'rejected', 'snapshot-answer');
    if (
      !begins &&
      input.type !== 'signed' &&
      input.type !== 'connected' &&
      input.type !== 'persisted' &&
      answered === undefined
    )
      return;
    for (const [index, follower] of this.#followers) {
      if (follower.match >= this.#sendable(after)) continue;
      books.must(
        follower.pending || !begins,
        () =>
          `leads, has blocks up to ${after.last} and ${index} has ${follower.match}, and sends it nothing`,
      );
      if (answered?.from !== index || answered.kind !== 'heartbeat-answer') continue;
      const waits = now - follower.movedAt;
      // The longest wait for a word of what was sent, and once more for what storage is asked.
      const most = 2 * (follower.fetches ? 5 : 4) * electionTimeoutMs + 4 * heartbeatMs + tickMs;
      books.must(
        waits < most,
        () =>
          `leads, and sent ${index}, which has ${follower.match} of ${after.last}, nothing again for ${waits} ms`,
      );
    }
  }

  /** A change of the members goes out when its own disk has it. */
  #sendable({ last }: Step['after']): number {
    const { log, durable } = this.#books;
    const change = log.changeUpTo(last);
    if (change === null || durable.has(log.hashAt(change) as Hash)) return last;
    return change - 1;
  }

  #mustCommit({ after, input }: Step): void {
    if (input.type !== 'persisted' && input.type !== 'message') return;
    const books = this.#books;
    const { log } = books;
    for (let height = after.last; height > after.commit; height--) {
      if (log.termAt(height) !== after.term) return;
      const stored = books.durable.has(log.hashAt(height) as Hash);
      const has = (index: number): boolean =>
        index === after.self ? stored : (this.#followers.get(index)?.match ?? 0) >= height;
      books.must(
        !isQuorum(after.members, has),
        () =>
          `leads term ${after.term}, block ${height} is on the disks of a majority, and it has ${after.commit} committed`,
      );
    }
  }

  #mustBuild(step: Step): void {
    const { after, now, input } = step;
    const books = this.#books;
    const votesStill = votes(after.members, after.self);
    const busy = this.#making || after.executed < after.last || books.stalls(now) || !votesStill;
    const waits = busy || this.#handsOver || after.applied < after.last || books.installing || this.#nothing;
    if (waits) this.#idleSince = now;
    if (busy) return;
    if (after.lastTerm < after.term) {
      books.must(false, () => `leads term ${after.term}, and makes no first block of it`);
    }
    if (waits) return;
    if (isJoint(after.members))
      books.must(false, () => `leads a joint phase with nothing on its way, and does not end it`);
    const { heartbeatMs, blockIntervalMs } = books.seat.timing;
    if (input.type !== 'tick' || this.#executable === 0) return;
    const idleMs = now - this.#idleSince;
    books.must(
      idleMs < heartbeatMs + blockIntervalMs + 2 * tickMs,
      () =>
        `leads, has ${this.#executable} transactions and nothing on its way for ${idleMs} ms, and makes no block`,
    );
  }

  /**
   * What was committed when a read came is told when a majority answered a round from after that; at the
   * latest when it answered one more.
   */
  #mustServeReads(step: Step): void {
    const { after } = step;
    const asks = heard(step, 'read-request');
    if (asks !== undefined && !sent(step, 'read-answer', asks.from))
      this.#reads.push({
        member: asks.from,
        context: JSON.stringify(asks.context),
        round: 0,
        confirmed: false,
      });
    this.#reads = this.#reads.filter(
      ({ member, context }) =>
        !sent(step, 'read-answer', member, (message) => JSON.stringify(message.context) === context),
    );
    if (this.#reads.length === 0 || this.#books.log.termAt(after.commit) !== after.term) return;
    const confirms = (round: number): boolean =>
      isQuorum(
        after.members,
        (index) => index === after.self || (this.#followers.get(index)?.round ?? 0) >= round,
      );
    for (const read of this.#reads) {
      if (read.round === 0) read.round = this.#round + 1;
      if (!confirms(read.round)) continue;
      this.#books.must(
        !read.confirmed,
        () =>
          `leads, a majority confirmed it twice since ${read.member} asked for a read, and it does not answer`,
      );
      read.confirmed = true;
      read.round = this.#round + 1;
    }
  }

  #mustRefuseReads(step: Step): void {
    for (const { member } of this.#reads) {
      this.#books.must(
        sent(step, 'read-answer', member) || step.after.self === null,
        () => `leads no more, and does not tell ${member}, who waits for a read`,
      );
    }
    this.#reads = [];
  }

  #mustStepDown({ input, now, after }: Step): void {
    const books = this.#books;
    const most = books.seat.timing.electionTimeoutMs + tickMs;
    if (input.type !== 'tick' || now - books.roleSince < most || now < books.mayReadUntil + tickMs) return;
    books.must(
      isQuorum(
        after.members,
        (index) => index === after.self || now - (this.#followers.get(index)?.heardAt ?? -1e9) < most,
      ),
      () => `leads, and no majority answered it for ${most} ms`,
    );
    books.must(!books.stalls(now - tickMs), () => 'leads with a disk that stalls');
  }

  #noteRequests({ input, now }: Step): void {
    if (input.type !== 'request') return;
    const { electionTimeoutMs } = this.#books.seat.timing;
    const { kind } = input.request;
    const until = kind === 'members' ? Infinity : now + 2 * electionTimeoutMs + tickMs;
    this.#requests.set(input.id, { kind, until });
  }

  /**
   * Whoever asks gets an answer in time; for a change of the members from the leader,
   * or when it no longer leads.
   */
  #mustAnswerRequests({ effects, input, now, after }: Step): void {
    if (this.#requests.size === 0) return;
    for (const effect of effects) if (effect.type === 'answer') this.#requests.delete(effect.id);
    if (input.type !== 'tick') return;
    for (const { kind, until } of this.#requests.values()) {
      this.#books.must(
        now < until && (kind !== 'members' || after.role === 'leader'),
        () => `does not answer who asked for ${kind === 'read' ? 'a read' : `a change (${kind})`}`,
      );
    }
  }
}
