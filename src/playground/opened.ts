import { Problem } from '../base/problem.ts';
import { engineNames } from '../ledger/engine-names.ts';
import type { LiarName, Plan } from '../simulator/plan/plan.ts';
import { parsePlan } from '../simulator/plan/plan-file.ts';
import { type Edit, editFrom, playedLiars } from './act.ts';
import { fewestNodes, firstSetting, mostNodes, type Opened, settingOf } from './setting.ts';

/** Nobody makes more edits than this by hand. */
const mostEdits = 1_000;
/** Characters of a kept plan: it stands in the address. */
const longestKept = 65_536;

/** What is missing is as in the first setting; what is wrong is a problem that says what. */
export function openedFrom(text: string): Opened | Problem {
  const query = new URLSearchParams(text);
  const engine = engineNames.find((name) => name === (query.get('engine') ?? firstSetting.engine));
  const seed = Number(query.get('seed') ?? firstSetting.seed);
  const plan = query.get('plan') ?? firstSetting.plan;
  const load = query.get('load') ?? firstSetting.load;
  const names = query.get('nodes')?.split(',') ?? firstSetting.nodes.map((liar) => liar ?? 'honest');
  const event = query.get('event') ?? undefined;
  if (engine === undefined) return wrong('engine', 'pbft or raft');
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 48) return wrong('seed', 'a whole number');
  if (plan !== 'calm' && plan !== 'drawn' && plan !== 'kept') return wrong('plan', 'calm, drawn or kept');
  const kept = plan === 'kept' ? keptFrom(query.get('kept') ?? '') : undefined;
  if (kept instanceof Problem) return kept;
  if (load !== 'steady' && load !== 'none') return wrong('load', 'steady or none');
  if (event !== undefined && !/^\d{1,6}$/.test(event)) return wrong('event', 'a whole number');
  if (names.length < fewestNodes || names.length > mostNodes) {
    return wrong('nodes', `${fewestNodes} to ${mostNodes} of them`);
  }
  const nodes: (LiarName | null)[] = [];
  for (const name of names) {
    const liar = name === 'honest' ? null : playedLiars.find((one) => one === name);
    if (liar === undefined) return wrong('nodes', `honest, or ${playedLiars.join(', ')}`);
    nodes.push(liar);
  }
  const parts = query.get('edits')?.split(',') ?? [];
  const edits = parts.map(editFrom);
  if (parts.length > mostEdits || edits.includes(undefined)) {
    return wrong('edits', `EVENT@MS:ACT:NODE, or EVENT@MS:cut:NODE:NODE, at most ${mostEdits}`);
  }
  return {
    setting:
      kept === undefined
        ? { engine, seed, plan, nodes, load, edits: edits as Edit[] }
        : { ...settingOf(kept), edits: edits as Edit[] },
    event: event === undefined ? undefined : Number(event),
    lesson: query.get('lesson') ?? undefined,
  };
}

/** What the file of a plan opens. */
export function keptFrom(text: string): Plan | Problem {
  if (text.length <= longestKept) return parsePlan(text);
  return new Problem('simulator/plan', `the plan has ${text.length} characters: too many for an address`, {
    remedy: `Make it smaller ("quorate simulate --plan FILE --shrink --keep DIR"), to ${longestKept} at most.`,
    details: { characters: text.length },
  });
}

function wrong(what: string, may: string): Problem {
  return new Problem('playground/setting', `the address of the playground: ${what} must be ${may}`, {
    remedy: 'Correct it, or begin with the first setting.',
    details: { what },
  });
}
