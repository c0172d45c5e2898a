import type { ValidatorIndex } from '../engine.ts';

/** Votes on one question: the first of each validator counts, whatever it says later. */
export type Ballot<Vote> = Map<ValidatorIndex, Vote>;

/**
 * Casts a vote. Returns the earlier vote of the same validator when there is one: then
 * this one does not count.
 */
export function cast<Vote>(ballot: Ballot<Vote>, from: ValidatorIndex, vote: Vote): Vote | undefined {
  const earlier = ballot.get(from);
  if (earlier === undefined) ballot.set(from, vote);
  return earlier;
}
