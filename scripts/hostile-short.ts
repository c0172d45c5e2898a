import { Problem } from '../src/base/problem.ts';
import { attacks, type AttackName } from './attacker/attacks.ts';
import type { Deeds } from './attacker/scene.ts';
import type { Arena } from './hostile-arena.ts';
import { Attacker } from './hostile-attacker.ts';
import { PeakMemory } from './hostile-gauges.ts';
import type { SteadyLoad } from './hostile-load.ts';
import { goesOn, memoryBound, recovered, vainly } from './hostile-trial.ts';
import { eventually, pause } from './malicious-seats.ts';

const MiB = 1024 * 1024;
/** An attack lasts at least this long, and until what has to happen under it has happened. */
const leastMs = 1_000;

/** What holds however busy the machine is: no rates, only that things happen at all, and how large the nodes become. */
export interface ShortRow {
  readonly attack: AttackName;
  readonly peakBytes: number;
  readonly seconds: number;
  readonly deeds: Deeds;
  readonly breaches: readonly string[];
}

/** One attack after the other on the same arena under a light load. Under it payments become final at every node. */
export async function runShortAttack(options: {
  readonly arena: Arena;
  readonly load: SteadyLoad;
  readonly attack: AttackName;
  readonly block: number;
  readonly deadlineMs: number;
}): Promise<ShortRow> {
  const { arena, load, attack, block, deadlineMs } = options;
  const { genesisFile, nodes, pids } = arena;
  const begin = performance.now();
  const breaches: string[] = [];
  const memory = new PeakMemory(pids);
  const attacker = await Attacker.start({ attack, nodes, genesisFile, block });
  try {
    await pause(leastMs);
    await eventually('an attacker is let in', deadlineMs, () =>
      Promise.resolve(attacker.deeds.opened > 0 ? undefined : 'none is'),
    );
    await goesOn(arena, load, deadlineMs);
    if (attacks[attack].isCut === true) {
      await eventually('an attacker is cut off', deadlineMs, () =>
        Promise.resolve(attacker.deeds.ended > 0 ? undefined : 'none is'),
      );
    }
  } catch (error) {
    breaches.push(sentenceOf(error));
  }
  const deeds = await attacker.stop();
  if (breaches.length === 0) {
    await recovered(arena, load, deadlineMs).catch((error: unknown) => breaches.push(sentenceOf(error)));
  }
  memory.stop();
  const peakBytes = memory.peak;
  if (peakBytes > memoryBound) breaches.push(`a node grew to ${Math.round(peakBytes / MiB)} MB`);
  if (breaches.length === 0) breaches.push(...vainly(attack, deeds));
  return { attack, peakBytes, seconds: (performance.now() - begin) / 1_000, deeds, breaches };
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Problem)) throw error;
  return error.message;
}
