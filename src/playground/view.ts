import type { Conflict } from '../simulator/checkers/conflict.ts';
import type { EngineView } from '../simulator/run/engine-view.ts';

/** A message on its way. */
export interface Carried {
  readonly from: number;
  readonly to: number;
  readonly kind: string;
  /** What it says, in a few words. */
  readonly text: string;
  readonly at: number;
  /** When it arrives: never, when it is lost; twice, when it is doubled. */
  readonly arrivals: readonly number[];
}

/** What a node's process holds. */
interface Inside extends EngineView {
  /** The record x in its final state. */
  readonly x: string | null;
  /** Transactions that wait. */
  readonly pool: number;
}

export interface NodeView {
  /** `down` has no process; `paused` has one that does nothing. */
  readonly state: 'running' | 'paused' | 'down';
  /** What it does instead of following the protocol. */
  readonly liar: string | null;
  /** In its own words: what it waits for. */
  readonly why: string;
  /** The highest block that it made final. */
  readonly height: number;
  /** How far its clock is off, by hand. */
  readonly clockMs: number;
  readonly disk: { readonly written: number; readonly bytes: number; readonly unsynced: number };
  /** Null while it has no process. */
  readonly inside: Inside | null;
}

/** A promise that was broken. */
export interface BreachView {
  readonly guarantee: string;
  readonly message: string;
  /** Both final blocks of one height, and who signed for both. */
  readonly conflict: Conflict | null;
}

/** What is to be seen since the last look. */
export interface RunView {
  readonly now: number;
  readonly events: number;
  readonly nodes: readonly NodeView[];
  readonly carried: readonly Carried[];
  /** Events of nodes, in words, with their time. */
  readonly lines: readonly string[];
  /** Kinds of messages that an adversary holds back. */
  readonly held: readonly string[];
  readonly breach: BreachView | null;
  readonly isOver: boolean;
  /** Of everything so far: two runs with one trace are the same run. */
  readonly trace: string;
}
