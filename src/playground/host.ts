import { Simulation } from '../simulator/run/simulation.ts';
import { Trace } from '../simulator/world/trace.ts';
import type { OnCarried } from '../simulator/world/virtual-network.ts';
import { type Act, type Edit, planOf, type Setting } from './setting.ts';

/** A message on its way. */
export type Carried = Parameters<OnCarried>[0];

export interface NodeView {
  /** `down` has no process; `paused` has one that does nothing. */
  readonly state: 'running' | 'paused' | 'down';
  /** What it does instead of following the protocol. */
  readonly liar: string | null;
  /** In its own words: what it waits for. */
  readonly why: string;
  /** The highest block that it made final. */
  readonly height: number;
}

/** What is to be seen since the last look. */
export interface View {
  readonly now: number;
  readonly events: number;
  readonly nodes: readonly NodeView[];
  readonly carried: readonly Carried[];
  /** Events of nodes, in words, with their time. */
  readonly lines: readonly string[];
  /** A promise that was broken: two final blocks at one height, say. */
  readonly breach: { readonly guarantee: string; readonly message: string } | null;
  readonly isOver: boolean;
  /** Of everything so far: two runs with one trace are the same run. */
  readonly trace: string;
}

/** Messages that nobody looked at in time are not kept: a page in the background asks for none. */
const mostCarried = 2_000;
const mostLines = 500;

/** A cluster that somebody plays with: the simulator's, and what people do to it. */
export class PlayHost {
  readonly setting: Setting;
  readonly #trace: Trace;
  readonly #simulation: Simulation;
  readonly #edits: Edit[];
  readonly #heights: number[];
  readonly #paused = new Set<number>();
  #carried: Carried[] = [];
  #lines: string[] = [];
  /** How many of the edits were done. */
  #done = 0;
  /** What was to be seen at the end. */
  #final: View | undefined;

  constructor(setting: Setting) {
    this.setting = setting;
    this.#edits = [...setting.edits];
    const plan = planOf(setting);
    this.#heights = plan.nodes.map(() => 0);
    this.#trace = new PlayTrace((line) => this.#heard(line));
    this.#simulation = new Simulation(plan, this.#trace, (carried) => {
      if (this.#carried.length < mostCarried) this.#carried.push(carried);
    });
    this.#simulation.begin();
  }

  get events(): number {
    return this.#simulation.cluster.scheduler.events;
  }

  /** The setting with all that was done, so that it can be shared or gone back in. */
  get edits(): readonly Edit[] {
    return this.#edits;
  }

  /** Plays up to a whole millisecond; each edit comes where it came before. */
  async playTo(until: number): Promise<void> {
    const { scheduler } = this.#simulation.cluster;
    for (let edit = await this.#nextEdit(); edit !== undefined; edit = await this.#nextEdit()) {
      if (scheduler.now >= until || !(await this.#simulation.step())) break;
    }
    await this.#simulation.playTo(until);
    await this.#finish();
  }

  /** Plays up to an event, or to the end of the run. */
  async playToEvent(event: number): Promise<void> {
    await this.#nextEdit();
    while (this.events < event && (await this.#simulation.step())) await this.#nextEdit();
    await this.#finish();
  }

  /** Does something to the cluster, now. */
  act(act: Act): void {
    const { now, events } = this.#simulation.cluster.scheduler;
    // What was to come after it never comes: this is another run from here on.
    this.#edits.splice(this.#done, Infinity, { event: events, at: now, act });
    this.#done += 1;
    this.#perform(act);
  }

  look(): View {
    const view = { ...(this.#final ?? this.#viewNow()), carried: this.#carried, lines: this.#lines };
    this.#carried = [];
    this.#lines = [];
    return view;
  }

  #viewNow(): View {
    const { cluster, isOver } = this.#simulation;
    const { scheduler, breach } = cluster;
    return {
      now: scheduler.now,
      events: scheduler.events,
      nodes: cluster.nodes.map((node, index) => ({
        state: !node.isUp ? 'down' : this.#paused.has(index) ? 'paused' : 'running',
        liar: this.setting.plan === 'calm' ? (this.setting.nodes[index] ?? null) : null,
        why: node.why(),
        height: this.#heights[index] ?? 0,
      })),
      carried: this.#carried,
      lines: this.#lines,
      breach: breach && { guarantee: breach.guarantee, message: breach.message },
      isOver,
      trace: this.#trace.digest,
    };
  }

  /** Does what was done here before, and says what comes next. */
  async #nextEdit(): Promise<Edit | undefined> {
    const { scheduler } = this.#simulation.cluster;
    for (;;) {
      const edit = this.#edits[this.#done];
      if (edit === undefined || edit.event > scheduler.events || this.#simulation.isOver) return edit;
      // Nothing happens until then.
      if (scheduler.now < edit.at) await this.#simulation.playTo(edit.at);
      this.#done += 1;
      this.#perform(edit.act);
    }
  }

  /** The verdict looks at the disks of nodes that are stopped for it; what is to be seen is how they were. */
  async #finish(): Promise<void> {
    if (!this.#simulation.isOver || this.#final !== undefined) return;
    const view = this.#viewNow();
    const { trace, breach } = await this.#simulation.end();
    this.#final = { ...view, trace, breach };
  }

  #perform(act: Act): void {
    const { targets, links, nodes } = this.#simulation.cluster;
    if (act.node >= nodes.length || ('other' in act && act.other >= nodes.length)) return;
    switch (act.kind) {
      case 'crash':
        this.#paused.delete(act.node);
        return targets.crash(act.node);
      case 'start':
        return targets.start(act.node);
      case 'wipe':
        this.#paused.delete(act.node);
        targets.crash(act.node);
        targets.wipeDisk(act.node);
        return targets.start(act.node);
      case 'pause':
        this.#paused.add(act.node);
        return targets.pause(act.node);
      case 'resume':
        this.#paused.delete(act.node);
        return targets.resume(act.node);
      case 'clock':
        return targets.shiftClock(act.node, act.ms);
      case 'cut':
      case 'mend':
        links[act.kind](act.node, act.other);
        links[act.kind](act.other, act.node);
        return targets.reconcile();
    }
  }

  #heard(line: string): void {
    const [, node, what = ''] = /^\d+ node (\d+): (.*)$/.exec(line) ?? [];
    if (node === undefined) return;
    const [, height] = /^(?:final|starts at height) (\d+)/.exec(what) ?? [];
    if (height !== undefined) this.#heights[Number(node)] = Number(height);
    if (this.#lines.length < mostLines) this.#lines.push(line);
  }
}

/** A trace that somebody listens to. */
class PlayTrace extends Trace {
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    super(false);
    this.#onLine = onLine;
  }

  override add(line: string): void {
    super.add(line);
    this.#onLine(line);
  }
}

/** The same run again, up to an event. */
export async function replay(setting: Setting, events: number): Promise<PlayHost> {
  const host = new PlayHost({ ...setting, edits: setting.edits.filter(({ event }) => event <= events) });
  await host.playToEvent(events);
  return host;
}
