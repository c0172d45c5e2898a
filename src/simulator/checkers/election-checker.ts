import type { RaftMessage } from '../../consensus/raft/message.ts';
import { promise } from './breach.ts';

/**
 * Raft's promises about terms (section 5.2, figure 3): a member votes for at most one candidate in a
 * term, across its restarts too, and a term has at most one leader. Without liars a vote counts from
 * the moment that it is sent.
 */
export class ElectionChecker {
  readonly #votes = new Map<string, number>();
  readonly #leaders = new Map<number, number>();

  /** A member sends this to these. */
  sends(message: RaftMessage, to: readonly number[]): void {
    if (message.kind === 'vote' && message.granted && !message.pre) {
      for (const candidate of to) this.#vote(message.from, message.term, candidate);
    } else if (message.kind === 'vote-request' && !message.pre) {
      this.#vote(message.from, message.term, message.from);
    }
  }

  leads(member: number, term: number): void {
    const before = this.#leaders.get(term);
    promise(
      before === undefined || before === member,
      'no-contradiction',
      () => `members ${before} and ${member} both lead in term ${term}`,
    );
    this.#leaders.set(term, member);
  }

  #vote(member: number, term: number, candidate: number): void {
    const key = `${member}/${term}`;
    const before = this.#votes.get(key);
    promise(
      before === undefined || before === candidate,
      'no-contradiction',
      () => `member ${member} votes for ${candidate} in term ${term}, and voted for ${before} before`,
    );
    this.#votes.set(key, candidate);
  }
}
