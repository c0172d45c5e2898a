import type { EngineName } from '../ledger/engine-names.ts';
import { drawPlan } from '../simulator/plan/draw-plan.ts';
import type { LiarName, Plan } from '../simulator/plan/plan.ts';
import { type Edit, editText } from './act.ts';

/** All that decides a run: it stands in the address, so that a situation can be shared. */
export interface Setting {
  readonly engine: EngineName;
  readonly seed: number;
  /**
   * `drawn`: that of `quorate simulate --seed`, faults and all. `calm`: what people do, and no more. `kept`:
   * that of a file.
   */
  readonly plan: 'calm' | 'drawn' | 'kept';
  /** Of a kept plan: what a file of `quorate simulate --keep` says. */
  readonly kept?: Plan | undefined;
  /** Of a calm plan: what each node does instead of following the protocol (PBFT). */
  readonly nodes: readonly (LiarName | null)[];
  /** Of a calm plan: whether clients submit all the time, or only what somebody writes by hand. */
  readonly load: 'steady' | 'none';
  readonly edits: readonly Edit[];
}

/** What an address opens: a run, where in it, and the lesson beside it. */
export interface Opened {
  readonly setting: Setting;
  /** Played to this event at once, and stopped there; without it, it plays from the beginning. */
  readonly event?: number | undefined;
  readonly lesson?: string | undefined;
}

export const fewestNodes = 3;
export const mostNodes = 7;

export const firstSetting: Setting = {
  engine: 'pbft',
  seed: 1,
  plan: 'calm',
  nodes: [null, null, null, null],
  load: 'steady',
  edits: [],
};

/** Only PBFT claims to tolerate liars; in a drawn plan the seed says who lies. */
export function canLie({ plan, engine }: Pick<Setting, 'plan' | 'engine'>): boolean {
  return plan === 'calm' && engine === 'pbft';
}

/** What the engine calls the time of one leader. */
export function viewWord({ engine }: Pick<Setting, 'engine'>): string {
  return engine === 'pbft' ? 'view' : 'term';
}

/** Slow enough to be watched: a message takes about as long as between continents. */
export function planOf({ engine, seed, plan, nodes, load, kept }: Setting): Plan {
  if (kept !== undefined) return { ...kept, signatures: 'fast' };
  if (plan === 'drawn') return { ...drawPlan(seed, engine), signatures: 'fast' };
  const forEver = 1e12;
  return {
    seed,
    engine,
    validators: nodes.length,
    nodes: nodes.map((liar, validator) => ({ validator, liar: canLie({ plan, engine }) ? liar : null })),
    consensus:
      engine === 'pbft'
        ? {
            window: 4,
            viewTimeoutMs: 1_000,
            viewTimeoutCapMs: 8_000,
            blocksPerPrimary: 0,
            heartbeatMs: 0,
            censorshipMs: 3_000,
            blockIntervalMs: 200,
          }
        : { heartbeatMs: 100, electionTimeoutMs: 800, blockIntervalMs: 200, leaseReads: false },
    links: { delayMs: [25, 90], loss: 0, duplication: 0, reordering: 0 },
    diskMs: [1, 4],
    load: { senders: 3, transactions: load === 'none' ? 0 : 2_000, untilMs: 1_000_000 },
    faults: [],
    healAt: forEver,
    broken: [],
    boundMs: forEver,
    signatures: 'fast',
  };
}

/** A setting as the query of an address; `openedFrom` reads it back. */
export function queryOf(
  { engine, seed, plan, nodes, load, kept, edits }: Setting,
  more: Omit<Opened, 'setting'> = {},
) {
  const query = new URLSearchParams({ engine, seed: `${seed}`, plan });
  if (plan === 'calm') query.set('nodes', nodes.map((liar) => liar ?? 'honest').join());
  if (kept !== undefined) query.set('kept', JSON.stringify(kept));
  if (load !== firstSetting.load) query.set('load', load);
  if (edits.length > 0) query.set('edits', edits.map(editText).join());
  if (more.event !== undefined) query.set('event', `${more.event}`);
  if (more.lesson !== undefined) query.set('lesson', more.lesson);
  return query.toString();
}

/** A kept plan as a setting: it says itself which engine and seed. */
export function settingOf(kept: Plan): Setting {
  return { ...firstSetting, engine: kept.engine, seed: kept.seed, plan: 'kept', kept };
}
