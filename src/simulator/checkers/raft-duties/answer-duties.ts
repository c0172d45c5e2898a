import type { RaftMessage } from '../../../consensus/raft/message.ts';
import type { Books } from './books.ts';
import { type MessageOf, sent, type Step } from './step.ts';

/** A vote that was asked for, and that is told when the writes up to `seq` are done. */
interface OwedVote {
  readonly to: number;
  readonly term: number;
  readonly seq: number;
}

/**
 * What a replica owes whoever asks it: a vote or a refusal, a word on each round and each snapshot, the
 * height of a read; and to see a later term when it is told of one.
 */
export class AnswerDuties {
  readonly #books: Books;
  #owed: OwedVote[] = [];

  constructor(books: Books) {
    this.#books = books;
  }

  look(step: Step): void {
    const { input, before, after } = step;
    if (input.type === 'unheard') {
      const { from } = input;
      this.#books.must(
        after.leader !== from || before.leader === from,
        () => `follows ${from}, who was removed`,
      );
    }
    if (input.type === 'message' && this.#isHeard(input.message, before.members.length, before.self)) {
      const message = input.message as RaftMessage;
      this.#mustSeeTerm(step, message);
      if (after.self !== null) this.#mustAnswer(step, message);
    }
    if (this.#owed.length > 0) this.#mustTellVotes(step);
  }

  #isHeard({ from }: { from: number }, members: number, self: number | null): boolean {
    return from !== self && from < members;
  }

  #mustSeeTerm({ after, before, now }: Step, message: RaftMessage): void {
    const { kind, term, from } = message;
    if (term <= before.term || kind === 'read-answer' || kind === 'timeout-now') return;
    if (kind === 'vote-request' && now < this.#books.mayReadUntil) return;
    if ((kind === 'append' || kind === 'snapshot-offer') && message.to !== after.self) return;
    if (kind === 'vote-request' && (message.pre || !this.#helps(message, { now, role: before.role }))) return;
    this.#books.must(
      after.term >= term,
      () => `hears of term ${term} from ${from} (${kind}), and stays in ${after.term}`,
    );
  }

  #mustAnswer(step: Step, message: RaftMessage): void {
    const { before, after } = step;
    const books = this.#books;
    const { from, kind } = message;
    switch (kind) {
      case 'vote-request':
        return this.#mustVote(step, message);
      case 'heartbeat': {
        const follows = message.term >= before.term;
        const vouches = follows && !after.forgot && books.startOnDisk;
        books.must(
          sent(step, 'heartbeat-answer', from, ({ round, term, applied }) =>
            vouches ? round === message.round && applied === after.applied : term >= message.term,
          ),
          () => `does not answer heartbeat ${message.round} of ${from} in term ${message.term}`,
        );
        return;
      }
      case 'snapshot-offer':
        if (message.to !== after.self || message.term < before.term) return;
        books.must(
          sent(step, 'snapshot-answer', from),
          () => `does not answer the snapshot that ${from} offers`,
        );
        return;
      case 'read-request':
        if (after.role === 'leader') return;
        books.must(
          sent(step, 'read-answer', from, ({ height }) => height === undefined),
          () => `does not lead, and does not say so to ${from}, who asks for a read`,
        );
        return;
      case 'vote':
      case 'append':
      case 'accepted':
      case 'rejected':
      case 'heartbeat-answer':
      case 'timeout-now':
      case 'read-answer':
      case 'snapshot-answer':
        return;
    }
  }

  #mustVote(step: Step, message: MessageOf<'vote-request'>): void {
    const books = this.#books;
    const { before, after, now } = step;
    const { from, term, pre } = message;
    if (now < books.mayReadUntil) return;
    if (!pre && term >= before.term && !this.#helps(message, { now, role: before.role })) return;
    const current =
      message.lastTerm > after.lastTerm ||
      (message.lastTerm === after.lastTerm && message.lastHeight >= after.last);
    const free = term > before.term || before.votedFor === null || before.votedFor === from;
    const knows = !after.forgot && current;
    if (pre || term < before.term) {
      const grants = term >= before.term && this.#helps(message, { now, role: before.role }) && knows;
      books.must(
        sent(step, 'vote', from, (vote) => vote.pre === pre && vote.granted === grants),
        () => `does not tell ${from} that it ${grants ? 'would' : 'would not'} vote for it in term ${term}`,
      );
      return;
    }
    // The only voter may begin an election of its own with that.
    if (after.term > term) return;
    const grants = free && knows && after.role === 'follower';
    const had = term === before.term && before.votedFor === from;
    books.must(
      (after.votedFor === from) === (grants || had),
      () => `${grants ? 'gives no vote to' : 'votes for'} ${from} in term ${term}`,
    );
    if (!sent(step, 'vote', from)) this.#owed.push({ to: from, term, seq: books.lastSeq });
  }

  /** A member that hears a leader, or leads, helps nobody against it, unless the leader itself hands over. */
  #helps(
    { transfer }: MessageOf<'vote-request'>,
    { now, role }: { now: number; role: Step['before']['role'] },
  ): boolean {
    return transfer || (role !== 'leader' && !this.#books.hearsLeader(now));
  }

  #mustTellVotes(step: Step): void {
    const books = this.#books;
    const { after, input } = step;
    this.#owed = this.#owed.filter(
      ({ to, term }) => term === after.term && !sent(step, 'vote', to, (vote) => !vote.pre),
    );
    if (input.type !== 'persisted') return;
    for (const { to, term, seq } of this.#owed) {
      books.must(
        seq > input.seq,
        () => `wrote what it decided on the vote for ${to} in term ${term}, and does not tell it`,
      );
    }
  }
}
