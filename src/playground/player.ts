import { signal } from '@preact/signals';
import type { Act } from './act.ts';
import { firstSetting, type Opened, type Setting } from './setting.ts';
import type { Carried, RunView } from './view.ts';
import type { Answer, Ask } from './worker.ts';

/** A message on the picture: where it is follows from the time. */
export interface Flight extends Omit<Carried, 'arrivals'> {
  /** When it arrives; null for one that is lost. */
  readonly arrives: number | null;
}

/** How long a lost message stays to be seen, in ms of the run. */
const lostMs = 60;
const keptLines = 200;

/** The run as the page shows it: it asks the worker for what comes, and moves what flies in between. */
export class Player {
  readonly setting = signal<Setting>(firstSetting);
  readonly view = signal<RunView | undefined>(undefined);
  readonly flights = signal<readonly Flight[]>([]);
  readonly lines = signal<readonly string[]>([]);
  /** The moment that is shown, in ms of the run. */
  readonly now = signal(0);
  /** The latest moment that was shown of this run. */
  readonly furthest = signal(0);
  readonly isPlaying = signal(false);
  /** Milliseconds of the run in one of ours. */
  readonly speed = signal(0.25);
  /** The node that is looked at. */
  readonly selected = signal(0);
  /** How much of what was asked of the worker has not come back: what is shown may be older than that. */
  readonly asked = signal(0);
  /** Why the run cannot go on. */
  readonly failure = signal<string | undefined>(undefined);
  #worker: Worker;
  #last: number | undefined;
  #frame = 0;

  constructor() {
    this.#worker = this.#employ();
    this.#frame = requestAnimationFrame((moment) => this.#tick(moment));
  }

  /** The worker and its run end. */
  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#worker.terminate();
  }

  open({ setting, event }: Opened, until?: number): void {
    this.#forget();
    this.furthest.value = 0;
    if (this.selected.value >= setting.nodes.length) this.selected.value = 0;
    this.#begin({
      kind: 'open',
      setting,
      ...(event !== undefined && { event }),
      ...(until !== undefined && { until }),
    });
  }

  step(): void {
    this.isPlaying.value = false;
    this.#ask({ kind: 'step' });
  }

  /** The same run up to the event before. */
  back(): void {
    const { value: view } = this.view;
    this.isPlaying.value = false;
    if (view === undefined || view.events === 0) return;
    this.#forget();
    this.#begin({ kind: 'open', setting: this.setting.value, event: view.events - 1 });
  }

  /** The same run at another moment, earlier or later. */
  goTo(ms: number): void {
    const { value: view } = this.view;
    this.isPlaying.value = false;
    if (view === undefined) return;
    if (ms >= view.now) return this.#ask({ kind: 'play', until: ms });
    this.#forget();
    this.#begin({ kind: 'open', setting: this.setting.value, until: ms });
  }

  act(act: Act): void {
    this.#ask({ kind: 'act', act });
  }

  /** Links that somebody cut, by name. */
  get cuts(): ReadonlySet<string> {
    const cuts = new Set<string>();
    const { events = 0, now = 0 } = this.view.value ?? {};
    for (const { act, event, at } of this.setting.value.edits) {
      if (event > events || at > now) break;
      if (act.kind === 'cut') cuts.add(linkName(act.node, act.other));
      if (act.kind === 'mend') cuts.delete(linkName(act.node, act.other));
    }
    return cuts;
  }

  #employ(): Worker {
    const worker = new Worker(new URL('playground.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if (worker === this.#worker) this.#take(data);
    });
    worker.addEventListener('error', () => (this.failure.value = 'its worker did not start'));
    this.asked.value = 0;
    return worker;
  }

  #forget(): void {
    this.flights.value = [];
    this.lines.value = [];
    this.now.value = 0;
    this.failure.value = undefined;
  }

  /** Another run: one that is still busy with the old one is let go. */
  #begin(ask: Ask): void {
    if (this.asked.value > 0) {
      this.#worker.terminate();
      this.#worker = this.#employ();
    }
    this.#ask(ask);
  }

  #ask(ask: Ask): void {
    this.asked.value += 1;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    this.#worker.postMessage(ask);
  }

  #take(answer: Answer): void {
    this.asked.value -= 1;
    if ('failed' in answer) {
      this.isPlaying.value = false;
      this.failure.value = answer.failed;
      return;
    }
    const { view, setting } = answer;
    this.view.value = view;
    this.setting.value = setting;
    if (view.isOver) this.isPlaying.value = false;
    if (!this.isPlaying.value) this.now.value = view.now;
    this.furthest.value = Math.max(this.furthest.value, view.now);
    const fresh = view.carried.flatMap(({ arrivals, ...carried }): Flight[] =>
      arrivals.length === 0
        ? [{ ...carried, arrives: null }]
        : arrivals.map((arrives) => ({ ...carried, arrives })),
    );
    this.flights.value = this.#flying([...this.flights.value, ...fresh]);
    if (view.lines.length > 0) this.lines.value = [...this.lines.value, ...view.lines].slice(-keptLines);
  }

  #flying(flights: readonly Flight[]): readonly Flight[] {
    const { value: now } = this.now;
    return flights.filter(({ at, arrives }) => now < (arrives ?? at + lostMs));
  }

  #tick(moment: number): void {
    this.#frame = requestAnimationFrame((next) => this.#tick(next));
    const passed = Math.min(100, moment - (this.#last ?? moment));
    this.#last = moment;
    const { value: view } = this.view;
    if (!this.isPlaying.value || view === undefined) return;
    // What is shown never runs ahead of what was played.
    this.now.value = Math.min(view.now, this.now.value + passed * this.speed.value);
    this.flights.value = this.#flying(this.flights.value);
    const until = Math.ceil(this.now.value + 2 * passed * this.speed.value);
    if (this.asked.value === 0 && until > view.now) this.#ask({ kind: 'play', until });
  }
}

export function linkName(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
