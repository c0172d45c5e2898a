import * as z from 'zod/mini';
import { Problem } from '../../base/problem.ts';
import { parseStrictJson } from '../../base/strict-json.ts';
import { engineNames } from '../../ledger/engine-names.ts';
import { allBlows, liarNames, type Plan, type Shape } from './plan.ts';

const number = (min: number, max = Infinity) => {
  const expected = max === Infinity ? `a number from ${min} on` : `a number from ${min} to ${max}`;
  return z.number(expected).check(z.minimum(min, expected), z.maximum(max, expected));
};
const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER) => {
  const expected =
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${min} on`
      : `a whole number from ${min} to ${max}`;
  return z.int(expected).check(z.minimum(min, expected), z.maximum(max, expected));
};
const anyWhole = z.int('a whole number');
const yesOrNo = z.boolean('true or false');
const oneOf = <Word extends string>(words: readonly Word[]) => z.enum(words, `one of ${words.join(', ')}`);
const list = <Item extends z.core.$ZodType>(item: Item) => z.array(item, 'a list');

const node = whole(0, 100);
const duration = number(0);
const range = z.tuple([duration, duration], 'two numbers');
const rate = number(0, 1);
const speed = number(0.1, 10);
const conditions = z.strictObject({ delayMs: range, loss: rate, duplication: rate, reordering: rate });
const episode = { at: duration, forMs: duration };
const ofNode = { node, ...episode };

const fault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('partition'), side: list(node), ...episode }),
  z.strictObject({ kind: z.literal('one-way'), from: list(node), to: list(node), ...episode }),
  z.strictObject({ kind: z.literal('rotating-partition'), everyMs: number(1), ...episode }),
  z.strictObject({
    kind: z.literal('clog'),
    from: node,
    to: node,
    bytesPerMs: number(0.01),
    ...episode,
  }),
  z.strictObject({ kind: z.literal('crash'), ...ofNode }),
  z.strictObject({ kind: z.literal('crash-all'), ...episode }),
  z.strictObject({ kind: z.literal('crash-loop'), everyMs: number(1), ...ofNode }),
  z.strictObject({ kind: z.literal('disk-stall'), ...ofNode }),
  z.strictObject({ kind: z.literal('disk-slow'), upToMs: duration, ...ofNode }),
  z.strictObject({ kind: z.literal('disk-error'), ...ofNode }),
  z.strictObject({ kind: z.literal('disk-loss'), ...ofNode }),
  z.strictObject({ kind: z.literal('clock-jump'), byMs: anyWhole, ...ofNode }),
  z.strictObject({ kind: z.literal('clocks-jump'), byMs: anyWhole, ...episode }),
  z.strictObject({ kind: z.literal('clock-drift'), rate: speed, ...ofNode }),
  z.strictObject({ kind: z.literal('pause'), ...ofNode }),
  z.strictObject({ kind: z.literal('freeze'), ...ofNode }),
  z.strictObject({ kind: z.literal('weather'), conditions, ...episode }),
  z.strictObject({
    kind: z.literal('drop-kinds'),
    kinds: list(z.string('a text')),
    share: rate,
    everyMs: number(1),
    ...episode,
  }),
  z.strictObject({ kind: z.literal('hand-over'), everyMs: number(1), ...episode }),
  z.strictObject({
    kind: z.literal('change-members'),
    everyMs: number(1),
    outgoing: list(node),
    ...episode,
  }),
  z.strictObject({ kind: z.literal('change-validators'), everyMs: number(1), ...episode }),
  z.strictObject({
    kind: z.literal('strike'),
    kinds: list(z.string('a text')),
    share: rate,
    how: list(oneOf(allBlows)).check(z.minLength(1, 'one at least')),
    relay: yesOrNo,
    ...episode,
  }),
]);

const pbft = z.strictObject({
  window: whole(1),
  viewTimeoutMs: whole(10),
  viewTimeoutCapMs: whole(10),
  blocksPerPrimary: whole(0),
  heartbeatMs: whole(0),
  censorshipMs: whole(10),
  blockIntervalMs: whole(0),
});

const raft = z.strictObject({
  heartbeatMs: whole(1),
  electionTimeoutMs: whole(10),
  blockIntervalMs: whole(0),
  leaseReads: yesOrNo,
});

const retention = z.strictObject({ snapshotEvery: whole(1), keepBlocks: whole(0) });

const shape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('star'), centre: node }),
  z.strictObject({ kind: z.literal('line'), order: list(node) }),
  z.strictObject({ kind: z.literal('bridge'), group: list(node), ends: z.tuple([node, node]) }),
]);

const plan = z.strictObject({
  seed: whole(0),
  engine: oneOf(engineNames),
  validators: whole(1, 100),
  nodes: list(
    z.strictObject({
      validator: z.nullable(node),
      liar: z.nullable(oneOf(liarNames)),
      noted: z.exactOptional(yesOrNo),
      moves: z.exactOptional(yesOrNo),
    }),
  ),
  consensus: z.union([pbft, raft]),
  retention: z.exactOptional(retention),
  oneByOne: z.exactOptional(yesOrNo),
  links: conditions,
  diskMs: range,
  load: z.strictObject({
    senders: whole(1),
    transactions: whole(0),
    untilMs: duration,
    gaps: z.exactOptional(whole(0)),
  }),
  faults: list(fault),
  clocks: z.exactOptional(list(z.strictObject({ node, offsetMs: anyWhole, rate: speed }))),
  shape: z.exactOptional(shape),
  healAt: duration,
  broken: list(z.strictObject({ node, how: oneOf(['down', 'isolated', 'absent']) })),
  boundMs: duration,
  signatures: oneOf(['fast', 'ed25519']),
});

/** A stored plan: `{ "found": anything, "plan": { ... } }`, or the plan alone. */
export function parsePlan(text: string): Plan | Problem {
  let content: unknown;
  try {
    content = parseStrictJson(text);
  } catch (cause) {
    return invalid(`is not JSON (${(cause as Error).message})`);
  }
  const stored = z.object({ plan: z.unknown() }).safeParse(content);
  const parsed = plan.safeParse(stored.success ? stored.data.plan : content);
  if (parsed.success) {
    const misfit = misfitIn(parsed.data);
    return misfit === undefined ? parsed.data : invalid(misfit);
  }
  return invalid(issueText(parsed.error.issues[0]));
}

/** Which field is wrong, and what it must be. */
function issueText(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is none';
  const at = issue.path.length === 0 ? 'its top' : issue.path.join('.');
  const what =
    issue.code === 'unrecognized_keys'
      ? `the unknown field ${JSON.stringify(issue.keys[0])}`
      : issue.code === 'invalid_union'
        ? 'none of what it may be'
        : `it must be ${issue.code === 'invalid_type' && issue.expected === 'object' ? 'an object' : issue.message}`;
  return `is wrong at ${at}: ${what}`;
}

/** What does not belong together, though each part has its form; undefined when all does. */
function misfitIn({
  engine,
  consensus,
  validators,
  nodes,
  faults,
  clocks = [],
  shape,
  broken,
}: Plan): string | undefined {
  if ('window' in consensus !== (engine === 'pbft')) return `has no timing of ${engine}`;
  const keys = new Set(nodes.flatMap(({ validator }) => validator ?? []));
  for (let key = 0; key < validators; key++) {
    if (!keys.has(key)) return `has ${validators} validators, and no node with the key of number ${key}`;
  }
  const strange = [...keys].find((key) => key >= validators);
  if (strange !== undefined)
    return `has a node with the key of number ${strange}, and ${validators} validators`;
  const named = [
    ...faults.flatMap((one) => [
      ...('node' in one ? [one.node] : []),
      ...('side' in one ? one.side : []),
      ...('outgoing' in one ? one.outgoing : []),
      ...('from' in one ? [one.from, one.to].flat() : []),
    ]),
    ...clocks.map(({ node: index }) => index),
    ...broken.map(({ node: index }) => index),
    ...nodesOf(shape),
  ];
  const missing = named.find((index) => index >= nodes.length);
  return missing === undefined ? undefined : `names node ${missing}, and has ${nodes.length}`;
}

function nodesOf(shape: Shape | undefined): readonly number[] {
  switch (shape?.kind) {
    case undefined:
      return [];
    case 'star':
      return [shape.centre];
    case 'line':
      return shape.order;
    case 'bridge':
      return [...shape.group, ...shape.ends];
  }
}

function invalid(why: string): Problem {
  return new Problem('simulator/plan', `the plan ${why}`, {
    remedy: 'Use a file that "quorate simulate --keep DIR" wrote.',
  });
}
