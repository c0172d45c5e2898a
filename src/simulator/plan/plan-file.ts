import * as z from 'zod';
import { Problem } from '../../base/problem.ts';
import { parseStrictJson } from '../../base/strict-json.ts';
import { engineNames } from '../../ledger/engine-names.ts';
import { blows, liarNames, type Plan } from './plan.ts';

const whole = z.number().int();
const node = whole.min(0).max(100);
const range = z.tuple([z.number().min(0), z.number().min(0)]);
const rate = z.number().min(0).max(1);
const speed = z.number().min(0.1).max(10);
const conditions = z.strictObject({ delayMs: range, loss: rate, duplication: rate, reordering: rate });
const episode = { at: z.number().min(0), forMs: z.number().min(0) };
const ofNode = { node, ...episode };

const fault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('partition'), side: z.array(node), ...episode }),
  z.strictObject({ kind: z.literal('one-way'), from: z.array(node), to: z.array(node), ...episode }),
  z.strictObject({ kind: z.literal('rotating-partition'), everyMs: z.number().min(1), ...episode }),
  z.strictObject({
    kind: z.literal('clog'),
    from: node,
    to: node,
    bytesPerMs: z.number().min(0.01),
    ...episode,
  }),
  z.strictObject({ kind: z.literal('crash'), ...ofNode }),
  z.strictObject({ kind: z.literal('crash-all'), ...episode }),
  z.strictObject({ kind: z.literal('crash-loop'), everyMs: z.number().min(1), ...ofNode }),
  z.strictObject({ kind: z.literal('disk-stall'), ...ofNode }),
  z.strictObject({ kind: z.literal('disk-slow'), upToMs: z.number().min(0), ...ofNode }),
  z.strictObject({ kind: z.literal('disk-error'), ...ofNode }),
  z.strictObject({ kind: z.literal('disk-loss'), ...ofNode }),
  z.strictObject({ kind: z.literal('clock-jump'), byMs: whole, ...ofNode }),
  z.strictObject({ kind: z.literal('clocks-jump'), byMs: whole, ...episode }),
  z.strictObject({ kind: z.literal('clock-drift'), rate: speed, ...ofNode }),
  z.strictObject({ kind: z.literal('pause'), ...ofNode }),
  z.strictObject({ kind: z.literal('freeze'), ...ofNode }),
  z.strictObject({ kind: z.literal('weather'), conditions, ...episode }),
  z.strictObject({
    kind: z.literal('drop-kinds'),
    kinds: z.array(z.string()),
    share: rate,
    everyMs: z.number().min(1),
    ...episode,
  }),
  z.strictObject({ kind: z.literal('hand-over'), everyMs: z.number().min(1), ...episode }),
  z.strictObject({
    kind: z.literal('change-members'),
    everyMs: z.number().min(1),
    outgoing: z.array(node),
    ...episode,
  }),
  z.strictObject({ kind: z.literal('change-validators'), everyMs: z.number().min(1), ...episode }),
  z.strictObject({
    kind: z.literal('strike'),
    kinds: z.array(z.string()),
    share: rate,
    how: z.array(z.enum(blows)).min(1),
    relay: z.boolean(),
    ...episode,
  }),
]);

const pbft = z.strictObject({
  window: whole.min(1),
  viewTimeoutMs: whole.min(10),
  viewTimeoutCapMs: whole.min(10),
  blocksPerPrimary: whole.min(0),
  heartbeatMs: whole.min(0),
  censorshipMs: whole.min(10),
  blockIntervalMs: whole.min(0),
});

const raft = z.strictObject({
  heartbeatMs: whole.min(1),
  electionTimeoutMs: whole.min(10),
  blockIntervalMs: whole.min(0),
  leaseReads: z.boolean(),
});

const retention = z.strictObject({ snapshotEvery: whole.min(1), keepBlocks: whole.min(0) });

const shape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('star'), centre: node }),
  z.strictObject({ kind: z.literal('line'), order: z.array(node) }),
]);

const plan = z.strictObject({
  seed: whole.min(0),
  engine: z.enum(engineNames),
  validators: whole.min(1).max(100),
  nodes: z.array(
    z.strictObject({
      validator: node.nullable(),
      liar: z.enum(liarNames).nullable(),
      noted: z.exactOptional(z.boolean()),
    }),
  ),
  consensus: z.union([pbft, raft]),
  retention: z.exactOptional(retention),
  oneByOne: z.exactOptional(z.boolean()),
  links: conditions,
  diskMs: range,
  load: z.strictObject({ senders: whole.min(1), transactions: whole.min(0), untilMs: z.number().min(0) }),
  faults: z.array(fault),
  clocks: z.exactOptional(z.array(z.strictObject({ node, offsetMs: whole, rate: speed }))),
  shape: z.exactOptional(shape),
  healAt: z.number().min(0),
  broken: z.array(z.strictObject({ node, how: z.enum(['down', 'isolated']) })),
  boundMs: z.number().min(0),
  signatures: z.enum(['fast', 'ed25519']),
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
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return invalid(`is wrong at ${issue?.path.join('.') ?? 'its top'}: ${issue?.message ?? 'not a plan'}`);
}

function invalid(why: string): Problem {
  return new Problem('simulator/plan', `the plan ${why}`, {
    remedy: 'Use a file that "quorate simulate --keep DIR" wrote.',
  });
}
