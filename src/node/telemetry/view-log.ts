import type { ViewChangeView } from '../../api/telemetry-views.ts';
import { limits } from '../../base/limits.ts';
import type { Driver } from '../core/driver.ts';
import type { ViewTold } from '../core/listeners.ts';
import type { Clock } from '../process/clock.ts';
import { Ring } from './ring.ts';

/** The last changes of the view (Raft: of the term), with their reasons in the engine's words. */
export class ViewLog {
  readonly #driver: Pick<Driver<object>, 'roster'>;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #changes = new Ring<ViewChangeView>(limits.viewChangesKept);
  /** Since the start: samples tell how many came in their time. */
  #count = 0;

  constructor(options: {
    readonly driver: Pick<Driver<object>, 'roster' | 'engine'>;
    readonly clock: Pick<Clock, 'wallMs'>;
  }) {
    this.#driver = options.driver;
    this.#clock = options.clock;
    const { view, primary } = options.driver.engine.status();
    this.#note({ view, leader: primary, reason: 'this node started' });
  }

  get count(): number {
    return this.#count;
  }

  told(change: ViewTold): void {
    this.#count += 1;
    this.#note(change);
  }

  /** The oldest first. */
  all(): readonly ViewChangeView[] {
    return this.#changes.all();
  }

  #note({ view, leader, reason }: Omit<ViewTold, 'type'>): void {
    const key = leader === null ? undefined : this.#driver.roster.keys[leader];
    this.#changes.push({ at: this.#clock.wallMs(), view, leader: key ?? null, reason });
  }
}
