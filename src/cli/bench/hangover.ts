import { byzantineQuorum, majority } from '../../ledger/quorum.ts';
import type { EngineName } from '../../ledger/engine-names.ts';
import { pause, stalled } from './clock.ts';
import { timesOf } from './latency.ts';
import type { Load } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { Prepared, Surroundings } from './prepare.ts';
import { type Measured, run, type Scene } from './run.ts';
import { outcomes } from './series.ts';
import { type BenchNode, primaryOf, type Testbed } from './testbed.ts';

/** How a chain comes back after a quorum of it stood still. Seconds count from when it could go on. */
export interface Hangover {
  readonly stallSeconds: number;
  readonly stopped: readonly string[];
  readonly perSecond: number;
  /** What the chain reaches in a closed loop. */
  readonly capacity: number;
  /** Due and not final, when it could go on. */
  readonly backlog: number;
  readonly goneAfterSeconds: number;
  /** What that takes at least: the backlog at what is left of the capacity beside the load. */
  readonly leastSeconds: number;
  readonly p99BeforeMs: number;
  /** Until the p99 of each half second is at most twice what it was before, for good; null: never. */
  readonly normalAfterSeconds: number | null;
  readonly views: number;
  readonly measured: Measured;
}

/** The load as a share of the capacity, unless a rate is given. Six times as much stays free. */
const usualShare = 1 / 7;
const beforeSeconds = 5;
const afterSeconds = 10;
const recoveryMs = 120_000;
const lookMs = 20;
const sliceMs = 500;
const normalFactor = 2;
/** Two latencies that differ by less are the same. */
const noiseMs = 20;

const quorumOf: Readonly<Record<EngineName, (nodes: number) => number>> = {
  pbft: byzantineQuorum,
  raft: majority,
};

/**
 * An open loop at a steady rate; a quorum, the primary among it, is stopped where it stands (SIGSTOP) for a
 * while, and goes on. What was due meanwhile is sent late, and counts from when it was due.
 */
export async function hangover(
  prepared: Prepared,
  options: Pick<BenchOptions, 'rate'> & { readonly stall: number },
  { capacity, ...surroundings }: Surroundings & { readonly capacity: number },
): Promise<Hangover> {
  const { testbed } = prepared;
  const { stall } = options;
  const perSecond = options.rate ?? Math.max(1, Math.round(capacity * usualShare));
  const quorum = quorumOf[testbed.engine](testbed.nodes.length);
  const primary = (await primaryOf(prepared.nodes)) ?? 0;
  // Whoever leads, and those after it.
  const stopped = Array.from(
    { length: quorum },
    (_, step) => testbed.nodes[(primary + step) % testbed.nodes.length],
  ).flatMap((node) => node ?? []);
  const seconds = beforeSeconds + stall + recoveryMs / 1_000 + afterSeconds;
  const moments: Moments = { stalledAt: 0, continuedAt: 0, goneAt: 0, backlog: 0 };
  const { measured, ...scene } = await run(
    prepared,
    {
      pace: { kind: 'open', perSecond },
      // The run lasts as long as what happens in it.
      seconds: 0,
      count: Math.ceil(perSecond * seconds),
      rampSeconds: 1,
      patienceMs: stall * 1_000 + recoveryMs,
      during: ({ load }) => standStill({ testbed, stopped, load, stall, stop: surroundings.stop, moments }),
    },
    surroundings,
  );
  const { stalledAt, continuedAt, goneAt, backlog } = moments;
  const slices = slicesOf(scene);
  const before = timesOf(
    // What was due before it, and waited through it, is a part of it.
    [...outcomes(scene)].flatMap(({ due, told }) => (told < stalledAt ? [told - due] : [])),
  ).p99;
  return {
    stallSeconds: stall,
    stopped: stopped.map(({ name }) => name),
    perSecond,
    capacity,
    backlog,
    goneAfterSeconds: (goneAt - continuedAt) / 1_000,
    leastSeconds: capacity > perSecond ? backlog / (capacity - perSecond) : Number.POSITIVE_INFINITY,
    p99BeforeMs: before,
    normalAfterSeconds: normalAfter(slices, { continuedAt, before }),
    views: measured.views,
    measured,
  };
}

/** When what happened, in ms of `performance.now`. */
interface Moments {
  stalledAt: number;
  continuedAt: number;
  goneAt: number;
  backlog: number;
}

/** Stops nodes for a while, and waits until what came meanwhile is final, and some seconds more. */
async function standStill(scene: {
  readonly testbed: Testbed;
  readonly stopped: readonly BenchNode[];
  readonly load: Load;
  readonly stall: number;
  readonly stop: AbortSignal;
  readonly moments: Moments;
}): Promise<void> {
  const { testbed, stopped, load, stall, stop, moments } = scene;
  let usual = 1;
  const until = performance.now() + beforeSeconds * 1_000;
  while (performance.now() < until) {
    usual = Math.max(usual, load.open);
    await pause(lookMs, stop);
  }
  moments.stalledAt = performance.now();
  try {
    for (const { index } of stopped) testbed.signal(index, 'SIGSTOP');
    await pause(stall * 1_000, stop);
  } finally {
    for (const { index } of stopped) testbed.signal(index, 'SIGCONT');
  }
  moments.continuedAt = performance.now();
  moments.backlog = load.open;
  while (load.open > usual) {
    if (performance.now() - moments.continuedAt > recoveryMs) {
      throw stalled('the backlog did not go away', recoveryMs, `${load.open} wait`);
    }
    await pause(lookMs, stop);
  }
  moments.goneAt = performance.now();
  await pause(afterSeconds * 1_000, stop);
}

/** Latencies of what was due in each half second. */
interface Slice {
  readonly at: number;
  readonly waits: number[];
}

function slicesOf(scene: Scene): readonly Slice[] {
  const slices = new Map<number, Slice>();
  for (const { due, told } of outcomes(scene)) {
    const number = Math.floor((due - scene.load.beganAt) / sliceMs);
    const slice = slices.get(number) ?? { at: scene.load.beganAt + number * sliceMs, waits: [] };
    slices.set(number, slice);
    slice.waits.push(told - due);
  }
  return [...slices.values()].toSorted((a, b) => a.at - b.at);
}

/** Seconds from `continuedAt` to the end of the last slice that is not normal. Null when that is the last. */
export function normalAfter(
  slices: readonly Slice[],
  { continuedAt, before }: { readonly continuedAt: number; readonly before: number },
): number | null {
  const most = Math.max(before * normalFactor, before + noiseMs);
  const bad = slices.findLastIndex(({ waits }) => timesOf(waits).p99 > most);
  // The last slice is cut off.
  if (bad >= slices.length - 2 && slices.length > 0) return null;
  const next = slices[bad + 1];
  return next === undefined ? 0 : Math.max(0, (next.at - continuedAt) / 1_000);
}
