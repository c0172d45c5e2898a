import { Problem, unwrap } from '../src/base/problem.ts';
import type { Strategy } from '../src/cli/byzantine-strategies.ts';
import { Wallet } from '../src/client/wallet.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
import { toHeight } from '../src/ledger/block.ts';
import { prepare } from './demo-prepare.ts';
import { loadAndWait } from './malicious-load.ts';
import {
  allReady,
  broken,
  type Door,
  eventually,
  type Running,
  type Seat,
  startSeats,
} from './malicious-seats.ts';
import { haltPrimaries, leaveBehind, liesOf } from './malicious-straits.ts';
import { trials } from '../src/cli/testnet/liar-trials.ts';
import { accusationsOf, accusationsText, examine } from './malicious-verdict.ts';
import { Links } from './partition-links.ts';

/** One row of the table. */
export interface Row {
  readonly strategy: string;
  readonly does: string;
  readonly liars: readonly number[];
  /** By the liar's own count; null where lying is not counted. */
  readonly lies: number | null;
  readonly blocks: number;
  readonly final: number;
  readonly count: number;
  readonly views: number;
  readonly evidence: string;
  readonly breaches: readonly string[];
  readonly seconds: number;
}

export interface TrialOptions {
  readonly count: number;
  readonly senders: number;
  /** For each step that is waited for. */
  readonly deadlineMs: number;
  /** Keep the data and logs of the nodes. */
  readonly keep: boolean;
}

const nodes = [0, 1, 2, 3];
const baits = 12;

/** Four processes, one of which lies: runs it under load and judges what the honest ones made of it. */
export async function runTrial(strategy: Strategy, options: TrialOptions): Promise<Row> {
  const { does, liar } = trials[strategy];
  const seats = nodes.map((validator): Seat => {
    const byzantine = validator === liar ? strategy : undefined;
    return { name: `validator-${validator}`, validator, byzantine };
  });
  return await judge({ name: strategy, does, seats, liars: [liar], strategy, options });
}

/** Five processes, two of which are the same validator: each follows the protocol, and together they contradict themselves. */
export async function runTwinTrial(options: TrialOptions): Promise<Row> {
  const seats = [...nodes, 0].map((validator, index): Seat => ({ name: `seat-${index}`, validator }));
  const does = 'primary: runs twice with one key';
  return await judge({ name: 'twin', does, seats, liars: [0], strategy: null, options });
}

async function judge(trial: {
  readonly name: string;
  readonly does: string;
  readonly seats: readonly Seat[];
  readonly liars: readonly number[];
  readonly strategy: Strategy | null;
  readonly options: TrialOptions;
}): Promise<Row> {
  const { name, does, seats, liars, strategy, options } = trial;
  const { count, deadlineMs } = options;
  const begin = performance.now();
  const { keep } = options;
  const links = new Links();
  const needsLaggard = strategy !== null && trials[strategy].needsLaggard === true;
  const door: Door = (from, to, port) => (needsLaggard ? links.open(from, to, port) : Promise.resolve(port));
  const running = await startSeats({ name, seats, keep, door });
  const row = { strategy: name, does, liars, count };
  const seconds = (): number => (performance.now() - begin) / 1000;
  const lies = (): number | null => (strategy === null ? null : liesOf(running, liars));
  try {
    const honestSeats = nodes.filter((validator) => !liars.includes(validator));
    const honest = honestSeats.flatMap((seat) => running.clients[seat] ?? []);
    await allReady(running, honestSeats, deadlineMs);
    await reachable(running, [...seats.keys()], liars, lies, deadlineMs);
    if (strategy !== null && trials[strategy].needsBait === true) await bait(running, liars);

    const { senders, height: from } = await prepare({ clients: honest, ...options });
    const busy = needsLaggard ? honest.slice(0, -1) : honest;
    const load = loadAndWait({ honest: busy, senders, deadlineMs });
    if (strategy !== null && trials[strategy].needsViewChange === true) {
      await Promise.all([load, haltPrimaries(running, honestSeats, liars, deadlineMs)]);
    } else if (needsLaggard) {
      await Promise.all([load, leaveBehind({ running, honest: honestSeats, liars, links, deadlineMs })]);
    }
    await load;

    const transactions = new Set(senders.flatMap((sender) => sender.transactions.map(({ hash }) => hash)));
    const found = await examine({ honest, liars: new Set(liars), transactions, from, deadlineMs });
    const breaches = [...found.breaches];
    for (const [seat, how] of running.ended) breaches.push(`node ${seat} ${how}`);
    if (lies() === 0) breaches.push('the liar never lied, so nothing was shown');
    const convicts = strategy !== null && trials[strategy].convicts === true;
    if (convicts && !liars.some((liar) => found.accusations.has(liar))) {
      breaches.push('it contradicted itself, and no honest node has evidence');
    }
    await allReady(running, honestSeats, deadlineMs);
    const { height, view, final, accusations } = found;
    const evidence = accusationsText(accusations);
    return {
      ...row,
      lies: lies(),
      blocks: height,
      final,
      views: view,
      evidence,
      breaches,
      seconds: seconds(),
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const accusations = await accusationsOf(running.clients);
    const evidence = accusationsText(accusations);
    const breaches = [error.message, ...[...running.ended].map(([seat, how]) => `node ${seat} ${how}`)];
    return { ...row, lies: lies(), blocks: 0, final: 0, views: 0, evidence, breaches, seconds: seconds() };
  } finally {
    await running.stop();
    links.close();
  }
}

/**
 * Also the liars answer, and are connected to all: from now on they can do their worst. Or they told lies before that for which the
 * honest nodes cut them off; those are connected to each other all the same.
 */
async function reachable(
  { clients, ended }: Running,
  seats: readonly number[],
  liars: readonly number[],
  lies: () => number | null,
  deadlineMs: number,
): Promise<void> {
  for (const seat of seats) {
    await eventually(`node ${seat} is connected`, deadlineMs, async () => {
      const [[dead, how] = []] = ended;
      if (dead !== undefined) throw broken(`node ${dead} ended too early: ${how}`);
      const status = await clients[seat]?.status({ deadlineMs: 0 });
      if (status === undefined || status instanceof Problem) return 'it does not answer';
      const hasLied = (lies() ?? 0) > 0;
      const least = !hasLied ? nodes.length - 1 : liars.includes(seat) ? 0 : nodes.length - 1 - liars.length;
      return status.peers >= least ? undefined : `it has ${status.peers} peers`;
    });
  }
}

/** Bob's payments, brought to the liar alone: nobody else can promise anything about them. */
async function bait({ clients, genesis }: Running, liars: readonly number[]): Promise<void> {
  const bob = new Wallet({ chainId: genesis.chainId, keyPair: developmentKeyPair('bob') });
  const { publicKey } = developmentKeyPair('carol');
  const payments = Array.from({ length: baits }, (_, nonce) =>
    unwrap(bob.transfer(publicKey, 1n, { nonce, fee: 1_000n, expiryHeight: toHeight(1_000) })),
  );
  for (const liar of liars) await clients[liar]?.submitBatch(payments);
}
