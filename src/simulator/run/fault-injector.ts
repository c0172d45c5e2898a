import type { EngineRequest } from '../../consensus/engine.ts';
import { Chance } from '../world/chance.ts';
import type { Links } from '../world/links.ts';
import { type Fault, patienceOf, type Plan } from '../plan/plan.ts';
import type { Scheduler } from '../world/scheduler.ts';
import { beginStrikes } from './strikes.ts';
import type { Targets } from './targets.ts';

interface FaultInjectorOptions {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly links: Links;
  readonly targets: Targets;
  readonly count: (what: string) => void;
}

/** Makes the faults of a plan happen, each in its time, and undoes them. */
export class FaultInjector {
  readonly #options: FaultInjectorOptions;
  readonly #chance: Chance;

  constructor(options: FaultInjectorOptions) {
    this.#options = options;
    this.#chance = new Chance(options.plan.seed, 'faults');
  }

  start(): void {
    const { scheduler, plan, count } = this.#options;
    for (const fault of plan.faults) {
      scheduler.at(fault.at, () => {
        count(`fault/${fault.kind}`);
        const undo = this.#begin(fault);
        scheduler.after(fault.forMs, undo);
      });
    }
  }

  /** Begins a fault; the answer ends it. */
  #begin(fault: Fault): () => void {
    const { links, targets } = this.#options;
    const all = Array.from({ length: targets.count }, (_, index) => index);
    switch (fault.kind) {
      case 'partition': {
        const rest = all.filter((node) => !fault.side.includes(node));
        return this.#cut([...pairs(fault.side, rest), ...pairs(rest, fault.side)]);
      }
      case 'one-way':
        return this.#cut(pairs(fault.from, fault.to));
      case 'rotating-partition':
        return this.#rotate(fault, all.length);
      case 'clog':
        links.clog(fault.from, fault.to, fault.bytesPerMs);
        return () => links.clog(fault.from, fault.to, null);
      case 'crash':
        targets.crash(fault.node);
        return () => targets.start(fault.node);
      case 'crash-all':
        for (const node of all) targets.crash(node);
        return () => {
          for (const node of all) targets.start(node);
        };
      case 'crash-loop':
        return this.#crashLoop(fault);
      case 'disk-stall':
        targets.stallDisk(fault.node, fault.forMs);
        return nothing;
      case 'disk-slow':
        targets.slowDisk(fault.node, fault.upToMs);
        return () => targets.slowDisk(fault.node, null);
      case 'disk-error':
        targets.failDisk(fault.node);
        return () => {
          // A node that wrote nothing meanwhile does not know yet; its operator restarts it all the same.
          targets.crash(fault.node);
          targets.start(fault.node);
        };
      case 'disk-loss':
        targets.crash(fault.node);
        targets.wipeDisk(fault.node);
        return () => targets.start(fault.node);
      case 'clock-jump':
        targets.shiftClock(fault.node, fault.byMs);
        return () => targets.shiftClock(fault.node, -fault.byMs);
      case 'clocks-jump':
        for (const node of all) targets.shiftClock(node, fault.byMs);
        return () => {
          for (const node of all) targets.shiftClock(node, -fault.byMs);
        };
      case 'clock-drift':
        targets.speedClock(fault.node, fault.rate);
        return () => targets.speedClock(fault.node, 1 / fault.rate);
      case 'pause':
        targets.pause(fault.node);
        return () => targets.resume(fault.node, this.#chance.happens(0.5));
      case 'freeze': {
        const mend = this.#cutOff(fault.node);
        targets.pause(fault.node);
        const timersLast = this.#chance.happens(0.5);
        this.#options.scheduler.after(fault.forMs / 2, () => targets.resume(fault.node, timersLast));
        return mend;
      }
      case 'weather': {
        const before = links.conditions;
        links.conditions = fault.conditions;
        return () => {
          links.conditions = before;
        };
      }
      case 'drop-kinds':
        return this.#dropKinds(fault);
      case 'hand-over':
        return this.#repeat(fault.everyMs, () => targets.request({ kind: 'transfer', to: null }));
      case 'change-members':
        return this.#repeat(fault.everyMs, () => targets.request(this.#drawChange(fault.outgoing)));
      case 'change-validators':
        return this.#repeat(fault.everyMs, () => targets.changeValidators());
      case 'strike':
        return beginStrikes({
          ...this.#options,
          fault,
          patienceMs: patienceOf(this.#options.plan),
          chance: this.#chance,
          cutOff: (node) => this.#cutOff(node),
          deafen: (node) => this.#cut(pairs(this.#allBut(node), [node])),
        });
    }
  }

  #cutOff(node: number): () => void {
    const rest = this.#allBut(node);
    return this.#cut([...pairs([node], rest), ...pairs(rest, [node])]);
  }

  #allBut(node: number): number[] {
    const all = Array.from({ length: this.#options.targets.count }, (_, index) => index);
    return all.filter((other) => other !== node);
  }

  #cut(directed: readonly (readonly [number, number])[]): () => void {
    const { links, targets } = this.#options;
    for (const [from, to] of directed) links.cut(from, to);
    targets.reconcile();
    return () => {
      for (const [from, to] of directed) links.mend(from, to);
      targets.reconcile();
    };
  }

  #crashLoop({ node, everyMs }: Extract<Fault, { kind: 'crash-loop' }>): () => void {
    const { targets, scheduler } = this.#options;
    let ended = false;
    const again = (): void => {
      if (ended) return;
      targets.crash(node);
      scheduler.after(this.#chance.between(1, 20), () => targets.start(node));
      scheduler.after(this.#chance.between(everyMs, everyMs * 2), again);
    };
    again();
    return () => {
      ended = true;
      scheduler.after(20, () => targets.start(node));
    };
  }

  #repeat(everyMs: number, act: () => void): () => void {
    let ended = false;
    const again = (): void => {
      if (ended) return;
      act();
      this.#options.scheduler.after(this.#chance.between(1, everyMs), again);
    };
    again();
    return () => {
      ended = true;
    };
  }

  /** Some make no sense as things are, or are not wise: then they are refused. */
  #drawChange(outgoing: readonly number[]): EngineRequest {
    const chance = this.#chance;
    const { targets } = this.#options;
    const { keys } = targets;
    const changes = chance.sample([...keys.entries()], chance.pick([1, 1, 2, 3])).map(([node, key]) => ({
      key,
      role: outgoing.includes(node)
        ? chance.pick(['voter', 'voter', 'learner', 'removed'] as const)
        : ('voter' as const),
    }));
    // Nobody is forced to be a voter who would have no vote.
    const isWise = changes.every(({ key, role }) => role !== 'voter' || targets.hasItsLog(keys.indexOf(key)));
    // Nor are those let go who are needed while others are away for good.
    const isDown = this.#options.plan.broken.length > 0;
    return { kind: 'members', changes, forced: chance.happens(0.1) && isWise && !isDown };
  }

  #rotate(fault: Extract<Fault, { kind: 'rotating-partition' }>, size: number): () => void {
    let ended = false;
    let mend = nothing;
    const turn = (node: number): void => {
      mend();
      if (ended) return;
      mend = this.#cutOff(node);
      this.#options.scheduler.after(fault.everyMs, () => turn((node + 1) % size));
    };
    turn(this.#chance.between(0, size - 1));
    return () => {
      ended = true;
      mend();
      mend = nothing;
    };
  }

  #dropKinds(fault: Extract<Fault, { kind: 'drop-kinds' }>): () => void {
    const { links, targets, scheduler } = this.#options;
    const size = targets.count;
    let dropped: boolean[] = [];
    let ended = false;
    const draw = (): void => {
      if (ended) return;
      dropped = Array.from({ length: size * size }, () => this.#chance.happens(fault.share));
      scheduler.after(fault.everyMs, draw);
    };
    draw();
    const filter = (from: number, to: number, kind: string): boolean =>
      fault.kinds.includes(kind) && dropped[from * size + to] === true;
    links.filters.add(filter);
    return () => {
      ended = true;
      links.filters.delete(filter);
    };
  }
}

function nothing(): void {}

function pairs(from: readonly number[], to: readonly number[]): (readonly [number, number])[] {
  return from.flatMap((a) => to.filter((b) => b !== a).map((b) => [a, b] as const));
}
