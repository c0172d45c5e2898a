import { Problem, unwrap } from '../src/base/problem.ts';
import { Wallet } from '../src/client/wallet.ts';
import { developmentKeyPair } from '../src/crypto/development-keys.ts';
import { toHeight } from '../src/ledger/block.ts';
import { broken, eventually, type Running, signal } from './malicious-seats.ts';
import type { Links } from './partition-links.ts';

/** Straits that some liars need before they can lie: a view change, or somebody who is behind. */

/** An honest primary is halted this often at most, until the liar had its chance. */
const maxHalts = 4;
/** More than a window of them, and fewer than the load makes. */
const blocksBehind = 10;
/** Who is behind has to have them in this time: a liar that gives one block just before each request times out takes longer. */
const catchUpMs = blocksBehind * 3_000;

/** Lies told so far, by the liars’ own count. */
export function liesOf({ processes }: Running, liars: readonly number[]): number {
  return processes.nodes
    .filter(({ index }) => liars.includes(index))
    .reduce((sum, member) => sum + processes.lies(member), 0);
}

/**
 * Halts the honest primary, as an overloaded machine would be, until the others have left its view, and lets it go on: again,
 * until the liar had its chance to lie.
 */
export async function haltPrimaries(
  running: Running,
  honest: readonly number[],
  liars: readonly number[],
  deadlineMs: number,
): Promise<void> {
  for (let halts = 0; halts < maxHalts && liesOf(running, liars) === 0; halts++) {
    const status = await running.clients[honest[0] ?? 0]?.status();
    if (status === undefined || status instanceof Problem) throw broken('an honest node does not answer');
    const { primary, view } = status;
    const watcher = honest.find((seat) => seat !== primary);
    if (primary === null || watcher === undefined || !honest.includes(primary)) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      continue;
    }
    signal(running, primary, 'SIGSTOP');
    try {
      await keepBusy(running, watcher, halts);
      await eventually(`view ${view} is left`, deadlineMs, async () => {
        const now = await running.clients[watcher]?.status();
        return now === undefined || now instanceof Problem || now.view <= view ? 'it goes on' : undefined;
      });
    } finally {
      signal(running, primary, 'SIGCONT');
    }
  }
}

/**
 * Cuts off an honest follower until the others are so many blocks ahead that it has to ask for them, and lets it reach the liar alone
 * until that has lied. With all of them it catches up.
 */
export async function leaveBehind(trial: {
  readonly running: Running;
  readonly honest: readonly number[];
  readonly liars: readonly number[];
  readonly links: Links;
  readonly deadlineMs: number;
}): Promise<void> {
  const { running, honest, liars, links, deadlineMs } = trial;
  const [watcher = 0] = honest;
  const laggard = honest.at(-1);
  const before = await running.clients[watcher]?.status();
  if (before === undefined || before instanceof Problem) throw broken('an honest node does not answer');
  const isItsLink = (one: number, other: number): boolean => one === laggard || other === laggard;
  links.cut(isItsLink, 'reset');
  try {
    await eventually(`the others are ${blocksBehind} blocks ahead`, deadlineMs, async () => {
      const now = await running.clients[watcher]?.status();
      if (now === undefined || now instanceof Problem) return 'an honest node does not answer';
      const ahead = now.finalHeight - before.finalHeight;
      return ahead >= blocksBehind ? undefined : `they are ${ahead}`;
    });
    const isHonest = (seat: number): boolean => !liars.includes(seat);
    links.heal();
    links.cut((one, other) => isItsLink(one, other) && isHonest(one) && isHonest(other), 'reset');
    await eventually('the liar has lied', deadlineMs, () =>
      Promise.resolve(liesOf(running, liars) > 0 ? undefined : 'it has not'),
    );
  } finally {
    links.heal();
  }
  await eventually('who was behind has caught up', catchUpMs, async () => {
    const now = laggard === undefined ? undefined : await running.clients[laggard]?.status();
    if (now === undefined || now instanceof Problem) return 'it does not answer';
    const missing = before.finalHeight + blocksBehind - now.finalHeight;
    return missing <= 0 ? undefined : `it misses ${missing} blocks`;
  });
}

/** A view is only left when something waits: one payment more, from carol. */
async function keepBusy({ clients, genesis }: Running, seat: number, nonce: number): Promise<void> {
  const carol = new Wallet({ chainId: genesis.chainId, keyPair: developmentKeyPair('carol') });
  const { publicKey } = developmentKeyPair('bob');
  const terms = { nonce, fee: 1n, expiryHeight: toHeight(1_000) };
  await clients[seat]?.submit(unwrap(carol.transfer(publicKey, 1n, terms)));
}
