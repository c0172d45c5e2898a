import { Problem, unwrap } from '../src/base/problem.ts';
import { limits } from '../src/base/limits.ts';
import { toHeight } from '../src/ledger/block.ts';
import { attacks, type AttackName } from './attacker/attacks.ts';
import type { Deeds } from './attacker/scene.ts';
import { allLinked, type Arena, type BlockMark } from './hostile-arena.ts';
import { Attacker } from './hostile-attacker.ts';
import { machineCpuMs, PeakMemory, usageOf } from './hostile-gauges.ts';
import { SteadyLoad } from './hostile-load.ts';
import { eventually, pause } from './malicious-seats.ts';

const MiB = 1024 * 1024;

/** A node may grow to this under any attack. */
export const memoryBound = 512 * MiB;
/** The share of the rate before that has to be left. */
export const rateBound = 0.8;

/** One row of the table. Rates are transactions a second; CPU is per cent of one core. */
export interface Row {
  readonly attack: AttackName;
  readonly does: string;
  readonly before: number;
  readonly during: number;
  readonly after: number;
  /** The longest time without a block during the attack. */
  readonly gapMs: number;
  readonly views: number;
  /** Links between validators that were lost during the attack. */
  readonly linksLost: number;
  /** The largest that any node became. */
  readonly peakBytes: number;
  /** Of all nodes together. */
  readonly nodesCpuBefore: number;
  readonly nodesCpu: number;
  readonly attackerCpu: number;
  /** What else worked on this machine: the honest clients, and whatever is not ours. */
  readonly othersCpu: number;
  /** Requests of honest clients that were refused or not answered during the attack. */
  readonly troubles: number;
  readonly deeds: Deeds;
  readonly breaches: readonly string[];
}

interface Phase {
  readonly from: number;
  readonly to: number;
  readonly nodesCpu: number;
  readonly attackerCpu: number;
  readonly othersCpu: number;
}

interface Seen {
  readonly before: Phase;
  readonly during: Phase;
  readonly after: Phase;
  readonly deeds: Deeds;
  readonly troubles: number;
  readonly linksLost: number;
}

/** One attack against an arena under load: before, during and after, and what came of it. */
export async function runAttack(options: {
  readonly arena: Arena;
  readonly attack: AttackName;
  readonly perSecond: number;
  readonly seconds: number;
  readonly block: number;
  readonly deadlineMs: number;
}): Promise<Row> {
  const { arena, attack, perSecond, seconds, block, deadlineMs } = options;
  const { genesisFile, nodes } = arena;
  const around = Math.max(3, seconds / 3) * 1_000;
  const load = steadyLoad(arena, perSecond);
  const fromHeight = toHeight((await arena.height()) + 1);
  const memory = new PeakMemory(arena.pids);
  let attacker: Attacker | undefined;
  let seen: Seen;
  try {
    load.start();
    // The first blocks of a load are not its rate yet.
    await pause(2_000);
    const before = await measure(arena, around);
    const logEnds = arena.logEnds();
    const troubles = load.troubles;
    attacker = await Attacker.start({ attack, nodes, genesisFile, block });
    const during = await measure(arena, seconds * 1_000, attacker);
    const deeds = await attacker.stop();
    const counts = { troubles: load.troubles - troubles, linksLost: arena.linksLost(logEnds), deeds };
    seen = { before, during, after: await measure(arena, around), ...counts };
  } finally {
    load.stop();
    memory.stop();
    await attacker?.stop();
  }
  const { before, during, after, deeds, linksLost } = seen;
  const peakBytes = memory.peak;

  const breaches: string[] = [];
  await note(breaches, () => recovered(arena, load, deadlineMs));
  const blocks = await arena.blocksFrom(fromHeight).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    breaches.push(`the blocks cannot be read: ${error.message}`);
    return [];
  });
  const rates = [before, during, after].map((phase) => rateIn(blocks, phase));
  const [rateBefore = 0, rateDuring = 0, rateAfter = 0] = rates;
  // More than was asked for is what waited since the start.
  const usual = Math.min(rateBefore, perSecond);
  if (rateDuring < usual * rateBound) {
    breaches.push(`${Math.round((100 * rateDuring) / usual)} % of the rate were left`);
  }
  if (peakBytes > memoryBound) breaches.push(`a node grew to ${Math.round(peakBytes / MiB)} MB`);
  if (linksLost > 0) breaches.push(`${linksLost} links between validators were lost`);
  breaches.push(...vainly(attack, deeds));
  return {
    attack,
    does: attacks[attack].does,
    before: rateBefore,
    during: rateDuring,
    after: rateAfter,
    gapMs: longestGap(blocks, during),
    views: viewsIn(blocks, during),
    linksLost,
    peakBytes,
    nodesCpuBefore: before.nodesCpu,
    nodesCpu: during.nodesCpu,
    attackerCpu: during.attackerCpu,
    othersCpu: during.othersCpu,
    troubles: seen.troubles,
    deeds,
    breaches,
  };
}

/** What an attack has to have met, or it shows nothing. */
export function vainly(attack: AttackName, deeds: Deeds): string[] {
  if (deeds.opened === 0) return ['no attacker was let in, so nothing was shown'];
  if (attacks[attack].isCut === true && deeds.ended === 0) return ['nobody was cut off'];
  return [];
}

export function steadyLoad(arena: Arena, perSecond: number): SteadyLoad {
  const { running, senders } = arena;
  return new SteadyLoad({
    clients: running.clients,
    chainId: running.genesis.chainId,
    senders,
    perSecond,
    expiryHeight: toHeight(limits.maxExpiryAhead / 2),
  });
}

/** Whatever was done to it, the chain has to be well again, and have kept its word. */
export async function recovered(arena: Arena, load: SteadyLoad, deadlineMs: number): Promise<void> {
  const { running } = arena;
  for (const [node, how] of running.ended) throw ended(node, how);
  await allLinked(running.clients, deadlineMs);
  for (const [sender, nonce] of load.taken()) {
    await eventually('all that the nodes took is final', deadlineMs, async () => {
      const account = await arena.client.account(sender, { deadlineMs: 0 });
      if (account instanceof Problem) return account.message;
      return account.nonce >= nonce ? undefined : `${nonce - account.nonce} of one sender are not`;
    });
  }
  for (const client of running.clients) unwrap(await client.health({ deadlineMs }));
}

/** All that the nodes have taken by now becomes final at every one of them. */
export async function goesOn(arena: Arena, load: SteadyLoad, deadlineMs: number): Promise<void> {
  const taken = load.taken();
  for (const [node, pid] of arena.pids.entries()) {
    if (usageOf(pid) === undefined) throw ended(node, 'is gone');
  }
  for (const client of arena.running.clients) {
    for (const [sender, nonce] of taken) {
      await eventually('what was taken is final', deadlineMs, async () => {
        const account = await client.account(sender, { deadlineMs: 0 });
        if (account instanceof Problem) return account.message;
        return account.nonce >= nonce ? undefined : `${nonce - account.nonce} of one sender are not`;
      });
    }
  }
}

async function note(breaches: string[], act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    breaches.push(error.message);
  }
}

function ended(node: number, how: string): Problem {
  return new Problem('simulator/promise-broken', `node ${node} ${how}`, {
    remedy: 'Run it again with --keep, and look at its log.',
  });
}

async function measure(arena: Arena, ms: number, attacker?: Attacker): Promise<Phase> {
  const nodesMs = (): number => arena.pids.reduce((sum, pid) => sum + (usageOf(pid)?.cpuMs ?? 0), 0);
  const from = Date.now();
  const at = [nodesMs(), attacker?.cpuMs() ?? 0, machineCpuMs()] as const;
  await pause(ms);
  const to = Date.now();
  const share = (used: number): number => (100 * used) / (to - from);
  const nodesCpu = share(nodesMs() - at[0]);
  const attackerCpu = share((attacker?.cpuMs() ?? 0) - at[1]);
  const othersCpu = Math.max(0, share(machineCpuMs() - at[2]) - nodesCpu - attackerCpu);
  return { from, to, nodesCpu, attackerCpu, othersCpu };
}

function within(blocks: readonly BlockMark[], { from, to }: Phase): BlockMark[] {
  return blocks.filter(({ at }) => at >= from && at < to);
}

function rateIn(blocks: readonly BlockMark[], phase: Phase): number {
  const count = within(blocks, phase).reduce((sum, { transactions }) => sum + transactions, 0);
  return (count * 1_000) / (phase.to - phase.from);
}

function longestGap(blocks: readonly BlockMark[], phase: Phase): number {
  const times = [phase.from, ...within(blocks, phase).map(({ at }) => at), phase.to];
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)));
}

function viewsIn(blocks: readonly BlockMark[], { from, to }: Phase): number {
  const until = (time: number): number =>
    blocks.reduce((view, block) => (block.at < time ? Math.max(view, block.view) : view), 0);
  return until(to) - until(from);
}
