import type { Effect, Input } from '../../../consensus/engine.ts';
import type { EngineStart } from '../../../consensus/protocol.ts';
import type { RaftMessage } from '../../../consensus/raft/message.ts';
import type { RaftState } from '../../../consensus/raft/state.ts';
import { AnswerDuties } from './answer-duties.ts';
import { Books, type Seat } from './books.ts';
import { ElectionDuties } from './election-duties.ts';
import { LeaderDuties } from './leader-duties.ts';
import { LogDuties } from './log-duties.ts';
import { logOf, type Place, placeOf, stepOf } from './step.ts';

/** Holds one process of a Raft member to its own duties, step by step, as `duties/` does for PBFT. */
export class RaftDutyChecker {
  readonly #books: Books;
  readonly #answers: AnswerDuties;
  readonly #elections: ElectionDuties;
  readonly #log: LogDuties;
  readonly #lead: LeaderDuties;
  #place: Place;

  constructor(seat: Seat, start: EngineStart, state: Readonly<RaftState>) {
    this.#place = placeOf(state);
    this.#books = new Books(seat, start, { place: this.#place, log: logOf(state) });
    this.#answers = new AnswerDuties(this.#books);
    this.#elections = new ElectionDuties(this.#books, start.now);
    this.#log = new LogDuties(this.#books, this.#place);
    this.#lead = new LeaderDuties(this.#books);
  }

  step(input: Input<RaftMessage>, effects: readonly Effect<RaftMessage>[], state: Readonly<RaftState>): void {
    const before = this.#place;
    const after = placeOf(state);
    this.#place = after;
    this.#books.log = logOf(state);
    const { now } = state;
    const isUnheard = input.type === 'message' && !this.#books.isHeard(input.message, before, now);
    const what = isUnheard ? ({ type: 'unheard', from: input.message.from } as const) : input;
    const step = stepOf(what, effects, { before, after, now });
    this.#books.note(step);
    this.#answers.look(step);
    this.#elections.look(step);
    this.#log.look(step);
    this.#lead.look(step);
  }
}
