import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLevelStore } from '../../src/storage/level-store.ts';
import { type MemoryEntries, MemoryStore } from '../../src/storage/memory-store.ts';
import { Chance } from '../../src/simulator/world/chance.ts';
import { ProcessLife } from '../../src/simulator/world/process-life.ts';
import { Scheduler } from '../../src/simulator/world/scheduler.ts';
import { VirtualDisk } from '../../src/simulator/world/virtual-disk.ts';
import type { Place } from '../contracts/store.ts';

/** A directory for one test; `db` in it is not there yet. */
export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'quorate-storage-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function levelPlace(): Promise<Place> {
  const { path, remove } = await temporaryDirectory();
  return { open: () => openLevelStore(join(path, 'db')), remove };
}

export async function memoryPlace(): Promise<Place> {
  const entries: MemoryEntries = new Map();
  return { open: async () => new MemoryStore(setImmediate, entries), remove: async () => undefined };
}

/** The simulator's disk, whose virtual time goes on by itself. */
export async function virtualPlace(): Promise<Place> {
  const scheduler = new Scheduler();
  const disk = new VirtualDisk({ scheduler, chance: new Chance(1, 'disk'), latencyMs: [1, 9] });
  const life = new ProcessLife((error) => {
    throw error;
  });
  let removed = false;
  const goOn = (): void => {
    if (removed) return;
    scheduler.step(scheduler.now + 1);
    setImmediate(goOn);
  };
  goOn();
  return {
    open: async () => disk.open(life),
    remove: async () => {
      removed = true;
    },
  };
}
