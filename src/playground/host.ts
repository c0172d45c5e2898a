import { messageText } from '../simulator/plan/message-text.ts';
import type { LiarName } from '../simulator/plan/plan.ts';
import { Simulation } from '../simulator/run/simulation.ts';
import { Trace } from '../simulator/world/trace.ts';
import type { OnCarried } from '../simulator/world/virtual-network.ts';
import { type Act, actText, type Edit } from './act.ts';
import { canLie, planOf, type Setting } from './setting.ts';
import type { Carried, NodeView, RunView } from './view.ts';

/** Messages that nobody looked at in time are not kept: a page in the background asks for none. */
const mostCarried = 2_000;
const mostLines = 500;
/** When nothing happens for this long, nothing will: all nodes are down, and nobody submits. */
const idleMs = 60_000;

/** A cluster that somebody plays with: the simulator's, and what people do to it. */
export class PlayHost {
  readonly setting: Setting;
  readonly #trace: Trace;
  readonly #simulation: Simulation;
  readonly #edits: Edit[];
  readonly #heights: number[];
  readonly #paused = new Set<number>();
  readonly #liars: (LiarName | null)[];
  readonly #clocks = new Map<number, number>();
  readonly #held = new Map<string, (from: number, to: number, kind: string) => boolean>();
  #carried: Carried[] = [];
  #lines: string[] = [];
  /** How many of the edits were done. */
  #done = 0;
  /** What was to be seen at the end. */
  #final: RunView | undefined;

  constructor(setting: Setting) {
    this.setting = setting;
    this.#edits = [...setting.edits];
    const plan = planOf(setting);
    this.#heights = plan.nodes.map(() => 0);
    // In a drawn plan the seed says who lies, and nobody is told.
    this.#liars = plan.nodes.map(({ liar }) => (setting.plan === 'calm' ? liar : null));
    this.#trace = new PlayTrace((line) => this.#heard(line));
    this.#simulation = new Simulation(plan, this.#trace, (carried) => this.#saw(carried));
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
    const simulation = this.#simulation;
    const { scheduler } = simulation.cluster;
    for (;;) {
      const edit = this.#performDue();
      if (edit === undefined || edit.at > until || simulation.isOver) break;
      const waitsForTime = edit.event <= scheduler.events;
      if (waitsForTime && scheduler.now < edit.at - 1) await simulation.playTo(edit.at - 1);
      if (!(await simulation.step(waitsForTime ? edit.at : until)) && !waitsForTime) break;
    }
    await simulation.playTo(until);
    await this.#finish();
  }

  /** Plays up to an event, or to the end of the run. */
  async playToEvent(event: number): Promise<void> {
    const simulation = this.#simulation;
    const { scheduler } = simulation.cluster;
    for (;;) {
      const edit = this.#performDue();
      if (scheduler.events >= event || simulation.isOver) break;
      const waitsForTime = edit !== undefined && edit.event <= scheduler.events;
      const until = waitsForTime ? edit.at : scheduler.now + idleMs;
      if (!(await simulation.step(until)) && !waitsForTime) break;
    }
    await this.#performUntilNext();
    await this.#finish();
  }

  /** Does what was done between this event and the next one. */
  async #performUntilNext(): Promise<void> {
    const { scheduler } = this.#simulation.cluster;
    for (let edit = this.#performDue(); edit !== undefined; edit = this.#performDue()) {
      if (edit.event > scheduler.events || scheduler.nextAt <= edit.at) return;
      await this.#simulation.playTo(edit.at);
    }
  }

  /** Does something to the cluster, now. */
  act(act: Act): void {
    const { now, events } = this.#simulation.cluster.scheduler;
    // What was to come after it never comes: this is another run from here on.
    this.#edits.splice(this.#done, Infinity, { event: events, at: now, act });
    this.#done += 1;
    this.#perform(act);
  }

  look(): RunView {
    const view = { ...(this.#final ?? this.#viewNow()), carried: this.#carried, lines: this.#lines };
    this.#carried = [];
    this.#lines = [];
    return view;
  }

  #viewNow(): RunView {
    const { cluster, isOver } = this.#simulation;
    const { scheduler, breach } = cluster;
    return {
      now: scheduler.now,
      events: scheduler.events,
      nodes: cluster.nodes.map((_, index) => this.#nodeView(index)),
      carried: this.#carried,
      lines: this.#lines,
      held: [...this.#held.keys()],
      breach: breach && {
        guarantee: breach.guarantee,
        message: breach.message,
        conflict: cluster.monitor.conflicts.first,
      },
      isOver,
      trace: this.#trace.digest,
    };
  }

  #nodeView(index: number): NodeView {
    const node = this.#simulation.cluster.nodes[index];
    const inside = node?.look() ?? null;
    return {
      state: inside === null ? 'down' : this.#paused.has(index) ? 'paused' : 'running',
      liar: this.#liars[index] ?? null,
      why: node?.why() ?? 'down',
      height: Math.max(this.#heights[index] ?? 0, inside?.height ?? 0),
      clockMs: this.#clocks.get(index) ?? 0,
      disk: {
        written: node?.disk.written ?? 0,
        bytes: node?.disk.bytes ?? 0,
        unsynced: node?.disk.unsynced ?? 0,
      },
      inside,
    };
  }

  /** Does what is to be done here, by events and by time, and says what comes next. */
  #performDue(): Edit | undefined {
    const { scheduler } = this.#simulation.cluster;
    for (;;) {
      const edit = this.#edits[this.#done];
      if (edit === undefined || edit.event > scheduler.events || edit.at > scheduler.now) return edit;
      if (this.#simulation.isOver) return undefined;
      this.#done += 1;
      this.#perform(edit.act);
    }
  }

  /** The verdict looks at the disks of nodes that are stopped for it; what is to be seen is how they were. */
  async #finish(): Promise<void> {
    if (!this.#simulation.isOver || this.#final !== undefined) return;
    const view = this.#viewNow();
    const { trace, breach } = await this.#simulation.end();
    this.#final = { ...view, trace, breach: view.breach ?? (breach && { ...breach, conflict: null }) };
  }

  #perform(act: Act): void {
    const { targets, nodes } = this.#simulation.cluster;
    if (!isPossible(act, nodes.length, this.setting)) return;
    this.#note(`${this.#simulation.cluster.scheduler.now} by hand: ${actText(act)}`);
    switch (act.kind) {
      case 'crash':
      case 'lose':
        this.#paused.delete(act.node);
        return targets.crash(act.node, act.kind === 'lose' ? 'none' : 'some');
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
        this.#clocks.set(act.node, (this.#clocks.get(act.node) ?? 0) + act.ms);
        return targets.shiftClock(act.node, act.ms);
      case 'lie':
        this.#paused.delete(act.node);
        this.#liars[act.node] = act.liar;
        return targets.corrupt(act.node, act.liar);
      case 'read':
      case 'write':
        return targets.ask(act.node, act.kind === 'write' ? act : { kind: 'read' });
      case 'cut':
      case 'mend':
      case 'hold':
      case 'release':
        return this.#performOnLinks(act);
    }
  }

  #performOnLinks(act: Extract<Act, { kind: 'cut' | 'mend' | 'hold' | 'release' }>): void {
    const { links, targets } = this.#simulation.cluster;
    if ('other' in act) {
      links[act.kind](act.node, act.other);
      links[act.kind](act.other, act.node);
      return targets.reconcile();
    }
    const before = this.#held.get(act.what);
    if (before !== undefined) links.filters.delete(before);
    this.#held.delete(act.what);
    if (act.kind === 'release') return;
    const isHeld = (_from: number, _to: number, kind: string): boolean => kind === act.what;
    links.filters.add(isHeld);
    this.#held.set(act.what, isHeld);
  }

  #saw({ bytes, ...carried }: Parameters<OnCarried>[0]): void {
    if (this.#carried.length >= mostCarried) return;
    this.#carried.push({ ...carried, text: textOf(this.setting, carried.kind, bytes) });
  }

  #heard(line: string): void {
    const [, node, what = ''] = /^\d+ node (\d+): (.*)$/.exec(line) ?? [];
    if (node === undefined) return;
    const [, height] = /^(?:final|starts at height) (\d+)/.exec(what) ?? [];
    if (height !== undefined) this.#heights[Number(node)] = Number(height);
    this.#note(line);
  }

  #note(line: string): void {
    if (this.#lines.length < mostLines) this.#lines.push(line);
  }
}

/** An address may name nodes that do not exist, and faults that this engine does not claim to tolerate. */
function isPossible(act: Act, nodes: number, setting: Setting): boolean {
  if ('node' in act && act.node >= nodes) return false;
  if ('other' in act && act.other >= nodes) return false;
  return act.kind !== 'lie' || canLie(setting);
}

function textOf({ engine }: Setting, kind: string, bytes: Uint8Array): string {
  const carriesMessage = !['transactions', 'blocks', 'evidence', 'request', 'response'].includes(kind);
  return carriesMessage ? messageText(engine, bytes) : `${bytes.length} bytes`;
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

/** The same run again, up to an event. What was done later comes when it goes on. */
export async function replay(setting: Setting, event: number): Promise<PlayHost> {
  const host = new PlayHost(setting);
  await host.playToEvent(event);
  return host;
}
