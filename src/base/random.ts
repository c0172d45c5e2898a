/** The whole state of a generator: plain data, so that it can be cloned, stored and compared. */
export interface RandomState {
  a: number;
  b: number;
  c: number;
  counter: number;
}

/**
 * A seeded generator (sfc32 by Chris Doty-Humphrey, from PractRand). Deterministic and fast; not for secrets.
 * The first twelve outputs are thrown away, as its author advises, so that near seeds do not start alike.
 */
export function seedRandom(seed: number): RandomState {
  const state: RandomState = { a: 0, b: seed >>> 0, c: Math.floor(seed / 2 ** 32) >>> 0, counter: 1 };
  for (let i = 0; i < 12; i++) nextUint32(state);
  return state;
}

export function nextUint32(state: RandomState): number {
  const sum = (((state.a + state.b) | 0) + state.counter) | 0;
  state.counter = (state.counter + 1) | 0;
  state.a = state.b ^ (state.b >>> 9);
  state.b = (state.c + (state.c << 3)) | 0;
  state.c = (((state.c << 21) | (state.c >>> 11)) + sum) | 0;
  return sum >>> 0;
}

/** A number in [0, 1). */
export function nextFloat(state: RandomState): number {
  return nextUint32(state) / 2 ** 32;
}

/** A whole number in [0, bound), for a bound of at most 2^32. */
export function nextBelow(state: RandomState, bound: number): number {
  return Math.floor(nextFloat(state) * bound);
}
