import { nextFloat, type RandomState } from '../../base/random.ts';
import type { ReadContext } from './message.ts';
import type { RaftState } from './state.ts';

/**
 * The count of starts, which makes a context unique, is on disk before anybody hears of it:
 * it is in the first write.
 */
export function isStartOnDisk(state: RaftState): boolean {
  return state.writes.pending[0]?.seq !== 1;
}

/** What a message has room for. */
const serialEnd = 2 ** 32;

/**
 * A member that asks a thousand times a second comes to the end of the numbers in seven weeks, and begins
 * anew: answers are taken for as long as a question waits, which is no more than seconds.
 */
export function newReadContext(state: RaftState): ReadContext {
  state.readSerial = (state.readSerial + 1) % serialEnd;
  return { incarnation: state.incarnation, serial: state.readSerial };
}

export function isSameContext(a: ReadContext | null, b: ReadContext): boolean {
  return a !== null && a.incarnation === b.incarnation && a.serial === b.serial;
}

/** For one of whom nobody knows how often it was started: it counts from where it surely never was. */
export function unusedIncarnation(random: RandomState): number {
  return 2 ** 32 + Math.floor(nextFloat(random) * 2 ** 46);
}
