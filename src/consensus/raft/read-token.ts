import type { ReadToken } from './message.ts';
import type { RaftState } from './state.ts';

/** The count of starts, which makes a token unique, is on disk before anybody hears of it: it is in the first write. */
export function isStartOnDisk(state: RaftState): boolean {
  return state.writes.pending[0]?.seq !== 1;
}

export function newToken(state: RaftState): ReadToken {
  state.readSerial += 1;
  return { incarnation: state.incarnation, serial: state.readSerial };
}

export function sameToken(a: ReadToken | null, b: ReadToken): boolean {
  return a !== null && a.incarnation === b.incarnation && a.serial === b.serial;
}
