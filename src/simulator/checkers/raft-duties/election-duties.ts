import { type Books, isJoint, isQuorum, isQuorumOfNew, takesPart, tickMs, votes } from './books.ts';
import { heard, type MessageOf, sent, type Step } from './step.ts';

/**
 * When a replica has to seek the lead: when it heard no leader for its time, when the leader hands
 * over to it, when enough others would vote for it, or did. It has to ask everybody who votes, and to
 * take the lead that it won.
 */
export class ElectionDuties {
  readonly #books: Books;
  /** Since when it could have campaigned and nothing made it wait anew. */
  #waitsSince: number;
  /** What each said first in the round of votes that is on. */
  #said = new Map<number, boolean>();
  /** The write that has its vote for itself. */
  #ownVote: { readonly seq: number; readonly term: number; readonly membersHeight: number } | null = null;
  /** A vote came in that counts. */
  #counted = false;
  /** What its own disk had in its own term. */
  #heldHere: string | null = null;
  /** What others said their disks had in its own term. */
  readonly #held = new Map<number, string>();

  constructor(books: Books, now: number) {
    this.#books = books;
    this.#waitsSince = now;
  }

  look(step: Step): void {
    this.#note(step);
    this.#mustRead(step);
    this.#mustCampaign(step);
    this.#mustAsk(step);
    this.#mustWin(step);
  }

  #note(step: Step): void {
    const { before, after, now, input } = step;
    const books = this.#books;
    if (before.membersHeight !== after.membersHeight) {
      this.#held.clear();
      this.#waitsSince = now;
    }
    const asks = step.sends.some(({ message }) => message.kind === 'vote-request');
    const begins = after.role !== before.role || after.term !== before.term;
    if (begins || (asks && after.role === 'pre-candidate')) this.#said.clear();
    const vote = heard(step, 'vote');
    const word = vote ?? heard(step, 'vote-request');
    if (word?.held !== undefined && isJoint(after.members)) this.#held.set(word.from, word.held.blockHash);
    const pre = after.role === 'pre-candidate';
    this.#counted =
      vote !== undefined &&
      vote.term === after.term &&
      vote.pre === pre &&
      after.role === before.role &&
      takesPart(after.members, vote.from);
    if (this.#counted && vote !== undefined && !this.#said.has(vote.from))
      this.#said.set(vote.from, vote.granted);
    if (after.role === 'candidate' && after.term !== before.term)
      this.#ownVote = { seq: books.lastSeq, term: after.term, membersHeight: after.membersHeight };
    if (input.type === 'persisted' && !after.forgot) {
      const height = books.log.changeUpTo(after.last);
      const hash = height === null ? undefined : books.log.hashAt(height);
      if (
        height !== null &&
        hash !== undefined &&
        books.durable.has(hash) &&
        books.log.termAt(height) === after.term
      )
        this.#heldHere = hash;
    }
    if (
      asks ||
      after.role !== before.role ||
      after.votedFor !== before.votedFor ||
      after.term !== before.term ||
      books.leaderHeardAt === now ||
      (input.type === 'tick' && !books.mayCampaign(step))
    )
      this.#waitsSince = now;
  }

  /** What its leader said while it stood still waits for it. */
  #mustRead({ before, after, now }: Step): void {
    const books = this.#books;
    books.must(
      before.role !== 'follower' || after.role !== 'pre-candidate' || now >= books.mustReadUntil,
      () => `heard its leader until it stood still, and seeks the lead before it reads what came meanwhile`,
    );
  }

  /** The leader hands over; or time is up. */
  #mustCampaign(step: Step): void {
    const { before, after, now, input } = step;
    const books = this.#books;
    const word = heard(step, 'timeout-now');
    if (
      word !== undefined &&
      word.term === before.term &&
      before.role === 'follower' &&
      books.mayCampaign(step)
    ) {
      books.must(
        after.term > before.term && (after.role === 'candidate' || after.role === 'leader'),
        () => `is told to campaign by ${word.from}, who hands over in term ${word.term}, and does not`,
      );
    }
    if (input.type !== 'tick' || after.role === 'leader' || !books.mayCampaign(step)) return;
    const waits = now - this.#waitsSince;
    books.must(
      waits < 2 * books.seat.timing.electionTimeoutMs + tickMs || now < books.mayReadUntil + tickMs,
      () => `hears no leader for ${waits} ms, and does not seek the lead`,
    );
  }

  #mustAsk(step: Step): void {
    const { before, after, input } = step;
    const ownVote = this.#ownVote;
    const asks = step.sends.some(({ message }) => message.kind === 'vote-request' && message.pre);
    if (asks || (after.role === 'pre-candidate' && before.role !== after.role)) this.#asksAll(step, true);
    if (input.type !== 'persisted' || ownVote === null || ownVote.seq > input.seq) return;
    this.#ownVote = null;
    if (after.term !== ownVote.term) return;
    this.#said.set(after.self ?? -1, true);
    this.#counted = true;
    const asksStill = after.role === 'candidate' || after.role === 'leader';
    if (asksStill && after.membersHeight === ownVote.membersHeight) this.#asksAll(step, false);
  }

  #asksAll(step: Step, pre: boolean): void {
    const { members, self } = step.after;
    for (const index of members.keys()) {
      if (index === self || !votes(members, index)) continue;
      this.#books.must(
        sent(step, 'vote-request', index, (message: MessageOf<'vote-request'>) => message.pre === pre),
        () => `does not ask ${index} for its ${pre ? 'pre-vote' : 'vote'} in term ${step.after.term}`,
      );
    }
  }

  #mustWin({ after }: Step): void {
    if (!this.#counted) return;
    if (after.role !== 'candidate' && after.role !== 'pre-candidate') return;
    const own = after.role === 'pre-candidate' ? after.self : null;
    const says = (index: number): boolean => index === own || this.#said.get(index) === true;
    const elected =
      isQuorum(after.members, says) || (this.#isPhaseOver(after) && isQuorumOfNew(after.members, says));
    this.#books.must(
      !elected,
      () => `has the votes of a majority in term ${after.term}, and is a ${after.role} still`,
    );
  }

  /**
   * By what others said, and by whoever made it, the block that ends the joint phase is with a majority of
   * the old voters and of the new ones.
   */
  #isPhaseOver({ members, last, self }: Step['after']): boolean {
    const { log } = this.#books;
    const height = isJoint(members) ? log.changeUpTo(last) : null;
    const end = height === null ? undefined : log.hashAt(height);
    if (height === null || end === undefined) return false;
    const maker = log.makerAt(height);
    const holds = (index: number): boolean =>
      (index === self ? this.#heldHere : this.#held.get(index)) === end || index === maker;
    return isQuorum(members, holds);
  }
}
