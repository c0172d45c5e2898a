import type { Act, Edit } from '../act.ts';
import { firstSetting, type Setting } from '../setting.ts';

/** A situation, and what it comes to: the tests play each to its end. */
export interface Scene {
  /** What the button says. */
  readonly name: string;
  /** What there is to see, in the order in which it happens. */
  readonly see: string;
  readonly setting: Setting;
  /** Its end, in ms of the run. */
  readonly untilMs: number;
  readonly comesTo: Outcome;
}

/** What must be true at the end of a scene. */
interface Outcome {
  /** A promise is broken, and these validators signed for both blocks; without it, none is. */
  readonly breach?: { readonly guarantee: string; readonly signedBoth: readonly number[] };
  /** The record x at each node; null where there is none, 'down' where nobody is. */
  readonly x?: readonly (number | null | 'down')[];
  /** The highest block that is final anywhere, from least to most. */
  readonly blocks?: readonly [number, number];
  /** Lines of the log that hold these words, in this order. */
  readonly log?: readonly string[];
}

/** Something to learn: words, a scene to watch, and a question with something to try. */
export interface Lesson {
  readonly id: string;
  readonly title: string;
  /** Where it is from: paper and section. */
  readonly sources: readonly string[];
  readonly text: readonly string[];
  readonly scene: Scene;
  readonly question: string;
  readonly answer: string;
  readonly tries: readonly Scene[];
}

/** Nothing happens but what the scene does, and nothing is written but what it writes. */
export function quiet(changes: Partial<Setting>): Setting {
  return { ...firstSetting, load: 'none', ...changes };
}

export const raftOf = (count: number): Pick<Setting, 'engine' | 'nodes'> => ({
  engine: 'raft',
  nodes: Array.from({ length: count }, () => null),
});

/** What is done at a moment. */
export function at(ms: number, ...acts: readonly Act[]): readonly Edit[] {
  return acts.map((act) => ({ event: 0, at: ms, act }));
}

/** All links between two sides. */
export function between(
  kind: 'cut' | 'mend',
  side: readonly number[],
  rest: readonly number[],
): readonly Act[] {
  return side.flatMap((node) => rest.map((other): Act => ({ kind, node, other })));
}
