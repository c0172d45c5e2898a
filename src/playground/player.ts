import { signal } from '@preact/signals';
import type { View } from './host.ts';
import { type Flight, linkName } from './ring.tsx';
import { type Act, firstSetting, type Setting } from './setting.ts';
import type { Answer, Ask } from './worker.ts';

/** How long a lost message stays to be seen, in ms of the run. */
const lostMs = 60;
const keptLines = 200;

/** The run as the page shows it: it asks the worker for what comes, and moves what flies in between. */
export class Player {
  readonly setting = signal<Setting>(firstSetting);
  readonly view = signal<View | undefined>(undefined);
  readonly flights = signal<readonly Flight[]>([]);
  readonly lines = signal<readonly string[]>([]);
  /** The moment that is shown, in ms of the run. */
  readonly now = signal(0);
  readonly isPlaying = signal(false);
  /** Milliseconds of the run in one of ours. */
  readonly speed = signal(0.25);
  /** How much of what was asked of the worker has not come back: what is shown may be older than that. */
  readonly asked = signal(0);
  readonly #worker: Worker;
  #last: number | undefined;
  #frame = 0;

  constructor() {
    this.#worker = new Worker('/explorer/playground.js', { type: 'module' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => this.#take(data));
    this.#frame = requestAnimationFrame((moment) => this.#tick(moment));
  }

  /** The worker and its run end. */
  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#worker.terminate();
  }

  open(setting: Setting): void {
    this.#forget();
    this.#ask({ kind: 'open', setting });
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
    const setting = this.setting.value;
    this.#forget();
    this.#ask({ kind: 'replay', setting, event: view.events - 1 });
  }

  act(act: Act): void {
    this.#ask({ kind: 'act', act });
  }

  /** Links that somebody cut, by name. */
  get cuts(): ReadonlySet<string> {
    const cuts = new Set<string>();
    const event = this.view.value?.events ?? 0;
    for (const { act, event: at } of this.setting.value.edits) {
      if (at > event) continue;
      if (act.kind === 'cut') cuts.add(linkName(act.node, act.other));
      if (act.kind === 'mend') cuts.delete(linkName(act.node, act.other));
    }
    return cuts;
  }

  #forget(): void {
    this.flights.value = [];
    this.lines.value = [];
    this.now.value = 0;
  }

  #ask(ask: Ask): void {
    this.asked.value += 1;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
    this.#worker.postMessage(ask);
  }

  #take({ view, setting }: Answer): void {
    this.asked.value -= 1;
    this.view.value = view;
    this.setting.value = setting;
    if (view.isOver) this.isPlaying.value = false;
    if (!this.isPlaying.value) this.now.value = view.now;
    const fresh = view.carried.flatMap((carried): Flight[] =>
      carried.arrivals.length === 0
        ? [{ ...carried, arrives: null }]
        : carried.arrivals.map((arrives) => ({ ...carried, arrives })),
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
