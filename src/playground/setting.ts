import { Problem } from '../base/problem.ts';
import { type EngineName, engineNames } from '../ledger/engine-names.ts';
import { drawPlan } from '../simulator/plan/draw-plan.ts';
import { type LiarName, liarNames, type Plan } from '../simulator/plan/plan.ts';

/** What somebody does to a running cluster, and exactly when: so the same setting is the same run. */
export interface Edit {
  /** After this many events. */
  readonly event: number;
  /** At this moment of virtual time, in ms: that of the last event, or later, when nothing happened since. */
  readonly at: number;
  readonly act: Act;
}

export type Act =
  /** kill -9: what was not synced is lost in part. */
  | { readonly kind: 'crash' | 'start' | 'pause' | 'resume' | 'wipe'; readonly node: number }
  /** Both ways. */
  | { readonly kind: 'cut' | 'mend'; readonly node: number; readonly other: number }
  /** Its clock is put forward this much. */
  | { readonly kind: 'clock'; readonly node: number; readonly ms: number };

/** All that decides a run: it stands in the address, so that a situation can be shared. */
export interface Setting {
  readonly engine: EngineName;
  readonly seed: number;
  /** `drawn`: that of `quorate simulate --seed`, faults and all. `calm`: what people do, and no more. */
  readonly plan: 'calm' | 'drawn';
  /** Of a calm plan: what each node does instead of following the protocol (PBFT). */
  readonly nodes: readonly (LiarName | null)[];
  readonly edits: readonly Edit[];
}

export const fewestNodes = 3;
export const mostNodes = 7;

export const firstSetting: Setting = {
  engine: 'pbft',
  seed: 1,
  plan: 'calm',
  nodes: [null, null, null, null],
  edits: [],
};

/** Only PBFT claims to stand liars; in a drawn plan the seed says who lies. */
export function canLie({ plan, engine }: Pick<Setting, 'plan' | 'engine'>): boolean {
  return plan === 'calm' && engine === 'pbft';
}

/** Slow enough to be watched: a message takes about as long as between continents. */
export function planOf({ engine, seed, plan, nodes }: Setting): Plan {
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
    load: { senders: 3, transactions: 2_000, untilMs: 1_000_000 },
    faults: [],
    healAt: forEver,
    broken: [],
    boundMs: forEver,
    signatures: 'fast',
  };
}

/** A setting as the query of an address; `settingFromQuery` reads it back. */
export function queryOf({ engine, seed, plan, nodes, edits }: Setting): string {
  const query = new URLSearchParams({ engine, seed: `${seed}`, plan });
  if (plan === 'calm') query.set('nodes', nodes.map((liar) => liar ?? 'honest').join());
  if (edits.length > 0) query.set('edits', edits.map(editText).join());
  return query.toString();
}

/** What is missing is as in the first setting; what is wrong is a problem that says what. */
export function settingFromQuery(text: string): Setting | Problem {
  const query = new URLSearchParams(text);
  const engine = engineNames.find((name) => name === (query.get('engine') ?? firstSetting.engine));
  const seed = Number(query.get('seed') ?? firstSetting.seed);
  const plan = query.get('plan') ?? 'calm';
  const names = query.get('nodes')?.split(',') ?? firstSetting.nodes.map((liar) => liar ?? 'honest');
  if (engine === undefined) return wrong('engine', 'pbft or raft');
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 48) return wrong('seed', 'a whole number');
  if (plan !== 'calm' && plan !== 'drawn') return wrong('plan', 'calm or drawn');
  if (names.length < fewestNodes || names.length > mostNodes) {
    return wrong('nodes', `${fewestNodes} to ${mostNodes} of them`);
  }
  const nodes: (LiarName | null)[] = [];
  for (const name of names) {
    const liar = name === 'honest' ? null : liarNames.find((one) => one === name);
    if (liar === undefined) return wrong('nodes', `honest, or ${liarNames.join(', ')}`);
    nodes.push(liar);
  }
  const edits: Edit[] = [];
  for (const part of query.get('edits')?.split(',') ?? []) {
    const edit = editFrom(part);
    if (edit === undefined) return wrong('edits', 'EVENT@MS:ACT:NODE, or EVENT@MS:cut:NODE:NODE');
    edits.push(edit);
  }
  return { engine, seed, plan, nodes, edits };
}

function editText({ event, at, act }: Edit): string {
  const more = 'other' in act ? `:${act.other}` : 'ms' in act ? `:${act.ms}` : '';
  return `${event}@${at}:${act.kind}:${act.node}${more}`;
}

function editFrom(text: string): Edit | undefined {
  const found = /^(\d{1,12})@(\d{1,12}):([a-z]+):(\d)(?::(\d{1,9}))?$/.exec(text);
  if (found === null) return undefined;
  const [, , , kind] = found;
  const [event, at, on] = [found[1], found[2], found[4]].map(Number) as [number, number, number];
  const third = found[5] === undefined ? undefined : Number(found[5]);
  const made = (act: Act): Edit => ({ event, at, act });
  switch (kind) {
    case 'crash':
    case 'start':
    case 'pause':
    case 'resume':
    case 'wipe':
      return third === undefined ? made({ kind, node: on }) : undefined;
    case 'cut':
    case 'mend':
      return third === undefined ? undefined : made({ kind, node: on, other: third });
    case 'clock':
      return third === undefined ? undefined : made({ kind, node: on, ms: third });
    default:
      return undefined;
  }
}

function wrong(what: string, may: string): Problem {
  return new Problem('playground/setting', `the address of the playground: ${what} must be ${may}`, {
    remedy: 'Correct it, or begin with the first setting.',
    details: { what },
  });
}
