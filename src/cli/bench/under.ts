import { join } from 'node:path';
import { Problem, unwrap } from '../../base/problem.ts';
import { Wallet } from '../../client/wallet.ts';
import { developmentKeyPair } from '../../crypto/development-keys.ts';
import { toHeight } from '../../ledger/block.ts';
import { trials } from '../testnet/liar-trials.ts';
import { startAttacker } from './attacker.ts';
import { pause } from './clock.ts';
import type { BenchOptions } from './options.ts';
import type { Prepared, Surroundings } from './prepare.ts';
import { type Measured, run, type Scene } from './run.ts';
import { outcomes } from './series.ts';
import { closedRun, prepareFor, warmUp } from './session.ts';
import { primaryOf, startTestbed } from './testbed.ts';
import type { Case } from './under-cases.ts';

/** The rate of a chain in trouble beside that of a clean one. */
export interface UnderRow {
  readonly name: string;
  readonly does: string;
  /** Null where the run failed, which `problem` tells of. */
  readonly perSecond: number | null;
  /** From the last view change of the run on; the whole rate where there was none. */
  readonly settledPerSecond: number | null;
  /** Of the clean rate, settled. */
  readonly share: number | null;
  readonly wanted: number;
  readonly p99Ms: number | null;
  /** Since the chain began, and of them in what was measured. */
  readonly views: number | null;
  readonly viewsMeasured: number | null;
  readonly lies: number;
  readonly isReached: boolean;
  readonly breaches: readonly string[];
  readonly problem: string | null;
}

export interface UnderResult {
  readonly clean: Measured;
  readonly rows: readonly UnderRow[];
}

/** View changes that a lying primary may cause before the rate has to be back. */
const mostViews = 3;
const validators = 4;
const lookMs = 100;
/** How long an honest node stands still where a lie needs that: longer than a view's timeout. */
const haltMs = 4_000;
/** A rate after the last view change counts when it was measured for this long. */
const leastSettledMs = 1_000;
const baits = 12;

/** Each case on a chain of its own, after a clean one that is measured in the same way. */
export async function under(
  options: BenchOptions,
  cases: readonly Case[],
  { onRow, ...surroundings }: Surroundings & { readonly onRow: (row: UnderRow) => void },
): Promise<UnderResult> {
  // As many nodes are brought load as beside a liar.
  const clean = await withTestbed(options, undefined, surroundings, async (prepared) => {
    const warm = await warmUp(prepared, options, surroundings);
    return (await run(prepared, closedRun(options, warm), surroundings)).measured;
  });
  const rows: UnderRow[] = [];
  for (const one of cases) {
    const say: Surroundings['say'] = (text, share) => surroundings.say(`${one.name}: ${text}`, share);
    const row = await runCase(one, options, { ...surroundings, say }, clean);
    rows.push(row);
    onRow(row);
  }
  return { clean, rows };
}

async function runCase(
  one: Case,
  options: BenchOptions,
  surroundings: Surroundings,
  clean: Measured,
): Promise<UnderRow> {
  const row = { name: one.name, does: one.does, wanted: one.wanted };
  try {
    return await withTestbed(options, one, surroundings, async (prepared) => {
      const { testbed } = prepared;
      await bait(one, prepared);
      await warmUp(prepared, options, surroundings);
      const changes: number[] = [];
      const during = (scene: Scene): Promise<void> =>
        makeTrouble({ one, prepared, scene, changes, seconds: options.duration, surroundings });
      const asked = closedRun(options, clean.transactionsPerSecond);
      const { measured, ...scene } = await run(prepared, { ...asked, during }, surroundings);
      const settled = settledRate(scene, measured, changes);
      const share = settled / clean.transactionsPerSecond;
      const views = await viewOf(prepared);
      return {
        ...row,
        perSecond: measured.transactionsPerSecond,
        settledPerSecond: settled,
        share,
        p99Ms: measured.latency.p99,
        views,
        viewsMeasured: measured.views,
        lies: testbed.lies(one.seat),
        isReached: share >= one.wanted && views <= mostViews && measured.checked.breaches.length === 0,
        breaches: [...measured.checked.breaches, ...measured.ended],
        problem: null,
      };
    });
  } catch (error) {
    if (!(error instanceof Problem) || surroundings.stop.aborted) throw error;
    const nothing = { perSecond: null, settledPerSecond: null, share: null, p99Ms: null, views: null };
    return {
      ...row,
      ...nothing,
      viewsMeasured: null,
      lies: 0,
      isReached: false,
      breaches: [],
      problem: error.message,
    };
  }
}

async function withTestbed<T>(
  options: BenchOptions,
  one: Case | undefined,
  surroundings: Surroundings,
  work: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const byzantine = one?.trouble.kind === 'lie' ? new Map([[one.seat, one.trouble.strategy]]) : undefined;
  const { keptIn } = surroundings;
  surroundings.say('starting the nodes');
  const testbed = await startTestbed({
    engine: 'pbft',
    nodes: validators,
    byzantine,
    keptIn: keptIn === undefined ? undefined : join(keptIn, one?.name ?? 'clean'),
    stop: surroundings.stop,
  });
  try {
    const without = one?.seat ?? validators - 1;
    return await work(await prepareFor(testbed, options, surroundings, ({ index }) => index !== without));
  } finally {
    await testbed.close();
  }
}

/** What happens while the load goes on; ends with it. Notes when views changed. */
async function makeTrouble(scene: {
  readonly one: Case;
  readonly prepared: Prepared;
  readonly scene: Scene;
  readonly changes: number[];
  readonly seconds: number;
  readonly surroundings: Surroundings;
}): Promise<void> {
  const { one, prepared, changes, seconds, surroundings } = scene;
  const { testbed } = prepared;
  const until = performance.now() + seconds * 1_000;
  let endAttack = async (): Promise<void> => {};
  if (one.trouble.kind === 'crash') testbed.signal(one.seat, 'SIGKILL');
  if (one.trouble.kind === 'attack') {
    const { attack } = one.trouble;
    endAttack = await startAttacker(testbed, { attack, block: scene.scene.view.height });
  }
  try {
    const halting = haltSomebody(one, prepared, surroundings);
    let view = await viewOf(prepared);
    while (performance.now() < until) {
      await pause(lookMs, surroundings.stop);
      const now = await viewOf(prepared);
      if (now > view) changes.push(performance.now());
      view = Math.max(view, now);
    }
    await halting;
  } finally {
    await endAttack();
  }
}

/** Some lies are told only when a view changes, or to who is behind: an honest node stands still. */
async function haltSomebody(one: Case, prepared: Prepared, { stop }: Surroundings): Promise<void> {
  if (one.trouble.kind !== 'lie') return;
  const { needsViewChange, needsLaggard } = trials[one.trouble.strategy];
  if (needsViewChange !== true && needsLaggard !== true) return;
  const { testbed, nodes } = prepared;
  const primary = await primaryOf(nodes);
  const victim = nodes.find(({ index }) => (index === primary) === (needsViewChange === true));
  if (victim === undefined) return;
  testbed.signal(victim.index, 'SIGSTOP');
  try {
    await pause(haltMs, stop);
  } finally {
    testbed.signal(victim.index, 'SIGCONT');
  }
}

/** Payments that the liar alone has: some lies are about those. */
async function bait({ trouble, seat }: Case, { testbed }: Prepared): Promise<void> {
  if (trouble.kind !== 'lie' || trials[trouble.strategy].needsBait !== true) return;
  const bob = new Wallet({ chainId: testbed.chainId, keyPair: developmentKeyPair('bob') });
  const { publicKey } = developmentKeyPair('carol');
  const payments = Array.from({ length: baits }, (_, nonce) =>
    unwrap(bob.transfer(publicKey, 1n, { nonce, fee: 1_000n, expiryHeight: toHeight(10_000) })),
  );
  await testbed.nodes[seat]?.client.submitBatch(payments);
}

/** Final a second after the last view change of the window. */
function settledRate({ load, view }: Scene, measured: Measured, changes: readonly number[]): number {
  const last = changes.at(-1);
  const end = changes.length === 0 ? 0 : load.lastSentAt;
  if (last === undefined || end - last < leastSettledMs) return measured.transactionsPerSecond;
  let final = 0;
  for (const { told } of outcomes({ load, view })) if (told >= last && told < end) final += 1;
  return (final * 1_000) / (end - last);
}

/** The highest view that an honest node tells of. */
async function viewOf({ nodes }: Prepared): Promise<number> {
  const answers = await Promise.all(nodes.map(({ client }) => client.status({ deadlineMs: 0 })));
  return Math.max(0, ...answers.flatMap((answer) => (answer instanceof Problem ? [] : [answer.view])));
}
