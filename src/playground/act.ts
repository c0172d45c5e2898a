import { type LiarName, liarNames } from '../simulator/plan/plan.ts';

/** What somebody does to a running cluster, and exactly when: so the same setting is the same run. */
export interface Edit {
  /** After so many events. */
  readonly event: number;
  /** At this moment of virtual time, in ms: that of the last event, or later, when nothing happened since. */
  readonly at: number;
  readonly act: Act;
}

export type Act =
  /**
   * `crash` is kill -9, which loses a part of what was not synced; `lose` a loss of power, which loses all of
   * it. `read` asks for the newest x, as a client does.
   */
  | {
      readonly kind: 'crash' | 'lose' | 'start' | 'pause' | 'resume' | 'wipe' | 'read';
      readonly node: number;
    }
  /** Both ways. */
  | { readonly kind: 'cut' | 'mend'; readonly node: number; readonly other: number }
  /** Its clock is put forward so much, or back. */
  | { readonly kind: 'clock'; readonly node: number; readonly ms: number }
  /** It runs a liar from now on (PBFT). */
  | { readonly kind: 'lie'; readonly node: number; readonly liar: LiarName }
  /** A client gives it x = value. */
  | { readonly kind: 'write'; readonly node: number; readonly value: number }
  /** An adversary lets no message of this kind arrive, anywhere, until it is released. */
  | { readonly kind: 'hold' | 'release'; readonly what: string };

/** Strategies that somebody can give to a node: a twin is a second node. */
export const playedLiars: readonly LiarName[] = liarNames.filter((name) => name !== 'twin');

/** `EVENT@MS:KIND`, and what the act is about, each behind a colon. */
export function editText({ event, at, act }: Edit): string {
  const { kind, ...rest } = act;
  return `${event}@${at}:${[kind, ...Object.values(rest)].join(':')}`;
}

export function editFrom(text: string): Edit | undefined {
  const found = /^(\d{1,12})@(\d{1,12}):([a-z]+):([a-z0-9:-]+)$/.exec(text);
  if (found === null) return undefined;
  const [, event, at, kind = '', about = ''] = found;
  const act = actFrom(kind, about.split(':'));
  return act === undefined ? undefined : { event: Number(event), at: Number(at), act };
}

function actFrom(kind: string, [first = '', second, ...more]: readonly string[]): Act | undefined {
  if (more.length > 0) return undefined;
  if (kind === 'hold' || kind === 'release') {
    return second === undefined && /^[a-z-]{1,30}$/.test(first) ? { kind, what: first } : undefined;
  }
  const node = wholeFrom(first, /^\d$/);
  if (node === undefined) return undefined;
  switch (kind) {
    case 'crash':
    case 'lose':
    case 'start':
    case 'pause':
    case 'resume':
    case 'wipe':
    case 'read':
      return second === undefined ? { kind, node } : undefined;
    case 'cut':
    case 'mend': {
      const other = wholeFrom(second, /^\d$/);
      return other === undefined || other === node ? undefined : { kind, node, other };
    }
    case 'clock': {
      const ms = wholeFrom(second, /^-?\d{1,9}$/);
      return ms === undefined ? undefined : { kind, node, ms };
    }
    case 'write': {
      const value = wholeFrom(second, /^\d{1,9}$/);
      return value === undefined ? undefined : { kind, node, value };
    }
    case 'lie': {
      const liar = playedLiars.find((name) => name === second);
      return liar === undefined ? undefined : { kind, node, liar };
    }
    default:
      return undefined;
  }
}

function wholeFrom(text: string | undefined, form: RegExp): number | undefined {
  return text !== undefined && form.test(text) ? Number(text) : undefined;
}

/** An act in a few words, for the list of what was done. */
export function actText(act: Act): string {
  switch (act.kind) {
    case 'crash':
      return `node ${act.node} is killed`;
    case 'lose':
      return `node ${act.node} loses power, and all that was not synced`;
    case 'start':
      return `node ${act.node} starts`;
    case 'pause':
      return `node ${act.node} freezes`;
    case 'resume':
      return `node ${act.node} goes on`;
    case 'wipe':
      return `node ${act.node} gets an empty disk`;
    case 'read':
      return `node ${act.node} is asked for x`;
    case 'cut':
      return `the link ${act.node}–${act.other} is cut`;
    case 'mend':
      return `the link ${act.node}–${act.other} is mended`;
    case 'clock':
      return `the clock of node ${act.node} is put ${act.ms < 0 ? 'back' : 'forward'} by ${Math.abs(act.ms) / 1_000} s`;
    case 'lie':
      return `node ${act.node} begins to lie: ${act.liar}`;
    case 'write':
      return `node ${act.node} is given x = ${act.value}`;
    case 'hold':
      return `every ${act.what} is held back`;
    case 'release':
      return `every ${act.what} arrives again`;
  }
}
