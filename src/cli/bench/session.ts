import type { BenchOptions } from './options.ts';
import { type LoadShape, type Prepared, prepare, type Surroundings } from './prepare.ts';
import { run, type RunOptions } from './run.ts';
import { attach, type BenchNode, startTestbed, type Testbed } from './testbed.ts';

/** What a chain is taken to reach before anything is known, in transactions a second. */
const firstGuess = 6_000;
/** What is signed for a closed loop, against what the warm-up reached. */
const headroom = 2;
/** The least that is signed for a second, where the warm-up reached nothing. */
const leastExpected = 500;
/** Left out at the beginning of each run. */
const rampSeconds = 1;

export function openTestbed(
  options: Pick<BenchOptions, 'nodes' | 'engine'>,
  { stop, say, keptIn }: Surroundings,
): Promise<Testbed> {
  const { nodes, engine } = options;
  if (typeof nodes === 'object') return attach(nodes);
  say('starting the nodes');
  return startTestbed({ engine, nodes, keptIn, stop });
}

/** Accounts with coins on it, for the load that is asked for and the nodes that it is brought to. */
export function prepareFor(
  testbed: Testbed,
  { accounts, senders, mix, payload, operations }: BenchOptions,
  surroundings: Surroundings,
  isBroughtTo?: (node: BenchNode) => boolean,
): Promise<Prepared> {
  const shape: LoadShape = { accounts, senders, mix, payload, operations };
  return prepare(testbed, shape, surroundings, isBroughtTo);
}

/** Transactions a second that the chain reaches in a closed loop of a few seconds. */
export async function warmUp(
  prepared: Prepared,
  { warmUp: seconds, inFlight, operations }: BenchOptions,
  surroundings: Surroundings,
): Promise<number> {
  const count = Math.max(500, Math.ceil((firstGuess * seconds) / operations));
  const { measured } = await run(
    prepared,
    { pace: { kind: 'closed', inFlight }, seconds, count, rampSeconds: 0 },
    surroundings,
  );
  return measured.transactionsPerSecond;
}

/** A closed loop for this long. `expected` transactions a second decide how many are signed for it. */
export function closedRun({ inFlight, duration, operations }: BenchOptions, perSecond: number): RunOptions {
  const expected = Math.max(perSecond, leastExpected / operations);
  const count = Math.ceil(expected * headroom * (duration + rampSeconds)) + inFlight;
  return { pace: { kind: 'closed', inFlight }, seconds: duration, count, rampSeconds };
}

export function openRun({ duration }: Pick<BenchOptions, 'duration'>, perSecond: number): RunOptions {
  const count = Math.ceil(perSecond * (duration + rampSeconds));
  return { pace: { kind: 'open', perSecond }, seconds: duration, count, rampSeconds };
}
