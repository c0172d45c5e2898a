import type { Effect, Input } from '../../../consensus/engine.ts';
import type { EngineStart } from '../../../consensus/protocol.ts';
import type { PbftMessage } from '../../../consensus/pbft/message.ts';
import type { PbftState } from '../../../consensus/pbft/state.ts';
import type { Hash } from '../../../crypto/hash.ts';
import { Books, type Committee } from './books.ts';
import { type Done, type Place, placeOf, stepOf } from './step.ts';
import { TalkDuties } from './talk-duties.ts';
import { ViewDuties } from './view-duties.ts';
import { VoteDuties } from './vote-duties.ts';

/**
 * Holds one process of a correct PBFT replica to its own duties, step by step. The others make up for a
 * replica that is silent or lazy, and the chain looks well; here each has to do what the protocol asks of it,
 * in its own time, from what it was told.
 */
export class DutyChecker {
  readonly #votes: VoteDuties;
  readonly #views: ViewDuties;
  readonly #talk: TalkDuties;
  readonly #books: Books;
  #place: Place;

  constructor(committee: Committee, start: Pick<EngineStart, 'now' | 'records'>, state: Readonly<PbftState>) {
    this.#place = placeOf(state);
    this.#books = new Books(committee, start, this.#place);
    this.#votes = new VoteDuties(this.#books, this.#place, start.now);
    this.#views = new ViewDuties(this.#books);
    this.#talk = new TalkDuties(this.#books, start.now);
  }

  step(input: Input<PbftMessage>, effects: readonly Effect<PbftMessage>[], state: Readonly<PbftState>): Done {
    const before = this.#place;
    const after = placeOf(state);
    this.#place = after;
    const { epoch } = this.#books.committee;
    const step = stepOf(input, effects, { before, after, now: state.now, epoch });
    this.#books.note(step);
    this.#views.look(step);
    this.#votes.look(step);
    this.#talk.look(step);
    return step.done;
  }

  /** The block that the present view starts with, above what all know to be final. */
  get tip(): Hash | undefined {
    return this.#books.start?.tip?.blockHash;
  }
}
