import type { Chance } from '../world/chance.ts';
import type { Targets } from './targets.ts';
import type { Links } from '../world/links.ts';
import type { Blow, Fault } from '../plan/plan.ts';
import type { Scheduler, VirtualMs } from '../world/scheduler.ts';

interface StrikeOptions {
  readonly fault: Extract<Fault, { kind: 'strike' }>;
  /** How long the others wait before they replace whoever leads. */
  readonly patienceMs: VirtualMs;
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly targets: Targets;
  readonly chance: Chance;
  /** Cuts a node off, or only what it would hear; the answer mends it. */
  readonly cutOff: (node: number) => () => void;
  readonly deafen: (node: number) => () => void;
  readonly count: (what: string) => void;
}

/** A node that is being hit. */
interface Hit {
  /**
   * Probability that what it still sends is lost: the message that it is hit for may reach all, some or none.
   */
  loss: number;
  /** Ends the blow. */
  undo: () => void;
}

/**
 * Hits whoever sends such messages, each node with one blow at a time; the answer ends it
 * and undoes what is left.
 */
export function beginStrikes(options: StrikeOptions): () => void {
  const { fault, scheduler, links, chance, patienceMs } = options;
  // Back before anybody noticed, or a change of leaders later.
  const lastsMs = [5, 30, 2 * patienceMs, 5 * patienceMs];
  const endsAt = fault.at + fault.forMs;
  const hits = new Map<number, Hit>();
  const end = (node: number): void => {
    const hit = hits.get(node);
    hits.delete(node);
    hit?.undo();
  };
  const blow = (node: number, hit: Hit): void => {
    if (hits.get(node) !== hit) return;
    const how = chance.pick(fault.how);
    const leftMs = endsAt - scheduler.now;
    const forMs = fault.relay ? leftMs : Math.min(chance.between(1, chance.pick(lastsMs)), leftMs);
    options.count(`strike/${how}`);
    if (fault.relay) for (const other of hits.keys()) if (other !== node) end(other);
    hit.loss = 0;
    hit.undo = strike(options, { node, how, forMs });
    scheduler.after(forMs, () => {
      if (hits.get(node) === hit) end(node);
    });
  };
  const filter = (from: number, _: number, kind: string): boolean => {
    let hit = hits.get(from);
    if (hit === undefined) {
      if (!fault.kinds.includes(kind) || !chance.happens(fault.share)) return false;
      hit = { loss: chance.pick([0, 0.5, 1]), undo: () => undefined };
      hits.set(from, hit);
      const struck = hit;
      scheduler.after(chance.between(0, chance.pick([0, 5, 30])), () => blow(from, struck));
    }
    return chance.happens(hit.loss);
  };
  links.filters.add(filter);
  return () => {
    links.filters.delete(filter);
    for (const node of hits.keys()) end(node);
  };
}

function strike(
  { targets, chance, cutOff, deafen }: StrikeOptions,
  { node, how, forMs }: { node: number; how: Blow; forMs: number },
): () => void {
  switch (how) {
    case 'crash':
      targets.crash(node);
      return () => targets.start(node);
    case 'cut-off':
      return cutOff(node);
    case 'deaf':
      return deafen(node);
    case 'freeze': {
      targets.pause(node);
      const mend = cutOff(node);
      return () => {
        targets.resume(node, chance.happens(0.5));
        mend();
      };
    }
    case 'disk-stall':
      targets.stallDisk(node, forMs);
      return () => undefined;
  }
}
